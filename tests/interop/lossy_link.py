"""A lossy link between the room and the bot, on real WebRTC: a relay on loopback that drops, reorders and goes dark, by a seed.

The relay stands where the room's ICE candidate was and sees UDP datagrams only; SRTP leaves the RTP header clear (RFC 3711,
3.1), so it knows exactly which audio arrived, at first or when it was sent again: such a packet has the same timestamp, in the
stream itself or as RTX with a payload type and SSRC of its own (RFC 4588, 4). The bot's gaps and its audio are compared with that,
phase by phase, and of what was dropped it is counted how much came again in time.
"""
import argparse
import http.server
import random
import re
import selectors
import socket
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request

import numpy as np

import media
import peers

FRAME_MS = 20
EDGE_MS = 100        # what the ledger may be off at either end of a loss
DELIVERED_MS = 30    # of each gap: what may be called lost though it was delivered
SETTLE_MS = 6000     # before this the bot still finds out how the sender's clock runs
LATE_MS = 180        # the jitter buffer waits 200 ms: later than this is nobody's promise
AGAIN = 0.8          # of single packets that the link drops: so many come again in time, though it drops those as well
AGAIN_FAR = 0.5      # the same where a round trip leaves little time for being busy
# (name, seconds, what the relay does); "delay": of what the bot sends, so that a round trip takes that long
PHASES = [("clean", 8, {}), ("1 %", 12, {"drop": 0.01}), ("5 %", 12, {"drop": 0.05}), ("15 %", 12, {"drop": 0.15}),
          ("5 %, far", 10, {"drop": 0.05, "delay": 0.12}), ("bursts", 10, {"bursts": [100, 200, 400, 800]}), ("reorder", 8, {"reorder": 0.2}),
          ("between", 2, {}), ("outage", 10, {"dark": True}), ("after", 25, {})]


class Relay:
    """Like a NAT: each address of the bot gets a socket of its own towards the room. Only what goes to the bot is harmed."""

    def __init__(self, seed, phases=PHASES):
        self.random = random.Random(seed)
        self.phases = phases
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.flows = {}     # (front socket, bot's address) -> back socket
        self.packets = []   # (wall ms, timestamp, delivered, front, payload type)
        self.heard = {}     # front -> wall ms when its bot last sent anything
        self.newest = None  # the front of the newest connection
        self.delayed = []   # (when, call)
        self.begin_ms = None
        self.bursts = []
        self.wake, waker = socket.socketpair()
        self.selector.register(waker, selectors.EVENT_READ, ("wake", waker, None))
        threading.Thread(target=self.run, daemon=True).start()

    def open(self, room_address):
        """A front that leads to `room_address`; its port."""
        front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        front.bind(("127.0.0.1", 0))
        with self.lock:
            self.selector.register(front, selectors.EVENT_READ, ("front", front, room_address))
            self.newest = front
        self.wake.send(b"x")
        return front.getsockname()[1]

    def begin(self):
        """Phases count from now."""
        self.begin_ms = time.time() * 1000

    def phase(self, now_ms):
        if self.begin_ms is None:
            return "before", {}, 0
        at = now_ms - self.begin_ms
        for name, seconds, what in self.phases:
            if at < seconds * 1000:
                return name, what, at
            at -= seconds * 1000
        return "end", {}, at

    def run(self):
        while True:
            wait = min([1.0] + [max(0, d[0] - time.time()) for d in self.delayed])
            for key, _ in self.selector.select(wait):
                kind, sock, room_address = key.data
                if kind == "wake":
                    sock.recv(100)
                elif kind == "front":
                    data, bot = sock.recvfrom(4096)
                    self.to_room(sock, bot, room_address, data)
                else:
                    try:
                        self.to_bot(sock, room_address, sock.recv(4096))
                    except ConnectionError:
                        pass
            due = [d for d in self.delayed if d[0] <= time.time()]
            self.delayed = [d for d in self.delayed if d[0] > time.time()]
            for _, call in sorted(due, key=lambda d: d[0]):
                call()

    def to_room(self, front, bot, room_address, data):
        self.heard[front] = time.time() * 1000
        if self.phase(time.time() * 1000)[1].get("dark"):
            return
        back = self.flows.get((front, bot))
        if back is None:
            back = self.flows[(front, bot)] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            back.connect(room_address)
            with self.lock:
                self.selector.register(back, selectors.EVENT_READ, ("back", back, (front, bot)))
        delay = self.phase(time.time() * 1000)[1].get("delay", 0)
        if delay:
            self.delayed.append((time.time() + delay, lambda: self.send(back, data)))
        else:
            self.send(back, data)

    @staticmethod
    def send(back, data):
        try:
            back.send(data)
        except ConnectionError:
            pass

    def to_bot(self, _, way, data):
        front, bot = way
        now = time.time() * 1000
        _, what, at = self.phase(now)
        # RFC 7983: 128 to 191 is RTP or RTCP; RFC 5761: RTCP has its packet type where RTP has marker and payload type.
        if len(data) < 12 or not 128 <= data[0] <= 191 or 64 <= (data[1] & 0x7F) <= 95:
            if not what.get("dark"):
                front.sendto(data, bot)
            return
        timestamp = struct.unpack_from("!I", data, 4)[0]
        dropped = what.get("dark", False) or self.random.random() < what.get("drop", 0)
        start = 1000
        for length in what.get("bursts", []):
            dropped = dropped or start <= at < start + length
            start += 1000 + length
        if front is not self.newest:
            return  # the room still sends to a bot that has given up and is gone
        self.packets.append((now, timestamp, not dropped, front, data[1] & 0x7F))
        if dropped:
            return
        if self.random.random() < what.get("reorder", 0):
            self.delayed.append((time.time() + self.random.uniform(0.025, 0.06), lambda: front.sendto(data, bot)))
        else:
            front.sendto(data, bot)


def start_proxy(relay, base):
    """WHEP through the relay: no candidates in the offer, so that the room can only answer; the relay's in the answer."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST":
                body = re.sub(rb"a=(candidate:|end-of-candidates)[^\r\n]*\r?\n", b"", body)
            request = urllib.request.Request(base + self.path, data=body or None, method=self.command, headers={"Content-Type": self.headers.get("Content-Type", "")})
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    status, headers, out = answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                status, headers, out = error.code, error.headers, error.read()
            if self.command == "POST" and status == 201:
                out = self.through_relay(out)
            self.send_response(status)
            for name in ("Content-Type", "Location", "ETag"):
                if headers.get(name):
                    self.send_header(name, headers[name].replace(base, ""))
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def through_relay(self, sdp):
            found = re.search(rb"a=candidate:\S+ 1 (?:UDP|udp) \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host[^\r\n]*", sdp)
            port = relay.open((found[1].decode(), int(found[2])))
            first = True
            out = []
            for line in sdp.split(b"\r\n"):
                if line.startswith(b"a=candidate:"):
                    if not first:
                        continue
                    first = False
                    line = b"a=candidate:1 1 UDP 2015363327 127.0.0.1 %d typ host" % port
                out.append(line)
            return b"\r\n".join(out)

        do_POST = do_DELETE = do_OPTIONS = do_PATCH = do_GET = forward

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def on_clock(packets, origin):
    """[(begin ms, end ms, delivered, late ms, dropped at first)] in media time, one row a packet however often it was sent: the fastest
    packet of each stream arrives when it is recorded, as the bot takes it (adapters/webrtc/timeline.h)."""
    out = []
    payload_type = packets[0][4]
    for front in {p[3] for p in packets}:
        link = [p for p in packets if p[3] is front]
        first = {}  # timestamp -> the packet when it was first sent
        for p in link:
            if p[4] == payload_type:
                first.setdefault(p[1], p)
        times, last, wrapped = {}, None, 0
        for t in first:
            wrapped = t if last is None else wrapped + struct.unpack("!i", struct.pack("!I", (t - last) & 0xFFFFFFFF))[0]
            last = t
            times[t] = wrapped / 48
        offset = min(first[t][0] - at for t, at in times.items())
        came = {}  # timestamp -> when it came first, if it did
        for p in link:
            if p[2] and p[1] in times:
                came.setdefault(p[1], p[0])
        for t, at in times.items():
            end = at + offset - origin
            out.append((end - FRAME_MS, end, t in came, came[t] - at - offset if t in came else 0, not first[t][2]))
    return sorted(out)


def total(intervals):
    return sum(b - a for a, b in intervals)


def merged(intervals):
    out = []
    for a, b in sorted(intervals):
        if out and a <= out[-1][1] + 1:
            out[-1][1] = max(out[-1][1], b)
        else:
            out.append([a, b])
    return out


def overlap(a, b):
    return sum(max(0, min(x[1], y[1]) - max(x[0], y[0])) for x in a for y in b)


class Judge:
    def __init__(self):
        self.failed = 0

    def __call__(self, ok, what):
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        self.failed += not ok


def judge_phases(check, relay, frames, gaps, origin):
    start = relay.begin_ms - origin
    for name, seconds, what in PHASES:
        span = [[start, start + seconds * 1000]]
        start += seconds * 1000
        if span[0][0] < SETTLE_MS and name == "clean":
            span = [[span[0][0] + SETTLE_MS, span[0][1]]]
        inside = [f for f in frames if span[0][0] <= f[0] < span[0][1]]
        arrived = merged([f[0], f[1]] for f in inside if f[2] and f[3] < LATE_MS)
        missing, at = [], span[0][0]
        for a, b in arrived + [[span[0][1], span[0][1]]]:
            if a - at > FRAME_MS / 2:
                missing.append([at, a])
            at = max(at, b)
        said = merged([max(a, span[0][0]), min(b, span[0][1])] for a, b in gaps if b > span[0][0] and a < span[0][1])
        dropped = sum(f[4] for f in inside)
        again = sum(f[4] and f[2] and f[3] < LATE_MS for f in inside)
        late = sum(f[2] and f[3] >= LATE_MS for f in inside)
        wrong = overlap(said, [[a + DELIVERED_MS / 2, b - DELIVERED_MS / 2] for a, b in arrived if b - a > DELIVERED_MS])
        print(f"      {name}: {dropped} of {len(inside)} packets dropped, {again} of them came again in time, {late} late; missing {total(missing):.0f} ms in {len(missing)} runs, "
              f"called lost {total(said):.0f} ms in {len(said)}, of that delivered {wrong:.0f} ms")
        check(wrong <= DELIVERED_MS, f"{name}: nothing that was delivered is called lost")
        if "drop" in what:
            check(again >= (AGAIN_FAR if "delay" in what else AGAIN) * dropped, f"{name}: {again / max(dropped, 1):.0%} of what was dropped came again in time")
        # A copy in the packet after it restores the last frame of a run: that is not lost.
        worst = 0
        for a, b in missing:
            if b - a < 1.5 * FRAME_MS or name in ("before", "after"):
                continue
            worst = max(worst, (b - a - FRAME_MS) - overlap(said, [[a - 5, b + 5]]))
        check(worst <= EDGE_MS, f"{name}: each loss is in the ledger, at most {max(worst, 0):.0f} ms short (the last frame of a run may have been restored)")
        if "reorder" in what and late == 0 and dropped == 0:
            check(total(said) == 0, f"{name}: reordered packets are not lost")


def correlations(source, track, frames):
    """What was delivered beside what was sent, for each second of a track, without what is missing and the frames around it."""
    audio, start_ms = peers.band(track.audio()), track.start_ms
    reference = peers.band(source)
    heard = np.zeros(len(audio), bool)
    for a, b, delivered, late, _ in frames:
        if delivered and late < LATE_MS:
            heard[max(0, int((a - start_ms) * 16)):max(0, int((b - start_ms) * 16))] = True
    # The decoder needs some frames to find its way back (RFC 6716, 4.4).
    hurt = ~heard
    kernel = np.ones(2 * 80 * 16 + 1)
    heard &= ~(np.convolve(hurt.astype(float), kernel, "same") > 0.5)
    found, n = [], media.RATE
    for at in range(n, len(audio) - n, n):
        mask = heard[at:at + n]
        part = audio[at:at + n]
        if mask.sum() < 0.2 * n or np.sqrt((part[mask] ** 2).mean()) < 0.005:
            continue
        correlation, lag = media.best_alignment(part * mask, reference)
        fit = reference[lag:lag + n]
        if lag < 0 or len(fit) < n:
            continue
        x, y = part[mask], fit[mask]
        found.append(float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())))
    return found


def judge_audio(check, source, tracks, frames):
    """A process that was replaced early has a track too short to judge alone; the last one must have heard something."""
    found = [correlations(source, track, frames) for track in sorted(tracks, key=lambda t: t.start_ms)]
    every = sum(found, [])
    check(len(every) >= 20 and np.median(every) > 0.9 and np.percentile(every, 10) > 0.75,
          f"audio elsewhere is what was sent: correlation of {len(every)} seconds {np.median(every):.3f} (tenth percentile {np.percentile(every, 10):.3f})")
    check(len(found[-1]) >= 3, f"and it is heard again after the outage: {len(found[-1])} seconds")


class Bots:
    """Capture processes one after the other, as the daemon runs them: one that has lost the connection is replaced."""

    def __init__(self, program, url, log):
        self.program, self.url, self.log = program, url, log
        self.all, self.origin, self.next_at = [], None, 0

    @property
    def bot(self):
        return self.all[-1]

    def poll(self):
        if (not self.all or not self.bot.open) and time.monotonic() >= self.next_at:
            self.all.append(media.Bot(self.program, stderr=self.log))
            self.bot.join(self.url)
            self.bot.capturing = False
            self.next_at = time.monotonic() + 2
        self.bot.poll()
        if self.bot.open and not self.bot.capturing and "in_call" in self.bot.states():
            self.bot.capturing = True
            self.bot.capture(self.origin)
            self.origin = self.bot.origin

    def until(self, condition, limit, what):
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, f"not in {limit} s: {what}"
            self.poll()

    def tracks(self):
        return [t for b in self.all for t in b.tracks.values() if t.samples_count]

    def lost(self):
        """What the processes said, and the time between two of them, which the daemon adds."""
        gaps = [[g["start_ms"], g["end_ms"]] for t in self.tracks() for g in t.gaps if g["lost"]]
        tracks = sorted(self.tracks(), key=lambda t: t.start_ms)
        return merged(gaps + [[a.end_ms, b.start_ms] for a, b in zip(tracks, tracks[1:]) if b.start_ms > a.end_ms])

    def kill(self):
        for bot in self.all:
            bot.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    source = peers.speech()
    check = Judge()
    with peers.Directory() as folder:
        media.write_wav(f"{folder}/speech.wav", peers.at_48k(source), 48000)
        room, base = media.start_room(args.program, folder)
        publisher = media.start_publisher(args.program, f"{base}/rooms/r/whip", f"{folder}/speech.wav", "--name", "Ada", "--loop")
        relay = Relay(args.seed)
        bots = Bots(args.program, start_proxy(relay, base) + "/rooms/r/participants/ada/whep", open(f"{folder}/bot.log", "w"))
        try:
            bots.poll()
            bots.until(bots.tracks, 40, "audio")
            relay.begin()
            end = time.monotonic() + sum(p[1] for p in PHASES)
            while time.monotonic() < end:
                bots.poll()
            packets = list(relay.packets)
            assert bots.bot.leave() == 0
            tracks = bots.tracks()
            check(all(not t.holes for t in tracks), f"tracks without a hole of their own: {', '.join(f'{t.start_ms} to {t.end_ms} ms' for t in tracks)}")
            reasons = {}
            for g in (g for t in tracks for g in t.gaps):
                reasons[g["reason"]] = reasons.get(g["reason"], 0) + g["end_ms"] - g["start_ms"]
            print(f"      {len(bots.all)} processes; gaps in ms by reason: {reasons}")
            frames = on_clock(packets, bots.origin)
            judge_phases(check, relay, frames, bots.lost(), bots.origin)
            judge_audio(check, np.tile(source, 4), tracks, frames)
            print("".join(line for line in open(f"{folder}/bot.log") if "track_closed" in line), end="")
        finally:
            bots.kill()
            for process in (publisher, room):
                process.terminate()
                process.wait()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
