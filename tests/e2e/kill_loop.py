#!/usr/bin/env python3
"""Kills the daemon again and again during one live meeting over WebRTC.

usage: kill_loop.py HANSARD [--kills N] [--seed N]

Two voices speak in a room; the daemon attends and is killed N times (50), each time at another moment, and started again at
once. It must record again within 10 s each time. At the end: what a viewer was shown as final is in the store once and with the
same text; no task arrives twice; the ledger adds up and says when nobody listened; the store is sound; nothing is left running;
room and speakers have not grown. Needs the modules, the models and flite.
"""
import argparse
import base64
import json
import os
import random
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import wave

from calendar_daemon import Checks, Failure, wait_for
from kill_test import Api, Finals

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vendors"))
from webhook_receiver import WebhookReceiver  # noqa: E402

LIMIT_S = 10.0
LONGEST_DWELL_S = 5.0
RATE = 16000
SECRET_ENV = "HANSARD_TEST_WEBHOOK_SECRET"
VOICES = {"Anna": "slt", "Tom": "rms"}
# Of a killed daemon: what the recognizer had not been given yet may be lost, beside the time until capture goes on.
LEDGER_SLACK_MS = 500
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty"]
PLACES = ["library", "kitchen", "garden", "market", "harbour", "station", "museum", "school", "bridge", "tower", "office"]
THINGS = ["chairs", "books", "lamps", "boxes", "letters", "tables", "computers"]

check = Checks()


def sentences():
    """No end of different ones; every eighth promises something."""
    for n in range(10_000):
        number, place, thing = NUMBERS[n % len(NUMBERS)], PLACES[n % len(PLACES)], THINGS[n % len(THINGS)]
        yield f"I will send the {thing} to the {place} by Friday." if n % 8 == 3 else f"There are {number} {thing} in the {place} this morning."


def speak(folder, length_s):
    """One file a speaker, in turns, each `length_s` long."""
    tracks, at, texts = {name: bytearray() for name in VOICES}, 0, sentences()
    names = list(VOICES)
    for turn in range(10_000):
        if at > length_s * RATE:
            break
        path, name = f"{folder}/line.wav", names[turn % len(names)]
        subprocess.run(["flite", "-voice", VOICES[name], "-t", next(texts), "-o", path], check=True)
        with wave.open(path) as w:
            if w.getframerate() != RATE:
                raise Failure("flite speaks at another rate")
            data = w.readframes(w.getnframes())
        track = tracks[name]
        track.extend(bytes(2 * at - len(track)) + data)
        at += len(data) // 2 + int(0.4 * RATE)
    for name, data in tracks.items():
        data.extend(bytes(max(0, 2 * at - len(data))))
        with wave.open(f"{folder}/{name}.wav", "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(RATE)
            w.writeframes(data)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children_of(pid):
    out = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    out.add(int(entry))
        except OSError:
            pass
    return out


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def usage(pid):
    """{"fds", "threads", "kb"}"""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        lines = dict(line.split(":", 1) for line in f if ":" in line)
    return {"fds": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(lines["Threads"]), "kb": int(lines["VmRSS"].split()[0])}


class Viewer(Finals):
    """Every final as it was shown, with its place in the stream: an id shown with two texts is a fault."""

    def __init__(self, api):
        self.changed = []
        super().__init__(api)

    def run(self):
        viewer = self

        class Shown(dict):
            def __setitem__(self, key, text):
                if key in self and self[key] != text:
                    viewer.changed.append((key, self[key], text))
                super().__setitem__(key, text)

        self.shown = Shown()
        super().run()


class Loop:
    def __init__(self, hansard, folder, kills, seed):
        self.hansard, self.folder, self.kills = hansard, folder, kills
        self.random = random.Random(seed)
        self.config = f"{folder}/hansard.toml"
        self.receiver = WebhookReceiver("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        self.processes = []
        self.daemon = self.room = None
        self.speakers = {}
        self.deaths = []     # (killed, recording again), seconds of wall time
        self.children = set()
        os.environ[SECRET_ENV] = self.receiver.secret
        os.environ["HANSARD_API_TOKEN"] = token = secrets.token_hex(16)
        self.port = free_port()
        self.api = Api(self.port, token)

    def start(self, name, *words):
        process = subprocess.Popen([self.hansard, *words], stdin=subprocess.DEVNULL, stdout=open(f"{self.folder}/{name}.log", "a"), stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def start_room(self):
        port_file = f"{self.folder}/room.port"
        self.room = self.start("room", "child", "media", "room", "--listen", "127.0.0.1:0", "--port-file", port_file)
        wait_for("the room", lambda: os.path.exists(port_file), 20)
        self.base = f"http://127.0.0.1:{open(port_file).read().strip()}"
        self.url = f"{self.base}/rooms/loop"
        self.ask_room("PUT")

    def ask_room(self, method):
        with urllib.request.urlopen(urllib.request.Request(self.url, method=method), timeout=5) as answer:
            return answer.status

    def viewers(self):
        with urllib.request.urlopen(f"{self.url}/viewers", timeout=5) as answer:
            return json.load(answer)["viewers"]

    def start_speakers(self):
        at = int(time.time() * 1000) + 2000
        for name in VOICES:
            self.speakers[name] = self.start(f"speaker-{name}", "child", "media", "publish", "--whip", f"{self.url}/whip", "--file", f"{self.folder}/{name}.wav",
                                             "--name", name, "--start-at", str(at))

    def configure(self):
        host = self.base.removeprefix("http://")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'data_dir = "{self.folder}/data"\noutput_dir = "{self.folder}/minutes"\n[listen]\nport = {self.port}\n'
                    f'[media]\nhosts = ["{host}"]\nmin_free_mb = 50\n[http]\nallow_hosts = ["127.0.0.1"]\n'
                    f'[[task_sink]]\nid = "board"\nkind = "webhook"\nurl = "{self.receiver.url}"\nsecret_env = "{SECRET_ENV}"\n')

    def serve(self):
        self.daemon = self.start("daemon", "serve", "--config", self.config)

    def meeting(self):
        """Its entry in the status of the living daemon."""
        status = self.api.try_get("/api/status")
        if not status or status["pid"] != self.daemon.pid:
            return None
        return next(iter(status["meetings"]), None)

    def recording(self):
        m = self.meeting()
        return m if m and m["state"] == "recording" and "media_pid" in m else None

    def kill(self):
        """kill -9, the same daemon again at once; seconds until it records again."""
        self.children |= children_of(self.daemon.pid)
        killed = time.time()
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self.serve()
        wait_for(f"recording again after kill {len(self.deaths) + 1}", self.recording, LIMIT_S)
        self.deaths.append((killed, time.time()))
        return self.deaths[-1][1] - killed

    def sizes(self):
        # The room keeps a viewer that has gone for 10 s and its connections for 20 s; what it holds for the dead is not growth.
        wait_for("the room to forget dead viewers", lambda: len(self.viewers()) == 1, 30)
        room, end = usage(self.room.pid), time.monotonic() + 15
        while time.monotonic() < end:  # what they held is let go on threads of the room's own: its least counts
            room = min(room, usage(self.room.pid), key=lambda u: u["fds"])
            time.sleep(0.5)
        return {"room": room, **{name: usage(p.pid) for name, p in self.speakers.items()}}

    def run_meeting(self):
        self.start_room()
        self.configure()
        self.serve()
        wait_for("the daemon's answer", lambda: self.api.try_get("/api/status"), 20)
        self.start_speakers()
        request = urllib.request.Request(f"{self.api.base}/api/meetings", method="POST", data=json.dumps({"url": self.url, "title": "Loop"}).encode(),
                                         headers={"Authorization": "Bearer " + self.api.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            self.id = json.load(answer)["id"]
        viewer = Viewer(self.api)
        wait_for("recording", self.recording, 30)
        wait_for("a first final", lambda: viewer.shown, 30)
        early = None
        times = []
        for n in range(self.kills):
            # The moment differs each time: from just after capture began to the middle of a sentence.
            time.sleep(self.random.uniform(0, LONGEST_DWELL_S))
            times.append(self.kill())
            if n % 10 == 9:
                print(f"      {n + 1} kills, {len(viewer.shown)} finals shown, room {usage(self.room.pid)}", flush=True)
            if n == max(2, self.kills // 5) - 1:
                early = self.sizes()
        late = self.sizes()
        check(len(times) == self.kills, f"{self.kills} kills: recording again after {min(times):.1f} to {max(times):.1f} s, {sum(times) / len(times):.1f} s on average")
        before = len(viewer.shown)
        wait_for("a final after the last kill", lambda: len(viewer.shown) > before, 20)
        wait_for("the children of dead daemons to end", lambda: not any(map(runs, self.children)), 5)
        check(True, f"none of {len(self.children)} children of dead daemons is left")
        self.no_growth(early, late)
        return viewer

    def no_growth(self, early, late):
        kills = self.kills - max(2, self.kills // 5)
        for name in late:
            a, b = early[name], late[name]
            what = ", ".join(f"{k} {a[k]} -> {b[k]}" for k in a)
            # A connection that stays open costs about ten descriptors and a megabyte; allocators need some room of their own.
            check(b["fds"] <= a["fds"] + 4 and b["threads"] <= a["threads"] + 4 and b["kb"] <= a["kb"] + 8192 + 100 * kills, f"{name} has not grown over {kills} kills: {what}")

    def end(self, viewer):
        """The host ends the meeting; the daemon is killed once more while the first task is under way."""
        self.receiver.faults = [{"hold": True}]
        self.ask_room("DELETE")
        for p in self.speakers.values():
            p.terminate()
        wait_for("the first task at its receiver", lambda: self.receiver.attempts, 60)
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        self.receiver.release()
        self.serve()
        wait_for("the end of the meeting", lambda: (m := self.api.try_get(f"/api/meetings/{self.id}")) and m["state"] in ("done", "failed"), 60)
        wait_for("all tasks", lambda: self.api.try_get("/api/tasks") == [], 90)
        stored = self.api.get(f"/api/meetings/{self.id}")
        last = stored["seq"]
        wait_for("the viewer to be up to date", lambda: viewer.seq >= last, 20)
        self.daemon.terminate()
        check(self.daemon.wait(timeout=20) == 0, "the daemon ends with 0")
        return stored

    def origin(self):
        return self.origin_of(self.id)

    def origin_of(self, meeting):
        db = sqlite3.connect(f"file:{self.folder}/data/hansard.db?mode=ro", uri=True)
        state = json.loads(bytes(db.execute("SELECT state FROM aggregate WHERE id = ?", (meeting,)).fetchone()[0])[1:])
        db.close()
        return state["origin_unix_ms"]


def check_words(stored, viewer, check=check):
    check(stored["state"] == "done", "the meeting ended well")
    kept = {}
    for u in stored["utterances"]:
        kept.setdefault(u["id"], []).append(u)
    shown = {key[1]: text for key, text in viewer.shown.items()}
    wrong = [i for i, text in shown.items() if [u["text"] for u in kept.get(i, [])] != [text]]
    check(len(shown) > 0 and not wrong and not viewer.changed, f"all {len(shown)} finals that were shown are in the store, each once and with the same text {wrong or ''}".rstrip())
    check(set(kept) == set(shown), f"and nothing else is ({len(kept)})")
    overlaps = 0
    for participant in {u["participant"] for u in stored["utterances"]}:
        spans = sorted((u["start_ms"], u["end_ms"]) for u in stored["utterances"] if u["participant"] == participant)
        overlaps += sum(b[0] < a[1] for a, b in zip(spans, spans[1:]))
    check(overlaps == 0, "no stretch of audio was transcribed twice")


def check_tasks(stored, receiver):
    wanted = {t["task"]: t["state"] for t in stored["tasks"]}
    ids = [a["id"] for a in receiver.attempts if a["outcome"] == "taken"]
    check(len(ids) > 0 and len(ids) == len(set(ids)) and set(ids) == set(wanted), f"each of {len(wanted)} tasks has arrived, none under two ids")
    check(set(wanted.values()) == {"delivered"}, "and the meeting says so")
    first = receiver.attempts_of(receiver.attempts[0]["id"])
    check([a["outcome"] for a in first] == ["held", "taken"] and first[0]["body"] == first[1]["body"] and not receiver.violations,
          "the one that was under way when the daemon was killed came again under the same id with the same body")
    items = [i for i in stored["items"] if i["kind"] == "action_item"]
    check(len(items) == len(wanted), "one task each action item")


def check_ledger(stored, deaths, origin):
    check(len(stored["coverage"]) == len(VOICES), "the ledger has both speakers")
    lost = 0
    for c in stored["coverage"]:
        intervals = sorted(c["intervals"], key=lambda i: i["start_ms"])
        ends = [(a["end_ms"], b["start_ms"]) for a, b in zip(intervals, intervals[1:])]
        presence = intervals[-1]["end_ms"] - intervals[0]["start_ms"]
        check(all(e == s for e, s in ends) and sum(c["totals_ms"].values()) == presence and c["totals_ms"]["pending"] == 0,
              f"{c['participant']}: neither holes nor overlaps, and all of {presence / 1000:.1f} s of presence is accounted for: " +
              ", ".join(f"{k} {v / 1000:.1f}" for k, v in c["totals_ms"].items() if v))
        by_reason = {}
        for i in intervals:
            if i["state"] == "lost":
                by_reason[i.get("reason", "")] = by_reason.get(i.get("reason", ""), 0) + i["end_ms"] - i["start_ms"]
        print(f"      lost in ms by reason: {by_reason}")
        by_daemon = [(i["start_ms"], i["end_ms"]) for i in intervals if i["state"] == "lost"]
        unsaid, early, late = 0, [], []
        for killed, back in deaths:
            a, b = killed * 1000 - origin, back * 1000 - origin
            hits = [(s, e) for s, e in by_daemon if s < b and e > a]
            if not hits:
                unsaid += 1
                continue
            lost += sum(e - s for s, e in hits)
            early.append(a - min(s for s, _ in hits))
            late.append(max(e for _, e in hits) - b)
        check(unsaid == 0, f"{c['participant']}: each of {len(deaths)} deaths is in the ledger as lost")
        print(f"      a loss begins {min(early):.0f} to {max(early):.0f} ms before the kill and ends {min(late):.0f} to {max(late):.0f} ms after 'recording' was seen")
        check(statistics.median(early) <= LEDGER_SLACK_MS, f"{c['participant']}: what was captured before a kill is not lost with it")
    dead = sum(b - a for a, b in deaths)
    print(f"      without a daemon {dead:.1f} s, lost by each speaker {lost / len(VOICES) / 1000:.1f} s")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.strip().splitlines()[2].removeprefix("usage: "))
    parser.add_argument("hansard")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-loop-", ignore_cleanup_errors=True) as folder:
        loop = Loop(os.path.abspath(args.hansard), folder, args.kills, args.seed)
        try:
            speak(folder, args.kills * (LONGEST_DWELL_S / 2 + 1.5) + 75)
            viewer = loop.run_meeting()
            stored = loop.end(viewer)
            check_words(stored, viewer)
            check_tasks(stored, loop.receiver)
            check_ledger(stored, loop.deaths, loop.origin())
            out = subprocess.run([loop.hansard, "check", "--config", loop.config], capture_output=True, text=True, timeout=60)
            check(out.returncode == 0 and "sound: " in out.stdout, "`hansard check` finds the store sound")
        except (Failure, subprocess.SubprocessError, OSError) as failure:
            check(False, str(failure))
            for name in ("daemon", "room"):
                print(f"--- {name}.log (end)", *open(f"{folder}/{name}.log", errors="replace").read().splitlines()[-25:], sep="\n", file=sys.stderr)
        finally:
            loop.receiver.release()
            for process in loop.processes:
                if process.poll() is None:
                    process.terminate()
            for process in loop.processes:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
