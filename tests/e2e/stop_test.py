#!/usr/bin/env python3
"""Ends a daemon in the middle of live meetings over WebRTC, in each way there is.

usage: stop_test.py HANSARD

A meeting is handed over to a copy of the program elsewhere (an upgrade) and finished there; a second one, due while that drains,
waits for the next daemon, which is told to leave it; of a third one signals are counted. Needs the modules, the models and flite.
"""
import glob
import json
import os
import shutil
import signal
import sys
import tempfile
import time

from calendar_daemon import Checks, Failure, wait_for
from live_meeting import LEDGER_SLACK_MS, LIMIT_S, LiveMeeting, Viewer, check_words, children_of, ics, runs, speak

SPEECH_S = 80
FAST_END_S = 8.0

check = Checks()


class Stops(LiveMeeting):
    """One daemon after the other over one store; two rooms with the same speakers."""

    def __init__(self, hansard, folder):
        super().__init__(hansard, folder)
        self.calendar = f"{folder}/calendar.ics"
        with open(self.calendar, "w", encoding="utf-8") as f:
            f.write("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n")

    def configure(self, on_stop="hand_over", drain_limit="10min"):
        super().configure()
        with open(self.config, "a", encoding="utf-8") as f:
            f.write(f'[join]\nvalidate_before = "0s"\n[[calendar]]\nid = "work"\npath = "{self.calendar}"\ninterval = "1s"\n'
                    f'[daemon]\non_stop = "{on_stop}"\ndrain_limit = "{drain_limit}"\n')

    def stored(self, meeting):
        """From the daemon that runs, or from the store."""
        code, out = self.run("meetings", "show", meeting, "--json")
        if code != 0:
            raise Failure(f"`meetings show` says: {out}")
        return json.loads(out)

    def upgrade(self):
        """A copy of the program and its modules in a folder of their own."""
        folder = f"{self.folder}/newer"
        os.makedirs(folder)
        for path in [self.hansard, *glob.glob(os.path.join(os.path.dirname(self.hansard), "libhansard_*.so"))]:
            shutil.copy2(path, folder)
        self.program = f"{folder}/hansard"


def lost(stored, reason=None, after_ms=0):
    """{participant: lost intervals that begin at or after `after_ms`}"""
    return {c["participant"]: [i for i in c["intervals"] if i["state"] == "lost" and (reason is None or i.get("reason") == reason) and i["start_ms"] >= after_ms]
            for c in stored["coverage"]}


def hand_over(stops, viewer):
    """The default: SIGTERM, then another program on the same store."""
    stops.meeting_id = stops.join(stops.url, "Handed over")
    wait_for("recording", lambda: stops.recording(stops.meeting_id), 30)
    wait_for("two finals", lambda: viewer.finals(stops.meeting_id) >= 2, 30)
    children = children_of(stops.daemon.pid)
    old = stops.daemon.pid
    stops.handed_over_ms = time.time() * 1000
    stops.daemon.terminate()
    code, seconds = stops.ended(20)
    check(code == 0 and seconds < FAST_END_S, f"SIGTERM hands over: the daemon ends with 0 after {seconds:.1f} s")
    check(len(children) >= 2 and not any(map(runs, children)), f"none of its {len(children)} children is left")
    shown = dict(viewer.shown)
    stored = stops.stored(stops.meeting_id)
    kept = {u["id"]: u["text"] for u in stored["utterances"]}
    check(stored["state"] == "recording" and all(kept.get(k[1]) == text for k, text in shown.items()), "the meeting is still in its state, with every final that was shown")
    check(not os.path.exists(f"{stops.folder}/data/daemon.json"), "no address of a daemon is left")
    stops.upgrade()
    began = time.monotonic()
    stops.serve()
    media = wait_for("recording by the new program", lambda: stops.recording(stops.meeting_id), LIMIT_S)["media_pid"]
    check(stops.daemon.pid != old and os.readlink(f"/proc/{stops.daemon.pid}/exe") == stops.program, f"the program at another path records again after {time.monotonic() - began:.1f} s")
    check(os.readlink(f"/proc/{media}/exe") == stops.program, "and so do its children")
    before = viewer.finals(stops.meeting_id)
    wait_for("a final after the hand-over", lambda: viewer.finals(stops.meeting_id) > before, 30)


def finish(stops, viewer):
    """`hansard stop --finish`; a meeting that is due meanwhile waits for the next daemon."""
    second = stops.make_room("second")
    with open(stops.calendar, "w", encoding="utf-8") as f:
        f.write(ics("second", time.time() + 5, "Due meanwhile", second))
    due = wait_for("the calendar's meeting", lambda: next((m for m in (stops.status() or {"meetings": []})["meetings"] if m["title"] == "Due meanwhile"), None), 10)
    asked_ms = time.time() * 1000
    code, out = stops.run("stop", "--finish")
    check(code == 0 and "draining, 1 meeting left, until " in out, f"`hansard stop --finish` says what is left: {out.strip()}")
    code, out = stops.run("status")
    check(code == 0 and "draining, 1 meeting left, until " in out, "and so does `hansard status`")
    code, out = stops.run("join", f"{stops.base}/rooms/third")
    check(code == 1 and "stopping and joins nothing new" in out, f"a join by hand is refused: {out.strip()}")
    start = due["start"]
    wait_for("its time to come", lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3)) > start[:19], 20)
    check(stops.state(due["id"]) == "scheduled" and stops.daemon.poll() is None, "a meeting that is due stays scheduled while the other one goes on")
    before = viewer.finals(stops.meeting_id)
    wait_for("a final while it drains", lambda: viewer.finals(stops.meeting_id) > before, 30)
    ended_ms = time.time() * 1000
    stops.ask_room("DELETE")
    code, seconds = stops.ended(30)
    check(code == 0, f"the meeting ends, and the daemon with it: 0 after {seconds:.1f} s")
    log = stops.log()
    check('"draining"' in log and '"nothing is left to do"' in log, "its log says how far it was")
    stored = stops.stored(stops.meeting_id)
    check_words(stored, viewer, check)
    origin = stops.origin_of(stops.meeting_id)
    for participant, gaps in lost(stored, "daemon").items():
        early = stops.handed_over_ms - origin - gaps[0]["start_ms"] if gaps else 0
        check(len(gaps) == 1 and early <= LEDGER_SLACK_MS, f"{participant}: the hand-over is in the ledger, once: {[(g['start_ms'], g['end_ms']) for g in gaps]}, and no audio of before it: {early:.0f} ms")
    gaps = [g for all_of in lost(stored, after_ms=asked_ms - origin).values() for g in all_of if g["start_ms"] < ended_ms - origin - 1500]
    check(not gaps, f"nothing is lost by finishing {gaps or ''}".rstrip())
    tasks = {t["task"]: t["state"] for t in stored["tasks"]}
    delivered = [a["id"] for a in stops.receiver.attempts if a["outcome"] == "taken"]
    check(set(tasks.values()) <= {"delivered"} and sorted(delivered) == sorted(tasks), f"its {len(tasks)} tasks were handed over before")
    check(any(f.endswith(".md") and os.path.getsize(f) > 0 for f in stored["files"]), "and its minutes written")
    check(stops.stored(due["id"])["state"] == "scheduled", "the other meeting is left for the next daemon")
    return due["id"], second


def leave(stops, viewer, meeting, room):
    """on_stop = "leave" in the configuration, and SIGTERM."""
    for name, process in stops.speakers.items():
        process.terminate()
        process.wait(timeout=10)
        stops.speakers[name] = None
    stops.url = room
    stops.start_speakers()
    stops.configure(on_stop="leave")
    stops.serve()
    wait_for("the next daemon in the meeting that was due", lambda: stops.state(meeting) == "recording", 20)
    check(True, "the next daemon joins what became due while the last one drained")
    wait_for("a final in it", lambda: viewer.finals(meeting) >= 1, 30)
    stops.daemon.terminate()
    code, seconds = stops.ended(30)
    check(code == 0, f'SIGTERM with on_stop = "leave": 0 after {seconds:.1f} s')
    stored = stops.stored(meeting)
    check_words(stored, viewer, check)
    check("stopping" in json.dumps(stored) and any(f.endswith(".md") for f in stored["files"]), "the meeting was left because the daemon stops, and its minutes are written")
    check(not lost(stored, "daemon") or not any(lost(stored, "daemon").values()), "without a gap")
    check(all(p.poll() is None for p in stops.speakers.values()), "the others are still there")


def signals(stops, viewer, room):
    """on_stop = "finish": a second signal hands over at once, a third ends at once."""
    stops.configure(on_stop="finish")
    stops.serve()
    wait_for("the daemon's answer", stops.status, 20)
    meeting = stops.join(room, "Signalled")
    wait_for("recording", lambda: stops.state(meeting) == "recording", 30)
    stops.daemon.terminate()
    drains = wait_for("draining", lambda: (stops.status() or {}).get("stopping"), 5)
    check(drains["how"] == "finish" and drains["meetings"] == 1 and drains["until"], f"the first signal drains: {drains}")
    stops.daemon.terminate()
    code, seconds = stops.ended(20)
    check(code == 0 and seconds < FAST_END_S, f"the second one hands over: 0 after {seconds:.1f} s")
    check(stops.stored(meeting)["state"] == "recording", "and leaves the meeting to the next daemon")
    stops.serve()
    m = wait_for("recording again", lambda: stops.recording(meeting), LIMIT_S)
    # A child that does not say goodbye holds the hand-over up.
    os.kill(m["media_pid"], signal.SIGSTOP)
    stops.daemon.terminate()
    wait_for("draining", lambda: (stops.status() or {}).get("stopping"), 5)
    stops.daemon.terminate()
    wait_for("the goodbye", lambda: stops.log().count('"handing over"') >= 3, 5)
    began = time.monotonic()
    stops.daemon.terminate()
    code, _ = stops.ended(10)
    check(code == 1 and time.monotonic() - began < 2, f"a third one ends it at once, after {time.monotonic() - began:.1f} s, and says so: {code}")
    wait_for("its stopped child to go with it", lambda: not runs(m["media_pid"]), 5)
    stops.check_sound(check)


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-stop-", ignore_cleanup_errors=True) as folder:
        stops = Stops(os.path.abspath(sys.argv[1]), folder)
        with stops.guarded(check):
            speak(folder, SPEECH_S)
            stops.start_room()
            stops.configure()
            stops.serve()
            wait_for("the daemon's answer", stops.status, 20)
            stops.start_speakers()
            viewer = Viewer(stops.api)
            hand_over(stops, viewer)
            meeting, room = finish(stops, viewer)
            leave(stops, viewer, meeting, room)
            signals(stops, viewer, room)
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
