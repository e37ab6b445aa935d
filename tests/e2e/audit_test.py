#!/usr/bin/env python3
"""The audit log of a real daemon: what people do is in it, it holds nothing of them, and what is done to it is found.

usage: audit_test.py HANSARD

Acts come through the API and the commands; the store is then changed with Python's sqlite3, by one who knows nothing and by one who
knows the encoding (docs/audit.md, which is written here a second time).
"""
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from calendar_daemon import Checks, Daemon, Failure, event, soon, wait_for

CANARY = "quibblewort"
HASH = re.compile(r"[0-9a-f]{64}")

check = Checks()


def hash_of(row):
    """docs/audit.md, "The encoding, to the byte"."""
    seq, at_ms, *texts, previous = row
    data = b"\x01" + previous + struct.pack(">Qq", seq, at_ms)
    for text in texts:
        data += struct.pack(">I", len(text.encode())) + text.encode()
    return hashlib.sha256(data).digest()


class Api:
    def __init__(self, daemon):
        page = re.search(r"(http://\S+)/#token=(\w+)", daemon.run("status")[1])
        self.base, self.token = page.groups()

    def post(self, path, body=None, token=None):
        """The answer, or the status when it is refused."""
        request = urllib.request.Request(self.base + path, method="POST", data=json.dumps(body or {}).encode(),
                                         headers={"Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refused:
            return refused.code


def rows(daemon):
    return [json.loads(line) for line in daemon.run("audit", "list", "--after", "0", "--limit", "100000", "--jsonl")[1].splitlines()]


def acts(daemon):
    return [(r["actor"], r["action"], r["object"], r["outcome"]) for r in rows(daemon)]


def verify(daemon, *words):
    """(exit code, the JSON answer)"""
    code, out, said = daemon.run("audit", "verify", "--json", *words)
    return code, json.loads(out) if out else {"detail": said}


def what_is_recorded(daemon):
    daemon.start()
    api = Api(daemon)
    meeting = api.post("/api/meetings", {"url": f"http://127.0.0.1:9/rooms/{CANARY}", "title": CANARY, "token": CANARY})["id"]
    wait_for("the join", lambda: ("api", "meeting.join", meeting, "ok") in acts(daemon), 10)
    api.post(f"/api/meetings/{meeting}/stop")
    wait_for("its end", lambda: ("daemon", "meeting.clean", meeting, "cancelled") in acts(daemon), 20)
    api.post(f"/api/meetings/{meeting}/stop")
    check([a for a in acts(daemon) if a[1] == "meeting.stop"] == [("api", "meeting.stop", meeting, "ok")], "a stop is recorded once, and one of a meeting that is over is not")
    refused = {api.post("/api/meetings", {}, token="wrong") for _ in range(50)}
    wait_for("the refusal", lambda: any(a[1] == "request.refuse" for a in acts(daemon)), 10)
    check(refused == {401} and sum(a[1] == "request.refuse" for a in acts(daemon)) == 1, "of 50 refused requests there is one row at first")
    backup = f"{daemon.folder}/one.tar"
    check(daemon.run("backup", backup)[0] == 0, "a backup is made beside the daemon")
    made = next(a for a in acts(daemon) if a[1] == "backup.make")
    check(made[0] == "cli" and re.fullmatch(r"seq:\d+", made[2]) and made[3] == "ok", f"and is recorded: {made}")
    calendar = f"calendar:{hashlib.sha256(b'calendar' + bytes([10]) + CANARY.encode()).hexdigest()[:15]}"
    check(("daemon", "calendar.connect", calendar, "ok") in acts(daemon), "the calendar is there under its pseudonym")
    daemon.stop()
    daemon.start()
    daemon.process.kill()
    daemon.process.wait()
    daemon.start()
    api = Api(daemon)
    check(daemon.run("stop", "--now")[0] == 0, "the daemon ends by the API")
    daemon.process.wait(timeout=10)
    runs = [a for a in acts(daemon) if a[1] in ("store.open", "daemon.stop")]
    check(runs == [("daemon", "store.open", "epoch:1", "ok"), ("signal", "daemon.stop", "epoch:1", "hand_over"), ("daemon", "store.open", "epoch:2", "ok"),
                   ("daemon", "store.open", "epoch:3", "ok"), ("api", "daemon.stop", "epoch:3", "hand_over")], "starts and ends are recorded, and a kill shows as an end that is missing")
    refusals = sum(int(a[2].removeprefix("count:")) for a in acts(daemon) if a[1] == "request.refuse")
    check(refusals == 50, f"all {refusals} refused requests are counted in the end")
    text = json.dumps(rows(daemon))
    check(CANARY not in text and "127.0.0.1" not in text and "http" not in text, "no title, name, address or token of the meeting and the calendar is in it")
    return backup


def what_it_says(daemon):
    all_rows = rows(daemon)
    db = sqlite3.connect(f"{daemon.folder}/data/hansard.db")
    stored = db.execute("SELECT seq, at_ms, actor, action, object, outcome, previous, hash FROM audit ORDER BY seq").fetchall()
    db.close()
    check(all(hash_of(r[:-1]) == r[-1] for r in stored), f"the hashes of the {len(stored)} rows are those of docs/audit.md, computed by another program")
    code, out, _ = daemon.run("audit", "head")
    check(code == 0 and out == f"{all_rows[-1]['seq']} {all_rows[-1]['hash']}\n", "`audit head` is the newest row")
    check(daemon.json("audit", "head") == {"seq": all_rows[-1]["seq"], "hash": all_rows[-1]["hash"]}, "also as JSON")
    shown = daemon.json("audit", "list", "--after", "2", "--limit", "3")
    check([r["seq"] for r in shown] == [3, 4, 5], "`audit list --after --limit`")
    newest = daemon.run("audit", "list", "--limit", "2")[1].splitlines()
    check(len(newest) == 2 and "daemon.stop" in newest[-1], f"`audit list` shows the newest: {newest[-1].split()}")
    code, said, _ = daemon.run("audit", "verify")
    check(code == 0 and said.startswith("sound") and "without an anchor" in said, "it is sound, and says what an anchor is for")
    for words, why in ((("audit",), "no verb"), (("audit", "list", "--after", "x"), "no number"), (("audit", "list", "--limit", "0"), "no rows"),
                       (("audit", "head", "--anchor", "1:2"), "no anchor there"), (("audit", "verify", "--anchor", "1:2"), "no hash")):
        check(daemon.run(*words)[0] == 2, f"{why} is wrong use")
    return all_rows


def forge(db, first):
    """All rows from `first` on, computed anew."""
    previous = db.execute("SELECT hash FROM audit WHERE seq = ?", (first - 1,)).fetchone()[0]
    for row in db.execute("SELECT seq, at_ms, actor, action, object, outcome FROM audit WHERE seq >= ? ORDER BY seq", (first,)).fetchall():
        digest = hash_of((*row, previous))
        db.execute("UPDATE audit SET previous = ?, hash = ? WHERE seq = ?", (previous, digest, row[0]))
        previous = digest


def what_is_found(daemon, all_rows):
    path, last = f"{daemon.folder}/data/hansard.db", all_rows[-1]["seq"]
    shutil.copy(path, path + ".good")
    head = f"{last}:{all_rows[-1]['hash']}"
    early = f"3:{all_rows[2]['hash']}"

    def tampered(change):
        shutil.copy(path + ".good", path)
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("DROP TRIGGER audit_not_changed")
        db.execute("DROP TRIGGER audit_not_removed")
        change(db)
        db.close()

    db = sqlite3.connect(path, isolation_level=None)
    for statement in ("UPDATE audit SET outcome = 'x'", "DELETE FROM audit"):
        try:
            db.execute(statement)
            check(False, "the store lets its log be changed by mistake")
        except sqlite3.IntegrityError as refused:
            check("only added to" in str(refused), f"by mistake nothing is changed: {statement}")
    db.close()
    cases = (("a changed outcome", "UPDATE audit SET outcome = 'failed' WHERE seq = 4", "altered", 4),
             ("a changed time", "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", "altered", 2),
             ("a row that is missing", "DELETE FROM audit WHERE seq = 5", "gap", 5),
             ("the first row missing", "DELETE FROM audit WHERE seq = 1", "gap", 1),
             ("two rows in each other's place", "UPDATE audit SET seq = 1000 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 1000", "altered", 3),
             ("another hash", f"UPDATE audit SET hash = zeroblob(32) WHERE seq = {last}", "altered", last),
             ("a hash of another length", f"PRAGMA ignore_check_constraints = ON; UPDATE audit SET hash = zeroblob(33) WHERE seq = {last}", "altered", last))
    for what, sql, fault, seq in cases:
        tampered(lambda db, sql=sql: db.executescript(sql))
        code, found = verify(daemon)
        said = daemon.run("check")
        check(code == 1 and (found["fault"], found["seq"]) == (fault, seq), f"verify finds {what}: {found['detail']}")
        check(said[0] == 1 and (f"row {seq} " in said[1] or "CHECK constraint failed in audit" in said[1]), "and check names the same row, or the table")

    def replaced(db):
        db.execute("UPDATE audit SET object = 'm0' WHERE seq = 3")
        row = db.execute("SELECT seq, at_ms, actor, action, object, outcome, previous FROM audit WHERE seq = 3").fetchone()
        db.execute("UPDATE audit SET hash = ? WHERE seq = 3", (hash_of(row),))
    tampered(replaced)
    code, found = verify(daemon)
    check(code == 1 and (found["fault"], found["seq"]) == ("unchained", 4), f"one that was computed anew: {found['detail']}")

    def written_anew(db):
        db.execute("UPDATE audit SET object = 'm0' WHERE seq = 5")
        forge(db, 5)
    tampered(written_anew)
    check(verify(daemon)[0] == 0 and daemon.run("check")[0] == 0, "a log that was computed anew to its end fits together")
    code, found = verify(daemon, "--anchor", early)
    check(code == 0 and found["anchored"] == 3, "an anchor before the change vouches for what is before it")
    code, found = verify(daemon, "--anchor", head)
    check(code == 1 and (found["fault"], found["seq"]) == ("anchor_mismatch", last), f"an anchor after it finds it: {found['detail']}")

    tampered(lambda db: db.execute(f"DELETE FROM audit WHERE seq > {last - 2}"))
    check(verify(daemon)[0] == 0, "without an anchor a cut-off end is not seen")
    code, found = verify(daemon, "--anchor", head)
    check(code == 1 and (found["fault"], found["seq"]) == ("truncated", last - 1), f"with one it is: {found['detail']}")
    shutil.copy(path + ".good", path)
    os.unlink(path + ".good")
    check(verify(daemon, "--anchor", head)[0] == 0, "the log as it was is sound")


def the_anchors(daemon):
    file = f"{daemon.folder}/anchors"
    with open(daemon.config, "a", encoding="utf-8") as f:
        f.write(f'[audit]\nanchor_file = "{file}"\nanchor_every = "1s"\n')
    daemon.start()
    wait_for("an anchor", lambda: os.path.exists(file) and HASH.search(open(file).read()), 10)
    Api(daemon).post("/api/meetings", {"url": "http://127.0.0.1:9/rooms/more"})
    wait_for("another one", lambda: open(file).read().count("\n") >= 2, 10)
    daemon.stop()
    lines = open(file).read().splitlines()
    check(lines[-1].startswith(daemon.run("audit", "head")[1].strip()), f"the daemon keeps its head in a file, {len(lines)} lines, the last at its end")
    code, found = verify(daemon)
    check(code == 0 and found["anchors"] == len(lines) and found["anchored"] == int(lines[-1].split()[0]), "verify compares all of them by itself")
    db = sqlite3.connect(f"{daemon.folder}/data/hansard.db", isolation_level=None)
    db.executescript("DROP TRIGGER audit_not_removed; DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    db.close()
    code, said, _ = daemon.run("check")
    check(code == 1 and "was cut off after it was anchored" in said, "check finds a cut-off end with the daemon's own anchors")
    with open(file, "a", encoding="utf-8") as f:
        f.write("17 torn\n")
    check("1 lines" in daemon.run("check")[1], "and says that a line is no anchor")
    check(daemon.run("audit", "verify", "--anchor-file", file + ".none")[0] == 1, "a file that is named must be there")


def a_restore(daemon, backup):
    said = daemon.run("check", backup)[1]
    check("audit log" in said and HASH.search(said), "the backup says where its log ends")
    newest = rows(daemon)[-1]["seq"]
    check(daemon.run("restore", backup, "--force")[0] == 0, "the backup is restored")
    after = rows(daemon)
    held = int(after[-1]["object"].removeprefix("seq:"))
    check(after[-1]["action"] == "backup.restore" and after[-1]["actor"] == "cli" and after[-1]["seq"] == held + 1 < newest, "the restored log goes on from then, and says so")
    code, found = verify(daemon)
    check(code == 1 and found["fault"] in ("anchor_mismatch", "truncated"), f"anchors that were taken later tell of what is gone: {found['detail']}")
    os.unlink(f"{daemon.folder}/anchors")
    daemon.start()
    check(daemon.stop() == 0 and verify(daemon)[0] == 0, "with a new file of anchors it goes on")
    check(daemon.run("check")[0] == 0, "and the store is sound")


def main():
    if len(sys.argv) != 2:
        print("usage: audit_test.py HANSARD", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hansard-audit-", ignore_cleanup_errors=True) as folder:
        with open(f"{folder}/c.ics", "wb") as f:
            f.write(event("e", soon(600), CANARY))
        daemon = Daemon(os.path.abspath(sys.argv[1]), folder, f'[[calendar]]\nid = "{CANARY}"\npath = "{folder}/c.ics"\n')
        try:
            backup = what_is_recorded(daemon)
            what_is_found(daemon, what_it_says(daemon))
            the_anchors(daemon)
            a_restore(daemon, backup)
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            check(False, str(failure))
            print("--- serve.log (end)", *daemon.log().splitlines()[-20:], sep="\n", file=sys.stderr)
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.send_signal(signal.SIGKILL)
                daemon.process.wait()
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
