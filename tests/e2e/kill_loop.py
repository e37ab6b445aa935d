#!/usr/bin/env python3
"""Kills the daemon again and again during one live meeting over WebRTC.

usage: kill_loop.py HANSARD [--kills N] [--seed N]

Two voices speak in a room; the daemon attends and is killed N times (50), each time at another moment, and started again at
once. It must record again within 10 s each time. At the end: what a viewer was shown as final is in the store once and with the
same text; no task arrives twice; the ledger adds up and says when nobody listened; the store is sound; nothing is left running;
room and speakers have not grown. Needs the modules, the models and flite.
"""
import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
import urllib.request

from calendar_daemon import Checks, wait_for
from live_meeting import LEDGER_SLACK_MS, LIMIT_S, VOICES, LiveMeeting, Viewer, check_words, children_of, runs, speak, usage

LONGEST_DWELL_S = 5.0

check = Checks()


class Loop(LiveMeeting):
    def __init__(self, hansard, folder, kills, seed):
        super().__init__(hansard, folder)
        self.kills = kills
        self.random = random.Random(seed)
        self.deaths = []     # (killed, recording again), seconds of wall time
        self.children = set()

    def viewers(self):
        with urllib.request.urlopen(f"{self.url}/viewers", timeout=5) as answer:
            return json.load(answer)["viewers"]

    def kill(self):
        """kill -9, the same daemon again at once; seconds until it records again."""
        self.children |= children_of(self.daemon.pid)
        killed = time.time()
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self.serve()
        wait_for(f"recording again after kill {len(self.deaths) + 1}", lambda: self.recording(self.id), LIMIT_S)
        self.deaths.append((killed, time.time()))
        return self.deaths[-1][1] - killed

    def sizes(self):
        # The room keeps a viewer that has gone for 10 s and its connections for 20 s; what it holds for the dead is not growth.
        wait_for("the room to forget dead viewers", lambda: len(self.viewers()) == 1, 30)
        room, end = usage(self.room.pid), time.monotonic() + 15
        while time.monotonic() < end:  # what they held is let go on threads of the room's own: its least counts
            room = min(room, usage(self.room.pid), key=lambda u: u["fds"])
            time.sleep(0.5)
        return {"room": room, **{name: usage(p.pid) for name, p in self.speakers.items()}}

    def run_meeting(self):
        self.start_room()
        self.configure()
        self.serve()
        wait_for("the daemon's answer", lambda: self.api.try_get("/api/status"), 20)
        self.start_speakers()
        self.id = self.join(self.url, "Loop")
        viewer = Viewer(self.api)
        wait_for("recording", lambda: self.recording(self.id), 30)
        wait_for("a first final", lambda: viewer.shown, 30)
        early = None
        times = []
        for n in range(self.kills):
            # The moment differs each time: from just after capture began to the middle of a sentence.
            time.sleep(self.random.uniform(0, LONGEST_DWELL_S))
            times.append(self.kill())
            if n % 10 == 9:
                print(f"      {n + 1} kills, {len(viewer.shown)} finals shown, room {usage(self.room.pid)}", flush=True)
            if n == max(2, self.kills // 5) - 1:
                early = self.sizes()
        late = self.sizes()
        check(len(times) == self.kills, f"{self.kills} kills: recording again after {min(times):.1f} to {max(times):.1f} s, {sum(times) / len(times):.1f} s on average")
        before = len(viewer.shown)
        wait_for("a final after the last kill", lambda: len(viewer.shown) > before, 20)
        wait_for("the children of dead daemons to end", lambda: not any(map(runs, self.children)), 5)
        check(True, f"none of {len(self.children)} children of dead daemons is left")
        self.no_growth(early, late)
        return viewer

    def no_growth(self, early, late):
        kills = self.kills - max(2, self.kills // 5)
        for name in late:
            a, b = early[name], late[name]
            what = ", ".join(f"{k} {a[k]} -> {b[k]}" for k in a)
            # A connection that stays open costs about ten descriptors and a megabyte; allocators need some room of their own.
            check(b["fds"] <= a["fds"] + 4 and b["threads"] <= a["threads"] + 4 and b["kb"] <= a["kb"] + 8192 + 100 * kills, f"{name} has not grown over {kills} kills: {what}")

    def end(self, viewer):
        """The host ends the meeting; the daemon is killed once more while the first task is under way."""
        self.receiver.faults = [{"hold": True}]
        self.ask_room("DELETE")
        for p in self.speakers.values():
            p.terminate()
        wait_for("the first task at its receiver", lambda: self.receiver.attempts, 60)
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self.receiver.release()
        self.serve()
        wait_for("the end of the meeting", lambda: (m := self.api.try_get(f"/api/meetings/{self.id}")) and m["state"] in ("done", "failed"), 60)
        wait_for("all tasks", lambda: self.api.try_get("/api/tasks") == [], 90)
        stored = self.api.get(f"/api/meetings/{self.id}")
        last = stored["seq"]
        wait_for("the viewer to be up to date", lambda: viewer.seq >= last, 20)
        self.daemon.terminate()
        check(self.daemon.wait(timeout=20) == 0, "the daemon ends with 0")
        return stored


def check_tasks(stored, receiver):
    wanted = {t["task"]: t["state"] for t in stored["tasks"]}
    ids = [a["id"] for a in receiver.attempts if a["outcome"] == "taken"]
    check(len(ids) > 0 and len(ids) == len(set(ids)) and set(ids) == set(wanted), f"each of {len(wanted)} tasks has arrived, none under two ids")
    check(set(wanted.values()) == {"delivered"}, "and the meeting says so")
    first = receiver.attempts_of(receiver.attempts[0]["id"])
    check([a["outcome"] for a in first] == ["held", "taken"] and first[0]["body"] == first[1]["body"] and not receiver.violations,
          "the one that was under way when the daemon was killed came again under the same id with the same body")
    items = [i for i in stored["items"] if i["kind"] == "action_item"]
    check(len(items) == len(wanted), "one task each action item")


def check_ledger(stored, deaths, origin):
    check(len(stored["coverage"]) == len(VOICES), "the ledger has both speakers")
    lost = 0
    for c in stored["coverage"]:
        intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
        ends = [(a["end_ms"], b["start_ms"]) for a, b in zip(intervals, intervals[1:])]
        presence = intervals[-1]["end_ms"] - intervals[0]["start_ms"]
        check(all(e == s for e, s in ends) and sum(c["totals_ms"].values()) == presence and c["totals_ms"]["pending"] == 0,
              f"{c['participant']}: neither holes nor overlaps, and all of {presence / 1000:.1f} s of presence is accounted for: " +
              ", ".join(f"{k} {v / 1000:.1f}" for k, v in c["totals_ms"].items() if v))
        by_reason = {}
        for i in intervals:
            if i["state"] == "lost":
                by_reason[i.get("reason", "")] = by_reason.get(i.get("reason", ""), 0) + i["end_ms"] - i["start_ms"]
        print(f"      lost in ms by reason: {by_reason}")
        by_daemon = [(i["start_ms"], i["end_ms"]) for i in intervals if i["state"] == "lost"]
        unsaid, early, late = 0, [], []
        for killed, back in deaths:
            a, b = killed * 1000 - origin, back * 1000 - origin
            hits = [(s, e) for s, e in by_daemon if s < b and e > a]
            if not hits:
                unsaid += 1
                continue
            lost += sum(e - s for s, e in hits)
            early.append(a - min(s for s, _ in hits))
            late.append(max(e for _, e in hits) - b)
        check(unsaid == 0, f"{c['participant']}: each of {len(deaths)} deaths is in the ledger as lost")
        print(f"      a loss begins {min(early):.0f} to {max(early):.0f} ms before the kill and ends {min(late):.0f} to {max(late):.0f} ms after 'recording' was seen")
        check(statistics.median(early) <= LEDGER_SLACK_MS, f"{c['participant']}: what was captured before a kill is not lost with it")
    dead = sum(b - a for a, b in deaths)
    print(f"      without a daemon {dead:.1f} s, lost by each speaker {lost / len(VOICES) / 1000:.1f} s")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.strip().splitlines()[2].removeprefix("usage: "))
    parser.add_argument("hansard")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-loop-", ignore_cleanup_errors=True) as folder:
        loop = Loop(os.path.abspath(args.hansard), folder, args.kills, args.seed)
        with loop.guarded(check, logs=("daemon", "room")):
            speak(folder, args.kills * (LONGEST_DWELL_S / 2 + 1.5) + 75)
            viewer = loop.run_meeting()
            stored = loop.end(viewer)
            check_words(stored, viewer, check)
            check_tasks(stored, loop.receiver)
            check_ledger(stored, loop.deaths, loop.origin_of(loop.id))
            loop.check_sound(check)
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
