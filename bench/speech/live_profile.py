"""The live profile without a meeting: files are decoded by one child of hansard and recognized by the other as tracks of a
meeting are, only faster. Each file's audio is one track, so what differs from `hansard transcribe` is the profile alone.

transcribe(binary, files, folder) -> {file: text}
"""
import json
import socket
import struct
import subprocess



class Child:
    def __init__(self, binary, role, *args, cwd):
        self.pipe, theirs = socket.socketpair()
        self.process = subprocess.Popen([binary, "child", *role, *args, "--fd", str(theirs.fileno())], cwd=cwd, pass_fds=[theirs.fileno()],
                                        stderr=subprocess.DEVNULL)
        theirs.close()
        self.buffer = b""

    def send(self, payload, kind=0):
        self.pipe.sendall(struct.pack("<IB", len(payload) + 1, kind) + payload)

    def message(self, **members):
        self.send(json.dumps(members).encode())

    def exactly(self, size):
        while len(self.buffer) < size:
            more = self.pipe.recv(1 << 20)
            if not more:
                raise SystemExit("a child of hansard ended")
            self.buffer += more
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive(self):
        """(kind, payload) of the next frame."""
        length, kind = struct.unpack("<IB", self.exactly(5))
        return kind, self.exactly(length - 1)

    def end(self):
        self.pipe.close()
        self.process.wait()


def decoded(binary, files, folder):
    """The audio payloads of each file. With five bytes more they are whole frames, which is what credit counts."""
    child = Child(binary, ["media", "decode"], *files, cwd=folder)
    child.message(type="credit", bytes=(1 << 32) - 1)
    audio = []
    while len(audio) < len(files):
        frames = []
        while True:
            kind, payload = child.receive()
            if kind == 1:
                frames.append(payload)
            elif json.loads(payload)["type"] in ("track_closed", "status"):
                break
        audio.append(frames)
    child.end()
    return audio


def transcribe(binary, files, folder):
    audio = decoded(binary, files, folder)
    child = Child(binary, ["speech"], cwd=folder)
    texts, credit = {}, 0
    for number, (name, frames) in enumerate(zip(files, audio), 1):
        child.message(type="open_track", track=number, profile="live", language="en", start_ms=0)
        said, flushed = [], False

        def hear():
            nonlocal credit, flushed
            kind, payload = child.receive()
            message = json.loads(payload) if kind == 0 else {}
            if message.get("type") == "unavailable":
                raise SystemExit(message["detail"])
            credit += message["bytes"] if message.get("type") == "credit" else 0
            if message.get("type") == "final" and message["track"] == number:
                said.append(message["text"])
            flushed = flushed or (message.get("type") == "track_flushed" and message["track"] == number)

        for payload in frames:
            while credit < len(payload) + 5:
                hear()
            credit -= len(payload) + 5
            child.send(struct.pack("<I", number) + payload[4:], 1)
        child.message(type="flush_track", track=number)
        while not flushed:
            hear()
        texts[name] = " ".join(said)
    child.end()
    return texts
