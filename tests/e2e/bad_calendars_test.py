#!/usr/bin/env python3
"""One daemon with good calendars and bad ones side by side: each bad one gets a clear message, the good ones' meetings are
planned all the same.

usage: bad_calendars_test.py HANSARD
"""
import gzip
import http.server
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from calendar_daemon import Checks, Daemon, Failure, event, soon, wait_for

HUGE = 100 << 20
LIMIT = 32 << 20


class Feeds(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, tls=None):
        super().__init__((address, 0), Handler)
        self.sent = {}
        self.asked = {}
        self.elsewhere = ""
        self.stopping = threading.Event()
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        self.url = f"http{'s' if tls else ''}://{address}:{self.port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that hang up are what is tested here


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, body, status=200, kind="text/calendar", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def piece(self, data):
        self.wfile.write(data)
        self.server.sent[self.path] = self.server.sent.get(self.path, 0) + len(data)

    def do_GET(self):
        name = self.path.strip("/").split(".")[0]
        self.server.asked[name] = self.server.asked.get(name, 0) + 1
        getattr(self, "feed_" + name)()

    def feed_good(self):
        self.answer(event("good", soon(60), "Good"))

    def feed_packed(self):
        self.answer(gzip.compress(event("packed", soon(65), "Packed")), Content_Encoding="gzip")

    def feed_moved(self):
        self.answer(b"", status=302, Location=self.server.elsewhere)

    def feed_huge(self):
        """100 MB that are never there at once."""
        self.send_response(200)
        self.end_headers()
        self.piece(b"BEGIN:VCALENDAR\r\n")
        line = b"X-FILL:" + b"x" * 60 + b"\r\n"
        block = line * 1000
        for _ in range(HUGE // len(block)):
            self.piece(block)

    def feed_rule(self):
        self.answer(event("rule", soon(-600), "Every second", "RRULE:FREQ=SECONDLY"))

    def feed_search(self):
        # A rule that has no date at all and never stops looking for one.
        self.answer(event("search", soon(-600), "Never", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"))

    def feed_login(self):
        self.answer(b"<!DOCTYPE html><html><body><form action=login>Sign in</form></body></html>", kind="text/html")

    def feed_zone(self):
        body = event("zone", soon(70), "Nowhere").decode()
        start = next(line for line in body.split("\r\n") if line.startswith("DTSTART:"))
        self.answer(body.replace(start, "DTSTART;TZID=Atlantis/Lost City:" + start[8:-1]).encode())

    def feed_empty(self):
        self.answer(b"")

    def feed_damaged(self):
        self.answer(gzip.compress(event("x", soon(60), "X"))[:10] + b"\xff" * 50, Content_Encoding="gzip")

    def feed_cut(self):
        # No Content-Length: only the calendar itself can tell that it is not whole.
        self.send_response(200)
        self.end_headers()
        self.wfile.write(event("cut", soon(60), "Cut")[:-20])

    def feed_endless(self):
        self.send_response(200)
        self.end_headers()
        self.piece(b"BEGIN:VCALENDAR\r\n")
        while not self.server.stopping.wait(0.2):
            self.piece(b"X-MORE:1\r\n")

    def feed_gone(self):
        self.answer(b"", status=404)

    def feed_secret(self):
        self.answer(event("tls", soon(60), "Never seen"))


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# What `status --json` must say of each calendar that cannot be read.
FAILING = {
    "huge": "too large",
    "login": "web page",
    "tls": "certificate",
    "empty": "empty",
    "damaged": "compression",
    "cut": "ends in the middle",
    "endless": "did not answer in time",
    "gone": "status 404",
    "nobody": "nothing answers",
    "nofolder": "cannot read",
}
# What `calendar list --json` must say beside the calendars that can.
NOTES = {"rule": "cut short", "zone": "time zone", "folder": "broken.ics"}
PLANNED = {"Good", "Packed", "Moved", "Nowhere", "In a folder"}


def look(check, daemon, feeds):
    failing = {}

    def all_failed():
        failing.update({c["id"]: c["detail"] for c in daemon.json("status")["calendars"] if c["state"] not in ("ok", "not read yet")})
        return set(failing) >= set(FAILING)

    wait_for("the good meetings", lambda: PLANNED <= set(daemon.meetings()), 20)
    check(True, "the good calendars' meetings are planned beside the bad ones")
    try:
        wait_for("a message for each bad calendar", all_failed, 40)
    except Failure:
        check(False, f"no message for {sorted(set(FAILING) - set(failing))}")
    for name, words in FAILING.items():
        check(words in failing.get(name, ""), f"{name}: {failing.get(name, 'nothing')}")
    check(not any(feeds.url in d or ".ics" in d for n, d in failing.items() if n != "nofolder"), "no message shows a feed's address")
    listed = {c["id"]: c for c in daemon.json("calendar", "list")}
    for name, words in NOTES.items():
        check(listed[name]["state"] == "ok" and any(words in n for n in listed[name]["notes"]), f"{name}: {listed[name]['notes']}")
    check(listed["search"]["state"] == "ok", "search: a rule without any date ends")
    check(feeds.sent.get("/huge.ics", 0) < LIMIT + (16 << 20), f"the huge feed was given up after {feeds.sent.get('/huge.ics', 0) >> 20} MiB")
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) >> 10
    check(peak < 400, f"the daemon's memory never went beyond {peak} MiB")
    check(PLANNED <= set(daemon.meetings()), "the good meetings are still planned")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="hansard-bad-calendars-") as folder:
        feeds, tls, other = Feeds("127.0.0.1"), Feeds("127.0.0.1", certificate(folder)), Feeds("127.0.0.2")
        other.RequestHandlerClass = type("Other", (Handler,), {"feed_target": lambda self: self.answer(event("moved", soon(75), "Moved"))})
        feeds.elsewhere = other.url + "/target.ics"
        os.makedirs(f"{folder}/calendars")
        for name, data in {"one": event("one", soon(80), "In a folder"), "broken": b"nothing of a calendar", "empty": b""}.items():
            with open(f"{folder}/calendars/{name}.ics", "wb") as f:
                f.write(data)
        urls = {n: f"{feeds.url}/{n}.ics" for n in ("good packed moved huge rule search login zone empty damaged cut endless gone").split()}
        urls["tls"] = tls.url + "/secret.ics"
        urls["nobody"] = f"http://127.0.0.1:{closed_port()}/x.ics"
        calendars = "".join(f'[[calendar]]\nid = "{n}"\nurl = "{u}"\n' for n, u in urls.items())
        calendars += f'[[calendar]]\nid = "folder"\npath = "{folder}/calendars"\n[[calendar]]\nid = "nofolder"\npath = "{folder}/none"\n'
        daemon = Daemon(os.path.abspath(sys.argv[1]), folder, calendars)
        try:
            daemon.start()
            look(check, daemon, feeds)
            check(daemon.stop() == 0, "the daemon ends well")
        except Failure as e:
            check(False, str(e))
            print(*daemon.log().splitlines()[-30:], sep="\n", file=sys.stderr)
        finally:
            daemon.stop()
            for server in (feeds, tls, other):
                server.stopping.set()
                server.shutdown()
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
