#!/usr/bin/env python3
"""A Microsoft calendar from the sign-in to the revoked grant, against tests/vendors/graph_server.py.

usage: microsoft_test.py HANSARD

The meetings lie hours ahead, so none is joined: what the daemon will attend is read with `meetings list` and `calendar plan`.
Prints one line a check and ends with 0 when all hold.
"""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

from calendar_daemon import Checks, Daemon, Failure, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "vendors"))
import graph_server  # noqa: E402

LIMIT_S = 20.0
PUBLIC = "https://push.example"
check = Checks()


def until(what, test):
    """Waits until `test()` is true; then the check holds."""
    value = wait_for(what, test, LIMIT_S)
    check(value, what)
    return value


class Installation(Daemon):
    def __init__(self, program, folder, server, push):
        more = f'[microsoft]\nlogin_root = "{server.login_root}"\ngraph_root = "{server.graph_root}"\n'
        super().__init__(program, folder, more=more + (f'[push]\nurl = "{PUBLIC}"\n' if push else ""))
        self.server = server

    def start(self):
        # A TLS proxy would stand between the public address and the daemon.
        self.server.deliveries[PUBLIC] = None
        super().start()
        page = self.run("status")[1]
        self.server.deliveries[PUBLIC] = "127.0.0.1:" + re.search(r"http://127\.0\.0\.1:(\d+)", page)[1]

    def connect(self, *words):
        return subprocess.Popen([self.hansard, "calendar", "connect", "microsoft", *words, "--config", self.config],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def sync(self):
        """(exit code, what it says)"""
        code, out, errors = self.run("calendar", "sync", "work")
        return code, out + errors

    def state(self):
        return (self.calendar("work") or {}).get("state")

    def reasons(self):
        return {m["title"]: m["reason"] for m in self.json("calendar", "plan") or []}


def rfc3339(seconds):
    return graph_server.stamp(seconds, digits=False)


def read_until(stream, pattern):
    text = ""
    for line in stream:
        text += line
        match = re.search(pattern, text)
        if match:
            return match
    raise Failure(f"no {pattern!r} in {text!r}")


def put_meetings(server, base):
    server.put({"id": "plan", "subject": "Planning", "_start": base, "_end": base + 1800, **server.teams("plan")})
    server.put({"id": "declined", "subject": "Declined", "_start": base, "_end": base + 1800, **server.teams("declined"),
                "responseStatus": {"response": "declined"}})
    server.put({"id": "series", "type": "seriesMaster", "subject": "Stand-up", "uid": "series-uid", "_start": base, "_end": base + 900,
                **server.teams("standup")})
    for n in range(3):
        start = base + 3600 + n * 86400
        server.put({"id": f"occurrence-{n}", "type": "occurrence", "seriesMasterId": "series", "uid": "series-uid", "subject": "Stand-up",
                    "_start": start, "_end": start + 900, **server.teams("standup")})
    server.put({"id": "mail", "subject": "No link", "_start": base + 7200, "_end": base + 9000})


def sign_in(here, server):
    """Device codes: declined, expired, and one that is slowed down and then approved."""
    for state, words in (("declined", "declined"), ("expired", "not used in time")):
        command = here.connect("--client-id", "public-client", "--id", "work")
        server.decide(read_until(command.stdout, r"enter the code ([0-9A-F]{8}) ")[1], state)
        _, errors = command.communicate(timeout=30)
        check(command.returncode == 1 and words in errors, f"a code that is {state} says so")
    server.slow_down_once = True
    command = here.connect("--client-id", "public-client", "--id", "work")
    code = read_until(command.stdout, r"enter the code ([0-9A-F]{8}) ")[1]
    until("the command waits while the person has not signed in", lambda: not server.slow_down_once)
    server.decide(code)
    out, errors = command.communicate(timeout=30)
    check(command.returncode == 0 and "connected 'work' (microsoft, mira@contoso.example)" in out, f"connected by device code {errors}".rstrip())
    return out


def other_ways(program, folder, server):
    """A browser with PKCE, an app's secret, an app's certificate: each connects and reads."""
    os.mkdir(folder)
    here = Installation(program, folder, server, push=False)
    for deny in (True, False):
        server.deny_once = deny
        command = here.connect("--client-id", "public-client", "--browser", "--id", "browser")
        url = read_until(command.stdout, r"(http://127\.0\.0\.1:\S+/authorize\?\S+)")[1]
        with urllib.request.urlopen(url, timeout=10) as page:  # follows the redirect to the command's listener
            page.read()
        out, errors = command.communicate(timeout=30)
        check(command.returncode == (1 if deny else 0), "a denied sign-in in the browser fails" if deny else f"connected in the browser {errors}".rstrip())
    app = ("calendar", "connect", "microsoft", "--client-id", "app", "--app", "--tenant", "contoso.example", "--user", "room@contoso.example")
    server.mailboxes["room@contoso.example"] = {}
    server.put({"id": "r", "subject": "In the room", "_start": time.time() + 3600, "_end": time.time() + 7200}, "room@contoso.example")
    server.apps["app"] = {"secret": "s3cret"}
    check(here.run(*app)[0] == 2, "an app without a secret is wrong use")
    check(here.run(*app, env={"HANSARD_MICROSOFT_CLIENT_SECRET": "wrong"})[0] == 1, "a wrong secret is refused")
    code, out, errors = here.run(*app, env={"HANSARD_MICROSOFT_CLIENT_SECRET": "s3cret"})
    check(code == 0 and "1 event in" in out, f"connected with an app's secret {errors}".rstrip())
    if shutil.which("openssl") is None:
        print("      skipped: the certificate, as there is no openssl command")
        return
    key = os.path.join(folder, "app.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app", "-days", "2", "-keyout", key, "-out", key + ".crt"],
                   check=True, capture_output=True)
    modulus = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
    der = subprocess.run(["openssl", "x509", "-in", key + ".crt", "-outform", "DER"], check=True, capture_output=True).stdout
    digest = hashlib.sha256(der)
    thumbprint = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    server.apps["app"] = {"n": int(modulus.strip().split("=")[1], 16), "e": 65537, "thumbprint": thumbprint}
    check(here.run(*app, "--certificate", key)[0] == 2, "a key without certificate needs --thumbprint")
    code, _, errors = here.run(*app, "--certificate", key, "--thumbprint", digest.hexdigest())
    check(code == 0, f"connected with a certificate: the server verified its signature {errors}".rstrip())
    with open(key, "a") as out, open(key + ".crt") as certificate:
        out.write(certificate.read())
    check(here.run(*app, "--certificate", key)[0] == 0, "a file with key and certificate needs no thumbprint")


def follow(here, server, base):
    """What happens to meetings, told by push or found by a scan."""
    until("the daemon reads the calendar", lambda: here.state() == "ok")
    seen = until("its meetings are scheduled", lambda: here.meetings())
    check(seen == {"Planning": rfc3339(base), "Stand-up": rfc3339(base + 3600)}, f"those of the next day, and no others {seen}")
    reasons = here.reasons()
    check(reasons.get("Declined") == "declined" and reasons.get("No link") == "no-link", f"the others have their reason {reasons}")
    until("a subscription is made, after its handshake", lambda: len(server.subscriptions) == 1)
    check([h["ok"] for h in server.handshakes] == [True, True], "both addresses answered while the daemon's own call waited")

    server.put({"id": "plan", "_start": base + 600, "_end": base + 2400})
    check(set(server.notify(times=3)) == {202}, "notifications, sent three times over, are accepted")
    until("the moved meeting is followed", lambda: here.meetings().get("Planning") == rfc3339(base + 600))
    server.put({"id": "occurrence-0", "type": "exception", "originalStart": rfc3339(base + 3600), "_start": base + 5400, "_end": base + 6300})
    server.notify()
    until("a moved occurrence is followed as the same one", lambda: here.meetings() == {"Planning": rfc3339(base + 600), "Stand-up": rfc3339(base + 5400)})
    before = len(server.requests)
    check(server.notify(client_state="guessed") == [202] and server.notify(name="late", client_state="") == [202], "foreign and late notifications are accepted")
    server.put({"id": "plan", "isCancelled": True, "subject": "Canceled: Planning"})
    server.remove("never-seen")
    check(here.sync()[0] == 0, "sync")
    check(len(server.requests) <= before + 2, "foreign notifications caused no scan")
    until("a cancelled meeting is not attended", lambda: list(here.meetings()) == ["Stand-up"])
    server.put({"id": "occurrence-0", "responseStatus": {"response": "declined"}})
    server.notify()
    until("nor is one that was declined", lambda: here.meetings() == {})
    server.put({"id": "plan", "isCancelled": False, "subject": "Planning"})
    server.put({"id": "occurrence-0", "responseStatus": {"response": "accepted"}})
    check(set(server.lifecycle("missed")) == {202}, "a lifecycle event is accepted")
    until("what was missed is read anew", lambda: set(here.meetings()) == {"Planning", "Stand-up"})
    old = set(server.subscriptions)
    server.lifecycle("subscriptionRemoved")
    until("a removed subscription is made again", lambda: server.subscriptions and not old & set(server.subscriptions))


def disturb(here, server):
    """Faults on the way; nothing is lost by any of them."""
    kept = here.meetings()

    for location in (False, True):
        server.fault("delta", 410, code="SyncStateNotFound", location=location)
        code, said = here.sync()
        check(code == 0 and here.meetings() == kept, f"410 with{'' if location else 'out'} Location: read anew")
    server.fault("delta", 503)
    code, said = here.sync()
    check(code == 1 and "not available" in said and here.meetings() == kept, f"503: said, and nothing lost: {said.strip()}")
    server.end_access_tokens()
    check(here.sync()[0] == 0, "401: the token is renewed and the call repeated")
    server.skew = 7200
    server.lifecycle("reauthorizationRequired")
    until("a subscription is renewed although the clocks differ", lambda: any(s["renewed"] for s in server.subscriptions.values()))
    server.skew = 0
    # What the notification set off may be under way, and a sync now would be answered by that.
    check(here.sync()[0] == 0, "and read meanwhile")
    server.fault("delta", 429, headers=[("Retry-After", "200")])
    code, said = here.sync()
    check(code == 1 and "wait" in said, "429: said")
    next_scan = next(c["next_scan"] for c in here.json("calendar", "list") if c["id"] == "work")
    ahead = graph_server.parse_stamp(next_scan) - time.time()
    check(185 < ahead < 300, f"and the next scan comes after Retry-After: in {ahead:.0f} s")
    check(here.sync()[0] == 0, "unless a person asks for it")
    check(here.meetings() == kept, "after all of it the same meetings are scheduled")
    return kept


def restart_and_revoke(here, server, kept):
    here.stop()
    used = sum(t["state"] == "used" for t in server.refresh.values())
    server.end_access_tokens()
    here.start()
    until("after a restart the calendar is read with the replaced refresh token", lambda: here.state() == "ok")
    check(sum(t["state"] == "used" for t in server.refresh.values()) == used + 1, "which was used once")
    server.revoke()
    check(here.sync()[0] == 1, "a revoked grant fails the scan")
    calendar = here.calendar("work")
    check("hansard calendar connect microsoft --id work" in calendar["detail"], f"status says how to reconnect: {calendar['detail']}")
    check(here.meetings() == kept, "and nothing is lost")
    command = here.connect("--id", "work")
    server.decide(read_until(command.stdout, r"enter the code ([0-9A-F]{8}) ")[1])
    out, errors = command.communicate(timeout=30)
    check(command.returncode == 0 and "running daemon" in out, f"connected again by exactly that command {errors}".rstrip())
    until("the calendar is well again", lambda: here.state() == "ok")
    check(here.meetings() == kept, "with the same meetings")


def main():
    if len(sys.argv) != 2:
        print("usage: microsoft_test.py HANSARD", file=sys.stderr)
        return 2
    program = os.path.abspath(sys.argv[1])
    server = graph_server.GraphServer()
    server.page_limit = 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-microsoft-") as folder:
        here = Installation(program, folder, server, push=True)
        base = (int(time.time()) // 60 + 180) * 60  # in three hours
        try:
            put_meetings(server, base)
            out = sign_in(here, server)
            check("4 events in the next 24 hours" in out, "the connection was tried out: three events and one occurrence of the series")
            check(not server.subscriptions, "the command itself makes no subscription")
            here.start()
            follow(here, server, base)
            restart_and_revoke(here, server, disturb(here, server))
            here.stop()
            other_ways(program, os.path.join(folder, "other"), server)
            check(not server.violations, f"the server has nothing to complain of {server.violations or ''}".rstrip())
            secrets = [*server.access, *server.refresh, "Planning"]
            check(not [s for s in secrets if s in here.log()], "no token and no title of a meeting stands in the log")
        except Failure as failure:
            check(False, str(failure))
        finally:
            here.stop()
            server.close()
        if check.failed:
            print(f"handshakes: {server.handshakes}; last calls: {server.requests[-6:]}; violations: {server.violations}", file=sys.stderr)
            if os.path.exists(f"{folder}/serve.log"):
                print(here.log()[-3000:], file=sys.stderr)
    print(f"      {time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
