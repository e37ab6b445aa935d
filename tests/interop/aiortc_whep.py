"""The bot receives from aiortc: a WHEP server in this process, driven from a thread of its own."""
import asyncio
import fractions
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


class WhepServer:
    def __init__(self, samples):
        self.samples = samples
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
        await self.peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return web.Response(status=201, text=self.peer.localDescription.sdp, content_type="application/sdp", headers={"Location": "/whep/ada/1"})

    async def delete(self, request):
        await self.peer.close()
        self.deleted.set()
        return web.Response()


def main(program):
    source = peers.speech()
    server = WhepServer(peers.at_48k(np.concatenate([np.zeros(media.RATE), source])))
    bot = media.Bot(program)
    try:
        bot.join(server.url)
        bot.wait_for(lambda: "in_call" in bot.states(), 20, "in the call")
        bot.capture()
        bot.wait_for(lambda: any(t.end_ms - (t.start_ms or 0) > 8500 for t in bot.tracks.values()), 30, "8.5 s of audio")
        peers.check("aiortc", next(iter(bot.tracks.values())), source)
        assert list(bot.participants) == ["ada"], bot.participants
        assert bot.leave() == 0
        assert server.deleted.wait(5), "the session was not deleted"
    finally:
        bot.kill()


main(sys.argv[1])
