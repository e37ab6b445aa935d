#!/usr/bin/env python3
"""Kills the daemon, a media process and the speech process in the middle of a live meeting.

usage: kill_test.py HANSARD

The room and its speakers live on; the meeting is taken up again within 10 s each time; what was shown as final is not lost;
the gaps of the media are in the ledger. Prints one line a check and ends with 0 when all hold.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from calendar_daemon import Failure, wait_for
from live_meeting import LIMIT_S, Api, Viewer


def check(ok, what):
    print(("ok    " if ok else "FAIL  ") + what, flush=True)
    if not ok:
        raise Failure(what)


def living(api, title):
    status = api.try_get("/api/status")
    for m in (status or {}).get("meetings", []):
        if title in m["title"]:
            return {**m, "status": status}
    return None


def recording(api, title, not_pid=None):
    m = living(api, title)
    return m if m and m["state"] == "recording" and m.get("media_pid") not in (None, not_pid) else None


def children_named(pid, word):
    """Processes below `pid` whose command line has `word`."""
    out = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if parent == pid and word in words:
            out.append(int(entry))
    return out


def no_media_library(pid):
    with open(f"/proc/{pid}/maps") as f:
        maps = f.read()
    return not re.search(r"libgst|libonnxruntime|libsherpa", maps)


def run(hansard, folder):
    demo = subprocess.Popen([hansard, "demo", "--exit", "--dir", folder], stdout=open(f"{folder}.out", "w"), stderr=subprocess.STDOUT, start_new_session=True)
    try:
        address = wait_for("the page's address", lambda: re.search(r"http://127\.0\.0\.1:(\d+)/#token=(\w+)", open(f"{folder}.out").read()), 20)
        api = Api(int(address[1]), address[2])
        viewer = Viewer(api)
        title = "library"
        wait_for("the second meeting", lambda: recording(api, title), 150)
        meeting = living(api, title)["id"]
        first = len(viewer.times)
        wait_for("a final in it", lambda: len([k for k in viewer.shown if k[0] == meeting]) >= 2, 40)
        speakers = children_named(demo.pid, "publish")
        rooms = children_named(demo.pid, "room")
        daemon = living(api, title)["status"]["pid"]
        check(no_media_library(daemon), "the daemon has neither GStreamer nor ONNX in its memory")

        media = recording(api, title)["media_pid"]
        os.kill(media, signal.SIGKILL)
        began = time.monotonic()
        wait_for("recording after the media process died", lambda: recording(api, title, not_pid=media), LIMIT_S)
        check(True, f"media process killed: recording again after {time.monotonic() - began:.1f} s")
        check(living(api, title)["status"]["pid"] == daemon, "the daemon lives on")

        speech = living(api, title)["status"]["recognizer"]["pid"]
        os.kill(speech, signal.SIGKILL)
        began = time.monotonic()

        def speech_back():
            m = living(api, title)
            return m and m["status"]["recognizer"]["ready"] and m["status"]["recognizer"]["pid"] != speech

        wait_for("a recognizer after the speech process died", speech_back, LIMIT_S)
        check(True, f"speech process killed: ready again after {time.monotonic() - began:.1f} s")
        before = len(viewer.times)
        wait_for("a final after that", lambda: len(viewer.times) > before, 20)

        daemon = living(api, title)["status"]["pid"]
        os.kill(daemon, signal.SIGKILL)
        began = time.monotonic()
        wait_for("recording after the daemon died", lambda: (m := recording(api, title)) and m["status"]["pid"] != daemon, LIMIT_S)
        check(True, f"daemon killed: recording again after {time.monotonic() - began:.1f} s")
        check(set(children_named(demo.pid, "room")) == set(rooms), "the room lived through all of it")
        check(set(children_named(demo.pid, "publish")) == set(speakers), "the speakers lived through all of it")
        before = len(viewer.times)
        wait_for("a final after that", lambda: len(viewer.times) > before, 20)
        check(len(viewer.times) > first, "the viewer followed through the restarts")

        # The demo leaves by itself as soon as the minutes are there; the store says the rest.
        demo.wait(timeout=200)
        check(demo.returncode == 0, "the demo ended with 0")
        out = subprocess.run([hansard, "meetings", "show", meeting, "--json", "--config", f"{folder}/hansard.toml"], capture_output=True, text=True, check=True)
        stored = json.loads(out.stdout)
        check(stored["state"] == "done", "the meeting ended well")
        kept = {u["id"]: u["text"] for u in stored["utterances"]}
        lost = [k for k, text in viewer.shown.items() if k[0] == meeting and kept.get(k[1]) != text]
        check(not lost, f"all {len([k for k in viewer.shown if k[0] == meeting])} finals that were shown are kept")
        reasons = {i.get("reason", "") for c in stored["coverage"] for i in c["intervals"] if i["state"] == "lost"}
        check("media_process" in reasons, f"the media process's gap is in the ledger (reasons: {sorted(reasons)})")
        check("daemon" in reasons, "the daemon's gap is in the ledger")
        for c in stored["coverage"]:
            intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
            ends = [(a["end_ms"], b["start_ms"]) for a, b in zip(intervals, intervals[1:])]
            check(all(e == s for e, s in ends), f"the ledger of {c['participant']} has neither holes nor overlaps")
        minutes = [f for f in stored["files"] if f.endswith(".md")]
        check(minutes and os.path.getsize(minutes[0]) > 0, "the minutes are there")
    finally:
        if demo.poll() is None:
            demo.terminate()
            try:
                demo.wait(timeout=20)
            except subprocess.TimeoutExpired:
                demo.kill()


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hansard-kill-") as folder:
        try:
            run(os.path.abspath(sys.argv[1]), folder + "/demo")
        except (Failure, subprocess.SubprocessError) as failure:
            print(f"kill test: {failure}", file=sys.stderr)
            for name in ("demo.out", "demo/logs/daemon.log"):
                path = f"{folder}/{name}"
                if os.path.exists(path):
                    print(f"--- {name} (end)", *open(path, errors="replace").read().splitlines()[-40:], sep="\n", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
