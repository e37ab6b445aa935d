#!/usr/bin/env python3
"""The real program against Radicale, a real CalDAV server: connect by discovery, follow what changes, say what is wrong.

usage: caldav_test.py HANSARD
Ends with 77 (skipped) when Radicale is not installed.
"""
import base64
import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import urllib.error
import urllib.request

from calendar_daemon import Checks, Daemon, Failure, event, soon, wait_for

CONFIG = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/store
"""
MKCALENDAR = """<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<D:displayname>{name}</D:displayname><C:supported-calendar-component-set><C:comp name="{component}"/></C:supported-calendar-component-set>
</D:prop></D:set></C:mkcalendar>"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Radicale:
    def __init__(self, program, folder):
        os.makedirs(folder)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret = "first"
        self.set_password("first")
        with open(f"{folder}/config", "w", encoding="utf-8") as f:
            f.write(CONFIG.format(port=self.port, folder=folder))
        self.process = subprocess.Popen([program, "-C", f"{folder}/config"], stdout=subprocess.DEVNULL, stderr=open(f"{folder}/log", "w"))
        wait_for("Radicale's answer", self.answers, 20)

    def answers(self):
        if self.process.poll() is not None:
            raise Failure(f"Radicale ended: {open(self.folder + '/log').read()[-500:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def set_password(self, password):
        with open(f"{self.folder}/users", "w", encoding="utf-8") as f:
            f.write(f"ann:{password}\n")
        self.secret = password

    def ask(self, method, path, body=None):
        token = base64.b64encode(f"ann:{self.secret}".encode()).decode()
        request = urllib.request.Request(self.url + path, data=body, method=method, headers={"Authorization": "Basic " + token, "Content-Type": "text/calendar"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status

    def make(self, path, name, component="VEVENT"):
        self.ask("MKCALENDAR", path, MKCALENDAR.format(name=name, component=component).encode())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def connecting(check, server, daemon):
    def connect(*words, password="first"):
        return daemon.run("calendar", "connect", "caldav", *words, env={"HANSARD_CALDAV_PASSWORD": password})

    code, _, error = connect(server.url, "--user", "ann", password="wrong")
    check(code == 1 and "password" in error and "wrong" not in error, "a wrong password is said, and not shown")
    code, _, error = connect(server.url, "--user", "ann")
    check(code == 2 and "--calendar" in error and "Team meetings" in error and "Private" in error and "To do" not in error,
          "several calendars are listed, tasks are not")
    code, _, error = connect(server.url, "--user", "ann", "--calendar", "Nothing")
    check(code == 2 and "no such calendar" in error, "a calendar that is not there is said")
    code, _, error = connect("http://caldav.example.org/", "--user", "ann")
    check(code == 2 and "https" in error, "no password goes over http")
    code, _, error = connect(server.url, "--user", "ann", password="")
    check(code == 2 and "HANSARD_CALDAV_PASSWORD" in error, "without a terminal the password comes from the environment")
    code, out, error = connect(server.url, "--user", "ann", "--calendar", "team meetings", "--id", "team")
    check(code == 0 and "2 events" in out, f"connected by discovery and name {error}")
    code, out = asked_on_a_terminal(daemon.hansard, server, daemon)
    check(code == 0 and "first" not in out and "connected 'team'" in out, "a password that is typed is not shown")
    code, out, error = connect(f"{server.url}/ann/private%20one/", "--user", "ann", "--id", "private")
    check(code == 0 and "1 event " in out, f"connected by its own address {error}")
    secret = [p for p, _, names in os.walk(f"{daemon.folder}/data") for n in names if "calendar-team" in n for p in [os.path.join(p, n)]]
    check(secret and all(os.stat(p).st_mode & 0o077 == 0 for p in secret), "the connection is kept for its owner alone")


def asked_on_a_terminal(hansard, server, daemon):
    """(exit code, everything that the terminal showed)"""
    parent, child = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "HANSARD_CALDAV_PASSWORD"}
    process = subprocess.Popen([hansard, "calendar", "connect", "caldav", f"{server.url}/ann/team/", "--user", "ann", "--id", "team", "--config", daemon.config],
                               stdin=child, stdout=child, stderr=child, env=env, start_new_session=True)
    os.close(child)
    shown = b""
    try:
        while b"Password" not in shown:
            shown += os.read(parent, 4096)
        # The question is written before the echo goes; what is typed too early is flushed away.
        wait_for("the echo to go", lambda: not termios.tcgetattr(parent)[3] & termios.ECHO, 10)
        os.write(parent, b"first\n")
        while True:
            shown += os.read(parent, 4096)
    except OSError:  # the other side has closed
        pass
    os.close(parent)
    return process.wait(timeout=20), shown.decode()


def following(check, server, daemon):
    def sync(name="team"):
        return daemon.run("calendar", "sync", name)[0]

    start = wait_for("both calendars", lambda: (m := daemon.meetings()) and "Alpha" in m and "Gamma" in m and m, 20)
    check("Beta" in start and start["Alpha"] == soon_text["Alpha"], "the meetings of both calendars are planned at their times")

    moved = soon(200)
    server.ask("PUT", "/ann/team/alpha.ics", event("alpha", moved, "Alpha"))
    server.ask("PUT", "/ann/team/delta.ics", event("delta", soon(120), "Delta"))
    server.ask("DELETE", "/ann/team/beta.ics")
    check(sync() == 0, "sync works")
    m = wait_for("the changes", lambda: (m := daemon.meetings()) and "Delta" in m and "Beta" not in m and m, 10)
    check(m["Alpha"] == moved.strftime("%Y-%m-%dT%H:%M:%SZ"), "a moved meeting is followed, a new one found, a deleted one dropped")

    server.ask("PUT", "/ann/team/many%20words%20%26%20more.ics", event("many", soon(150), "Many words"))
    for i in range(120):
        server.ask("PUT", f"/ann/team/old{i}.ics", event(f"old{i}", soon(-60 * 24 * 30 - i), f"Old {i}"))
    check(sync() == 0, "sync over several batches works")
    m = wait_for("the odd name", lambda: (m := daemon.meetings()) and "Many words" in m and m, 10)
    check(len(m) == 4 and not any(t.startswith("Old") for t in m), "what is over is not planned")


def failing(check, server, daemon):
    def state(name="team"):
        daemon.run("calendar", "sync", name)
        return daemon.calendar(name)

    before = daemon.meetings()
    server.set_password("second")
    entry = wait_for("the refused password", lambda: (c := state()) and c["state"] != "ok" and c, 10)
    check("hansard calendar connect caldav --id team" in entry["detail"], "a changed password says how to connect again")
    check(daemon.meetings() == before, "and no meeting is lost by it")
    code, _, error = daemon.run("calendar", "connect", "caldav", "--id", "team", env={"HANSARD_CALDAV_PASSWORD": "second"})
    check(code == 0, f"connected again with the id alone {error}")
    wait_for("the calendar", lambda: (c := state()) and c["state"] == "ok", 10)
    check(True, "the running daemon takes the new password")

    server.ask("DELETE", "/ann/team/")
    entry = wait_for("the missing calendar", lambda: (c := state()) and c["state"] != "ok" and c, 10)
    check("no longer on the server" in entry["detail"], "a calendar that was deleted is said")
    check("Alpha" in daemon.meetings(), "and its meetings are kept until it is known better")
    server.make("/ann/team/", "Team meetings")
    server.ask("PUT", "/ann/team/new.ics", event("new", soon(90), "New"))
    m = wait_for("the new calendar", lambda: state()["state"] == "ok" and (m := daemon.meetings()) and "New" in m and m, 10)
    check("Alpha" not in m and "Gamma" in m, "one made anew under the same address is read anew, the old token is given up")


soon_text = {}


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    program = shutil.which("radicale")
    if program is None:
        print("skipped: radicale is not installed (scripts/setup test installs it)")
        return 77
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="hansard-caldav-") as folder:
        server = Radicale(program, f"{folder}/radicale")
        daemon = Daemon(os.path.abspath(sys.argv[1]), folder)
        try:
            server.make("/ann/team/", "Team meetings")
            server.make("/ann/private%20one/", "Private")
            server.make("/ann/todo/", "To do", "VTODO")
            alpha = soon(180)
            soon_text["Alpha"] = alpha.strftime("%Y-%m-%dT%H:%M:%SZ")
            server.ask("PUT", "/ann/team/alpha.ics", event("alpha", alpha, "Alpha"))
            server.ask("PUT", "/ann/team/beta.ics", event("beta", soon(240), "Beta"))
            server.ask("PUT", "/ann/private%20one/gamma.ics", event("gamma", soon(300), "Gamma"))
            connecting(check, server, daemon)
            daemon.start()
            following(check, server, daemon)
            failing(check, server, daemon)
            log = daemon.log()
            check("first" not in log and "second" not in log, "no password is in the log")
            check(daemon.stop() == 0, "the daemon ends well")
        except (Failure, urllib.error.URLError) as e:
            check(False, str(e))
            print(daemon.json("calendar", "list"), file=sys.stderr)
            print(*daemon.log().splitlines()[-20:] if os.path.exists(f"{folder}/serve.log") else [], sep="\n", file=sys.stderr)
        finally:
            daemon.stop()
            server.stop()
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
