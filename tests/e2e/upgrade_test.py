#!/usr/bin/env python3
"""Starts today's program on stores that earlier versions left in the middle of a meeting (tests/data/stores).

usage: upgrade_test.py HANSARD

Once days later, when the meeting is over: what waited is recognized and the minutes are written. Once at once, while the others
are still there: the meeting is taken up over WebRTC. Needs the modules, the models and flite.
"""
import glob
import json
import os
import re
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import time

from calendar_daemon import Checks, wait_for
from live_meeting import LIMIT_S, VOICES, LiveMeeting, ics, speak

SPEECH_S = 40
PLANNED_MS = (4 * 3600 + 15 * 60) * 1000  # of a meeting joined by hand, with the grace
STORES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "stores")

check = Checks()


class Upgrade(LiveMeeting):
    """A store of an earlier version, put where and when the test wants it."""

    def load(self, store, age_s):
        """As if it had been left `age_s` ago by a daemon in this folder."""
        data = f"{self.folder}/data"
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(f"{data}/audio", mode=0o700)
        with open(f"{store}/store.sql", encoding="utf-8") as f:
            text = f.read()
        made = int(re.match(r"-- made at (\d+)\n", text)[1])
        by = int(time.time() * 1000) - int(age_s * 1000) - made
        text = text.replace("{{ROOM}}", self.base.removeprefix("http://")).replace("{{FOLDER}}", self.folder)
        # Every number of 13 digits is a moment in milliseconds since 1970.
        text = re.sub(r"(?<![\w\"])1[789]\d{11}(?!\d)", lambda m: str(int(m[0]) + by), text)
        db = sqlite3.connect(f"{data}/hansard.db", isolation_level=None)
        db.executescript("BEGIN;\n" + text + "COMMIT;")
        db.close()
        os.chmod(f"{data}/hansard.db", 0o600)
        with tarfile.open(f"{store}/audio.tar.gz") as tar:
            tar.extractall(f"{data}/audio", filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(f"{data}/audio")
        with open(f"{self.folder}/calendar.ics", "w", encoding="utf-8") as f:
            f.write(ics("ahead", time.time() - age_s + 5 * 3600, "Ahead", f"{self.base}/rooms/ahead"))
        return self.rows()

    def configure(self):
        super().configure()
        with open(self.config, "a", encoding="utf-8") as f:
            f.write(f'[[calendar]]\nid = "work"\npath = "{self.folder}/calendar.ics"\n')

    def database(self):
        return sqlite3.connect(f"file:{self.folder}/data/hansard.db?mode=ro", uri=True)

    def rows(self):
        """{meeting's title: (id, {utterance id: text})}, and the schema."""
        db = self.database()
        out = {}
        for number, name, state in db.execute("SELECT number, id, state FROM aggregate WHERE kind = 'meeting'").fetchall():
            finals = [json.loads(body[1:])["utterance"] for (body,) in db.execute("SELECT body FROM record WHERE aggregate = ? AND kind = 'utterance.final'", (number,))]
            out[json.loads(state[1:])["spec"]["title"]] = (name, {u["id"]: u["text"] for u in finals})
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        db.close()
        return out, schema

    def show(self, meeting):
        return self.api.try_get(f"/api/meetings/{meeting}") or {"state": ""}


def keeps(stored, finals, what):
    kept = {u["id"]: u["text"] for u in stored["utterances"]}
    check(all(kept.get(i) == text for i, text in finals.items()), f"{what}: the {len(finals)} finals of the older version are there")
    minutes = next((f for f in stored["files"] if f.endswith(".json")), None) or stored["files"][0]
    with open(minutes, encoding="utf-8") as f:
        text = f.read()
    check(all(t in text for t in finals.values()), f"{what}: and in the minutes")


def days_later(up, store):
    meetings, schema = up.load(store, 2 * 86400)
    running, finals = meetings["The second one"]
    up.serve()
    stored = wait_for("the end of the meeting that ran", lambda: (m := up.show(running))["state"] == "done" and m, 60)
    check(up.rows()[1] > schema, f"schema {schema} is brought to {up.rows()[1]}")
    keeps(stored, finals, "days later")
    more = [u["text"] for u in stored["utterances"] if u["id"] not in finals]
    check(len(more) > 0, f"days later: the audio that waited for its recognizer is transcribed: {more}")
    for c in stored["coverage"]:
        totals = c["totals_ms"]
        check(totals["pending"] == 0 and totals["transcribed"] > 0, f"days later: {c['participant']} is accounted for: {totals}")
        check(sum(totals.values()) <= PLANNED_MS, "until the planned end, not until today")
    check(not glob.glob(f"{up.folder}/data/audio/*/*.pcm"), "days later: the audio is gone")
    first, earlier = meetings["The first one"]
    kept = {u["id"]: u["text"] for u in up.show(first)["utterances"]}
    check(kept == earlier, "a meeting that was over stays as it was")
    held = [t for t in up.api.get("/api/tasks") if t["state"] == "held"]
    check(any(t["meeting"] == first for t in held), "and its task is still held for a person")
    up.daemon.terminate()
    check(up.ended(20)[0] == 0, "the daemon ends with 0")
    up.check_sound(check)


def at_once(up, store):
    up.start_speakers()
    meetings, _ = up.load(store, 4)
    running, finals = meetings["The second one"]
    began = time.monotonic()
    up.serve()
    wait_for("recording", lambda: up.show(running)["state"] == "recording", LIMIT_S)
    check(True, f"at once: the meeting is taken up after {time.monotonic() - began:.1f} s")
    wait_for("finals of the present", lambda: len(up.show(running)["utterances"]) >= len(finals) + 3, 40)
    plan = wait_for("the plan", lambda: [m for m in up.api.try_get("/api/calendars/plan") or [] if m["title"] == "Ahead"], 20)
    ahead = [m for m in up.api.get("/api/status")["meetings"] if m["title"] == "Ahead" and m["state"] == "scheduled"]
    check(len(plan) == 1 and plan[0]["attend"] and len(ahead) == 1, "what the calendar showed before is planned once")
    up.api.post(f"/api/meetings/{running}/stop")
    stored = wait_for("its end", lambda: (m := up.show(running))["state"] == "done" and m, 60)
    keeps(stored, finals, "at once")
    for c in stored["coverage"]:
        intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
        whole = all(a["end_ms"] == b["start_ms"] for a, b in zip(intervals, intervals[1:]))
        gaps = [i for i in intervals if i["state"] == "lost" and i.get("reason") == "daemon"]
        check(whole and len(gaps) == 1, f"at once: the ledger of {c['participant']} is whole and has the time between the two: {[(g['start_ms'], g['end_ms']) for g in gaps]}")
    check(len(stored["coverage"]) == len(VOICES), "of both speakers")
    up.daemon.terminate()
    check(up.ended(20)[0] == 0, "the daemon ends with 0")


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    began = time.monotonic()
    for store in sorted(os.path.dirname(p) for p in glob.glob(f"{STORES}/*/store.sql")):
        print(f"--- a store of {os.path.basename(store)}")
        with tempfile.TemporaryDirectory(prefix="hansard-upgrade-", ignore_cleanup_errors=True) as folder:
            up = Upgrade(os.path.abspath(sys.argv[1]), folder)
            with up.guarded(check):
                speak(folder, SPEECH_S)
                up.start_room()
                up.configure()
                days_later(up, store)
                at_once(up, store)
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
