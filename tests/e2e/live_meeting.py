"""What the tests of live meetings share: a room with two voices that flite speaks, a daemon that attends, a viewer that follows, a
receiver of tasks."""
import base64
import contextlib
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import wave

from calendar_daemon import Failure, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vendors"))
from webhook_receiver import WebhookReceiver  # noqa: E402

LIMIT_S = 10.0  # until a meeting is recorded again
RATE = 16000
SECRET_ENV = "HANSARD_TEST_WEBHOOK_SECRET"
VOICES = {"Anna": "slt", "Tom": "rms"}
# Of a killed daemon: what the recognizer had not been given yet may be lost, beside the time until capture goes on.
LEDGER_SLACK_MS = 500
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty"]
PLACES = ["library", "kitchen", "garden", "market", "harbour", "station", "museum", "school", "bridge", "tower", "office"]
THINGS = ["chairs", "books", "lamps", "boxes", "letters", "tables", "computers"]


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


def ics(uid, start, title, url):
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(start))
    end = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(start + 1800))
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
                        f"DTSTART:{at}", f"DTEND:{end}", f"SUMMARY:{title}", f"LOCATION:{url}", "END:VEVENT", "END:VCALENDAR", ""])


class Api:
    def __init__(self, port, token):
        self.base = f"http://127.0.0.1:{port}"
        self.token = token

    def open(self, path, timeout=5):
        request = urllib.request.Request(self.base + path, headers={"Authorization": "Bearer " + self.token})
        return urllib.request.urlopen(request, timeout=timeout)

    def post(self, path, body=None):
        request = urllib.request.Request(self.base + path, method="POST", data=json.dumps(body or {}).encode(),
                                         headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, path):
        with self.open(path) as answer:
            return json.load(answer)

    def try_get(self, path):
        try:
            return self.get(path)
        except (OSError, ValueError):
            return None


class Viewer(threading.Thread):
    """Follows the live stream as a viewer does and keeps every final as it was shown: an id shown with two texts is a fault."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api = api
        self.seq = 0
        self.shown = {}    # (meeting, utterance): text
        self.times = []
        self.changed = []  # (key, text, other text)
        self.start()

    def show(self, key, text):
        if self.shown.get(key, text) != text:
            self.changed.append((key, self.shown[key], text))
        self.shown[key] = text
        self.times.append(time.monotonic())

    def run(self):
        while True:
            try:
                with self.api.open(f"/api/events?after={self.seq}", timeout=30) as stream:
                    kind = ""
                    for raw in stream:
                        line = raw.decode().rstrip("\n")
                        if line.startswith("id: "):
                            self.seq = int(line[4:])
                        elif line.startswith("event: "):
                            kind = line[7:]
                        elif line.startswith("data: ") and kind == "utterance.final":
                            body = json.loads(line[6:])
                            self.show((body["meeting"], body["utterance"]["id"]), body["utterance"]["text"])
            except OSError:
                time.sleep(0.1)

    def finals(self, meeting):
        return sum(1 for key in list(self.shown) if key[0] == meeting)


class LiveMeeting:
    """A room with two speakers, and daemons one after the other over one store, in a folder of their own."""

    def __init__(self, hansard, folder):
        self.hansard, self.folder = hansard, folder
        self.program = hansard  # of the daemon and of the commands; a test may put another one there
        self.config = f"{folder}/hansard.toml"
        self.receiver = WebhookReceiver("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        self.processes = []
        self.daemon = self.room = None
        self.speakers = {}
        os.environ[SECRET_ENV] = self.receiver.secret
        os.environ["HANSARD_API_TOKEN"] = token = secrets.token_hex(16)
        self.port = free_port()
        self.api = Api(self.port, token)

    def start(self, name, *words, program=None):
        process = subprocess.Popen([program or self.hansard, *words], stdin=subprocess.DEVNULL, stdout=open(f"{self.folder}/{name}.log", "a"), stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def start_room(self):
        port_file = f"{self.folder}/room.port"
        self.room = self.start("room", "child", "media", "room", "--listen", "127.0.0.1:0", "--port-file", port_file)
        wait_for("the room", lambda: os.path.exists(port_file), 20)
        self.base = f"http://127.0.0.1:{open(port_file).read().strip()}"
        self.url = self.make_room("loop")

    def ask_room(self, method):
        with urllib.request.urlopen(urllib.request.Request(self.url, method=method), timeout=5) as answer:
            return answer.status

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
        self.daemon = self.start("daemon", "serve", "--config", self.config, program=self.program)

    def make_room(self, name):
        url = f"{self.base}/rooms/{name}"
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5):
            return url

    def run(self, *words):
        """(exit code, what the command says)"""
        out = subprocess.run([self.program, *words, "--config", self.config], capture_output=True, text=True, timeout=60, check=False)
        return out.returncode, out.stdout + out.stderr

    def status(self):
        """Of the living daemon; None while it does not answer."""
        status = self.api.try_get("/api/status")
        return status if status and status["pid"] == self.daemon.pid else None

    def status_of(self, meeting):
        return next((m for m in (self.status() or {"meetings": []})["meetings"] if m["id"] == meeting), {})

    def state(self, meeting):
        return self.status_of(meeting).get("state")

    def recording(self, meeting):
        m = self.status_of(meeting)
        return m if m.get("state") == "recording" and "media_pid" in m else None

    def join(self, url, title):
        return self.api.post("/api/meetings", {"url": url, "title": title})["id"]

    def origin_of(self, meeting):
        db = sqlite3.connect(f"file:{self.folder}/data/hansard.db?mode=ro", uri=True)
        state = json.loads(bytes(db.execute("SELECT state FROM aggregate WHERE id = ?", (meeting,)).fetchone()[0])[1:])
        db.close()
        return state["origin_unix_ms"]

    def ended(self, limit):
        """(exit code, seconds until the daemon had ended)"""
        began = time.monotonic()
        try:
            return self.daemon.wait(timeout=limit), time.monotonic() - began
        except subprocess.TimeoutExpired:
            raise Failure(f"the daemon did not end within {limit:.0f} s") from None

    def log(self, name="daemon"):
        with open(f"{self.folder}/{name}.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def check_sound(self, check):
        code, out = self.run("check")
        check(code == 0 and "sound: " in out, f"`hansard check` finds the store sound: {out.strip().splitlines()[-1]}")

    @contextlib.contextmanager
    def guarded(self, check, logs=("daemon",)):
        """What goes wrong inside is a failed check, told with the ends of these logs; all processes have ended afterwards."""
        try:
            yield
        except (Failure, subprocess.SubprocessError, OSError) as failure:
            check(False, str(failure))
            for name in logs:
                if os.path.exists(f"{self.folder}/{name}.log"):
                    print(f"--- {name}.log (end)", *self.log(name).splitlines()[-40:], sep="\n", file=sys.stderr)
        finally:
            self.receiver.release()
            for process in self.processes:
                if process.poll() is None:
                    process.terminate()
            for process in self.processes:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


def check_words(stored, viewer, check):
    """What a viewer was shown of this meeting is what the store has."""
    check(stored["state"] == "done", "the meeting ended well")
    kept = {}
    for u in stored["utterances"]:
        kept.setdefault(u["id"], []).append(u)
    shown = {key[1]: text for key, text in viewer.shown.items() if key[0] == stored["id"]}
    wrong = [i for i, text in shown.items() if [u["text"] for u in kept.get(i, [])] != [text]]
    check(len(shown) > 0 and not wrong and not viewer.changed, f"all {len(shown)} finals that were shown are in the store, each once and with the same text {wrong or ''}".rstrip())
    check(set(kept) == set(shown), f"and nothing else is ({len(kept)})")
    overlaps = 0
    for participant in {u["participant"] for u in stored["utterances"]}:
        spans = sorted((u["start_ms"], u["end_ms"]) for u in stored["utterances"] if u["participant"] == participant)
        overlaps += sum(b[0] < a[1] for a, b in zip(spans, spans[1:]))
    check(overlaps == 0, "no stretch of audio was transcribed twice")
