"""Runs many live meetings for a long time with the real processes and judges what they use.

    soak.py HANSARD [--minutes 30] [--rooms N] [--late SECONDS] [--audio WAV]

In every room two participants speak in turns: the demo's recorded conversation, its speakers apart, over and over. Without
--rooms it first looks for the number that this machine carries, one room more at a time while finals come in time. Every 10 s
it prints memory (RSS, PSS), threads, descriptors and CPU of the daemon and its children, the data folder's size, and how late
finals came: from the end of the words at the participant to the final at a viewer of the event stream, of which 0.6 s are the
silence that ends an utterance. The room server and the participants are load; their CPU is in a column of its own.

It fails when memory grows (Theil-Sen slope after the warm-up), when there are more threads or descriptors in the last third
than in the first, when a final came later than --late, when a room fell silent, when audio that arrived was not transcribed,
or when something is left after the meetings.
"""
import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import wave

from live_bench import Daemon, Viewer, children, cpu_seconds, free_port, percentile, pss_mb, read_wav, wait_for

EVERY_S = 10
RAMP_STEP_S = 40       # a little more than the audio once
RAMP_LATE_S = 4.0      # a room too many when the finals of a step were later than this
MOST_ROOMS = 64
SILENT_S = 60          # a room without a final for so long has fallen silent
# Audio that never came, or came before the bot was in the call or after it had left.
NOT_OURS = ("network", "connecting", "leaving")
# Given to the recognizer, whose own verdict on its text was that it means nothing.
UNCLEAR = "unclear"
END_S = 120            # everything is cleaned up so long after the rooms closed


def cut_by_speaker(audio, folder):
    """A WAV for each speaker of the conversation, silent where others speak, by the .rttm file beside it."""
    rate, samples = read_wav(audio)
    turns = {}
    with open(os.path.splitext(audio)[0] + ".rttm", encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) > 7 and words[0] == "SPEAKER":
                turns.setdefault(words[7], []).append((float(words[3]), float(words[3]) + float(words[4])))
    tracks = []
    for speaker, spoken in sorted(turns.items()):
        track = type(samples)("h", bytes(2 * (len(samples) + 2 * rate)))
        for start, end in spoken:
            cut = slice(int(start * rate), min(int(end * rate), len(samples)))
            track[cut] = samples[cut]
        tracks.append(os.path.join(folder, f"{speaker}.wav"))
        with wave.open(tracks[-1], "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(rate)
            w.writeframes(track.tobytes())
    return tracks


def used_by(pid):
    """What the process and all below it hold now."""
    rss = threads = descriptors = 0
    below = children(pid)
    for p in below:
        try:
            with open(f"/proc/{p}/status") as f:
                status = dict(line.split(":", 1) for line in f if ":" in line)
            rss += int(status.get("VmRSS", "0").split()[0]) / 1024
            threads += int(status["Threads"])
            descriptors += len(os.listdir(f"/proc/{p}/fd"))
        except (OSError, KeyError):
            pass  # ended while we looked
    return {"processes": len(below), "rss_mb": rss, "pss_mb": pss_mb(pid), "threads": threads, "fds": descriptors}


def disk_mb(folder):
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name)).st_blocks * 512
            except OSError:
                pass
    return total / (1 << 20)


class World:
    """A room server, a daemon, a viewer, and as many rooms with two speakers as are opened."""

    def __init__(self, hansard, tracks, folder):
        os.makedirs(folder)
        self.hansard, self.tracks, self.folder = hansard, tracks, folder
        self.load, self.meetings = [], {}
        self.room_port = free_port()
        self.start("room", ["room", "--listen", f"127.0.0.1:{self.room_port}"])
        self.daemon = Daemon(hansard, folder, self.room_port)
        self.viewer = Viewer(self.daemon)
        self.viewer.start()
        self.pid = self.daemon.process.pid
        self.seen = 0

    def start(self, name, args):
        with open(os.path.join(self.folder, f"{name}.log"), "w") as log:
            self.load.append(subprocess.Popen([self.hansard, "child", "media", *args], stdout=log, stderr=log))

    def open_room(self):
        name = f"soak{len(self.meetings)}"
        for i, track in enumerate(self.tracks):
            url = f"http://127.0.0.1:{self.room_port}/rooms/{name}/whip?name=Speaker{i}"
            self.start(f"{name}-{i}", ["publish", "--whip", url, "--file", track, "--loop"])
        time.sleep(1)
        meeting = self.daemon.join(f"http://127.0.0.1:{self.room_port}/rooms/{name}")
        wait_for(lambda: self.state(meeting) == "recording", 40, f"the meeting in {name} was not joined")
        self.meetings[meeting] = time.time()

    def state(self, meeting):
        return self.viewer.states.get(meeting, {}).get("state")

    def new_finals(self):
        """(meeting, arrival, seconds late) of the finals since the last call."""
        found = self.viewer.finals[self.seen:]
        self.seen += len(found)
        return [(meeting, arrived, arrived - self.viewer.states[meeting]["origin_unix_ms"] / 1000 - utterance["end_ms"] / 1000)
                for arrived, meeting, utterance in found]

    def load_cpu(self):
        return sum(cpu_seconds(p.pid) for p in self.load)

    def view(self, meeting):
        return json.load(self.daemon.call(f"/api/meetings/{meeting}"))

    def close(self):
        everything = [*self.load, self.daemon.process]
        for p in everything:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in everything:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def find_rooms(world):
    """Opens rooms while finals come in time; how many did."""
    while len(world.meetings) < MOST_ROOMS:
        world.open_room()
        world.new_finals()
        time.sleep(RAMP_STEP_S)
        late = [s for _, _, s in world.new_finals()]
        worst = max(late, default=math.inf)
        print(f"{len(world.meetings)} rooms: {len(late)} finals in {RAMP_STEP_S} s, the latest after {worst:.1f} s", flush=True)
        if worst > RAMP_LATE_S:
            return len(world.meetings) - 1
    return MOST_ROOMS


def watch(world, seconds):
    """Samples until the time is over: the table, and every final's lateness."""
    print("   time  PSS MB  RSS MB  procs  threads  fds  disk MB  CPU %  load %  finals  median  latest")
    rows, late = [], []
    heard = dict(world.meetings)
    began = last = time.monotonic()
    cpu, load = cpu_seconds(world.pid), world.load_cpu()
    world.new_finals()
    while time.monotonic() - began < seconds:
        time.sleep(max(0.0, last + EVERY_S - time.monotonic()))
        now, was = time.monotonic(), last
        last = now
        cpu_now, load_now = cpu_seconds(world.pid), world.load_cpu()
        finals = world.new_finals()
        for meeting, arrived, seconds_late in finals:
            late.append(seconds_late)
            heard[meeting] = arrived
        row = {"s": now - began, **used_by(world.pid), "disk_mb": disk_mb(os.path.join(world.folder, "data"))}
        row["silent"] = [m for m, at in heard.items() if time.time() - at > SILENT_S]
        rows.append(row)
        these = [s for _, _, s in finals]
        print(f"{row['s']:7.0f} {row['pss_mb']:7.1f} {row['rss_mb']:7.1f} {row['processes']:6d} {row['threads']:8d} {row['fds']:4d} "
              f"{row['disk_mb']:8.1f} {(cpu_now - cpu) / (now - was) * 100:6.1f} {(load_now - load) / (now - was) * 100:7.1f} "
              f"{len(finals):7d} {statistics.median(these) if these else 0:6.2f}  {max(these, default=0):6.2f}", flush=True)
        cpu, load = cpu_now, load_now
    return rows, late


def slope(points):
    """Theil-Sen: the median of the slopes of all pairs, which single peaks do not move."""
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:])


class Verdict:
    def __init__(self):
        self.failed = 0

    def __call__(self, ok, what):
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        self.failed += not ok


def judge(check, rows, late, options):
    warm = [r for r in rows if r["s"] >= min(300, rows[-1]["s"] / 3)]
    if len(warm) < 6:
        sys.exit("too short to judge: give it more minutes")
    per_s = slope([(r["s"], r["pss_mb"]) for r in warm])
    grown = per_s * (warm[-1]["s"] - warm[0]["s"])
    mean = statistics.mean(r["pss_mb"] for r in warm)
    # The meetings' own rows and the cache of the store grow a little; a leak of a buffer or a peer grows far more in 30 minutes.
    bound = max(8.0, mean * 0.04)
    check(grown <= bound, f"memory: {per_s * 3600:+.1f} MB an hour, {grown:+.1f} MB over the judged {warm[-1]['s'] - warm[0]['s']:.0f} s "
                          f"at {mean:.0f} MB (bound {bound:.0f} MB)")
    third = len(warm) // 3
    for what in ("processes", "threads", "fds"):
        first, final = (statistics.median(r[what] for r in part) for part in (warm[:third], warm[-third:]))
        check(final <= first, f"{what}: {first:.0f} in the first third, {final:.0f} in the last")
    if late:
        check(max(late) <= options.late, f"{len(late)} finals, late by a median of {statistics.median(late):.2f} s, 95th percentile "
                                         f"{percentile(late, 0.95):.2f} s, at most {max(late):.2f} s (bound {options.late:g} s)")
    else:
        check(False, "no finals")
    silent = sorted({m for r in rows for m in r["silent"]})
    check(not silent, f"{len(silent)} rooms fell silent for {SILENT_S} s")


def end(check, world):
    """Closes the rooms and looks at what was made of them, and what is left."""
    for meeting in world.meetings:
        world.daemon.call(f"/api/meetings/{meeting}/stop", {})
    limit = time.monotonic() + END_S
    while time.monotonic() < limit and any(world.state(m) != "done" for m in world.meetings):
        time.sleep(0.5)
    check(all(world.state(m) == "done" for m in world.meetings), f"{len(world.meetings)} meetings ended well")
    sums, missing = {}, {}
    for meeting in world.meetings:
        for participant in world.view(meeting)["coverage"]:
            for state, ms in participant["totals_ms"].items():
                sums[state] = sums.get(state, 0) + ms
            for i in participant["intervals"]:
                if i["state"] in ("lost", "unrecognized", "pending") and i.get("reason") not in (*NOT_OURS, UNCLEAR):
                    key = f"{i['state']}, {i.get('reason', '')}, ms"
                    missing[key] = missing.get(key, 0) + i["end_ms"] - i["start_ms"]
    print("coverage, minutes of participants: " + ", ".join(f"{k} {v / 60000:.1f}" for k, v in sums.items() if v))
    check(not missing, f"of what arrived, this is not in the transcripts: {missing or 'nothing'}")
    while time.monotonic() < limit and used_by(world.pid)["processes"] > 2:
        time.sleep(0.5)
    left = used_by(world.pid)
    check(left["processes"] <= 2, f"{left['processes']} processes after the meetings (the daemon and its recognizer): PSS {left['pss_mb']:.0f} MB, "
                                  f"{left['threads']} threads, {left['fds']} descriptors")
    audio = os.path.join(world.folder, "data", "audio")
    files = sum(len(names) for _, _, names in os.walk(audio))
    check(files == 0, f"{files} files of audio left, {disk_mb(os.path.join(world.folder, 'data')):.1f} MB in the data folder")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hansard")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rooms", type=int, default=0)
    parser.add_argument("--late", type=float, default=10)
    parser.add_argument("--audio", default=".cache/samples/pyannote/sample.wav")
    options = parser.parse_args()
    if options.minutes < 2 or not 0 <= options.rooms <= MOST_ROOMS:
        parser.error(f"at least 2 minutes, and up to {MOST_ROOMS} rooms (0: as many as the machine carries)")
    if not os.path.exists(options.audio):
        sys.exit(f"{options.audio} is not there; scripts/fetch models brings it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # through the clean-up below
    hansard = os.path.abspath(options.hansard)
    folder = tempfile.mkdtemp(prefix="hansard-soak-")
    world = None
    check = Verdict()
    try:
        tracks = cut_by_speaker(options.audio, folder)
        rooms = options.rooms
        if not rooms:
            world = World(hansard, tracks, os.path.join(folder, "ramp"))
            rooms = find_rooms(world)
            world.close()
            if rooms == 0:
                sys.exit("this machine does not carry one room")
        print(f"{rooms} rooms of {len(tracks)} speakers for {options.minutes:g} minutes on {os.cpu_count()} cores; "
              f"load {os.getloadavg()[0]:.1f} before", flush=True)
        world = World(hansard, tracks, os.path.join(folder, "soak"))
        for _ in range(rooms):
            world.open_room()
        rows, late = watch(world, options.minutes * 60)
        judge(check, rows, late, options)
        end(check, world)
    finally:
        if world is not None:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
