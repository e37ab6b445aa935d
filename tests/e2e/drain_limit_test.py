#!/usr/bin/env python3
"""A live meeting that goes on for longer than a daemon that is to finish it may wait.

usage: drain_limit_test.py HANSARD

Once `hansard stop --finish`, once SIGTERM with on_stop = "finish": what is left and until when is told; when drain_limit has run out
the meeting is handed over, the next daemon takes it up, and it ends with every final that was shown and a ledger that has the two
times without a daemon and nothing else. Needs the modules, the models and flite.
"""
import json
import os
import sys
import tempfile
import time
from datetime import datetime

from calendar_daemon import Checks, wait_for
from live_meeting import LEDGER_SLACK_MS, LIMIT_S, Viewer, check_words, children_of, runs, speak
from stop_test import FAST_END_S, Stops, lost

SPEECH_S = 70
LIMITS_S = (8, 6)

check = Checks()


def runs_out(stops, viewer, limit, ask):
    """Asks for the end in the middle of the meeting; the time at which the daemon had handed it over."""
    children = children_of(stops.daemon.pid)
    before = viewer.finals(stops.id)
    asked = time.time()
    ask()
    s = wait_for("draining", lambda: (stops.status() or {}).get("stopping"), 5)
    until = datetime.fromisoformat(s["until"].replace("Z", "+00:00")).timestamp()
    check(s["how"] == "finish" and s["meetings"] == 1 and s["tasks"] == 0 and abs(until - asked - limit) < 1.5,
          f"the status says what is left and until when: {s}, asked at {time.strftime('%H:%M:%S', time.gmtime(asked))}")
    code, out = stops.run("status")
    check(code == 0 and "draining, 1 meeting left, until " in out, "and so does `hansard status`")
    wait_for("a final while it drains", lambda: viewer.finals(stops.id) > before, limit)
    check(stops.daemon.poll() is None and stops.state(stops.id) == "recording", "the meeting goes on meanwhile")
    code, _ = stops.ended(limit + FAST_END_S)
    took = time.time() - asked
    check(code == 0 and limit - 0.5 <= took < limit + FAST_END_S, f"it is handed over when {limit} s have run out: 0 after {took:.1f} s")
    check(len(children) >= 2 and not any(map(runs, children)), f"none of its {len(children)} children is left")
    lines = [json.loads(line) for line in stops.log().splitlines() if line.startswith("{")]
    passed = [line for line in lines if line.get("event") == "the drain limit has passed"]
    over = [line for line in lines if line.get("event") == "handing over"]
    check(passed and passed[-1]["meetings"] == 1 and over and over[-1]["meetings"] == 1, f"its log says so: {passed[-1:]}")
    stored = stops.stored(stops.id)
    kept = {u["id"]: u["text"] for u in stored["utterances"]}
    check(stored["state"] == "recording" and all(kept.get(k[1]) == text for k, text in list(viewer.shown.items())), "the meeting is still in its state, with every final that was shown")
    return asked + took


def taken_up(stops, viewer):
    stops.serve()
    began = time.monotonic()
    wait_for("recording again", lambda: stops.recording(stops.id), LIMIT_S)
    check(True, f"the next daemon takes it up after {time.monotonic() - began:.1f} s")
    check("stopping" not in stops.status(), "and is not stopping itself")
    before = viewer.finals(stops.id)
    wait_for("a final after the hand-over", lambda: viewer.finals(stops.id) > before, 30)


def ends(stops, viewer, handed_over):
    origin = stops.origin_of(stops.id)
    stops.ask_room("DELETE")
    wait_for("the end of the meeting", lambda: (stops.api.try_get(f"/api/meetings/{stops.id}") or {}).get("state") == "done", 40)
    wait_for("its tasks", lambda: stops.api.try_get("/api/tasks") == [], 20)
    stored = stops.stored(stops.id)
    check_words(stored, viewer, check)
    for c in stored["coverage"]:
        intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
        check(all(a["end_ms"] == b["start_ms"] for a, b in zip(intervals, intervals[1:])) and c["totals_ms"]["pending"] == 0,
              f"{c['participant']}: all of it is accounted for: " + ", ".join(f"{k} {v / 1000:.1f}" for k, v in c["totals_ms"].items() if v))
    for participant, gaps in lost(stored).items():
        by_daemon = [g for g in gaps if g.get("reason") == "daemon"]
        # A hand-over says goodbye and so takes some time itself: a gap begins before the process has ended.
        near = all(g["end_ms"] > at * 1000 - origin - FAST_END_S * 1000 and g["start_ms"] < at * 1000 - origin + LEDGER_SLACK_MS for g, at in zip(by_daemon, handed_over))
        check(len(by_daemon) == len(handed_over) and near, f"{participant}: each hand-over is in the ledger, once: {[(g['start_ms'], g['end_ms']) for g in by_daemon]}")
        # Until the next daemon hears them again, and the last moments of the end.
        after = {g["end_ms"]: "connecting" for g in by_daemon}
        other = [g for g in gaps if g not in by_daemon and g["start_ms"] > by_daemon[0]["start_ms"] and g.get("reason") not in ("leaving", after.get(g["start_ms"]))]
        check(not other, f"{participant}: nothing else is lost after the first one {other or ''}".rstrip())
    ids = [a["id"] for a in stops.receiver.attempts if a["outcome"] == "taken"]
    check(sorted(ids) == sorted(t["task"] for t in stored["tasks"]) and len(ids) == len(set(ids)), f"each of its {len(ids)} tasks has arrived once")
    stops.daemon.terminate()
    check(stops.ended(20)[0] == 0, "the daemon ends with 0")
    stops.check_sound(check)


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-drain-", ignore_cleanup_errors=True) as folder:
        stops = Stops(os.path.abspath(sys.argv[1]), folder)
        with stops.guarded(check):
            speak(folder, SPEECH_S)
            stops.start_room()
            stops.configure(drain_limit=f"{LIMITS_S[0]}s")
            stops.serve()
            wait_for("the daemon's answer", stops.status, 20)
            stops.start_speakers()
            viewer = Viewer(stops.api)
            stops.id = stops.join(stops.url, "Longer than that")
            wait_for("recording", lambda: stops.recording(stops.id), 30)
            wait_for("a final", lambda: viewer.finals(stops.id) >= 1, 30)

            def by_command():
                code, out = stops.run("stop", "--finish")
                check(code == 0 and "draining, 1 meeting left, until " in out, f"`hansard stop --finish` says what is left: {out.strip()}")

            handed_over = [runs_out(stops, viewer, LIMITS_S[0], by_command)]
            stops.configure(on_stop="finish", drain_limit=f"{LIMITS_S[1]}s")
            taken_up(stops, viewer)
            handed_over.append(runs_out(stops, viewer, LIMITS_S[1], stops.daemon.terminate))
            taken_up(stops, viewer)
            ends(stops, viewer, handed_over)
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
