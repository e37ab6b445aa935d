#!/usr/bin/env python3
"""Two daemons on one store, and a store of a newer version: who may write, and who is told to go.

usage: owner_test.py HANSARD

Real processes and real files. The second daemon is refused by the lock; where there is no lock, the fence makes the first one
stale at its next commit.
"""
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

from calendar_daemon import Checks, Daemon, Failure, wait_for

check = Checks()


def serve_once(daemon):
    """Another daemon with the same configuration, which should not come up: (exit code, what it said)."""
    return daemon.run("serve")[::2]


def join(page, room):
    """By the API of the daemon whose page this is; the id."""
    base, token = re.match(r"(http://\S+?)/#token=(\w+)", page).groups()
    body = json.dumps({"url": f"http://127.0.0.1:9/rooms/{room}"}).encode()
    request = urllib.request.Request(f"{base}/api/meetings", method="POST", data=body,
                                     headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["id"]


def page_of(daemon):
    return re.search(r"http://\S+/#token=\w+", daemon.run("status")[1])[0]


def address_of(daemon):
    with open(f"{daemon.folder}/data/daemon.json", encoding="utf-8") as f:
        return json.loads(f.read() or "{}")


def files_of(folder):
    out = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                out[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return out


def the_lock(daemon):
    daemon.start()
    pid = daemon.process.pid
    code, said = serve_once(daemon)
    check(code == 1 and f"(process {pid})" in said and "stop it" in said and said.count("\n") == 1, f"a second daemon is refused in one line that names the first: {said.strip()}")
    check(daemon.json("status")["pid"] == pid, "the first one does not mind")
    code, out, _ = daemon.run("stop", "--now")
    check(code == 0 and "has ended" in out and daemon.process.wait(timeout=5) == 0, f"`hansard stop --now` waits until it has ended: {out.strip()}")
    daemon.start()
    check(daemon.json("status")["pid"] == daemon.process.pid != pid, "so that the next one starts at once")
    code, _, said = daemon.run("stop", "--now", "--finish")
    check(code == 2, f"one way at a time: {said.strip()}")


def the_fence(daemon):
    """The first daemon sleeps, its locks are gone: a second one takes the store over."""
    first, page = daemon.process, page_of(daemon)
    kept = join(page, "before")
    wait_for("the meeting", lambda: daemon.json("meetings", "show", kept), 10)
    first.send_signal(signal.SIGSTOP)
    for lock in ("lock", "hansard.db-lock"):
        os.remove(f"{daemon.folder}/data/{lock}")
    with open(f"{daemon.folder}/serve.log", "a") as log:
        daemon.process = subprocess.Popen([daemon.hansard, "serve", "--config", daemon.config], stdout=log, stderr=subprocess.STDOUT)
    # Not asked before its address is there: the first one would not answer.
    wait_for("the second daemon's address", lambda: address_of(daemon).get("pid") == daemon.process.pid, 20)
    check(daemon.json("status")["pid"] == daemon.process.pid, "without the locks a second daemon comes up")
    first.send_signal(signal.SIGCONT)
    try:
        late = join(page, "late")
    except OSError:
        late = None  # it has noticed already
    try:
        code = first.wait(timeout=20)
    except subprocess.TimeoutExpired:
        first.kill()
        raise Failure("the stale daemon goes on") from None
    check(code == 1 and "another hansard has taken over this store" in daemon.log(), "the first one is refused at its next commit and ends with 1, saying why")
    shown = {m["id"] for m in daemon.json("meetings", "list")}
    check(kept in shown and late not in shown, "nothing that it did after that is in the store")
    check(daemon.json("status")["pid"] == daemon.process.pid, "the second one goes on")
    check(daemon.stop() == 0, "and ends with 0")


def newer(daemon):
    """A store of a later version, and one with a body that this version cannot read."""
    path = f"{daemon.folder}/data/hansard.db"
    db = sqlite3.connect(path, isolation_level=None)
    ours = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {ours + 1}")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    lock = f"{daemon.folder}/data/lock"
    os.remove(lock)
    before = files_of(f"{daemon.folder}/data")
    code, said = serve_once(daemon)
    check(code == 1 and f"schema {ours + 1}" in said and "newer version" in said and said.count("\n") == 1, f"a store of a newer version is refused: {said.strip()}")
    os.remove(lock)
    after = {name: digest for name, digest in files_of(f"{daemon.folder}/data").items() if not name.endswith(("-wal", "-shm"))}
    check(after == before, "and every file is as it was")
    code, _, said = daemon.run("meetings", "list")
    check(code == 1 and f"schema {ours + 1}" in said, "reading it is refused as well")

    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA user_version = {ours}")
    db.execute("INSERT INTO aggregate (id, kind, version, finished, state) VALUES ('x', 'meeting', 1, 0, ?)", (b"\x01sealed",))
    db.execute("INSERT INTO context VALUES ('meeting:x:context', ?, 1)", (b"\x01sealed",))
    tables = ("aggregate", "journal", "record", "effect", "context")
    rows = {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in tables}
    code, said = serve_once(daemon)
    check(code == 1 and "format 1" in said and "newer version" in said, f"so is a body in a later format: {said.strip()}")
    check(rows == {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in tables}, "and every row is as it was")
    db.close()


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hansard-owner-") as folder:
        daemon = Daemon(os.path.abspath(sys.argv[1]), folder)
        first = None
        try:
            the_lock(daemon)
            first = daemon.process
            the_fence(daemon)
            newer(daemon)
        except (Failure, subprocess.SubprocessError, OSError) as failure:
            check(False, str(failure))
            print("--- serve.log (end)", *daemon.log().splitlines()[-20:], sep="\n", file=sys.stderr)
        finally:
            daemon.stop()
            if first is not None and first.poll() is None:
                first.kill()
                first.wait()
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
