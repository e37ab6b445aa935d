#!/usr/bin/env python3
"""Google's sign-in service and Calendar API v3 on loopback, as hansard's tests need them.

It checks what Google checks (redirects, PKCE, signed assertions, parameters that stay the same while paging, what may not go
with a sync token) and misbehaves on demand. Facts: the discovery document of Calendar API v3 and Google's guides on
synchronisation, push notifications, errors and OAuth 2.0; RFC 6749, 7009, 7515, 7523, 7636. Python standard library only.

As a program: google_server.py [--port PORT] serves an empty calendar. POST /control sets members ({"faults": [...]}) or puts
events ({"put": [...], "remove": [...]}).
"""
import argparse
import base64
import hashlib
import http.client
import http.server
import json
import secrets
import threading
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

EVENTS_SCOPE = "https://www.googleapis.com/auth/calendar.events.readonly"
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo of RFC 8017, 9.2
NOT_WITH_SYNC_TOKEN = {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rs256_holds(signed, signature, modulus, exponent):
    """RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): the whole padded block is compared."""
    size = (modulus.bit_length() + 7) // 8
    digest = SHA256_PREFIX + hashlib.sha256(signed).digest()
    block = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return len(signature) == size and pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == block


class Refused(Exception):
    def __init__(self, status, body, headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, dict(headers)


def api_error(status, reason, headers=()):
    error = {"errors": [{"domain": "calendar", "reason": reason, "message": reason}], "code": status, "message": reason}
    return Refused(status, {"error": error}, headers)


def oauth_error(status, code, description=""):
    return Refused(status, {"error": code, "error_description": description})


def seconds_of(time_value):
    if "date" in time_value:
        return datetime.fromisoformat(time_value["date"]).replace(tzinfo=timezone.utc).timestamp()
    return datetime.fromisoformat(time_value["dateTime"].replace("Z", "+00:00")).timestamp()


class GoogleServer:
    """All state is behind `lock`."""

    def __init__(self, port=0):
        self.lock = threading.RLock()
        self.clients = {"client.apps.googleusercontent.com": "client-secret"}
        self.service_accounts = {}  # mail -> (modulus, exponent, delegated subjects)
        self.codes, self.access, self.refresh = {}, {}, {}
        self.deny_once, self.token_life, self.skew = False, 3599, 0.0
        self.account, self.calendar, self.scope_cut = "mira@example.org", "mira@example.org", ""
        self.events, self.changes = {}, []  # id -> event; ids in the order of their changes
        self.sync_tokens, self.page_tokens = {}, {}
        self.page_limit, self.empty_pages = 250, 0
        self.faults = []  # {"where": "list"|"watch"|"token", "status", "reason", "retry_after"}, each used once
        self.channels, self.delivered = {}, []
        self.deliveries = {}  # public origin -> "host:port" where it ends up (None: soon): the part of a TLS proxy
        self.duplicate_pushes, self.channel_life = 1, 604800.0
        self.requests, self.violations = [], []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                try:
                    with server.lock:
                        status, out, headers = server.route(self.command, self.path, self.headers, body)
                except Refused as refused:
                    status, out, headers = refused.status, refused.body, refused.headers
                raw = b"" if out is None else json.dumps(out).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if raw:
                    self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def now(self):
        return time.time() + self.skew

    def config(self):
        return (f'[google]\napi_root = "{self.origin}/calendar/v3/"\nauthorization_url = "{self.origin}/o/oauth2/v2/auth"\n'
                f'token_url = "{self.origin}/token"\nrevocation_url = "{self.origin}/revoke"\n')

    # ---- control

    def put(self, event):
        with self.lock:
            full = {"kind": "calendar#event", "status": "confirmed", "iCalUID": event["id"] + "@google.com", "eventType": "default", **event}
            self.events[full["id"]] = full
            self.changes.append(full["id"])
        self.notify()

    def remove(self, event_id):
        with self.lock:
            self.events[event_id] = {"kind": "calendar#event", "id": event_id, "status": "cancelled"}
            self.changes.append(event_id)
        self.notify()

    def fault(self, where, status, reason, retry_after=None, count=1):
        with self.lock:
            self.faults += [{"where": where, "status": status, "reason": reason, "retry_after": retry_after}] * count

    def kill_sync_tokens(self):
        with self.lock:
            self.sync_tokens.clear()

    def kill_access_tokens(self):
        with self.lock:
            self.access.clear()

    def revoke_all(self):
        with self.lock:
            self.access.clear()
            self.refresh.clear()

    def notify(self, state="exists"):
        with self.lock:
            live = [c for c in self.channels.values() if c["expires"] > self.now()]
        for channel in live:
            for _ in range(self.duplicate_pushes):
                self.deliver(channel, state)

    def deliver(self, channel, state):
        parts = urllib.parse.urlsplit(channel["address"])
        public = f"{parts.scheme}://{parts.netloc}"
        end = time.monotonic() + 10
        while self.deliveries.get(public, "") is None and time.monotonic() < end:  # where it ends up will be known soon
            time.sleep(0.02)
        target = self.deliveries.get(public)
        if not target:
            return
        channel["number"] += 1
        headers = {"Host": parts.netloc, "X-Goog-Channel-ID": channel["id"], "X-Goog-Message-Number": str(channel["number"]),
                   "X-Goog-Resource-ID": channel["resourceId"], "X-Goog-Resource-State": state,
                   "X-Goog-Resource-URI": self.origin, "X-Goog-Channel-Token": channel["token"], "Content-Length": "0"}
        connection = http.client.HTTPConnection(target, timeout=5)
        try:
            connection.request("POST", parts.path, headers=headers)
            self.delivered.append((state, connection.getresponse().status))
        except OSError as error:
            self.delivered.append((state, str(error)))
        finally:
            connection.close()

    # ---- requests

    def use_fault(self, where):
        for i, fault in enumerate(self.faults):
            if fault["where"] == where:
                del self.faults[i]
                headers = {} if fault["retry_after"] is None else {"Retry-After": str(fault["retry_after"])}
                raise api_error(fault["status"], fault["reason"], headers)

    def route(self, method, path, headers, body):
        parts = urllib.parse.urlsplit(path)
        query = urllib.parse.parse_qs(parts.query)
        form = {k: v[0] for k, v in urllib.parse.parse_qs(body).items()} if "form" in headers.get("Content-Type", "") else {}
        self.requests.append((method, path))
        if parts.path == "/o/oauth2/v2/auth" and method == "GET":
            return self.authorize({k: v[0] for k, v in query.items()})
        if parts.path == "/token" and method == "POST":
            self.use_fault("token")
            return self.token(form)
        if parts.path == "/revoke" and method == "POST":
            return self.revoke(form.get("token", ""))
        if parts.path == "/control" and method == "POST":
            return self.control(json.loads(body))
        if parts.path.startswith("/calendar/v3/"):
            return self.api(method, [urllib.parse.unquote(p) for p in parts.path[len("/calendar/v3/"):].split("/")], query, headers, body)
        raise Refused(404, None)

    def control(self, wish):
        for event in wish.pop("put", []):
            self.put(event)
        for event_id in wish.pop("remove", []):
            self.remove(event_id)
        for name, value in wish.items():
            setattr(self, name, value)
        return 200, {}, {}

    def authorize(self, q):
        redirect = urllib.parse.urlsplit(q.get("redirect_uri", ""))
        if q.get("client_id") not in self.clients or redirect.scheme != "http" or redirect.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise Refused(400, {"error": "redirect_uri_mismatch"})
        wrong = [n for n, v in (("response_type", "code"), ("code_challenge_method", "S256"), ("access_type", "offline")) if q.get(n) != v]
        if wrong or EVENTS_SCOPE not in q.get("scope", "").split() or len(q.get("code_challenge", "")) != 43 or not q.get("state"):
            raise Refused(400, {"error": "invalid_request", "wrong": wrong})
        answer = {"state": q["state"]}
        if self.deny_once:
            self.deny_once = False
            answer["error"] = "access_denied"
        else:
            code = answer["code"] = "4/" + secrets.token_urlsafe(16)
            self.codes[code] = q
        return 302, None, {"Location": q["redirect_uri"] + "?" + urllib.parse.urlencode(answer)}

    def token(self, form):
        kind = form.get("grant_type")
        if kind == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self.issue(self.assertion(form.get("assertion", "")), None, form)
        if self.clients.get(form.get("client_id")) != form.get("client_secret"):
            raise oauth_error(401, "invalid_client", "Unauthorized")
        if kind == "refresh_token":
            if form.get("refresh_token") not in self.refresh:
                raise oauth_error(400, "invalid_grant", "Token has been expired or revoked.")
            return self.issue(self.refresh[form["refresh_token"]], None, form)
        if kind != "authorization_code":
            raise oauth_error(400, "unsupported_grant_type")
        asked = self.codes.pop(form.get("code"), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri") or asked["client_id"] != form.get("client_id"):
            raise oauth_error(400, "invalid_grant", "Malformed auth code.")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or not 43 <= len(form.get("code_verifier", "")) <= 128:
            raise oauth_error(400, "invalid_grant", "Invalid code verifier.")
        scope = " ".join(s for s in asked["scope"].split() if s != self.scope_cut)
        refresh = "1//" + secrets.token_urlsafe(16)
        self.refresh[refresh] = scope
        return self.issue(scope, refresh, form)

    def assertion(self, jwt):
        try:
            head, claims, signature = jwt.split(".")
            values, account = json.loads(unpad(claims)), json.loads(unpad(claims))["iss"]
            modulus, exponent, subjects = self.service_accounts[account]
            alg = json.loads(unpad(head))["alg"]
            good = rs256_holds(f"{head}.{claims}".encode(), unpad(signature), modulus, exponent)
        except (ValueError, KeyError):
            raise oauth_error(400, "invalid_grant", "Invalid JWT.") from None
        if alg != "RS256" or not good:
            raise oauth_error(400, "invalid_grant", "Invalid JWT Signature.")
        if values["aud"] != self.origin + "/token" or not values["iat"] <= self.now() < values["exp"] <= values["iat"] + 3600:
            raise oauth_error(400, "invalid_grant", "Invalid JWT: iat, exp or aud.")
        if values.get("sub") not in subjects:
            raise oauth_error(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.")
        return values["scope"]

    def issue(self, scope, refresh, form):
        token = "ya29." + secrets.token_urlsafe(16)
        self.access[token] = (self.now() + self.token_life, scope, form.get("refresh_token") or refresh)
        out = {"access_token": token, "expires_in": int(self.token_life), "token_type": "Bearer", "scope": scope}
        return 200, {**out, "refresh_token": refresh} if refresh else out, {}

    def revoke(self, token):
        grant = self.access[token][2] if token in self.access else token if token in self.refresh else None
        if grant is None:
            raise oauth_error(400, "invalid_token")
        self.refresh.pop(grant, None)
        self.access = {t: a for t, a in self.access.items() if a[2] != grant}
        return 200, {}, {}

    def api(self, method, path, query, headers, body):
        token = headers.get("Authorization", "")[len("Bearer "):]
        expires, scope, _ = self.access.get(token, (0, "", None))
        if expires <= self.now():
            raise api_error(401, "authError")
        if path == ["channels", "stop"] and method == "POST":
            wish = json.loads(body)
            channel = self.channels.get(wish["id"])
            if channel is None or channel["resourceId"] != wish["resourceId"]:
                raise api_error(404, "notFound")
            del self.channels[wish["id"]]
            return 204, None, {}
        if path[:3] == ["users", "me", "calendarList"] and len(path) == 4:
            if "calendarlist" not in scope:
                raise api_error(403, "insufficientPermissions")
            return 200, {"kind": "calendar#calendarListEntry", "id": self.account, "summary": "Mira"}, {}
        if path[0] != "calendars" or path[1] not in ("primary", self.calendar) or path[2] != "events":
            raise api_error(404, "notFound")
        if EVENTS_SCOPE not in scope.split():
            raise api_error(403, "insufficientPermissions")
        if path[3:] == ["watch"] and method == "POST":
            self.use_fault("watch")
            return self.watch(json.loads(body))
        if path[3:] == [] and method == "GET":
            self.use_fault("list")
            return self.list_events(query)
        raise api_error(404, "notFound")

    def watch(self, wish):
        if not wish["address"].startswith("https://"):
            raise api_error(400, "webhookUrlNotHttps")
        if wish["type"] != "web_hook" or not wish.get("token") or str(uuid.UUID(wish["id"])) != wish["id"]:
            raise api_error(400, "invalid")
        if wish["id"] in self.channels:
            raise api_error(400, "channelIdNotUnique")
        expires = self.now() + self.channel_life
        channel = {"id": wish["id"], "token": wish["token"], "address": wish["address"], "resourceId": "res", "expires": expires, "number": 0}
        self.channels[wish["id"]] = channel
        # The first message is on its way before the answer.
        threading.Thread(target=self.deliver, args=(channel, "sync"), daemon=True).start()
        return 200, {"kind": "api#channel", "id": wish["id"], "resourceId": "res", "token": wish["token"], "expiration": str(int(expires * 1000))}, {}

    def list_events(self, query):
        base = {k: v for k, v in query.items() if k != "pageToken"}
        sync, page = query.get("syncToken", [None])[0], query.get("pageToken", [None])[0]
        if sync and NOT_WITH_SYNC_TOKEN & set(query):
            self.violations.append("parameters that do not go with a sync token")
            raise api_error(400, "invalid")
        if query.get("orderBy") and query.get("singleEvents") != ["true"]:
            raise api_error(400, "invalid")
        if page:
            state = self.page_tokens.get(page)
            if state is None or state["base"] != base:
                self.violations.append("changed parameters while paging")
                raise api_error(400, "invalid")
        elif sync:
            known = self.sync_tokens.get(sync)
            if known is None:
                raise api_error(410, "fullSyncRequired")
            if known["fixed"] != {k: v for k, v in base.items() if k not in NOT_WITH_SYNC_TOKEN and k != "syncToken"}:
                self.violations.append("other parameters than with the first list")
                raise api_error(400, "invalid")
            state = {"base": base, "ids": list(dict.fromkeys(self.changes[known["at"]:])), "upto": len(self.changes), "at": 0, "empty": self.empty_pages}
        else:
            floor = seconds_of({"dateTime": query["timeMin"][0]}) if "timeMin" in query else 0
            ids = [i for i, e in self.events.items()
                   if (e["status"] != "cancelled" or "recurringEventId" in e) and ("end" not in e or "recurrence" in e or seconds_of(e["end"]) > floor)]
            state = {"base": base, "ids": ids, "upto": len(self.changes), "at": 0, "empty": self.empty_pages}
        return 200, self.page_of(state, query), {}

    def page_of(self, state, query):
        if "eventTypes" in query:
            state = {**state, "ids": [i for i in state["ids"] if self.events[i].get("eventType", "default") in query["eventTypes"]]}
        size = 0 if state["empty"] > 0 else min(self.page_limit, int(query.get("maxResults", ["250"])[0]))
        ids = state["ids"][state["at"]:state["at"] + size]
        after = {**state, "at": state["at"] + size, "empty": state["empty"] - 1}
        out = {"kind": "calendar#events", "timeZone": "Europe/Berlin", "accessRole": "owner", "items": [self.events[i] for i in ids]}
        token = secrets.token_urlsafe(12)
        if after["at"] < len(state["ids"]) or size == 0:
            self.page_tokens[token] = after
            return {**out, "nextPageToken": token}
        fixed = {k: v for k, v in state["base"].items() if k not in NOT_WITH_SYNC_TOKEN and k != "syncToken"}
        self.sync_tokens[token] = {"at": state["upto"], "fixed": fixed}
        return {**out, "nextSyncToken": token}


def main():
    parser = argparse.ArgumentParser(description="Google Calendar on loopback")
    parser.add_argument("--port", type=int, default=0)
    server = GoogleServer(parser.parse_args().port)
    print(server.config(), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
