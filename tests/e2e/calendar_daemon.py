"""What the tests of calendars share: a daemon with a configuration of its own in a temporary folder, and the commands that
ask it."""
import json
import os
import subprocess
import time
from datetime import datetime, timedelta, timezone


class Failure(Exception):
    pass


class Checks:
    """Prints a line for each check and counts them."""

    def __init__(self):
        self.count = 0
        self.failed = []

    def __call__(self, ok, what):
        self.count += 1
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        if not ok:
            self.failed.append(what)

    def finish(self):
        print(f"{self.count} checks, {len(self.failed)} failed")
        return 1 if self.failed else 0


def wait_for(what, probe, limit):
    """The first answer of `probe` that is true. Polling with a deadline."""
    end = time.monotonic() + limit
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"{what} did not happen within {limit:.0f} s")
        time.sleep(0.05)


def soon(minutes):
    """A time so many minutes from now, full minutes, UTC."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(minutes=minutes)


def stamp(t):
    return t.strftime("%Y%m%dT%H%M%SZ")


def event(uid, start, title, *lines, length=30):
    """A calendar with one event that has a join link."""
    body = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
            f"DTSTART:{stamp(start)}", f"DTEND:{stamp(start + timedelta(minutes=length))}", f"SUMMARY:{title}",
            f"LOCATION:https://meet.jit.si/{uid}", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(body).encode()


class Daemon:
    def __init__(self, hansard, folder, calendars="", more=""):
        self.hansard = hansard
        self.folder = folder
        self.config = f"{folder}/hansard.toml"
        self.process = None
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f'data_dir = "{folder}/data"\noutput_dir = "{folder}/minutes"\n[listen]\nport = 0\n'
                    f'[http]\nallow_hosts = ["127.0.0.1", "127.0.0.2", "localhost"]\n{more}{calendars}')

    def run(self, *words, env=None):
        """(exit code, standard output, standard error)"""
        out = subprocess.run([self.hansard, *words, "--config", self.config], capture_output=True, text=True, timeout=60,
                             stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, check=False)
        return out.returncode, out.stdout, out.stderr

    def json(self, *words):
        code, out, _ = self.run(*words, "--json")
        return json.loads(out) if code == 0 and out else None

    def start(self):
        self.process = subprocess.Popen([self.hansard, "serve", "--config", self.config], stdout=open(f"{self.folder}/serve.log", "a"),
                                        stderr=subprocess.STDOUT)
        wait_for("the daemon's answer", lambda: self.json("status"), 20)

    def log(self):
        with open(f"{self.folder}/serve.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def calendar(self, name):
        """The calendar's entry of `status --json`."""
        return next((c for c in (self.json("status") or {}).get("calendars", []) if c["id"] == name), None)

    def meetings(self):
        """{title: start} of the meetings that will be attended."""
        return {m["title"]: m["start"] for m in (self.json("status") or {}).get("meetings", []) if m["state"] not in ("cancelled", "done", "failed")}

    def stop(self):
        """Ends the daemon; its exit code."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = None
