#!/usr/bin/env python3
"""A Google calendar from the sign-in to the revoked grant, against tests/vendors/google_server.py.

usage: google_test.py HANSARD

The meetings lie hours ahead, so none is joined: what the daemon will attend is read with `status`. Prints one line a check
and ends with 0 when all hold.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta

from calendar_daemon import Checks, Daemon, Failure, soon, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "vendors"))
import google_server  # noqa: E402

LIMIT_S = 15.0
PUBLIC = "https://push.example"
RECONNECT = "hansard calendar connect google --id work"
check = Checks()


def until(what, test):
    check(wait_for(what, test, LIMIT_S), what)


def rfc3339(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def event(event_id, title, start, **more):
    return {"id": event_id, "summary": title, "start": {"dateTime": rfc3339(start), "timeZone": "Europe/Berlin"},
            "end": {"dateTime": rfc3339(start + timedelta(minutes=30)), "timeZone": "Europe/Berlin"},
            "hangoutLink": "https://meet.google.com/" + (event_id + "aaaaaaaaaa")[:3] + "-bbbb-ccc", **more}


class Installation(Daemon):
    def __init__(self, program, folder, server, push):
        os.makedirs(folder, exist_ok=True)
        super().__init__(program, folder, more=server.config() + (f'[push]\nurl = "{PUBLIC}"\n' if push else ""))
        self.server = server

    def start(self):
        self.server.deliveries[PUBLIC] = None
        super().start()
        self.server.deliveries[PUBLIC] = "127.0.0.1:" + re.search(r"http://127\.0\.0\.1:(\d+)", self.run("status")[1])[1]

    def sign_in(self, *words, secret="client-secret", forge=False):
        """Runs `connect` and plays the browser. (exit code, standard output, standard error)"""
        env = {**os.environ, "HANSARD_GOOGLE_CLIENT_SECRET": secret}
        command = subprocess.Popen([self.hansard, "calendar", "connect", "google", *words, "--config", self.config], env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        text = ""
        for line in command.stdout:
            text += line
            found = re.search(r"(http://127\.0\.0\.1:\S+/o/oauth2/v2/auth\?\S+)", line)
            if found:
                redirect = urllib.parse.parse_qs(urllib.parse.urlsplit(found[1]).query)["redirect_uri"][0]
                if forge:
                    try:
                        urllib.request.urlopen(redirect + "?code=evil&state=guessed", timeout=10)
                        check(False, "a redirect with another state is refused")
                    except urllib.error.HTTPError as error:
                        check(error.code == 400, "a redirect with another state is refused")
                with urllib.request.urlopen(found[1], timeout=10) as page:  # follows the redirect
                    page.read()
                break
        out, errors = command.communicate(timeout=30)
        return command.returncode, text + out, errors

    def sync(self):
        return self.run("calendar", "sync", "work")

    def said(self):
        return json.dumps(self.calendar("work") or {})


def connecting(here, server):
    code, _, errors = here.run("calendar", "connect", "google")
    check(code == 2 and "--client" in errors, "without a client it says what is needed")
    with open(f"{here.folder}/web.json", "w", encoding="utf-8") as f:
        json.dump({"web": {"client_id": "x"}}, f)
    code, _, errors = here.run("calendar", "connect", "google", "--client", f"{here.folder}/web.json")
    check(code == 2 and "Desktop app" in errors, "the client of a web application is refused with the reason")
    words = ("--client-id", "client.apps.googleusercontent.com", "--id", "work")
    server.deny_once = True
    code, _, errors = here.sign_in(*words)
    check(code == 1 and "access_denied" in errors, "a sign-in that is denied fails")
    code, _, errors = here.sign_in(*words, secret="wrong")
    check(code == 1 and "invalid_client" in errors, "a wrong client secret is told")
    server.scope_cut = google_server.EVENTS_SCOPE
    code, _, errors = here.sign_in(*words)
    check(code == 1 and "leave that box ticked" in errors, "a right that was unticked is told")
    server.scope_cut = ""
    with open(f"{here.folder}/client.json", "w", encoding="utf-8") as f:
        json.dump({"installed": {"client_id": "client.apps.googleusercontent.com", "client_secret": "client-secret"}}, f)
    code, out, errors = here.sign_in("--client", f"{here.folder}/client.json", "--id", "work", secret="", forge=True)
    check(code == 0 and "connected 'work' (google, mira@example.org)" in out, f"connected by the client's file {errors}".rstrip())
    held = subprocess.run(["find", f"{here.folder}/data/secrets", "-type", "f", "-perm", "/077"], capture_output=True, text=True, check=False)
    check(held.stdout == "", "the tokens are readable by their owner alone")


def following(here, server, base):
    until("found: a meeting, and a series on the clock of its zone", lambda: set(here.meetings()) == {"Plan", "Stand-up"})
    server.put(event("plan", "Plan", base + timedelta(hours=1)))
    until("moved, by a push", lambda: rfc3339(base + timedelta(hours=1)) in json.dumps(here.meetings().get("Plan", "")))
    server.put(event("late", "Late", base, attendees=[{"email": "mira@example.org", "self": True, "responseStatus": "accepted"}]))
    until("a new one is found by a push", lambda: "Late" in here.meetings())
    server.put(event("late", "Late", base, attendees=[{"email": "mira@example.org", "self": True, "responseStatus": "declined"}]))
    until("declined", lambda: "Late" not in here.meetings())
    server.duplicate_pushes = 3
    original = {"dateTime": rfc3339(base + timedelta(hours=2)), "timeZone": "Europe/Berlin"}
    server.put({"id": "stand_1", "status": "cancelled", "recurringEventId": "stand", "originalStartTime": original})
    until("one instance of a series cancelled, told three times", lambda: "Stand-up" not in here.meetings())
    server.remove("plan")
    until("deleted", lambda: "Plan" not in here.meetings())
    server.duplicate_pushes = 1
    check(all(status == 200 for _, status in server.delivered), f"every push was answered with 200 {set(server.delivered)}")
    for channel in list(server.channels.values()):
        server.deliver({**channel, "token": "forged"}, "exists")
    check(server.delivered[-1][1] == 404, "a push with another token is refused")
    check("sync" in {state for state, _ in server.delivered}, "the channel's first message was taken")


def troubles(here, server, base):
    server.put(event("again", "Again", base))
    until("found", lambda: "Again" in here.meetings())
    server.kill_sync_tokens()
    server.page_limit, server.empty_pages = 1, 1
    with server.lock:
        server.events.pop("again")  # no change tells of it: only a full list shows it
    server.put(event("new", "New", base))
    until("a dead sync token leads to a full list by short and empty pages", lambda: set(here.meetings()) == {"New"})
    server.page_limit, server.empty_pages = 250, 0
    server.kill_access_tokens()
    code, _, errors = here.sync()
    check(code == 0, f"a refused access token is renewed within the sync {errors}".rstrip())
    for status, reason in ((429, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (503, "backendError")):
        server.fault("list", status, reason, retry_after=1)
        code, _, _ = here.sync()
        check(code == 1 and "New" in here.meetings(), f"{status} {reason}: the sync fails and nothing is lost")
    code, _, errors = here.sync()
    check(code == 0, f"and the next one heals {errors}".rstrip())
    server.skew, server.token_life = 600.0, 1
    server.kill_access_tokens()
    check(here.sync()[0] == 0, "a server whose clock is ahead, with tokens of one second, is read")
    server.skew, server.token_life = 0.0, 3599


def revoked(here, server, base):
    server.revoke_all()
    here.sync()
    until("a revoked grant says how to connect again", lambda: RECONNECT in here.said())
    check(RECONNECT in here.run("calendar", "list")[1], "and so does `calendar list`")
    check("New" in here.meetings(), "and what was known stays")
    server.put(event("later", "Later", base))
    code, _, errors = here.sign_in("--id", "work", secret="")
    check(code == 0, f"connecting again needs only the name {errors}".rstrip())
    until("and heals", lambda: {"New", "Later"} <= set(here.meetings()) and RECONNECT not in here.said())


def restart(here, server, base):
    channels = set(server.channels)
    here.stop()
    server.put(event("night", "Night", base))
    here.start()
    until("what changed while the daemon was away is found", lambda: "Night" in here.meetings())
    server.put(event("night", "Renamed", base))
    until("the channel of before the restart still leads to a scan", lambda: "Renamed" in here.meetings())
    check(set(server.channels) == channels, "and no second one was made")


def service_account(program, folder, server, base):
    if shutil.which("openssl") is None:
        print("      skipped: the service account, as there is no openssl command")
        return
    here = Installation(program, folder, server, push=False)
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True, capture_output=True, text=True).stdout
    modulus = subprocess.run(["openssl", "rsa", "-noout", "-modulus"], input=key, check=True, capture_output=True, text=True).stdout
    robot = "robot@project.iam.gserviceaccount.com"
    server.service_accounts[robot] = (int(modulus.split("=")[1], 16), 65537, {"mira@example.org"})
    path = f"{folder}/key.json"
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"type": "service_account", "client_email": robot, "private_key": key, "private_key_id": "k1"}, f)
    words = ("calendar", "connect", "google", "--service-account", path, "--id", "robot")
    check(here.run(*words)[0] == 2, "a service account without --subject is wrong use")
    code, _, errors = here.run(*words, "--subject", "other@example.org")
    check(code == 1 and "unauthorized_client" in errors, "a person who was not delegated is refused")
    code, out, errors = here.run(*words, "--subject", "mira@example.org")
    check(code == 0 and "google, mira@example.org" in out, f"connected with a service account {errors}".rstrip())
    server.skew = -7200.0
    code, _, errors = here.run(*words, "--subject", "mira@example.org")
    check(code == 1 and "JWT" in errors, "a clock that is two hours off is told")
    server.skew = 0.0


def main():
    program = os.path.abspath(sys.argv[1])
    server = google_server.GoogleServer()
    base = soon(5 * 60)
    server.put(event("plan", "Plan", base))
    yesterday = base + timedelta(hours=2) - timedelta(days=7)
    server.put(event("stand", "Stand-up", yesterday, recurrence=["RRULE:FREQ=WEEKLY"]))
    server.put(event("office", "At home", base, eventType="workingLocation"))
    server.put({"id": "busy", "start": {"dateTime": rfc3339(base)}, "end": {"dateTime": rfc3339(base)}})
    with tempfile.TemporaryDirectory() as folder:
        here = Installation(program, f"{folder}/a", server, push=True)
        began = time.monotonic()
        try:
            connecting(here, server)
            here.start()
            following(here, server, base)
            troubles(here, server, base)
            revoked(here, server, base)
            restart(here, server, base)
            service_account(program, f"{folder}/b", server, base)
            check(server.violations == [], f"nothing that Google refuses was sent {server.violations}")
            code = here.stop()
            check(code == 0, f"the daemon ends in order ({code})")
            print(here.log()[-1500:]) if code else None
        except Failure as failure:
            check(False, str(failure))
            print(here.log()[-3000:])
        finally:
            here.stop()
            server.close()
        print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
