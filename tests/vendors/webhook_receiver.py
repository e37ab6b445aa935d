#!/usr/bin/env python3
"""The receiver of a signed webhook on loopback, as hansard's tests need it.

It checks what a receiver checks by Standard Webhooks 1.0.0 (signature, age of the timestamp, id), keeps a task once however
often it comes, and misbehaves on demand. What no correct sender does is kept in `violations`. Python standard library only.

As a program: webhook_receiver.py [--port PORT] --secret whsec_... prints each delivery. POST /control sets members
({"faults": [...]}).
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

TOLERANCE_S = 300
MAX_BODY = 1 << 20


def signature(secret, message_id, timestamp, body):
    """By Standard Webhooks 1.0.0, symmetric: HMAC-SHA-256 over "{id}.{timestamp}.{body}"."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


class WebhookReceiver:
    """All state is behind `lock`.

    `faults`: each is used once, by the first request that it fits ({"id": ...} fits one task, without it any):
      {"status": 500, "retry_after": 7}  answers so and takes nothing
      {"hold": True}                     takes nothing and does not answer until release(), then breaks off
      {"lose": True}                     takes the task and breaks off without an answer
    """

    def __init__(self, secret, port=0, address="127.0.0.1"):
        self.lock = threading.RLock()
        self.secret = secret
        self.address, self.port = address, port
        self.faults = []
        self.attempts = []    # {"id", "at" (monotonic), "timestamp", "body", "outcome"}, in the order of arrival
        self.tasks = {}       # id -> data of the body, in the order in which they were taken
        self.violations = []
        self.let_go = threading.Event()
        self.server = None
        self.start()

    def start(self):
        """Listens, after stop() on the same port again."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                if length > MAX_BODY:
                    return self.answer(413, {})
                body = self.rfile.read(length)
                if self.path == "/control":
                    with receiver.lock:
                        for name, value in json.loads(body).items():
                            setattr(receiver, name, value)
                    return self.answer(200, {})
                if self.path != "/hook":
                    return self.answer(404, {})
                status, headers = receiver.take(self.headers, body)
                if status is None:  # no answer at all
                    self.close_connection = True
                    return None
                return self.answer(status, headers)

            def answer(self, status, headers):
                try:
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": "0"}.items():
                        self.send_header(name, value)
                    self.end_headers()
                except OSError:
                    pass  # the sender is gone

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server((self.address, self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        """Connections are refused from now on."""
        self.server.shutdown()
        self.server.server_close()

    def release(self):
        """Lets go what is held."""
        self.let_go.set()
        self.let_go = threading.Event()

    @property
    def url(self):
        return f"http://{self.address}:{self.port}/hook"

    def attempts_of(self, message_id):
        with self.lock:
            return [a for a in self.attempts if a["id"] == message_id]

    def take(self, headers, body):
        """(status or None, headers) of one delivery."""
        with self.lock:
            attempt = {"id": headers.get("webhook-id", ""), "at": time.monotonic(), "timestamp": headers.get("webhook-timestamp", ""),
                       "body": body, "outcome": "401"}
            self.attempts.append(attempt)
            if not self.verifies(attempt, headers):
                return 401, {}
            problem = self.problem_of(attempt, headers)
            if problem:
                self.violations.append(problem)
                attempt["outcome"] = "400"
                return 400, {}
            fault = next((f for f in self.faults if f.get("id") in (None, attempt["id"])), None)
            if fault is not None:
                self.faults.remove(fault)
            held = self.let_go
            if fault is None or fault.get("lose"):
                attempt["outcome"] = "repeat" if attempt["id"] in self.tasks else "taken"
                self.tasks.setdefault(attempt["id"], json.loads(body)["data"])
                return (200, {}) if fault is None else (None, {})
            if not fault.get("hold"):
                attempt["outcome"] = str(fault["status"])
                return fault["status"], ({"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {})
            attempt["outcome"] = "held"
        held.wait()
        return None, {}

    def verifies(self, attempt, headers):
        try:
            timestamp = int(attempt["timestamp"])
        except ValueError:
            return False
        expected = signature(self.secret, attempt["id"], timestamp, attempt["body"])
        given = headers.get("webhook-signature", "").split(" ")
        return abs(time.time() - timestamp) <= TOLERANCE_S and any(hmac.compare_digest(expected, s) for s in given)

    def problem_of(self, attempt, headers):
        """What the sender does wrong, or nothing."""
        if not attempt["id"] or "." in attempt["id"]:
            return "an id that is empty or has a dot"
        if headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            return "not JSON by its content type"
        try:
            body = json.loads(attempt["body"])
        except ValueError:
            return "not JSON"
        if not isinstance(body, dict) or not {"type", "timestamp", "data"} <= set(body) or body["data"].get("id") != attempt["id"]:
            return "a payload without type, timestamp or data of that id"
        earlier = next((a for a in self.attempts if a["id"] == attempt["id"] and a is not attempt and a["outcome"] != "401"), None)
        if earlier is not None and earlier["body"] != attempt["body"]:
            return "another body under an id that has come before"
        return None


def main():
    parser = argparse.ArgumentParser(description="A receiver of signed webhooks on loopback")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", required=True)
    args = parser.parse_args()
    receiver = WebhookReceiver(args.secret, args.port)
    print(receiver.url, flush=True)
    shown = 0
    while True:
        with receiver.lock:
            fresh = receiver.attempts[shown:]
        for a in fresh:
            print(a["id"], a["outcome"], a["body"].decode(errors="replace"), flush=True)
        shown += len(fresh)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
