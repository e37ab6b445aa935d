"""The ledger that a person sees, over a lossy link on real WebRTC: the relay of lossy_link.py between the room and a daemon.

`hansard serve` attends by the relayed WHEP address; the flow reconnects after the outage. At the end the coverage ledger that the
store holds and the minutes show is compared with what the relay knows: each loss of 100 ms or more is in it within 100 ms, nothing
that was delivered is called lost by more than that, and the transcript has the words that were delivered.
"""
import argparse
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
import urllib.request

import numpy as np

import lossy_link
import media
import peers
from lossy_link import EDGE_MS, FRAME_MS, LATE_MS, SETTLE_MS, Judge, Relay, merged, overlap, total

PHASES = [("clean", 12, {}), ("1 %", 6, {"drop": 0.01}), ("5 %", 8, {"drop": 0.05}), ("15 %", 8, {"drop": 0.15}), ("bursts", 8, {"bursts": [100, 200, 400, 800]}),
          ("reorder", 4, {"reorder": 0.2}), ("between", 2, {}), ("outage", 10, {"dark": True}), ("after", 22, {})]
LEAST_MS = 100  # losses shorter than this need not be told to 100 ms
WORDS = 0.7     # of those that the recognizer finds in the clean file: what 5 and 15 % loss garble is its business


class Daemon:
    def __init__(self, program, folder, media_host):
        self.program, self.folder = program, folder
        self.config = f"{folder}/hansard.toml"
        self.token = secrets.token_hex(16)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'data_dir = "{folder}/data"\noutput_dir = "{folder}/minutes"\n[listen]\nport = 0\n[media]\nhosts = ["{media_host}"]\nmin_free_mb = 50\n')
        self.process = subprocess.Popen([program, "serve", "--config", self.config], stdin=subprocess.DEVNULL, stdout=open(f"{folder}/daemon.log", "w"),
                                        stderr=subprocess.STDOUT, env=dict(os.environ, HANSARD_API_TOKEN=self.token))
        self.base = None

    def ask(self, path, body=None):
        if self.base is None:
            with open(f"{self.folder}/data/daemon.json", encoding="utf-8") as f:
                self.base = f"http://127.0.0.1:{json.load(f)['port']}"
        request = urllib.request.Request(self.base + path, method="GET" if body is None else "POST", data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")

    def try_ask(self, path):
        try:
            return self.ask(path)
        except (OSError, ValueError, KeyError):
            return None

    def state(self, meeting):
        return (self.try_ask(f"/api/meetings/{meeting}") or {}).get("state")

    def origin(self, meeting):
        db = sqlite3.connect(f"file:{self.folder}/data/hansard.db?mode=ro", uri=True)
        state = json.loads(bytes(db.execute("SELECT state FROM aggregate WHERE id = ?", (meeting,)).fetchone()[0])[1:])
        db.close()
        return state["origin_unix_ms"]


def until(what, probe, limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not in {limit} s: {what}")


def truth(relay):
    """The relay's packets. What it passed to a bot that had given up, before the next one connected, reached nobody."""
    return [p if p[3] is relay.newest or p[0] <= relay.heard[p[3]] else (*p[:2], False, *p[3:]) for p in list(relay.packets)]


def words_of(text):
    return re.findall(r"[a-z']{4,}", text.lower())


def judge_ledger(check, frames, coverage, begin, end):
    """The ledger's losses against those of the relay, from `begin` to `end` in media time."""
    def inside(intervals):
        return merged([max(a, begin), min(b, end)] for a, b in intervals if b > begin and a < end)

    lost = inside((i["start_ms"], i["end_ms"]) for i in coverage["intervals"] if i["state"] == "lost")
    # What came late may have been in time for the bot or not: it is neither missing nor delivered.
    came = inside((a, b) for a, b, delivered, *_ in frames if delivered)
    arrived = inside((a, b) for a, b, delivered, late, _ in frames if delivered and late < LATE_MS)
    missing = [[a[1], b[0]] for a, b in zip([[begin, begin]] + came, came + [[end, end]]) if b[0] - a[1] > FRAME_MS / 2]
    long = [m for m in missing if m[1] - m[0] >= LEAST_MS]
    # A copy in the packet after it restores the last frame of a run: that is not lost.
    short = [(b - a - FRAME_MS) - overlap(lost, [[a - EDGE_MS, b + EDGE_MS]]) for a, b in long]
    edges = [(min(x for x, y in hits) - a, max(y for x, y in hits) - b) for a, b in long if (hits := [r for r in lost if overlap([r], [[a, b]])])]
    outage = max(b - a for a, b in long)
    print(f"      missing {total(missing):.0f} ms in {len(missing)} runs, {len(long)} of them of {LEAST_MS} ms or more, the longest {outage:.0f} ms; "
          f"in the ledger {total(lost):.0f} ms in {len(lost)}; delivered late {total(came) - total(arrived):.0f} ms")
    print("      the long ones begin and end in the ledger off by (ms): " + ", ".join(f"{x:+.0f} {y:+.0f}" for x, y in edges))
    check(outage > 9000, "the outage was one")
    check(max(short) <= EDGE_MS, f"each loss of {LEAST_MS} ms or more is in the ledger, at most {max(max(short), 0):.0f} ms short")
    # What is called lost further from anything that did not come than the ledger may be off.
    near = merged([a - EDGE_MS, b + EDGE_MS] for a, b in long)
    near = merged(near + [[a - 2 * FRAME_MS, b + 2 * FRAME_MS] for a, b in missing])
    wrong = [r[1] - r[0] - overlap([r], near) for r in lost]
    check(max(wrong) <= EDGE_MS, f"nothing that was delivered is called lost by more than {EDGE_MS} ms: at most {max(wrong):.0f} ms at a time, {sum(wrong):.0f} ms in all")
    restored = FRAME_MS * len(missing)
    difference = total(missing) - total(lost)
    check(-EDGE_MS - (total(came) - total(arrived)) <= difference <= restored + EDGE_MS, f"in all they differ by {difference:.0f} ms ({restored} ms may have been restored)")
    return arrived


def judge_words(check, expected, utterances, arrived, length_ms):
    """The file is played in a loop: each word is expected as often as the time that was delivered has loops."""
    loops = total(arrived) / length_ms
    found = {}
    for u in utterances:
        for w in words_of(u["text"]):
            found[w] = found.get(w, 0) + 1
    had = sum(min(found.get(w, 0), loops) for w in set(expected))
    share = had / (loops * len(set(expected)))
    check(share >= WORDS, f"the transcript has {share:.0%} of the words of {loops:.1f} loops that were delivered, in {len(utterances)} utterances")
    outside = [u for u in utterances if u["start_ms"] >= arrived[0][0] and overlap([[u["start_ms"], u["end_ms"]]], arrived) < 0.3 * (u["end_ms"] - u["start_ms"])]
    check(not outside, "and none where nothing was delivered")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="hansard")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    source = peers.speech()
    check = Judge()
    with peers.Directory() as folder:
        wav = f"{folder}/speech.wav"
        media.write_wav(wav, peers.at_48k(source), 48000)
        plain = f"{folder}/plain.wav"
        media.write_wav(plain, source, media.RATE)
        said = subprocess.run([args.program, "transcribe", plain], capture_output=True, text=True, timeout=60)
        if said.returncode != 0:
            peers.skip("there is no recognizer: " + said.stderr.strip().splitlines()[-1])
        expected = words_of(said.stdout)
        room, base = media.start_room(args.program, folder)
        publisher = media.start_publisher(args.program, f"{base}/rooms/r/whip", wav, "--name", "Ada", "--loop")
        relay = Relay(args.seed, PHASES)
        proxy = lossy_link.start_proxy(relay, base)
        daemon = Daemon(args.program, folder, proxy.removeprefix("http://"))
        try:
            until("the daemon", lambda: (daemon.try_ask("/api/status") or {}).get("recognizer", {}).get("ready"), 30)
            meeting = daemon.ask("/api/meetings", {"url": proxy + "/rooms/r/participants/ada/whep", "title": "Lossy"})["id"]
            until("recording", lambda: daemon.state(meeting) == "recording" and relay.packets, 30)
            relay.begin()
            end = time.monotonic() + sum(p[1] for p in PHASES)
            while time.monotonic() < end:
                time.sleep(0.2)
            packets, until_ms = truth(relay), time.time() * 1000
            origin = daemon.origin(meeting)
            daemon.ask(f"/api/meetings/{meeting}/stop", {})
            until("the end of the meeting", lambda: daemon.state(meeting) == "done", 40)
            stored = daemon.ask(f"/api/meetings/{meeting}")
            check(any("lost" in h.get("note", "") for h in stored["history"]), "the flow noticed the outage and joined again")
            check(len(stored["coverage"]) == 1, "the ledger has the one participant")
            coverage = stored["coverage"][0]
            sums = coverage["totals_ms"]
            check(sum(sums.values()) == coverage["intervals"][-1]["end_ms"] - coverage["intervals"][0]["start_ms"] and sums["pending"] == 0,
                  "it adds up: " + ", ".join(f"{k} {v / 1000:.1f} s" for k, v in sums.items() if v))
            frames = lossy_link.on_clock(packets, origin)
            arrived = judge_ledger(check, frames, coverage, relay.begin_ms - origin + SETTLE_MS, until_ms - origin - 1000)
            judge_words(check, expected, [u for u in stored["utterances"] if u["end_ms"] > arrived[0][0]], arrived, 1000 * len(source) / media.RATE)
            texts = [open(f, encoding="utf-8").read() for f in stored["files"] if f.endswith(".md")]
            told = [float(s) for s in re.findall(r"^- \S+, ([\d.]+) s of \S.*: lost \(", texts[0], re.M)]
            check(abs(sum(told) - sums["lost"] / 1000) <= 0.05 * len(told) + 0.1, f"and the minutes list the losses: {sum(told):.1f} s in {len(told)} lines")
            if check.failed:
                print(stored["files"], [t[-1500:] for t in texts], stored["history"], origin)
                print("".join(open(f"{folder}/daemon.log", encoding="utf-8").readlines()[-30:]))
        finally:
            for process in (daemon.process, publisher, room):
                process.terminate()
            for process in (daemon.process, publisher, room):
                process.wait()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
