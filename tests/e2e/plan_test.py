#!/usr/bin/env python3
"""What `hansard calendar list|sync|plan|disconnect` show of a running daemon with feeds on the loopback address.

usage: plan_test.py HANSARD
"""
import http.server
import json
import os
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from calendar_daemon import Checks, Daemon, Failure, soon, stamp, wait_for

ME = "me@own.example"


def event(uid, title, *lines, start=None, length=30, link=True, room=""):
    begin = start or soon(120)
    times = [] if any(x.startswith("DTSTART") for x in lines) else [f"DTSTART:{stamp(begin)}", f"DURATION:PT{length}M"]
    place = [f"LOCATION:https://meet.jit.si/room-{room or uid}"] if link else []
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *times, f"SUMMARY:{title}", *place, *lines, "END:VEVENT"])


def calendar(*events):
    return ("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *events, "END:VCALENDAR"]) + "\r\n").encode()


def guest(address, partstat):
    return f"ATTENDEE;PARTSTAT={partstat}:mailto:{address}"


class Web(http.server.ThreadingHTTPServer):
    """Feeds by path; None answers 503. POST /revoke is Google's revocation address."""

    def __init__(self):
        self.feeds = {}
        self.revoked = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                body = web.feeds.get(self.path)
                self.answer(200 if body is not None else 503, body or b"")

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                good = self.path == "/revoke" and self.headers["Content-Type"] == "application/x-www-form-urlencoded" and "token" in form
                if good:
                    web.revoked.append(form["token"][0])
                self.answer(200 if good else 400)

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


def work_feed(moved=False):
    today = soon(0).strftime("%Y%m%d")
    mine = guest(ME, "ACCEPTED")
    return calendar(
        event("accepted", "Planning", mine, guest("peer@own.example", "ACCEPTED"), start=soon(300 if moved else 120)),
        event("own", "Alone"),
        event("open", "Unanswered", guest(ME, "NEEDS-ACTION"), guest("peer@own.example", "ACCEPTED")),
        event("shared", "Shared", guest(ME, "DECLINED"), guest("client@partner.example", "ACCEPTED")),
        event("off", "Called off", mine, "STATUS:CANCELLED"),
        event("day", "Holiday", mine, f"DTSTART;VALUE=DATE:{today}", "DURATION:P2D"),
        event("bare", "No link", mine, link=False),
        event("one", "1:1 with Bo", mine, guest("bo@own.example", "ACCEPTED")),
        event("tagged", "1:1 with Cy", mine, guest("cy@own.example", "ACCEPTED"), "DESCRIPTION:please #Hansard it"),
        event("optout", "Secret", mine, "CATEGORIES:nohansard"),
    )


WORK = {"Planning": "accepted", "Alone": "accepted", "Unanswered": "not-accepted", "Called off": "cancelled",
        "Holiday": "all-day", "No link": "no-link", "1:1 with Bo": "title-excluded", "1:1 with Cy": "tag", "Secret": "opt-out"}


def sales_feed():
    return calendar(
        event("shared", "Shared", guest("ann@own.example", "ACCEPTED"), guest("client@partner.example", "ACCEPTED")),
        # Copied by hand: a UID of its own, the same link and time.
        event("copied", "Planning", guest("ann@own.example", "ACCEPTED"), guest("client@partner.example", "ACCEPTED"), room="accepted"),
        event("inside", "Inside", guest("ann@own.example", "ACCEPTED"), guest("dee@eu.own.example", "ACCEPTED")),
    )


SALES = {"Shared": "external-guests", "Planning": "external-guests", "Inside": "no-external-guests"}
FILE = {"Design review": "title", "Lunch": "title-not-included"}


def configuration(folder, web, sales=True):
    text = f"""data_dir = "{folder}/data"
output_dir = "{folder}/minutes"
[listen]
port = 0
[http]
allow_hosts = ["127.0.0.1"]
[google]
revocation_url = "{web.url('/revoke')}"
[attend]
only = ["accepted"]
exclude = ["1:1*"]
own_domains = ["own.example"]
[[calendar]]
id = "work"
url = "{web.url('/work.ics')}"
account = "{ME}"
interval = "1h"
[[calendar]]
id = "file"
path = "local.ics"
interval = "1h"
[calendar.attend]
only = []
include = ["*REVIEW*"]
"""
    if sales:
        text += f"""[[calendar]]
id = "sales"
url = "{web.url('/sales.ics')}"
account = "ann@own.example"
interval = "1h"
[calendar.attend]
only = ["external"]
exclude = []
"""
    with open(f"{folder}/hansard.toml", "w", encoding="utf-8") as f:
        f.write(text)
    with open(f"{folder}/local.ics", "wb") as f:
        f.write(calendar(event("review", "Design review"), event("lunch", "Lunch")))


def api(daemon, method, path):
    with open(f"{daemon.folder}/data/daemon.json", encoding="utf-8") as f:
        info = json.load(f)
    with open(f"{daemon.folder}/data/api-token", encoding="utf-8") as f:
        token = f.read().strip()
    request = urllib.request.Request(f"http://127.0.0.1:{info['port']}{path}", method=method, data=b"{}" if method == "POST" else None,
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def plan(daemon):
    return {m["title"]: m for m in daemon.json("calendar", "plan")}


def listed(daemon):
    return {c["id"]: c for c in daemon.json("calendar", "list")}


def check_reasons(check, daemon):
    shown = plan(daemon)
    for title, reason in {**WORK, **SALES, **FILE}.items():
        attend = reason in ("accepted", "tag", "external-guests", "title")
        got = shown.get(title, {})
        check((got.get("reason"), got.get("attend")) == (reason, attend), f"{title}: {reason} ({got.get('reason')})")
        check(bool(got.get("why")) and bool(got.get("meeting")) == attend, f"{title}: a sentence, and a meeting when it is attended")
    check(len(shown) == len({**WORK, **SALES, **FILE}), "every occurrence is in the plan once")
    views = {v["calendar"]: v["reason"] for v in shown["Shared"]["views"]}
    check(shown["Shared"]["calendars"] == ["sales", "work"] and views == {"sales": "external-guests", "work": "declined"},
          "a meeting in two calendars is one line, with what each says")
    check(shown["Shared"]["state"] == "scheduled", "the line has the meeting's state")
    check(shown["Planning"]["calendars"] == ["sales", "work"], "a copy with the same link and time in another calendar is the same meeting")
    same = [m for m in daemon.json("meetings", "list") if m["title"] == "Planning"]
    check(len(same) == 1, "and gets one bot")
    code, text, _ = daemon.run("calendar", "plan")
    check(code == 0 and "not-accepted: " in text and "declined in work: " in text and "all day" in text, "the table says the reasons")


def check_changes(check, daemon, web):
    before = plan(daemon)["Planning"]
    web.feeds["/work.ics"] = work_feed(moved=True)
    code, text, err = daemon.run("calendar", "sync", "work")
    check(code == 0 and text.startswith("work ") and "sales" not in text, f"sync of one calendar waits for it {err}")
    lines = {m["calendars"][0]: m for m in daemon.json("calendar", "plan") if m["title"] == "Planning"}
    check(sorted(lines) == ["sales", "work"] and lines["work"]["start"] != before["start"], "a moved meeting is followed")
    check(lines["sales"]["start"] == before["start"] and lines["sales"]["meeting"] != lines["work"]["meeting"],
          "and its copy in another calendar, which did not move, is a meeting of its own now")
    check({m["state"] for m in lines.values()} == {"scheduled"}, "both are scheduled")
    web.feeds["/work.ics"] = None
    followed = daemon.json("calendar", "plan")
    code, text, _ = daemon.run("calendar", "sync")
    check(code == 1 and "failing" in text and "sales" in text, "sync fails when one calendar cannot be read, and says which")
    check(daemon.json("calendar", "plan") == followed, "a failure drops nothing")
    check(listed(daemon)["work"]["state"] == "failing" and listed(daemon)["work"]["detail"], "list says what is wrong")
    daemon.stop()
    check(len(plan(daemon)) == len({**WORK, **SALES, **FILE}) and listed(daemon)["sales"]["state"] == "ok", "plan and list read the store without a daemon")
    daemon.start()
    status = daemon.calendar("work")
    check(status is not None and status["state"] == "failing" and status["meetings"] == 3, f"status knows the calendar after a restart {status}")
    web.feeds["/work.ics"] = work_feed()
    code, _, _ = daemon.run("calendar", "sync", "work")
    check(code == 0 and listed(daemon)["work"]["state"] == "ok" and listed(daemon)["work"]["detail"] == "", "well again")


def check_removal(check, daemon, web):
    meetings = {title: m["meeting"] for title, m in plan(daemon).items()}
    configuration(daemon.folder, web, sales=False)
    answer = api(daemon, "POST", "/api/calendars/reload")
    check([c["id"] for c in answer] == ["file", "work"], "reload takes a calendar out that is not configured any more")
    shown = plan(daemon)
    check("Inside" not in shown and not shown["Shared"]["attend"] and shown["Shared"]["reason"] == "declined", "its meetings are gone from the plan")
    wait_for("the end of its meeting", lambda: daemon.json("meetings", "show", meetings["Shared"])["state"] == "cancelled", 10)
    check(daemon.json("meetings", "show", meetings["Planning"])["state"] == "scheduled", "those of others stay")
    with open(daemon.config, "a", encoding="utf-8") as f:
        f.write("[attend]\n")  # twice in one file
    try:
        api(daemon, "POST", "/api/calendars/reload")
        check(False, "a broken configuration is refused")
    except urllib.error.HTTPError as e:
        check(e.code == 400 and "line" in json.load(e)["error"]["detail"], "a broken configuration is refused, with the line")
    check(len(listed(daemon) if daemon.json("calendar", "list") else api(daemon, "GET", "/api/calendars")) == 2, "and nothing changes")
    configuration(daemon.folder, web, sales=True)
    api(daemon, "POST", "/api/calendars/reload")
    wait_for("its return", lambda: plan(daemon).get("Shared", {}).get("state") == "scheduled", 10)
    check(plan(daemon)["Shared"]["meeting"] == meetings["Shared"], "configured again, its meeting is on again")


def check_connections(check, daemon, web):
    code, _, err = daemon.run("calendar", "connect", "ics", web.url("/extra.ics"), "--id", "extra")
    check(code == 0, f"a feed is connected {err}")
    wait_for("the connected calendar", lambda: listed(daemon).get("extra", {}).get("state") == "ok", 10)
    check(plan(daemon).get("Extra", {}).get("reason") == "accepted", "it is followed at once, by the default rules")
    code, text, err = daemon.run("calendar", "disconnect", "extra")
    check(code == 0 and "disconnected 'extra'" in text, f"it is disconnected {err}")
    check("Extra" not in plan(daemon) and "extra" not in listed(daemon), "and followed no more")
    check(not os.path.exists(f"{daemon.folder}/data/secrets/calendar-extra"), "its secret is removed")
    code, _, err = daemon.run("calendar", "disconnect", "extra")
    check(code == 1 and "connected are: none" in err, "disconnecting twice says what is connected")
    code, _, err = daemon.run("calendar", "disconnect", "work")
    check(code == 1 and "[[calendar]]" in err, "a configured one is removed in the configuration")
    connection = {"id": "gone", "kind": "google", "account": ME, "calendar": "primary",
                  "credentials": {"grant": "user", "client_id": "c", "refresh_token": "1//refresh+token"}}
    os.makedirs(f"{daemon.folder}/data/secrets", mode=0o700, exist_ok=True)
    with open(f"{daemon.folder}/data/secrets/calendar-gone", "wb") as f:
        os.chmod(f.fileno(), 0o600)
        f.write(b"\0" + json.dumps(connection).encode())
    code, text, err = daemon.run("calendar", "disconnect", "gone")
    check(code == 0 and web.revoked == ["1//refresh+token"] and "taken the grant back" in text, f"Google is asked to take the grant back {text}{err}")
    code, _, err = daemon.run("calendar", "sync", "nothing")
    check(code == 1 and "calendar list" in err, "an unknown calendar is said")
    check(daemon.run("calendar", "sync", "a", "b")[0] == 2 and daemon.run("calendar", "disconnect")[0] == 2 and
          daemon.run("calendar", "plan", "--nonsense")[0] == 2, "wrong use has the exit code 2")
    log = daemon.log()
    check("refresh+token" not in log and "/work.ics" not in log, "no address and no secret is logged")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    check = Checks()
    web = Web()
    with tempfile.TemporaryDirectory(prefix="hansard-plan-") as folder:
        daemon = Daemon(os.path.abspath(sys.argv[1]), folder)
        configuration(folder, web)
        web.feeds = {"/work.ics": work_feed(), "/sales.ics": sales_feed(), "/extra.ics": calendar(event("extra", "Extra"))}
        code, text, err = daemon.run("calendar", "list")
        check(code == 1 and "hansard serve" in err, f"without anything read, list says what to do {text}")
        try:
            daemon.start()
            wait_for("the first scans", lambda: all(c["state"] == "ok" for c in listed(daemon).values()) and len(listed(daemon)) == 3, 15)
            check_reasons(check, daemon)
            check_changes(check, daemon, web)
            check_removal(check, daemon, web)
            check_connections(check, daemon, web)
        except Failure as e:
            check(False, str(e))
        finally:
            if daemon.process is not None:
                check(daemon.stop() == 0, "the daemon ends cleanly")
        if check.failed:
            print(daemon.log()[-3000:], file=sys.stderr)
    web.shutdown()
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
