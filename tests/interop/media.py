"""Drives the media process over its descriptor (ipc/frame.h, ipc/messages.h) and compares audio. Standard library and numpy."""
import json
import os
import select
import socket
import struct
import subprocess
import time
import wave

import numpy as np

RATE = 16000


def read_wav(path, rate=RATE):
    """Mono samples of a 16-bit WAV file as floats, resampled linearly when it has another rate."""
    with wave.open(str(path)) as w:
        data = np.frombuffer(w.readframes(w.getnframes()), dtype="<i2").astype(np.float64)
        if w.getnchannels() > 1:
            data = data.reshape(-1, w.getnchannels()).mean(axis=1)
        source_rate = w.getframerate()
    if source_rate != rate:
        n = int(len(data) * rate / source_rate)
        data = np.interp(np.arange(n) * source_rate / rate, np.arange(len(data)), data)
    return data / 32768


def write_wav(path, samples, rate):
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def best_alignment(reference, captured):
    """(correlation, lag): the lag in samples at which `reference` fits into `captured` best, and how well it fits."""
    n = 1 << (len(reference) + len(captured)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(captured, n) * np.conj(np.fft.rfft(reference, n)), n)
    lag = int(np.argmax(cross))
    if lag > n // 2:
        lag -= n
    a = max(0, lag)
    b = min(len(captured), lag + len(reference))
    x, y = captured[a:b], reference[a - lag:b - lag]
    norm = np.sqrt((x * x).sum() * (y * y).sum())
    return (float((x * y).sum() / norm) if norm > 0 else 0.0), lag


class Track:
    def __init__(self, number, participant):
        self.number, self.participant = number, participant
        self.start_ms = None
        self.chunks = []
        self.samples_count = 0
        self.concealed = []  # (start_ms, end_ms)
        self.gaps = []
        self.holes = []
        self.closed_ms = None

    @property
    def end_ms(self):
        return (self.start_ms or 0) + self.samples_count // 16

    def audio(self):
        return np.concatenate(self.chunks).astype(np.float64) / 32768 if self.chunks else np.zeros(0)


class Bot:
    """A capture process. poll() reads what has come; wait_for() polls until a condition holds."""

    def __init__(self, program, role=("capture",), credit=1 << 20, stderr=None):
        ours, theirs = socket.socketpair()
        fd = theirs.fileno()

        def prepare():
            os.dup2(fd, 3)

        self.process = subprocess.Popen([program, "child", "media", *role, "--fd", "3"], stdin=subprocess.DEVNULL,
                                        pass_fds=(3, fd), preexec_fn=prepare, stderr=stderr)
        theirs.close()
        self.sock = ours
        self.sock.setblocking(False)
        self.buffer = b""
        self.credit = credit
        self.open = True
        self.statuses, self.participants, self.tracks, self.messages = [], {}, {}, []
        if credit:
            self.send({"type": "credit", "bytes": credit})

    def send(self, message):
        body = b"\0" + json.dumps(message).encode()
        self.sock.setblocking(True)
        try:
            self.sock.sendall(struct.pack("<I", len(body)) + body)
        except BrokenPipeError:
            pass  # it has ended; what it said last is still to be read
        self.sock.setblocking(False)

    def join(self, url, name="hansard (records)"):
        self.send({"type": "join", "meeting": "m", "url": url, "token": "", "display_name": name})

    def capture(self, origin_unix_ms=None):
        """The process knows no wall clock: what it gets is on the clock of the boot."""
        self.origin = origin_unix_ms or int(time.time() * 1000)
        ago = time.time() * 1000 - self.origin
        self.send({"type": "capture", "origin_boot_ms": int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000 - ago)})

    def poll(self, timeout=0.05):
        if not self.open:
            return
        if not select.select([self.sock], [], [], timeout)[0]:
            return
        try:
            data = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.open = False
            return
        self.buffer += data
        while len(self.buffer) >= 4:
            length = struct.unpack_from("<I", self.buffer)[0]
            if len(self.buffer) < 4 + length:
                break
            frame, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
            self.frame(frame)

    def frame(self, frame):
        if frame[0] == 0:
            return self.message(json.loads(frame[1:]))
        number, flags, start = struct.unpack_from("<IBq", frame, 1)
        track = self.tracks.setdefault(number, Track(number, ""))
        if track.start_ms is None:
            track.start_ms = start
        if start != track.end_ms:
            track.holes.append((track.end_ms, start))
            if start > track.end_ms:  # frames were dropped: a TrackGap stands there
                missing = (start - track.end_ms) * 16
                track.chunks.append(np.zeros(missing, dtype="<i2"))
                track.samples_count += missing
        samples = np.frombuffer(frame, dtype="<i2", offset=14)
        track.chunks.append(samples)
        track.samples_count += len(samples)
        if flags & 1:
            track.concealed.append((start, start + len(samples) // 16))
        if self.credit:
            self.send({"type": "credit", "bytes": len(frame) + 4})

    def message(self, m):
        self.messages.append(m)
        kind = m["type"]
        if kind == "status":
            self.statuses.append(m)
        elif kind == "participant":
            self.participants[m["id"]] = m
        elif kind == "track_opened":
            self.tracks[m["track"]] = Track(m["track"], m["participant"])
        elif kind == "track_gap":
            self.tracks[m["track"]].gaps.append(m)
        elif kind == "track_closed":
            self.tracks[m["track"]].closed_ms = m["at_ms"]

    def states(self):
        return [s["state"] for s in self.statuses]

    def wait_for(self, condition, timeout, what):
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not in {timeout} s: {what}; statuses {self.statuses}, gaps {[t.gaps for t in self.tracks.values()]}")
            if not self.open:
                if condition():
                    return
                raise AssertionError(f"the media process ended before: {what}; statuses {self.statuses}")
            self.poll()

    def leave(self):
        self.send({"type": "leave"})
        self.wait_for(lambda: "left" in self.states(), 10, "left")
        return self.process.wait(5)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.sock.close()


def start_room(program, directory, *options, address="127.0.0.1"):
    """A room server; returns (process, base URL)."""
    port_file = os.path.join(directory, "port")
    process = subprocess.Popen([program, "child", "media", "room", "--listen", f"{address}:0", "--port-file", port_file, *options],
                               stdin=subprocess.DEVNULL)
    end = time.monotonic() + 15
    while not os.path.exists(port_file):
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError("the room server did not start")
        time.sleep(0.02)
    with open(port_file) as f:
        return process, f"http://{address}:{f.read().strip()}"


def start_publisher(program, whip, audio, *options):
    return subprocess.Popen([program, "child", "media", "publish", "--whip", whip, "--file", str(audio), *options], stdin=subprocess.DEVNULL)
