#!/usr/bin/env python3
"""Tasks on their way to a signed webhook: `[[task_sink]]`, `hansard tasks list|retry|discard`.

usage: tasks_test.py HANSARD

Meetings that have just handed over their tasks are written into the store in the documented form (docs/formats/store.md); the
daemon delivers them to tests/vendors/webhook_receiver.py, which checks each delivery and misbehaves.
"""
import base64
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from calendar_daemon import Checks, Daemon, Failure, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vendors"))
from webhook_receiver import WebhookReceiver  # noqa: E402

SECRET_ENV = "HANSARD_TEST_WEBHOOK_SECRET"
FIRST_BACKOFF_S = 5.0
CANARY = "quibblewort"

check = Checks()


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sealed(value):
    return b"\0" + json.dumps(value).encode()


class Sinks:
    """A daemon with one task sink, and the meetings that this test writes into its store."""

    def __init__(self, hansard, folder, receiver):
        self.daemon = Daemon(hansard, folder)
        self.with_sink = open(self.daemon.config, encoding="utf-8").read() + (
            f'[[task_sink]]\nid = "board"\nkind = "webhook"\nurl = "{receiver.url}"\nsecret_env = "{SECRET_ENV}"\n')
        self.without_sink = open(self.daemon.config, encoding="utf-8").read()
        self.configure(self.with_sink)
        self.names = {}

    def configure(self, text):
        with open(self.daemon.config, "w", encoding="utf-8") as f:
            f.write(text)

    def hand_over(self, meetings):
        """{meeting: [task names]}: each meeting is over and its tasks are in the outbox. Call while no daemon runs."""
        db = sqlite3.connect(f"{self.daemon.folder}/data/hansard.db", timeout=10, isolation_level=None)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        for meeting, names in meetings.items():
            state = {"type": "meeting", "id": meeting, "state": "done", "spec": {"title": f"Planning {meeting}"}}
            db.execute("INSERT INTO aggregate (id, kind, version, finished, state) VALUES (?, 'meeting', 1, 1, ?)", (meeting, sealed(state)))
            number = db.execute("SELECT number FROM aggregate WHERE id = ?", (meeting,)).fetchone()[0]
            now = int(time.time() * 1000)
            db.execute("INSERT INTO journal VALUES (?, 1, ?, ?)", (number, now, sealed({"type": "timer_fired", "name": "x"})))
            for index, name in enumerate(names):
                key = self.names[name] = secrets.token_hex(16)
                item = {"id": f"a{index + 1}", "kind": "action_item", "text": f"{CANARY} {name}", "owner": "Ann", "due": "2026-12-01",
                        "utterance_ids": ["u1"], "quote": "I will do that", "confidence": 0.9}
                wanted = {"type": "task_wanted", "sink": "board", "task": {"key": key, "meeting": meeting, "title": f"Planning {meeting}", "item": item}}
                db.execute("INSERT INTO record (aggregate, kind, at_ms, body) VALUES (?, 'task.state', ?, ?)",
                           (number, now, sealed({"type": "task.state", "task": key, "item": item["id"], "sink": "board", "state": "recorded"})))
                db.execute("INSERT INTO effect (key, aggregate, held, body) VALUES (?, ?, 0, ?)",
                           (f"{meeting}:1:{index}", number, sealed({"type": "to_aggregate", "aggregate": "sink:board", "event": wanted})))
        db.execute("COMMIT")
        db.close()

    def listed(self, name=None):
        """The tasks of `tasks list --json` by key; with a name that one or nothing."""
        tasks = {t["key"]: t for t in self.daemon.json("tasks", "list") or []}
        return tasks if name is None else tasks.get(self.names[name])

    def recorded(self, meeting):
        """{name: state} as the meeting shows them."""
        shown = self.daemon.json("meetings", "show", meeting) or {"tasks": []}
        by_key = {t["task"]: t["state"] for t in shown["tasks"]}
        return {name: by_key[key] for name, key in self.names.items() if key in by_key}

    def kill(self):
        self.daemon.process.send_signal(signal.SIGKILL)
        self.daemon.process.wait()
        self.daemon.process = None

    def restart_with(self, meetings):
        self.daemon.stop()
        self.hand_over(meetings)
        self.daemon.start()


def attempts(receiver, sinks, name):
    return receiver.attempts_of(sinks.names[name])


def outcomes(receiver, sinks, name):
    return [a["outcome"] for a in attempts(receiver, sinks, name)]


def ends_with(receiver, sinks, name, outcome, limit=20):
    wait_for(f"'{outcome}' for {name}", lambda: outcomes(receiver, sinks, name)[-1:] == [outcome], limit)


def between(receiver, sinks, name, first=0):
    """Seconds from one attempt to the next."""
    tried = attempts(receiver, sinks, name)
    return tried[first + 1]["at"] - tried[first]["at"]


def bad_secrets(sinks):
    os.environ.pop(SECRET_ENV, None)
    code, _, err = sinks.daemon.run("serve")
    check(code == 1 and SECRET_ENV in err and "'board'" in err and err.count("\n") == 1, f"without its secret the daemon does not start and names the variable: {err.strip()}")
    code, _, err = sinks.daemon.run("serve", env={SECRET_ENV: "whsec_" + CANARY})
    check(code == 1 and SECRET_ENV in err and "24 to 64 bytes" in err and CANARY not in err, "nor with one that is none, which is not shown")
    code, _, err = sinks.daemon.run("config", "check")
    check(code == 0, "the configuration itself is right")


def faults_and_a_kill(sinks, receiver):
    """A: in order behind a 500. B: one refused. C: an answer is lost. D: the daemon is killed while the receiver holds it."""
    os.environ[SECRET_ENV] = receiver.secret
    sinks.daemon.start()
    sinks.daemon.stop()
    sinks.hand_over({"A": ["a1", "a2", "a3"], "B": ["b1", "b2"], "C": ["c1"], "D": ["d1", "d2"]})
    receiver.faults = [{"id": sinks.names["a2"], "status": 500}, {"id": sinks.names["b1"], "status": 400},
                       {"id": sinks.names["c1"], "lose": True}, {"id": sinks.names["d1"], "hold": True}]
    began = time.monotonic()
    sinks.daemon.start()
    wait_for("the held delivery", lambda: outcomes(receiver, sinks, "d1") == ["held"], 10)
    ends_with(receiver, sinks, "b2", "taken")
    dead = wait_for("a dead letter", lambda: (t := sinks.listed("b1")) and t["state"] == "dead" and t, 5)
    check("status 400" in dead["detail"] and dead["sink"] == "board" and dead["owner"] == "Ann", f"a refused task is a dead letter with its reason: {dead['detail']}")
    check(sinks.listed("b2") is None and outcomes(receiver, sinks, "b1") == ["400"], "the next of its meeting goes through, and the refused one is not tried again")
    held = sinks.listed("d1")
    check(held["state"] == "sending" and held["attempts"] == 1, "a delivery that is under way is on record as sent once")
    code, _, err = sinks.daemon.run("tasks", "retry", sinks.names["d1"])
    check(code == 1 and "on its way" in err, "one that is under way cannot be retried by hand")
    ends_with(receiver, sinks, "a3", "taken")
    ends_with(receiver, sinks, "c1", "repeat")
    check(outcomes(receiver, sinks, "a2") == ["500", "taken"] and outcomes(receiver, sinks, "c1") == ["taken", "repeat"], "after a 500 and after a lost answer the same id comes again")
    for name in ("a2", "c1"):
        gap = between(receiver, sinks, name)
        check(FIRST_BACKOFF_S <= gap <= FIRST_BACKOFF_S * 1.125 + 1, f"{name}: the second attempt comes {gap:.1f} s after the first")
        one, two = attempts(receiver, sinks, name)
        check(one["body"] == two["body"] and int(two["timestamp"]) > int(one["timestamp"]), f"{name}: with the same body, signed anew")
    order = [a["id"] for a in receiver.attempts if a["outcome"] == "taken" and a["id"] in {sinks.names[n] for n in ("a1", "a2", "a3")}]
    check(order == [sinks.names[n] for n in ("a1", "a2", "a3")], "the tasks of one meeting arrive in order, over the 500 as well")
    print(f"      first part: {time.monotonic() - began:.1f} s")

    check(not attempts(receiver, sinks, "d2") and sinks.listed("d1")["state"] == "sending", "d1 is held still, and d2 waits behind it")
    sinks.kill()
    began = time.monotonic()
    sinks.daemon.start()
    receiver.release()
    ends_with(receiver, sinks, "d2", "taken")
    tried = attempts(receiver, sinks, "d1")
    check([a["outcome"] for a in tried] == ["held", "taken"] and tried[0]["body"] == tried[1]["body"],
          f"killed while the receiver held the answer: the same id and body again ({tried[1]['at'] - began:.1f} s after the restart), never a new one")
    check({a["id"] for a in receiver.attempts} == set(sinks.names.values()), "no id has come that no task has")


def by_hand(sinks, receiver):
    sinks.restart_with({"E": ["e1"]} if "e1" not in sinks.names else {})
    code, out, _ = sinks.daemon.run("tasks", "list")
    check(code == 0 and re.search(rf"{sinks.names['b1']}  dead", out) and "tasks retry KEY" in out, "`tasks list` shows the dead letter and what to do, after a restart too")
    code, _, err = sinks.daemon.run("tasks", "retry", "0" * 32)
    check(code == 1 and "no such task" in err, "an unknown key is said to be none")
    code, out, _ = sinks.daemon.run("tasks", "retry", sinks.names["b1"])
    check(code == 0, "`tasks retry` takes the dead letter")
    ends_with(receiver, sinks, "b1", "taken")
    wait_for("the record of its delivery", lambda: sinks.recorded("B") == {"b1": "delivered", "b2": "delivered"}, 5)
    check(len({a["body"] for a in attempts(receiver, sinks, "b1")}) == 1, "`tasks retry` delivers it with the same body, and the meeting says so")
    ends_with(receiver, sinks, "e1", "taken")
    receiver.faults = [{"status": 410}]
    sinks.restart_with({"F": ["f1"]})
    wait_for("a dead letter", lambda: (t := sinks.listed("f1")) and t["state"] == "dead", 10)
    code, _, _ = sinks.daemon.run("tasks", "discard", sinks.names["f1"])
    wait_for("its record", lambda: sinks.recorded("F") == {"f1": "discarded"}, 5)
    code, out, _ = sinks.daemon.run("tasks", "list")
    check(code == 0 and out.strip() == "no task waits" and outcomes(receiver, sinks, "f1") == ["410"], "`tasks discard` drops one, which is not sent and on record as discarded")


def busy_and_away(sinks, receiver):
    pause = 7
    receiver.faults = [{"status": 429, "retry_after": pause}]
    sinks.restart_with({"G": ["g1"], "H": ["h1"]})
    wait_for("a 429", lambda: not receiver.faults, 10)
    wait_for("all answers", lambda: "sending" not in {t["state"] for t in sinks.listed().values()}, 5)
    refused = next(a for a in receiver.attempts if a["outcome"] == "429")
    same_time = [a for a in receiver.attempts if refused["at"] <= a["at"] < refused["at"] + 1 and a is not refused]
    # While the sink is paused another meeting has a task: it waits as well.
    sinks.restart_with({"I": ["i1"]})
    for name in ("g1", "h1", "i1"):
        ends_with(receiver, sinks, name, "taken")
    early = [a for a in receiver.attempts if refused["at"] < a["at"] < refused["at"] + pause and a not in same_time]
    check(not early and len(same_time) <= 1, f"a 429 with Retry-After {pause} pauses the whole sink, over a restart as well: nothing comes before")
    last = max(attempts(receiver, sinks, n)[-1]["at"] for n in ("g1", "h1", "i1"))
    check(last - refused["at"] < pause + 5, f"and then all comes ({last - refused['at']:.1f} s after the 429)")

    receiver.stop()
    sinks.restart_with({"J": ["j1"]})
    waits = wait_for("a failed attempt", lambda: (t := sinks.listed("j1")) and t["state"] == "waiting" and t["attempts"] == 1 and t, 10)
    check("nothing answers" in waits["detail"] and waits["next"], f"a receiver that is away: the task waits and is shown ({waits['detail']})")
    return waits


def removed(sinks, receiver):
    """The sink goes from the configuration while a task waits for it, and its turn passes."""
    sinks.daemon.stop()
    sinks.configure(sinks.without_sink)
    receiver.start()
    before = len(receiver.attempts)
    db = sqlite3.connect(f"{sinks.daemon.folder}/data/hansard.db")
    state = json.loads(bytes(db.execute("SELECT state FROM aggregate WHERE id = 'sink:board'").fetchone()[0])[1:])
    db.close()
    due = max(d["not_before_unix_ms"] for d in state["deliveries"])
    wait_for("its turn", lambda: time.time() * 1000 > due, 15)
    sinks.daemon.start()
    shown = wait_for("the waiting task", lambda: (t := sinks.listed("j1")) and "not configured" in t["detail"] and t, 5)
    check(shown["state"] == "waiting" and shown["attempts"] == 1 and shown["next"] == "", f"a task whose sink is removed waits and is shown: {shown['detail']}")
    sinks.daemon.stop()
    check(len(receiver.attempts) == before, "and is not sent")
    sinks.configure(sinks.with_sink)
    sinks.daemon.start()
    ends_with(receiver, sinks, "j1", "taken")
    check(True, "the sink is configured again: the task arrives")


def wrong_key(sinks, receiver):
    sinks.daemon.stop()
    os.environ[SECRET_ENV] = new_secret()
    sinks.hand_over({"K": ["k1"]})
    sinks.daemon.start()
    dead = wait_for("a dead letter", lambda: (t := sinks.listed("k1")) and t["state"] == "dead" and t, 10)
    check("status 401" in dead["detail"] and sinks.names["k1"] not in receiver.tasks, "signed with another secret a task is refused and becomes a dead letter")
    sinks.daemon.stop()
    os.environ[SECRET_ENV] = receiver.secret
    sinks.daemon.start()
    check(sinks.daemon.run("tasks", "retry", sinks.names["k1"])[0] == 0, "with the right secret it is sent again by hand")
    ends_with(receiver, sinks, "k1", "taken")


def at_the_end(sinks, receiver):
    wait_for("an empty list", lambda: sinks.daemon.json("tasks", "list") == [], 15)
    log = sinks.daemon.log()
    check(CANARY not in log and receiver.secret not in log, "the log holds neither a task's text nor the secret")
    check(sinks.daemon.stop() == 0, "the daemon ends with 0")
    code, out, _ = sinks.daemon.run("check")
    check(code == 0 and "sound: " in out, "`hansard check` finds the store sound")
    code, out, _ = sinks.daemon.run("tasks", "list")
    check(code == 0 and out.strip() == "no task waits", "`tasks list` answers without a daemon, too")
    wanted = set(sinks.names.values()) - {sinks.names["f1"]}
    check(set(receiver.tasks) == wanted, f"each of {len(wanted)} tasks is there once, and the discarded one is not")
    check(not receiver.violations, f"nothing in {len(receiver.attempts)} deliveries is against Standard Webhooks {receiver.violations or ''}".rstrip())


def main():
    if len(sys.argv) != 2:
        print("usage: tasks_test.py HANSARD", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-tasks-") as folder:
        receiver = WebhookReceiver(new_secret())
        sinks = Sinks(os.path.abspath(sys.argv[1]), folder, receiver)
        try:
            bad_secrets(sinks)
            faults_and_a_kill(sinks, receiver)
            by_hand(sinks, receiver)
            busy_and_away(sinks, receiver)
            removed(sinks, receiver)
            wrong_key(sinks, receiver)
            at_the_end(sinks, receiver)
        except (Failure, subprocess.SubprocessError) as failure:
            check(False, str(failure))
            print(sinks.daemon.log()[-3000:], file=sys.stderr)
            print(json.dumps(list(sinks.listed().values()), indent=1), file=sys.stderr)
        finally:
            receiver.release()
            sinks.daemon.stop()
    print(f"{time.monotonic() - began:.1f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
