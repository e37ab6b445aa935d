"""What the interop tests share: the speech they send, and Chromium."""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import media

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("HANSARD_CACHE", os.path.join(ROOT, ".cache"))
ADDRESS = "10.9.9.1"


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def speech():
    """Seven seconds of recorded speech at 16 kHz."""
    for path in ("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav",
                 os.path.join(CACHE, "samples/pyannote/sample.wav")):
        if os.path.exists(path):
            return media.read_wav(path)[:7 * media.RATE]
    skip("no recorded speech; scripts/setup test installs pocketsphinx-testdata")


def at_48k(samples):
    """The same at 48 kHz, by a zero-padded spectrum."""
    n = len(samples)
    return np.fft.irfft(np.fft.rfft(samples), 3 * n) * 3


def open_chromium(url, directory, *flags):
    """Chromium without a window on one page. It runs without its own sandbox only where it would refuse otherwise."""
    command = [shutil.which("chromium"), "--headless=new", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
               f"--user-data-dir={directory}/profile", "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns",
               "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", *flags]
    if os.geteuid() == 0:
        command.append("--no-sandbox")
    environment = dict(os.environ, HOME=directory, XDG_CONFIG_HOME=directory, XDG_CACHE_HOME=directory)
    log = open(os.path.join(directory, "chromium.log"), "wb")
    return subprocess.Popen([*command, url], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)


def stop(process):
    """Ends a process and all it started."""
    if process is None:
        return
    try:
        os.killpg(process.pid, 9)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def band(samples):
    """300 Hz to 7 kHz: a browser's Opus (VOIP mode) turns the phase of what lies below, which says nothing about fidelity."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / media.RATE)
    spectrum[(frequency < 300) | (frequency > 7000)] = 0
    return np.fft.irfft(spectrum, len(samples))


def windows(source, audio, lag, seconds=1.0):
    """For each second of the source: how well it is heard, and how many samples off the common lag."""
    out, n, slack = [], int(seconds * media.RATE), media.RATE // 5
    for at in range(0, len(source) - n + 1, n):
        begin = max(0, at + lag - slack)
        correlation, where = media.best_alignment(source[at:at + n], audio[begin:at + lag + n + slack])
        out.append((correlation, begin + where - at - lag))
    return out


def check(name, track, source, least=0.9, skips=False):
    """The track holds the source. `skips`: the sender may lose or repeat a little of its own, so each second is judged alone."""
    audio = track.audio()
    correlation, lag = media.best_alignment(band(source), band(audio))
    heard = min(len(audio), lag + len(source)) - max(0, lag)
    lost = sum(g["end_ms"] - g["start_ms"] for g in track.gaps if g["lost"])
    parts = windows(band(source), band(audio), lag)
    print("windows (correlation, shift ms):", " ".join(f"{c:.2f}/{1000 * d / media.RATE:+.1f}" for c, d in parts))
    print(f"{name}: correlation {correlation:.3f}, {heard / media.RATE:.2f} of {len(source) / media.RATE:.2f} s heard, {lost} ms reported as lost")
    assert not track.holes, track.holes
    assert heard > 0.85 * len(source), "too little was heard"
    if skips:
        correlation = float(np.median([c for c, _ in parts]))
        assert all(abs(d) <= media.RATE // 10 for _, d in parts), "time shifts by more than 100 ms"
    assert correlation >= least, f"correlation {correlation:.3f} is below {least}"


class Directory(tempfile.TemporaryDirectory):
    """A scratch folder whose removal tolerates a browser that is still writing."""

    def __init__(self):
        super().__init__(prefix="hansard-interop-", ignore_cleanup_errors=True)
