"""Measures a live meeting in the built-in room with the real processes.

    live_bench.py HANSARD [--audio WAV] [--participants N] [--more MEETINGS]

One participant speaks (a 16-bit mono WAV), the others publish silence. Printed: the time from the last voiced sample of each
utterance, as it left the publisher, to the arrival of its final text at a viewer of the event stream; CPU seconds per second
of meeting of all processes that hansard started for it; memory (PSS of all processes) before and after each further meeting.
"""
import argparse
import array
import glob
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import wave

RATE_MS = 10          # energy frames
END_SILENCE_MS = 600  # the live profile ends an utterance after this
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read_wav(path):
    with wave.open(path) as w:
        if w.getsampwidth() != 2 or w.getnchannels() != 1:
            sys.exit(f"{path}: give a 16-bit mono WAV")
        return w.getframerate(), array.array("h", w.readframes(w.getnframes()))


def voice_ends(path):
    """Seconds at which speech ends and END_SILENCE_MS of silence follow, by frame energy against the file's own floor."""
    rate, samples = read_wav(path)
    step = rate * RATE_MS // 1000
    energy = [sum(x * x for x in samples[i:i + step]) / step for i in range(0, len(samples) - step, step)]
    ordered = sorted(energy)
    floor, loud = ordered[len(ordered) // 20], ordered[len(ordered) * 95 // 100]
    threshold = max(floor * 8, loud / 1000)
    ends, last, spoken = [], None, 0
    for i, e in enumerate(energy):
        if e > threshold:
            spoken += 1
            last = i
        elif last is not None and (i - last) * RATE_MS == END_SILENCE_MS:
            if spoken * RATE_MS >= 250:
                ends.append((last + 1) * RATE_MS / 1000)
            spoken = 0
    return ends


def write_silence(path, seconds):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(16000)
        w.writeframes(bytes(int(seconds) * 32000))


def children(pid):
    """The process and everything under it."""
    parents = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.split("/")[2])] = int(fields[1])
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def cpu_seconds(pid):
    total = 0.0
    for p in children(pid):
        try:
            with open(f"/proc/{p}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
        except OSError:
            pass
    return total


def pss_mb(pid):
    total = 0
    for p in children(pid):
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total / 1024


class Daemon:
    def __init__(self, hansard, folder, room_port):
        self.port = free_port()
        config = os.path.join(folder, "hansard.toml")
        with open(config, "w") as f:
            f.write(f'data_dir = "{folder}/data"\n[listen]\nport = {self.port}\n[media]\nhosts = ["127.0.0.1:{room_port}"]\n')
            f.write(f'[http]\nallow_hosts = ["127.0.0.1:{room_port}"]\n')
        self.log = open(os.path.join(folder, "daemon.log"), "w")
        self.process = subprocess.Popen([hansard, "serve", "--config", config], stdout=self.log, stderr=self.log)
        self.token_file = os.path.join(folder, "data", "api-token")
        wait_for(lambda: os.path.exists(self.token_file) and self.call("/api/status") is not None, 30, "the daemon did not start")

    def call(self, path, body=None):
        with open(self.token_file) as f:
            token = f.read().strip()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        try:
            return urllib.request.urlopen(request, timeout=60 * 60 if path.startswith("/api/events") else 10)
        except OSError:
            return None

    def join(self, url):
        reply = self.call("/api/meetings", {"url": url})
        if reply is None:
            sys.exit("the daemon did not take the meeting")
        return json.load(reply)["id"]


def wait_for(condition, seconds, message):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(message)
        time.sleep(0.05)


class Viewer(threading.Thread):
    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.stream = daemon.call("/api/events?after=0")
        self.finals, self.states = [], {}

    def run(self):
        for line in self.stream:
            if not line.startswith(b"data:"):
                continue
            now = time.time()
            body = json.loads(line[5:])
            if body.get("type") == "utterance.final":
                self.finals.append((now, body["meeting"], body["utterance"]))
            elif body.get("type") == "meeting.state":
                self.states[body["meeting"]] = body


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hansard")
    parser.add_argument("--audio", default=".cache/samples/pyannote/sample.wav")
    parser.add_argument("--participants", type=int, default=4)
    parser.add_argument("--more", type=int, default=2, help="further meetings, for memory")
    parser.add_argument("--rounds", type=int, default=3, help="how often the audio is spoken")
    options = parser.parse_args()
    if not os.path.exists(options.audio):
        print(f"skipped: {options.audio} is not there (scripts/fetch models)")
        return
    folder = tempfile.mkdtemp(prefix="hansard-bench-")
    running = []
    try:
        measure(options, folder, running)
    finally:
        for p in running:
            p.send_signal(signal.SIGTERM)
        for p in running:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(folder, ignore_errors=True)


def measure(options, folder, running):
    hansard = os.path.abspath(options.hansard)
    rate, samples = read_wav(options.audio)
    length = len(samples) / rate + 2
    spoken = os.path.join(folder, "spoken.wav")
    with wave.open(spoken, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        for _ in range(options.rounds):
            w.writeframes(samples.tobytes() + bytes(2 * rate * 2))
    ends = voice_ends(spoken)
    silence = os.path.join(folder, "silence.wav")
    write_silence(silence, length * options.rounds + 120)

    room_port = free_port()
    room = subprocess.Popen([hansard, "child", "media", "room", "--listen", f"127.0.0.1:{room_port}"], stdout=subprocess.DEVNULL,
                            stderr=open(os.path.join(folder, "room.log"), "w"))
    running.append(room)

    def publish(name, meeting, audio, start_at=0):
        log = open(os.path.join(folder, f"{meeting}-{name}.log"), "w")
        running.append(subprocess.Popen([hansard, "child", "media", "publish", "--whip",
                                         f"http://127.0.0.1:{room_port}/rooms/{meeting}/whip?name={name}", "--file", audio, "--start-at",
                                         str(int(start_at * 1000))], stdout=log, stderr=log))

    daemon = Daemon(hansard, folder, room_port)
    running.append(daemon.process)
    viewer = Viewer(daemon)
    viewer.start()
    idle_mb = pss_mb(daemon.process.pid)
    start_at = time.time() + 8
    publish("Speaker", "bench", spoken, start_at)
    for i in range(options.participants - 1):
        publish(f"Listener{i}", "bench", silence)
    time.sleep(2)
    meeting = daemon.join(f"http://127.0.0.1:{room_port}/rooms/bench")
    wait_for(lambda: viewer.states.get(meeting, {}).get("state") == "recording", 20, "the meeting was not joined")
    time.sleep(max(0.0, start_at - time.time()))
    cpu_before, wall_before = cpu_seconds(daemon.process.pid), time.monotonic()
    time.sleep(length * options.rounds)
    cpu, wall = cpu_seconds(daemon.process.pid) - cpu_before, time.monotonic() - wall_before
    time.sleep(3)
    with_one = pss_mb(daemon.process.pid)

    # Each final belongs to the last end of speech that is not much later than its own; a final cut by the longest-segment
    # rule, in the middle of speech, belongs to none.
    origin = viewer.states[meeting]["origin_unix_ms"] / 1000
    latencies = []
    for arrived, of, utterance in viewer.finals:
        said_until = origin + utterance["end_ms"] / 1000 - start_at
        near = [e for e in ends if abs(e - said_until) < 0.5]
        if of == meeting and near:
            latencies.append(arrived - (start_at + min(near, key=lambda e: abs(e - said_until))))
    print(f"{options.participants} participants, one speaking: {len(viewer.finals)} finals, {len(ends)} ends of speech, {len(latencies)} matched")
    if latencies:
        print(f"last voiced sample to final at a viewer: median {statistics.median(latencies):.2f} s, 95th percentile "
              f"{percentile(latencies, 0.95):.2f} s (of which {END_SILENCE_MS / 1000:.1f} s are the silence that ends an utterance)")
    print(f"CPU of daemon, media and speech process: {cpu / wall * 100:.1f} % of a core for one live speaker and "
          f"{options.participants - 1} silent participants")
    print(f"memory (PSS of all processes): {idle_mb:.0f} MB idle, {with_one:.0f} MB with one meeting of {options.participants}")
    before = with_one
    for n in range(options.more):
        name = f"more{n}"
        for i in range(2):
            publish(f"Listener{i}", name, silence)
        time.sleep(1)
        more = daemon.join(f"http://127.0.0.1:{room_port}/rooms/{name}")
        wait_for(lambda more=more: viewer.states.get(more, {}).get("state") == "recording", 20, "a further meeting was not joined")
        time.sleep(3)
        now = pss_mb(daemon.process.pid)
        print(f"memory with {n + 2} meetings: {now:.0f} MB ({now - before:+.1f} MB for a further meeting of two)")
        before = now
    if not latencies:
        sys.exit(1)


if __name__ == "__main__":
    main()
