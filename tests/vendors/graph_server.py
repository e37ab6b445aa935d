#!/usr/bin/env python3
"""Microsoft's sign-in service and Microsoft Graph's calendar on loopback, as hansard's tests need them.

It checks what Microsoft checks (grants, PKCE, signed assertions, Prefer headers, links used unchanged, handshakes) and
misbehaves on demand. What a client did wrong without an answer that says so is kept in `violations`. Facts: the public
documents of Microsoft Graph v1.0 and the v2.0 identity platform; RFC 6749, 7515, 7636, 8628. Python standard library only.

As a program: graph_server.py [--port PORT] serves a calendar with one meeting and approves every device code.
"""
import argparse
import datetime
import http.client
import http.server
import json
import re
import secrets
import sys
import threading
import time
import urllib.parse

from microsoft_login import MicrosoftLogin, Refused

MAX_SUBSCRIPTION_S = 4230 * 60


def stamp(seconds, digits=True):
    text = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (".0000000" if digits else "Z")


def parse_stamp(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def graph_error(status, code, headers=()):
    return Refused(status, {"error": {"code": code, "message": code, "innerError": {"request-id": "0"}}}, headers)


class GraphServer(MicrosoftLogin):
    """All state is behind `lock`; the methods below `# ---- control` are for tests."""

    def __init__(self, port=0):
        super().__init__()
        self.lock = threading.RLock()
        self.violations = []
        self.requests = []  # (method, path) of Graph calls
        self.skew = 0.0     # seconds that this server's clock is ahead
        self.page_limit = 50
        self.short_occurrences = True
        self.user = {"mail": "mira@contoso.example", "userPrincipalName": "mira@contoso.onmicrosoft.example"}
        self.mailboxes = {"me": {}}  # name -> event id -> event
        self.changes = []      # (mailbox, event id) in order: its index is the sequence
        self.links = {}        # issued URL (path and query) -> state
        self.faults = []       # {"where", "status", "headers", "code"}
        self.subscriptions = {}
        self.deliveries = {}   # public origin -> "host:port" where it ends up (None: soon): the part of a TLS proxy
        self.handshakes = []
        self.delivered = []    # statuses of notifications
        self.refuse_subscriptions = False
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                try:
                    status, headers, data = owner.handle(self.command, self.path, self.headers, body)
                except Refused as r:
                    status, headers, data = r.status, r.headers, r.body
                raw = b"" if data is None else json.dumps(data).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def date_time_string(self, timestamp=None):
                return super().date_time_string(time.time() + owner.skew if timestamp is None else timestamp)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.login_root = self.origin + "/login/"
        self.graph_root = self.origin + "/v1.0/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def now(self):
        return time.time() + self.skew

    def wrong(self, what):
        self.violations.append(what)

    # ---- dispatch ------------------------------------------------------------------------------------------------

    def handle(self, method, target, headers, body):
        path, _, query = target.partition("?")
        if path.startswith("/login/"):
            with self.lock:
                return self.login(method, path, query, headers, body)
        if not path.startswith("/v1.0/"):
            raise graph_error(404, "ResourceNotFound")
        with self.lock:
            self.requests.append((method, target))
            token = self.authorize_call(headers)
            parts = [urllib.parse.unquote(p) for p in path[len("/v1.0/"):].split("/")]
            if parts == ["me"]:
                return 200, [], dict(self.user, id="user-1")
            self.check_prefer(headers, target)
            where = "subscription" if parts[0] == "subscriptions" else "delta" if "delta" in parts else "event"
            self.fail_on_demand(where, target)
        if where == "subscription":
            return self.subscription(method, parts, body, token)
        with self.lock:
            mailbox, rest = self.mailbox(parts, token)
            if method != "GET":
                raise graph_error(405, "MethodNotAllowed")
            if rest == ["calendarView", "delta"]:
                return self.delta(mailbox, target, query)
            if len(rest) == 2 and rest[0] == "events":
                event = self.mailboxes[mailbox].get(rest[1])
                if event is None:
                    raise graph_error(404, "ErrorItemNotFound")
                return 200, [], self.shown(event, short=False)
        raise graph_error(404, "ResourceNotFound")

    def authorize_call(self, headers):
        value = headers.get("Authorization") or ""
        token = self.access.get(value[len("Bearer "):]) if value.startswith("Bearer ") else None
        if token is None or token["expires"] <= time.time():
            raise graph_error(401, "InvalidAuthenticationToken", [("WWW-Authenticate", 'Bearer realm="", error="invalid_token"')])
        return token

    def check_prefer(self, headers, target):
        prefer = ", ".join(headers.get_all("Prefer") or [])
        for wanted in ('outlook.timezone="UTC"', 'IdType="ImmutableId"', "odata.maxpagesize=", "outlook.body-content-type="):
            if wanted not in prefer:
                self.wrong(f"no Prefer: {wanted} with {target}")
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("client-request-id") or ""):
            self.wrong("client-request-id is no GUID")

    def fail_on_demand(self, where, target):
        for fault in self.faults:
            if fault["where"] == where:
                self.faults.remove(fault)
                headers = list(fault.get("headers", ()))
                if fault.get("location"):
                    state = self.links.get(target) or self.window_of(target)
                    headers.append(("Location", self.issue("me", dict(state, kind="initial", items=None))))
                raise graph_error(fault["status"], fault.get("code", "UnknownError"), headers)

    def mailbox(self, parts, token):
        if parts[0] == "me":
            if token["user"] is None:
                raise graph_error(400, "BadRequest")  # /me is only valid with delegated authentication
            return "me", parts[1:]
        if parts[0] == "users" and len(parts) > 1:
            if parts[1] not in self.mailboxes:
                raise graph_error(404, "ErrorInvalidUser")
            return parts[1], parts[2:]
        raise graph_error(404, "ResourceNotFound")

    # ---- calendarView/delta --------------------------------------------------------------------------------------

    def window_of(self, target):
        query = dict(urllib.parse.parse_qsl(target.partition("?")[2]))
        unknown = set(query) - {"startDateTime", "endDateTime"}
        if unknown or len(query) != 2:
            raise graph_error(400, "ErrorInvalidUrlQuery")
        return {"from": parse_stamp(query["startDateTime"]), "to": parse_stamp(query["endDateTime"])}

    def issue(self, mailbox, state):
        """A new link. Its token has what clients like to spoil: percent signs, '+', '=', '$', a space."""
        name = {"initial": "$skiptoken", "page": "$skiptoken", "delta": "$deltatoken"}[state["kind"]]
        owner = "me" if mailbox == "me" else "users/" + urllib.parse.quote(mailbox)
        path = f"/v1.0/{owner}/calendarView/delta?{name}={secrets.token_urlsafe(12)}%2B%3d%20~$=&x=%7Eend"
        self.links[path] = dict(state, mailbox=mailbox)
        return self.origin + path

    def delta(self, mailbox, target, query):
        state = self.links.get(target)
        if state is None:
            if "token=" in query:
                self.wrong(f"a link was not used as it was given: {target}")
                raise graph_error(400, "ErrorInvalidUrlQuery")
            state = dict(self.window_of(target), kind="initial", items=None)
        items = state.get("items")
        if items is None:
            items = self.whole(mailbox, state) if state["kind"] == "initial" else self.changed(mailbox, state)
        mark = state.get("mark") if state["kind"] == "page" else len(self.changes)
        page, rest = items[:self.page_limit], items[self.page_limit:]
        base = {"from": state["from"], "to": state["to"]}
        body = {"@odata.context": self.graph_root + "$metadata#Collection(event)", "value": page}
        if rest:
            body["@odata.nextLink"] = self.issue(mailbox, dict(base, kind="page", items=rest, mark=mark))
        else:
            body["@odata.deltaLink"] = self.issue(mailbox, dict(base, kind="delta", since=mark))
        return 200, [("Preference-Applied", 'outlook.timezone="UTC", IdType="ImmutableId"')], body

    def inside(self, event, state):
        return event["type"] == "seriesMaster" or event["_start"] < state["to"] and event["_end"] > state["from"]

    def whole(self, mailbox, state):
        events = self.mailboxes[mailbox].values()
        return [self.shown(e, self.short_occurrences) for e in events if self.inside(e, state)]

    def changed(self, mailbox, state):
        out = []
        for box, name in dict.fromkeys(self.changes[state["since"]:]):
            if box != mailbox:
                continue
            event = self.mailboxes[mailbox].get(name)
            if event is not None and self.inside(event, state):
                out.append(self.shown(event, self.short_occurrences))
            else:  # deleted, or outside the window: both look like this
                out.append({"@odata.type": "#microsoft.graph.event", "id": name, "@removed": {"reason": "deleted"}})
        return out

    def shown(self, event, short):
        times = {"start": {"dateTime": stamp(event["_start"]), "timeZone": "UTC"}, "end": {"dateTime": stamp(event["_end"]), "timeZone": "UTC"}}
        whole = {k: v for k, v in event.items() if not k.startswith("_")}
        if short and event["type"] == "occurrence":
            whole = {k: whole[k] for k in ("id", "type", "seriesMasterId")}
        return dict(whole, **times)

    # ---- subscriptions -------------------------------------------------------------------------------------------

    def subscription(self, method, parts, body, token):
        with self.lock:
            if len(parts) == 2:
                held = self.subscriptions.get(parts[1])
                if held is None:
                    raise graph_error(404, "ResourceNotFound")
                if method == "DELETE":
                    del self.subscriptions[parts[1]]
                    return 204, [], None
                if method != "PATCH":
                    raise graph_error(405, "MethodNotAllowed")
                held["expirationDateTime"] = self.expiry(json.loads(body))
                held["renewed"] += 1
                return 200, [], {k: v for k, v in held.items() if k not in ("clientState", "renewed")}
            wanted = json.loads(body)
            for key in ("changeType", "notificationUrl", "lifecycleNotificationUrl", "resource", "clientState"):
                if not wanted.get(key):
                    raise graph_error(400, "InvalidRequest")
            resource = wanted["resource"]
            if len(wanted["clientState"]) > 128 or self.refuse_subscriptions or (resource.startswith("/me/") and token["user"] is None):
                raise graph_error(400, "InvalidRequest")
            expiry = self.expiry(wanted)
        # Both addresses must answer before the 201; meanwhile this server and that one go on.
        for url in (wanted["notificationUrl"], wanted["lifecycleNotificationUrl"]):
            if not self.handshake(url):
                raise graph_error(400, "ValidationError")
        with self.lock:
            name = secrets.token_hex(16)
            self.subscriptions[name] = dict(wanted, id=name, expirationDateTime=expiry, renewed=0)
            return 201, [], {k: v for k, v in self.subscriptions[name].items() if k not in ("clientState", "renewed")}

    def expiry(self, body):
        at = parse_stamp(body["expirationDateTime"])
        if not self.now() < at <= self.now() + MAX_SUBSCRIPTION_S:
            raise graph_error(400, "InvalidRequest")
        return stamp(at, digits=False).replace("Z", ".0000000Z")

    def post_to(self, url, content_type, body, timeout):
        """(status, content type, body) of the address behind a public one; (0, "", b"") without an answer."""
        parts = urllib.parse.urlsplit(url)
        name = f"{parts.scheme}://{parts.netloc}"
        end = time.monotonic() + timeout
        while name in self.deliveries and self.deliveries[name] is None and time.monotonic() < end:
            time.sleep(0.02)  # the proxy comes up
        place = self.deliveries.get(name)
        if parts.scheme != "https" or place is None:
            return 0, "", b""
        connection = http.client.HTTPConnection(place, timeout=timeout)
        try:
            connection.request("POST", parts.path + ("?" + parts.query if parts.query else ""), body=body,
                               headers={"Content-Type": content_type, "Host": parts.netloc})
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except OSError:
            return 0, "", b""
        finally:
            connection.close()

    def handshake(self, url):
        token = "Validation: Testing client application reachability + 100% <b>" + secrets.token_urlsafe(8)
        began = time.monotonic()
        status, kind, body = self.post_to(url + "?validationToken=" + urllib.parse.quote_plus(token), "text/plain; charset=utf-8", b"", 10)
        good = status == 200 and kind.startswith("text/plain") and body == token.encode()
        self.handshakes.append({"ok": good, "status": status, "seconds": time.monotonic() - began})
        return good

    # ---- control -------------------------------------------------------------------------------------------------

    def put(self, event, mailbox="me"):
        """Adds or changes an event; `event` has _start and _end in seconds. Missing members get usual values."""
        with self.lock:
            held = self.mailboxes[mailbox].get(event["id"], {})
            whole = {"type": "singleInstance", "iCalUId": "ical-" + event["id"], "subject": event["id"], "isCancelled": False, "isAllDay": False,
                     "isOrganizer": False, "showAs": "busy", "body": {"contentType": "html", "content": "<p>Agenda</p>"}, "categories": [],
                     "responseStatus": {"response": "accepted"}, "isOnlineMeeting": False, "onlineMeeting": None,
                     "organizer": {"emailAddress": {"name": "Olga", "address": "olga@partner.example"}},
                     "attendees": [{"type": "required", "status": {"response": "accepted"}, "emailAddress": {"name": "Mira", "address": self.user["mail"]}}],
                     "location": {"displayName": ""}, "locations": []}
            self.mailboxes[mailbox][event["id"]] = {**whole, **held, **event}
            self.changes.append((mailbox, event["id"]))

    def teams(self, name):
        url = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{name}%40thread.v2/0?context=%7b%22Tid%22%3a%22t1%22%2c%22Oid%22%3a%22o1%22%7d"
        return {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness", "onlineMeeting": {"joinUrl": url}}

    def remove(self, name, mailbox="me"):
        with self.lock:
            self.mailboxes[mailbox].pop(name, None)
            self.changes.append((mailbox, name))

    def fault(self, where, status, **more):
        with self.lock:
            self.faults.append(dict(more, where=where, status=status))

    def forget_links(self):
        """Every link leads to 410 from now on."""
        with self.lock:
            self.fault("delta", 410, code="SyncStateNotFound")

    def notify(self, times=1, client_state=None, name=None):
        """Tells each subscription of a change; `name`: of that subscription id. The statuses of the answers."""
        out = []
        with self.lock:
            held = [dict(s) for s in self.subscriptions.values()]
        for s in held:
            item = {"subscriptionId": name or s["id"], "subscriptionExpirationDateTime": s["expirationDateTime"], "changeType": "updated",
                    "clientState": client_state if client_state is not None else s["clientState"], "resource": s["resource"].lstrip("/"),
                    "tenantId": "t1", "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": "e"}}
            for _ in range(times):
                out.append(self.deliver(s["notificationUrl"], item))
        return out

    def lifecycle(self, event):
        with self.lock:
            held = [dict(s) for s in self.subscriptions.values()]
            if event == "subscriptionRemoved":
                self.subscriptions.clear()
        return [self.deliver(s["lifecycleNotificationUrl"], {"subscriptionId": s["id"], "clientState": s["clientState"], "lifecycleEvent": event,
                                                             "resource": s["resource"].lstrip("/"), "tenantId": "t1"}) for s in held]

    def deliver(self, url, item):
        began = time.monotonic()
        status, _, _ = self.post_to(url, "application/json", json.dumps({"value": [item]}).encode(), 3)
        if time.monotonic() - began > 2.9:
            self.wrong("a notification was answered too slowly")
        self.delivered.append(status)
        return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = GraphServer(options.port)
    start = time.time() + 3 * 3600
    server.put({"id": "one", "subject": "Planning", "_start": start, "_end": start + 1800, **server.teams("one")})
    print(f'[microsoft]\nlogin_root = "{server.login_root}"\ngraph_root = "{server.graph_root}"\n# --client-id public-client', flush=True)
    try:
        while True:
            time.sleep(0.2)
            with server.lock:
                for held in server.device_codes.values():
                    held["state"] = "approved"
    except KeyboardInterrupt:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
