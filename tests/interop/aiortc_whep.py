"""The bot receives from aiortc: a WHEP server in this process, driven from a thread of its own.

Then over a sender that drops packets and answers NACK: once with RTX (RFC 4588), once without, as browsers and many servers do for
Opus: then the packet itself is sent again.
"""
import asyncio
import fractions
import random
import re
import struct
import sys
import threading
import time

import av
import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

import media
import peers


class Speech(MediaStreamTrack):
    """Speech in real time, then silence."""
    kind = "audio"

    def __init__(self, samples):
        super().__init__()
        self.samples = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
        self.at = 0
        self.started = None

    async def recv(self):
        if self.started is None:
            self.started = time.monotonic()
        due = self.started + self.at / 48000
        await asyncio.sleep(max(0, due - time.monotonic()))
        chunk = self.samples[self.at:self.at + 960]
        chunk = np.pad(chunk, (0, 960 - len(chunk)))
        frame = av.AudioFrame.from_ndarray(chunk.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.at, fractions.Fraction(1, 48000)
        self.at += 960
        return frame


class DroppingTransport:
    """Counts the packets that are sent through a DTLS transport, by their timestamp, and drops a share of them the first time."""

    def __init__(self, transport, share):
        self.send, self.share, self.random = transport._send_rtp, share, random.Random(1)
        self.seen, self.dropped, self.again, self.payload_types = set(), set(), set(), set()
        transport._send_rtp = self.send_rtp

    async def send_rtp(self, data):
        if not 64 <= (data[1] & 0x7F) <= 95:  # not RTCP (RFC 5761)
            timestamp = struct.unpack_from("!I", data, 4)[0]
            self.payload_types.add(data[1] & 0x7F)
            if timestamp in self.seen:
                self.again.add(timestamp)
            elif self.random.random() < self.share:
                self.dropped.add(timestamp)
            self.seen.add(timestamp)
            if timestamp in self.dropped and timestamp not in self.again:
                return
        await self.send(data)


class WhepServer:
    def __init__(self, samples, drop, rtx):
        self.samples, self.drop, self.rtx = samples, drop, rtx
        self.deleted = threading.Event()
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.run, daemon=True).start()
        assert self.ready.wait(10)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.start())
        self.loop.run_forever()

    async def start(self):
        app = web.Application()
        app.router.add_post("/whep/ada", self.post)
        app.router.add_delete("/whep/ada/{id}", self.delete)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, peers.ADDRESS, 0)
        await site.start()
        self.url = f"http://{peers.ADDRESS}:{runner.addresses[0][1]}/whep/ada"
        self.ready.set()

    async def post(self, request):
        self.peer = RTCPeerConnection()
        self.peer.addTrack(Speech(self.samples))
        offer = await request.text()
        if not self.rtx:
            number = re.search(r"a=rtpmap:(\d+) rtx/", offer)[1]
            offer = re.sub(rf"a=(rtpmap|fmtp|rtcp-fb):{number} .*\r\n", "", offer)
            offer = re.sub(rf"(m=audio .*) {number}\b", r"\1", offer)
        await self.peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        self.link = DroppingTransport(self.peer.getSenders()[0].transport, self.drop)
        sdp = self.peer.localDescription.sdp
        if self.drop:  # aiortc answers NACK for audio, but does not say so
            sdp = re.sub(r"(a=rtpmap:(\d+) opus/48000/2\r\n)", r"\1a=rtcp-fb:\2 nack\r\n", sdp)
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers={"Location": "/whep/ada/1"})

    async def delete(self, request):
        await self.peer.close()
        self.deleted.set()
        return web.Response()


def receive(program, drop, rtx):
    source = peers.speech()
    server = WhepServer(peers.at_48k(np.concatenate([np.zeros(media.RATE), source])), drop, rtx)
    bot = media.Bot(program)
    try:
        bot.join(server.url)
        bot.wait_for(lambda: "in_call" in bot.states(), 20, "in the call")
        bot.capture()
        bot.wait_for(lambda: any(t.end_ms - (t.start_ms or 0) > 8500 for t in bot.tracks.values()), 30, "8.5 s of audio")
        track = next(iter(bot.tracks.values()))
        peers.check("aiortc", track, source)
        link = server.link
        print(f"{len(link.dropped)} of {len(link.seen)} packets dropped, {len(link.again & link.dropped)} sent again{' as RTX' if rtx and drop else ''}")
        if drop:
            assert len(link.payload_types) == (2 if rtx else 1), link.payload_types
            lost = sum(g["end_ms"] - g["start_ms"] for g in track.gaps if g["lost"])
            assert len(link.dropped) >= 10, "nothing to repair"
            assert len(link.again & link.dropped) >= 0.9 * len(link.dropped) - 2, "what was missing was not asked for again"
            assert lost <= 0.1 * 20 * len(link.dropped) + 20, f"{lost} ms are lost though they were sent again"
        else:
            assert not link.again, "asked for again without an agreement"
        assert list(bot.participants) == ["ada"], bot.participants
        assert bot.leave() == 0
        assert server.deleted.wait(5), "the session was not deleted"
    finally:
        bot.kill()


receive(sys.argv[1], 0, True)
receive(sys.argv[1], 0.06, True)
receive(sys.argv[1], 0.06, False)
