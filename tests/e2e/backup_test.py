#!/usr/bin/env python3
"""Backs up, checks and restores with the program itself, while others write, and damages what it reads.

usage: backup_test.py HANSARD

A daemon makes the stores; meetings are then written into them in the documented form (docs/formats/store.md), some by a writer
that goes on committing, recognizing and removing audio while backups are made. Prints one line a check and a count.
"""
import io
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import hashlib

CANARY = "zanzibarquux"
SAMPLE_RATE = 16000
CRC_TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
    CRC_TABLE.append(n)

checks = 0


class Failure(Exception):
    pass


def check(ok, what):
    global checks
    checks += 1
    print(("ok    " if ok else "FAIL  ") + what, flush=True)
    if not ok:
        raise Failure(what)


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = CRC_TABLE[(c ^ b) & 0xFF] ^ (c >> 8)
    return c ^ 0xFFFFFFFF


def sealed(value):
    return b"\0" + json.dumps(value).encode()


def wait_for(what, probe, limit=15):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.02)
    raise Failure(f"{what} did not happen within {limit} s")


class Place:
    """A data directory with its configuration."""

    def __init__(self, hansard, folder, calendar=""):
        self.hansard = hansard
        self.folder = folder
        os.makedirs(folder)
        self.config = os.path.join(folder, "hansard.toml")
        self.data = os.path.join(folder, "data")
        self.output = os.path.join(folder, "minutes")
        with open(self.config, "w") as f:
            f.write(f'data_dir = "{self.data}"\noutput_dir = "{self.output}"\n[listen]\nport = 0\n{calendar}')

    def run(self, *words, code=0, **options):
        result = subprocess.run([self.hansard, *words, "--config", self.config], capture_output=True, text=True, errors="replace",
                                timeout=60, **options)
        said = result.stdout + result.stderr
        if CANARY in said:
            raise Failure(f"`hansard {words[0]}` shows content of a meeting or a secret")
        if code is not None and result.returncode != code:
            raise Failure(f"`hansard {' '.join(words)}` ended with {result.returncode}, not {code}: {said.strip()}")
        return result.returncode, said

    def sound(self):
        return "sound: " in self.run("check")[1]

    def serve(self):
        log = open(os.path.join(self.folder, "daemon.log"), "a")
        process = subprocess.Popen([self.hansard, "serve", "--config", self.config], stdout=log, stderr=subprocess.STDOUT)
        info = os.path.join(self.data, "daemon.json")
        wait_for("the daemon's start", lambda: process.poll() is not None or os.path.exists(info))
        if process.poll() is not None:
            raise Failure("the daemon did not start: " + open(log.name).read()[-500:])
        return process

    def meetings(self):
        return json.loads(self.run("meetings", "list", "--json")[1])

    def database(self):
        db = sqlite3.connect(os.path.join(self.data, "hansard.db"), timeout=10, isolation_level=None)
        db.execute("PRAGMA foreign_keys = ON")
        return db


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)


class Meeting:
    """Writes a meeting as hansard does: audio first, then what was recognized, each step one transaction."""

    def __init__(self, place, db, name):
        self.place, self.db, self.id = place, db, name
        self.version = self.cursor = self.captured = self.utterances = 0
        folder = os.path.join(place.data, "audio", hashlib.sha256(name.encode()).hexdigest()[:32])
        self.track = os.path.join(folder, hashlib.sha256(b"p1").hexdigest()[:32] + ".pcm")
        self.commit([("meeting.state", {"state": "recording"}), ("participant", {"id": "p1", "name": "Ann", "present": True, "at_ms": 0})])

    def capture(self, ms=100):
        samples = bytes(ms * SAMPLE_RATE // 1000 * 2)
        body = struct.pack("<q", self.captured) + samples
        os.makedirs(os.path.dirname(self.track), mode=0o700, exist_ok=True)
        new = not os.path.exists(self.track)
        with open(self.track, "ab") as f:
            if new:
                f.write(b'{"participant":"p1"}\n')
            f.write(struct.pack("<II", len(samples) // 2, CRC_OF.setdefault(body, crc32c(body))) + body)
        self.captured += ms

    def recognize(self, ms=100):
        self.utterances += 1
        start, self.cursor = self.cursor, self.cursor + ms
        text = f"{CANARY} {self.utterances}"
        self.commit([("utterance.final", {"utterance": {"id": f"u{self.utterances}", "participant": "p1", "speaker": "Ann", "start_ms": start, "end_ms": self.cursor, "text": text}}),
                     ("coverage", {"interval": {"participant": "p1", "start_ms": start, "end_ms": self.cursor, "state": "transcribed"}})])

    def finish(self):
        """Recognizes all, removes the audio, ends."""
        while self.cursor < self.captured:
            self.recognize()
        shutil.rmtree(os.path.dirname(self.track))
        self.commit([("meeting.state", {"state": "done"})], state="done")

    def commit(self, records, state="recording"):
        self.version += 1
        # `note` says how much audio is on the disk: a backup that has this state must have that audio.
        body = sealed({"type": "meeting", "id": self.id, "state": state, "utterances": self.utterances, "note": str(self.captured),
                       "participants": [{"id": "p1", "name": "Ann", "covered_until_ms": self.cursor}]})
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("INSERT INTO aggregate (id, kind, version, finished, state) VALUES (?, 'meeting', 1, 0, ?) "
                        "ON CONFLICT (id) DO UPDATE SET version = version + 1, state = excluded.state, finished = ?", (self.id, body, state == "done"))
        number = self.db.execute("SELECT number FROM aggregate WHERE id = ?", (self.id,)).fetchone()[0]
        self.db.execute("INSERT INTO journal VALUES (?, ?, 1, ?)", (number, self.version, sealed({"type": "timer_fired", "name": "x"})))
        for kind, record in records:
            self.db.execute("INSERT INTO record (aggregate, kind, at_ms, body) VALUES (?, ?, 1, ?)", (number, kind, sealed({"type": kind, **record})))
        self.db.execute("COMMIT")


CRC_OF = {}


class Writer(threading.Thread):
    """Meetings one after the other, each captured ahead of its recognition, until it is told to stop."""

    def __init__(self, place):
        super().__init__()
        self.place = place
        self.ended = threading.Event()
        self.commits = self.meetings = 0
        self.error = None

    def run(self):
        try:
            db = self.place.database()
            while not self.ended.is_set():
                meeting = Meeting(self.place, db, f"w{self.meetings}")
                for step in range(12):
                    meeting.capture()
                    if step >= 5:
                        meeting.recognize()
                    self.commits = self.commits + 1
                meeting.finish()
                self.meetings += 1
            db.close()
        except Exception as error:  # told by the test's own thread
            self.error = error


def spooled_ms(path):
    """End of the last whole record."""
    data = open(path, "rb").read()
    at, end = data.index(b"\n") + 1, 0
    while at + 16 <= len(data):
        n, = struct.unpack_from("<I", data, at)
        end = struct.unpack_from("<q", data, at + 8)[0] + n * 1000 // SAMPLE_RATE
        at += 16 + 2 * n
    return end if at == len(data) else -1


def lost_audio(place):
    """Living meetings of a store whose audio is not all there, and how many live."""
    lost = living = 0
    for id_, state in place.database().execute("SELECT id, state FROM aggregate WHERE finished = 0 AND kind = 'meeting'"):
        state = json.loads(bytes(state)[1:])
        captured = int(state.get("note") or 0)
        if captured == 0:
            continue
        living += 1
        # All recognized: its audio may be removed already, though the commit that ends it is to come.
        if state["participants"][0]["covered_until_ms"] >= captured:
            continue
        track = os.path.join(place.data, "audio", hashlib.sha256(id_.encode()).hexdigest()[:32], hashlib.sha256(b"p1").hexdigest()[:32] + ".pcm")
        lost += not os.path.exists(track) or spooled_ms(track) < captured
    return lost, living


def left_over(folder):
    return [n for n in os.listdir(folder) if ".part" in n or ".restoring" in n]


def with_a_daemon(hansard, base):
    calendar = os.path.join(base, "ahead.ics")
    start = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 7200))
    end = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 9000))
    with open(calendar, "w") as f:
        f.write("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n" + "".join(
            f"BEGIN:VEVENT\r\nUID:e{i}@test\r\nDTSTAMP:{start}\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:Plan {i}\r\n"
            f"LOCATION:http://127.0.0.1:9/rooms/r{i}\r\nEND:VEVENT\r\n" for i in range(4)) + "END:VCALENDAR\r\n")
    first = Place(hansard, os.path.join(base, "first"), f'[media]\nhosts = ["127.0.0.1:9"]\n[[calendar]]\nid = "work"\nkind = "ics"\npath = "{calendar}"\n')
    if first.run("config", "check", code=None)[0] != 0:
        first = Place(hansard, os.path.join(base, "first2"), f'[[calendar]]\nid = "work"\nkind = "ics"\npath = "{calendar}"\n')
    daemon = first.serve()
    try:
        wait_for("meetings from the calendar", lambda: len(first.meetings()) == 4)
        os.makedirs(os.path.join(first.data, "secrets"), mode=0o700, exist_ok=True)
        with open(os.path.join(first.data, "secrets", "google-work"), "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(CANARY)
        check(first.sound(), "check finds a store sound while its daemon runs")
        backup = os.path.join(base, "with-daemon.tar")
        said = first.run("backup", backup)[1]
        check("NOT encrypted" in said and "secrets" in said, "backup says that it is not encrypted and holds secrets")
        check(os.stat(backup).st_mode & 0o777 == 0o600, "only its owner may read it")
        names = tarfile.open(backup).getnames()
        check({"store.db", "secrets/google-work", "config/hansard.toml", "SHA256SUMS"} <= set(names), "it is a tar that others read, with store, secrets and configuration")
        check("runs on" in first.run("restore", backup, "--force", code=1)[1], "restore is refused while a daemon runs")
        check("is there already" in first.run("backup", backup, code=1)[1], "a backup does not overwrite a file")
        check("another place" in first.run("backup", first.data, code=1)[1], "a backup inside of the data directory is refused")
        second = Place(hansard, os.path.join(base, "second"))
        second.run("restore", backup)
        check(second.sound(), "the restored directory is sound")
        check(open(os.path.join(second.data, "secrets", "google-work")).read() == CANARY and
              os.stat(os.path.join(second.data, "secrets", "google-work")).st_mode & 0o777 == 0o600, "secrets are back, for their owner alone")
        expected = sorted(m["id"] for m in first.meetings())
    finally:
        stop(daemon)
    daemon = second.serve()
    try:
        check(sorted(m["id"] for m in second.meetings()) == expected, "a daemon goes on with the restored meetings")
    finally:
        stop(daemon)
    return first, backup


def while_writing(hansard, base, first):
    place = Place(hansard, os.path.join(base, "busy"))
    shutil.copytree(first.data, place.data)
    writer = Writer(place)
    writer.start()
    found = []
    try:
        wait_for("a first meeting", lambda: writer.meetings >= 1 or writer.error)
        for i in range(6):
            before = writer.commits
            backup = os.path.join(base, f"busy{i}.tar")
            place.run("backup", backup)
            target = Place(hansard, os.path.join(base, f"from-busy{i}"))
            target.run("restore", backup)
            if not target.sound():
                raise Failure("a backup that was made while another wrote is not sound")
            lost, living = lost_audio(target)
            records = target.database().execute("SELECT count(*) FROM record").fetchone()[0]
            found.append((lost, living, records, writer.commits - before))
            if writer.error:
                raise writer.error
            if place.run("check", code=None)[0] != 0:
                raise Failure("check finds faults in a store that is being written: " + place.run("check", code=None)[1])
    finally:
        writer.ended.set()
        writer.join(timeout=30)
    check(all(f[3] > 0 for f in found), f"another process committed during each of {len(found)} backups ({sum(f[3] for f in found)} steps)")
    check(all(a[2] <= b[2] for a, b in zip(found, found[1:])), "each backup is a later moment")
    check(sum(f[0] for f in found) == 0, f"no audio is missing for the {sum(f[1] for f in found)} meetings that lived in them")
    check(place.sound(), "check finds the store sound afterwards")
    return place


def damaged_backups(hansard, base, place):
    good = os.path.join(base, "good.tar")
    data = open(good, "rb").read()
    bad = os.path.join(base, "bad.tar")
    missed = tried = 0
    with open(bad, "wb") as f:
        f.write(data)
    # Heads, names, sums and ends densely, contents here and there.
    with open(bad, "r+b", buffering=0) as f:
        for at in sorted(set(range(0, 1200, 41)) | set(range(0, len(data), max(1, len(data) // 150))) | set(range(len(data) - 3000, len(data), 61))):
            f.seek(at)
            f.write(bytes([data[at] ^ 0x10]))
            tried += 1
            missed += subprocess.run([hansard, "check", bad], capture_output=True).returncode != 1
            f.seek(at)
            f.write(data[at:at + 1])
    check(missed == 0, f"each of {tried} single damaged bytes of a backup is found")
    cuts = list(range(0, len(data), max(1, len(data) // 40))) + [len(data) - 1]
    for cut in cuts:
        with open(bad, "wb") as f:
            f.write(data[:cut])
        missed += subprocess.run([hansard, "check", bad], capture_output=True).returncode != 1
    check(missed == 0, f"each of {len(cuts)} truncated backups is found")
    target = Place(hansard, os.path.join(base, "from-bad"))
    said = target.run("restore", bad, code=1)[1]
    check("use another backup" in said and not os.path.exists(target.data) and not left_over(target.folder), "a damaged backup is not restored and leaves nothing")

    def rewrite(change):
        out = tarfile.open(bad, "w", format=tarfile.USTAR_FORMAT)
        for member in (source := tarfile.open(good)).getmembers():
            content = source.extractfile(member).read()
            name, content = change(member.name, content)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
        out.close()

    rewrite(lambda name, c: (name, c.replace(b'"format":1', b'"format":99')) if name == "hansard-backup.json" else (name, c))
    check("format 99" in target.run("restore", bad, code=1)[1] or "damaged" in target.run("restore", bad, code=1)[1], "another program's rewriting is refused")
    head = bytearray(data[:1024])
    body = data[512:1024].rstrip(b"\0").replace(b'"format":1,', b'"format":9,')
    head[512:512 + len(body)] = body
    with open(bad, "wb") as f:
        f.write(bytes(head) + data[1024:])
    check("newer one" in target.run("restore", bad, code=1)[1], "a backup of a newer format is refused with what to do")


def restore_over(hansard, base, place):
    target = Place(hansard, os.path.join(base, "over"))
    os.makedirs(target.data)
    with open(os.path.join(target.data, "precious"), "w") as f:
        f.write("mine")
    good = os.path.join(base, "good.tar")
    check("--force" in target.run("restore", good, code=1)[1] and os.listdir(target.data) == ["precious"] or
          sorted(os.listdir(target.data)) == ["lock", "precious"], "restore leaves a data directory alone that holds data")
    said = target.run("restore", good, "--force")[1]
    aside = re.search(r"the data of before is in (\S+)", said)
    check(aside and open(os.path.join(aside[1], "precious")).read() == "mine", "with --force the data of before is kept under the name that is printed")
    check(target.sound() and not left_over(target.folder), "and the backup is in its place")
    with sqlite3.connect(os.path.join(target.data, "hansard.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    check("schema 99" in target.run("check", code=1)[1], "a store of a newer version is named as such")


def full_disk(place, base):
    folder = os.path.join(base, "full")
    os.makedirs(folder)

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    said = place.run("backup", folder, code=1, preexec_fn=small)[1]
    check("free some space" in said and os.listdir(folder) == [], "a full disk is said, and no half backup is left")
    target = Place(place.hansard, os.path.join(base, "full-target"))
    said = target.run("restore", os.path.join(base, "good.tar"), code=1, preexec_fn=small)[1]
    check("free some space" in said and not os.path.exists(target.data) and not left_over(target.folder), "so it is for restore")


def dump(path):
    """Everything but times and the bytes of bodies: their lengths."""
    db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    return [db.execute(q).fetchall() for q in (
        "SELECT number, id, kind, version, finished, length(state) FROM aggregate", "SELECT aggregate, version, length(event) FROM journal",
        "SELECT seq, aggregate, kind, length(body) FROM record", "SELECT number, key, aggregate, held, length(body) FROM effect")]


def damaged_store(hansard, base):
    target = Place(hansard, os.path.join(base, "damaged"))
    target.run("restore", os.path.join(base, "good.tar"))
    path = os.path.join(target.data, "hansard.db")
    data = open(path, "rb").read()
    sound = dump(path)
    found = content = 0
    with open(path, "r+b", buffering=0) as f:
        positions = list(range(0, 100, 7)) + list(range(100, len(data), max(1, len(data) // 170)))
        for at in positions:
            f.seek(at)
            f.write(bytes([data[at] ^ 0x15]))
            if target.run("check", code=None)[0] != 0:
                found += 1
            else:
                # A free byte, or one inside of a body or a time: nothing else may differ.
                content += 1
                if dump(path) != sound:
                    raise Failure(f"damage at byte {at} changed rows and was not found")
            f.seek(at)
            f.write(data[at:at + 1])
            for side in ("-wal", "-shm"):
                if os.path.exists(path + side):
                    os.unlink(path + side)
    check(found > 0, f"of {len(positions)} single damaged bytes of a store {found} are found; {content} are free or inside of a text, and change no row's place or number")
    for what, sql in (("an utterance that is missing", "DELETE FROM record WHERE seq = (SELECT max(seq) FROM record WHERE kind = 'utterance.final')"),
                      ("a ledger row that is missing", "DELETE FROM record WHERE seq = (SELECT max(seq) FROM record WHERE kind = 'coverage')"),
                      ("a journal with a hole", "DELETE FROM journal WHERE version = 2"),
                      ("a body that does not parse", "UPDATE record SET body = substr(body, 1, length(body) - 1) WHERE kind = 'utterance.final' AND seq % 9 = 0"),
                      ("a body of an unknown format", "UPDATE aggregate SET state = x'07' WHERE number = 2"),
                      ("an effect of nobody's commit", "INSERT INTO effect (key, aggregate, held, body) SELECT 'x:1:0', number, 0, x'007b2274797065223a22636c65616e5f7570227d' FROM aggregate LIMIT 1")):
        with open(path, "wb") as f:
            f.write(data)
        db = sqlite3.connect(path)
        db.execute(sql)
        db.commit()
        db.close()
        code, said = target.run("check", code=None)
        check(code == 1 and "fault  " in said, f"check finds {what}")
    with open(path, "wb") as f:
        f.write(data)
    orphan = os.path.join(target.data, "audio", "0" * 32)
    os.makedirs(orphan)
    code, said = target.run("check", code=None)
    check(code == 1 and "audio of no meeting" in said, "check finds audio of no meeting")
    os.rmdir(orphan)
    tracks = [os.path.join(d, n) for d, _, names in os.walk(os.path.join(target.data, "audio")) for n in names]
    with open(tracks[0], "r+b") as f:
        f.seek(200)
        f.write(b"\x55")
    answer = json.loads(target.run("check", "--json", code=1)[1])
    check(not answer["sound"] and any("damaged at byte" in f["what"] for f in answer["faults"]), "check finds damaged audio, also as JSON")


def run(hansard, base):
    first, _ = with_a_daemon(hansard, base)
    place = while_writing(hansard, base, first)
    waiting = Meeting(place, place.database(), "waits")
    for _ in range(4):
        waiting.capture()
    waiting.recognize()
    place.run("backup", os.path.join(base, "good.tar"))
    damaged_backups(hansard, base, place)
    restore_over(hansard, base, place)
    full_disk(place, base)
    damaged_store(hansard, base)


def main():
    if len(sys.argv) != 2:
        print("usage: backup_test.py HANSARD", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hansard-backup-") as base:
        try:
            run(os.path.abspath(sys.argv[1]), base)
        except (Failure, subprocess.SubprocessError) as failure:
            print(f"backup test: {failure}", file=sys.stderr)
            return 1
    print(f"{checks} checks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
