#!/usr/bin/env python3
"""A live meeting over WebRTC while the disk fills up, on a small file system of its own.

usage: disk_full_test.py HANSARD

Little space: the recording goes on, a second one is not begun and its owner is told. No space at all: the daemon lives on, shows
nothing that is not in the store, says what is wrong; the recognizer is killed, so that there is audio that cannot be kept. Space
again: all goes on by itself, the second recording begins, and the ledger says what was lost to the disk and when. Needs the
modules, the models, flite, and the right to mount a tmpfs (exit 77 without it).
"""
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time

from calendar_daemon import Checks, wait_for
from live_meeting import LiveMeeting, Viewer, speak

SIZE_MB, MIN_FREE_MB = 32, 16
FULL_S = 12       # how long there is no space at all
RETRY_S = 45      # the store is tried again every 30 s at most

check = Checks()


def mount(folder):
    """A tmpfs at `folder`; False with the reason when this machine does not allow it."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=700", "tmpfs", folder], capture_output=True, text=True)
    return done.returncode == 0, done.stderr.strip()


def fill(path, leave):
    """Writes until `leave` bytes are free; 0: until nothing more fits."""
    with open(path, "ab", buffering=0) as f:
        while True:
            s = os.statvfs(path)
            more = s.f_bavail * s.f_frsize - leave
            if more <= 0:
                return
            try:
                f.write(bytes(min(more, 1 << 20)))
            except OSError as e:
                if e.errno != errno.ENOSPC:
                    raise
                return


class DiskFull(LiveMeeting):
    def configure(self):
        super().configure()
        with open(self.config, encoding="utf-8") as f:
            text = f.read().replace("min_free_mb = 50", f"min_free_mb = {MIN_FREE_MB}")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)

    def in_state(self, meeting, state):
        return self.status_of(meeting).get("state") == state

    def begin(self):
        self.start_room()
        self.configure()
        self.serve()
        wait_for("the daemon's answer", lambda: self.api.try_get("/api/status"), 20)
        self.start_speakers()
        self.id = self.join(self.url, "First")
        self.viewer = Viewer(self.api)
        wait_for("recording", lambda: self.in_state(self.id, "recording"), 30)
        wait_for("a first final", lambda: self.viewer.shown, 40)

    def little_space(self):
        fill(self.filler, (MIN_FREE_MB - 8) << 20)
        second = self.join(self.make_room("second"), "Second")
        note = wait_for("a word about the disk", lambda: self.status_of(second).get("note"), 15)
        check("too little room" in note and f"{MIN_FREE_MB} MB" in note, f"a second recording is not begun, and its owner is told: {note}")
        before = len(self.viewer.shown)
        wait_for("a final with little space", lambda: len(self.viewer.shown) > before, 40)
        m = self.status_of(second)
        check(m["state"] == "preparing" and "media_pid" not in m and self.in_state(self.id, "recording"), "the first one goes on, the second has no media process")
        return second

    def no_space(self):
        fill(self.filler, 0)
        full_from = time.time()
        status = wait_for("the daemon to see that the store is full", lambda: (s := self.api.try_get("/api/status")) and s.get("store") and s, 60)
        shown = len(self.viewer.shown)
        check("disk may be full" in status["store"], f"the status says so: store {status['store']}")
        os.kill(status["recognizer"]["pid"], signal.SIGKILL)  # what it was given is nowhere else now
        wait_for("audio that cannot be written", lambda: self.status_of(self.id).get("audio_kept") is False, 20)
        _, text = self.run("status")
        check("its audio cannot be written" in text and "store       failing" in text, "`hansard status` says so")
        time.sleep(max(0.0, full_from + FULL_S - time.time()))
        s = self.api.get("/api/status")
        check(s["pid"] == self.daemon.pid and self.daemon.poll() is None, "the daemon lives on")
        check(len(self.viewer.shown) == shown, "nothing was shown that the store does not have")
        return full_from

    def space_again(self, second, full_from):
        os.remove(self.filler)
        full_until = time.time()
        shown = len(self.viewer.shown)
        wait_for("the store to be written again", lambda: not self.api.get("/api/status").get("store"), RETRY_S)
        wait_for("finals again", lambda: len(self.viewer.shown) > shown, 40)
        wait_for("the second recording", lambda: self.in_state(second, "recording") or self.in_state(second, "in_call"), 40)
        check(True, "with space again finals come, and the second recording begins")
        wait_for("audio that is kept", lambda: self.status_of(self.id).get("audio_kept"), 30)
        lines = ("the store cannot be written", "the store is written again", "audio cannot be written", "audio is written again")
        wait_for("the log to have it all", lambda: all(line in self.log() for line in lines), 10)
        check(self.log().count(lines[0]) == 1, "the log has it all, once")
        return full_from, full_until

    def end(self):
        self.ask_room("DELETE")
        for p in self.speakers.values():
            p.terminate()
        wait_for("the end of the meeting", lambda: (m := self.api.try_get(f"/api/meetings/{self.id}")) and m["state"] in ("done", "failed"), 90)
        stored = self.api.get(f"/api/meetings/{self.id}")
        self.daemon.terminate()
        check(self.daemon.wait(timeout=20) == 0, "the daemon ends with 0")
        return stored


def check_stored(stored, viewer, full, origin):
    check(stored["state"] == "done", "the meeting ended well")
    shown = {key[1]: text for key, text in viewer.shown.items() if key[0] == stored["id"]}
    kept = {u["id"]: u["text"] for u in stored["utterances"]}
    check(shown and all(kept.get(i) == text for i, text in shown.items()) and len(kept) == len(stored["utterances"]), f"all {len(shown)} finals that were shown are in the store")
    notes = [h.get("note", "") for h in stored["history"]]
    check(any("the disk is full" in n for n in notes) and any("written to the disk again" in n for n in notes), "the meeting's history tells its owner of the full disk and of its end")
    a, b = (t * 1000 - origin for t in full)
    total = 0
    for c in stored["coverage"]:
        intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
        presence = intervals[-1]["end_ms"] - intervals[0]["start_ms"]
        check(all(x["end_ms"] == y["start_ms"] for x, y in zip(intervals, intervals[1:])) and sum(c["totals_ms"].values()) == presence and c["totals_ms"]["pending"] == 0,
              f"{c['participant']}: all of {presence / 1000:.1f} s is accounted for: " + ", ".join(f"{k} {v / 1000:.1f}" for k, v in c["totals_ms"].items() if v))
        lost = [(i["start_ms"], i["end_ms"]) for i in intervals if i["state"] == "lost" and i.get("reason") == "disk_full"]
        total += sum(e - s for s, e in lost)
        print(f"      lost to the disk: {lost}; it was full from {a:.0f} to {b:.0f} ms")
        check(all(s > a - 1000 and e < b + 1000 for s, e in lost), f"{c['participant']}: nothing but the time of the full disk is lost to it")
        heard = sum(max(0, i["end_ms"] - max(i["start_ms"], b)) for i in intervals if i["state"] in ("transcribed", "silent"))
        check(heard > 3000, f"{c['participant']}: {heard / 1000:.1f} s were heard after it")
    check(total > 500, f"what could not be kept is in the ledger as disk_full: {total / 1000:.1f} s of all speakers")


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hansard-full-", ignore_cleanup_errors=True) as folder:
        data = f"{folder}/data"
        os.mkdir(data)
        ok, why = mount(data)
        if not ok and os.environ.get("HANSARD_TEST_UNSHARED") != "1":
            again = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True)
            if again.returncode == 0:
                return subprocess.run(["unshare", "-rm", sys.executable, *sys.argv], env=dict(os.environ, HANSARD_TEST_UNSHARED="1")).returncode
        if not ok:
            print(f"skipped: this machine does not allow a small file system to be mounted ({why})")
            return 77
        test = DiskFull(os.path.abspath(sys.argv[1]), folder)
        test.filler = f"{data}/filler"
        try:
            with test.guarded(check):
                speak(folder, 150)
                test.begin()
                second = test.little_space()
                full_from = test.no_space()
                full = test.space_again(second, full_from)
                origin = test.origin_of(test.id)
                stored = test.end()
                check_stored(stored, test.viewer, full, origin)
                test.check_sound(check)
        finally:
            subprocess.run(["umount", "-l", data], check=False)
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
