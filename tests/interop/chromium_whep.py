"""The bot receives directly from Chromium: a small server hands the bot's WHEP offer to a page, which answers it."""
import asyncio
import os
import sys
import threading

import numpy as np
from aiohttp import web

import media
import peers

PAGE = """<!doctype html><title>peer</title><script>
(async () => {
  const context = new AudioContext({sampleRate: 48000});
  const audio = await context.decodeAudioData(await (await fetch('/speech.wav')).arrayBuffer());
  const sink = context.createMediaStreamDestination();
  sink.channelCount = 1;
  const source = context.createBufferSource();
  source.buffer = audio;
  source.connect(sink);
  const offer = await (await fetch('/offer')).text();
  const peer = new RTCPeerConnection();
  await peer.setRemoteDescription({type: 'offer', sdp: offer});
  const transceiver = peer.getTransceivers()[0];
  transceiver.direction = 'sendonly';
  await transceiver.sender.replaceTrack(sink.stream.getAudioTracks()[0]);
  await peer.setLocalDescription(await peer.createAnswer());
  await new Promise(done => {
    if (peer.iceGatheringState === 'complete') return done();
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
  });
  peer.onconnectionstatechange = () => { if (peer.connectionState === 'connected') source.start(context.currentTime + 1); };
  await fetch('/answer', {method: 'POST', body: peer.localDescription.sdp});
})().catch(error => fetch('/failed', {method: 'POST', body: String(error)}));
</script>"""


class Signalling:
    def __init__(self, wav):
        self.wav = wav
        self.deleted = threading.Event()
        self.ready = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        assert self.ready.wait(10)

    def run(self):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(self.start())
        loop.run_forever()

    async def start(self):
        self.offer, self.answer = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
        app = web.Application()
        app.router.add_get("/", lambda r: web.Response(text=PAGE, content_type="text/html"))
        app.router.add_get("/speech.wav", lambda r: web.FileResponse(self.wav))
        app.router.add_get("/offer", self.get_offer)
        app.router.add_post("/answer", self.post_answer)
        app.router.add_post("/failed", self.failed)
        app.router.add_post("/whep", self.whep)
        app.router.add_delete("/session", self.delete)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.ready.set()

    async def get_offer(self, request):
        return web.Response(text=await asyncio.shield(self.offer))

    async def post_answer(self, request):
        self.answer.set_result(await request.text())
        return web.Response()

    async def failed(self, request):
        print("the page failed:", await request.text())
        return web.Response()

    async def whep(self, request):
        self.offer.set_result(await request.text())
        answer = await asyncio.wait_for(asyncio.shield(self.answer), 9)
        return web.Response(status=201, text=answer, content_type="application/sdp", headers={"Location": "/session"})

    async def delete(self, request):
        self.deleted.set()
        return web.Response()


def main(program):
    source = peers.speech()
    with peers.Directory() as directory:
        wav = os.path.join(directory, "speech.wav")
        media.write_wav(wav, peers.at_48k(source), 48000)
        server = Signalling(wav)
        chromium = peers.open_chromium(server.url + "/", directory)
        bot = media.Bot(program)
        try:
            bot.join(server.url + "/whep")
            bot.wait_for(lambda: "in_call" in bot.states(), 40, "in the call")
            bot.capture()
            bot.wait_for(lambda: any(t.end_ms - (t.start_ms or 0) > 9500 for t in bot.tracks.values()), 40, "9.5 s of audio")
            peers.check("chromium, directly", next(iter(bot.tracks.values())), source)
            assert bot.leave() == 0
            assert server.deleted.wait(5), "the session was not deleted"
        finally:
            bot.kill()
            peers.stop(chromium)


main(sys.argv[1])
