#!/usr/bin/env python3
"""Makes a store as a version of hansard leaves it in the middle of a meeting: see tests/data/stores/README.md.

usage: make_store.py HANSARD FOLDER

HANSARD is the program of that version, with its modules. It attends one meeting to its end, is shown a calendar, and is killed in
a second meeting while audio waits for the recognizer. FOLDER gets store.sql and audio.tar.gz.
"""
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time

from calendar_daemon import Failure, wait_for
from live_meeting import LiveMeeting, Viewer, children_of, ics, speak

SPEECH_S = 75
HEAD_LINE = b"\n"


class Maker(LiveMeeting):
    def configure(self):
        host = self.base.removeprefix("http://")
        calendar = f"{self.folder}/calendar.ics"
        with open(calendar, "w", encoding="utf-8") as f:
            f.write(ics("ahead", time.time() + 5 * 3600, "Ahead", f"{self.base}/rooms/ahead"))
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'data_dir = "{self.folder}/data"\noutput_dir = "{self.folder}/minutes"\n[listen]\nport = {self.port}\n'
                    f'[media]\nhosts = ["{host}"]\nmin_free_mb = 50\n[[calendar]]\nid = "work"\npath = "{calendar}"\n[leave]\nalone = "2s"\n')

    def state(self, meeting):
        return (self.api.try_get(f"/api/meetings/{meeting}") or {}).get("state")


def speech_process(pid):
    for child in children_of(pid):
        with open(f"/proc/{child}/cmdline", "rb") as f:
            if b"speech" in f.read().split(b"\0"):
                return child
    raise Failure("there is no speech process")


def make(maker):
    maker.start_room()
    maker.configure()
    maker.serve()
    wait_for("the daemon's answer", lambda: maker.api.try_get("/api/status"), 20)
    maker.start_speakers()
    viewer = Viewer(maker.api)
    first = maker.join(maker.url, "The first one")
    wait_for("a promise in it", lambda: any(k[0] == first and "I will" in t for k, t in viewer.shown.items()), 60)
    maker.api.post(f"/api/meetings/{first}/stop")
    wait_for("its end", lambda: maker.state(first) == "done", 60)
    second = maker.join(maker.url, "The second one")
    wait_for("finals in it", lambda: viewer.finals(second) >= 5, 60)
    os.kill(speech_process(maker.daemon.pid), signal.SIGSTOP)
    time.sleep(4)  # what is said now waits
    maker.daemon.send_signal(signal.SIGKILL)
    maker.daemon.wait()


def quoted(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        if value[:1] != b"\0":
            raise Failure("a body is not in format 0")
        return "CAST(X'00' || " + quoted(value[1:].decode()) + " AS BLOB)"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def dump(maker, out):
    db = sqlite3.connect(f"{maker.folder}/data/hansard.db")
    lines = [f"PRAGMA application_id = {db.execute('PRAGMA application_id').fetchone()[0]};"]
    tables = []
    for name, kind, sql in db.execute("SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"):
        lines.append(sql + ";")
        if kind == "table":
            tables.append(name)
    for table in tables:
        for row in db.execute(f"SELECT * FROM {table}"):
            lines.append(f"INSERT INTO {table} VALUES ({', '.join(map(quoted, row))});")
    lines.append(f"PRAGMA user_version = {db.execute('PRAGMA user_version').fetchone()[0]};")
    text = "\n".join(lines) + "\n"
    # A reader puts its own room, folder and clock in their places.
    text = text.replace(maker.base.removeprefix("http://"), "{{ROOM}}").replace(maker.folder, "{{FOLDER}}")
    with open(f"{out}/store.sql", "w", encoding="utf-8") as f:
        f.write(f"-- made at {int(time.time() * 1000)}\n{text}")
    cursors = {}
    for (state,) in db.execute("SELECT state FROM aggregate WHERE kind = 'meeting' AND finished = 0"):
        meeting = json.loads(state[1:])
        for p in meeting.get("participants", []):
            cursors[p["id"]] = max(cursors.get(p["id"], 0), p["covered_until_ms"])
    db.close()
    return cursors


def waiting_audio(maker, cursors, out):
    """Only what lies behind the cursors: the rest has been recognized."""
    with tarfile.open(f"{out}/audio.tar.gz", "w:gz") as tar:
        root = f"{maker.folder}/data/audio"
        for path in sorted(os.path.join(d, f) for d, _, files in os.walk(root) for f in files):
            with open(path, "rb") as f:
                head, _, rest = f.read().partition(HEAD_LINE)
            cursor = cursors.get(json.loads(head)["participant"], 0)
            kept, at = b"", 0
            while at + 16 <= len(rest):
                n = int.from_bytes(rest[at:at + 4], "little")
                start = int.from_bytes(rest[at + 8:at + 16], "little")
                if start + n // 16 > cursor:
                    kept += rest[at:at + 16 + 2 * n]
                at += 16 + 2 * n
            data = head + HEAD_LINE + kept
            info = tarfile.TarInfo(os.path.relpath(path, root))
            info.size, info.mode = len(data), 0o600
            tar.addfile(info, io.BytesIO(data))


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    out = os.path.abspath(sys.argv[2])
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hansard-make-", ignore_cleanup_errors=True) as folder:
        maker = Maker(os.path.abspath(sys.argv[1]), folder)
        try:
            speak(folder, SPEECH_S)
            make(maker)
            waiting_audio(maker, dump(maker, out), out)
        except (Failure, subprocess.SubprocessError, OSError) as failure:
            print(f"make_store: {failure}", *open(f"{folder}/daemon.log", errors="replace").read().splitlines()[-20:], sep="\n", file=sys.stderr)
            return 1
        finally:
            for process in maker.processes:
                if process.poll() is None:
                    process.kill()
                process.wait()
    with open(f"{out}/store.sql", encoding="utf-8") as f:
        text = f.read()
    leaks = [w for w in ("/tmp/", "/root", "/work", "/home", os.uname().nodename) if w in text]
    print(f"{len(text)} characters, {len(re.findall('INSERT INTO', text))} rows{', LEAKS ' + str(leaks) if leaks else ''}")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
