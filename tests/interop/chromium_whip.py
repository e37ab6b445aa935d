"""Chromium publishes its microphone into the room by WHIP from the room's own page, and the bot receives it there."""
import os
import sys
import urllib.request

import numpy as np

import media
import peers


def main(program):
    source = peers.speech()
    with peers.Directory() as directory:
        wav = os.path.join(directory, "microphone.wav")
        # The microphone plays the file from when it is opened, so it begins with silence.
        media.write_wav(wav, np.concatenate([np.zeros(4 * 48000), peers.at_48k(source), np.zeros(48000)]), 48000)
        room, url = media.start_room(program, directory)
        bot = media.Bot(program)
        chromium = None
        try:
            urllib.request.urlopen(urllib.request.Request(url + "/rooms/demo", method="PUT"), timeout=10).read()
            bot.join(url + "/rooms/demo")
            bot.wait_for(lambda: "in_call" in bot.states(), 20, "in the call")
            bot.capture()
            chromium = peers.open_chromium(url + "/rooms/demo/join?name=Ada+B&auto=1", directory, f"--use-file-for-fake-audio-capture={wav}%noloop")
            bot.wait_for(lambda: "ada-b" in bot.participants, 40, "the browser as a participant")
            assert bot.participants["ada-b"]["name"] == "Ada B"
            bot.wait_for(lambda: any(t.end_ms - (t.start_ms or 0) > 12500 for t in bot.tracks.values()), 40, "12.5 s of audio")
            peers.check("chromium, through the room", next(t for t in bot.tracks.values() if t.participant == "ada-b"), source,
                        skips=True)  # the pretended microphone runs on a timer of its own and stumbles on a busy machine
            peers.stop(chromium)
            chromium = None
            bot.wait_for(lambda: not bot.participants["ada-b"]["present"], 20, "the room notices that the browser is gone")
            assert bot.leave() == 0
        finally:
            bot.kill()
            peers.stop(chromium)
            room.kill()
            room.wait()


main(sys.argv[1])
