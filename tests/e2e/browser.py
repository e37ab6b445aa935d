"""A page in Chromium without a window, asked over the DevTools protocol through a pair of pipes (--remote-debugging-pipe: JSON
messages that end with a zero byte), so that no port is open and nothing but the standard library is needed."""
import fcntl
import json
import os
import queue
import shutil
import subprocess
import threading

from calendar_daemon import Failure, wait_for

ANSWER_S = 20


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    def __init__(self, folder):
        self.log = f"{folder}/chromium.log"
        command = [chromium(), "--headless=new", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                   f"--user-data-dir={folder}/profile", "--remote-debugging-pipe", "--lang=en-GB", "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # it refuses to run otherwise
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder, XDG_CACHE_HOME=folder, TZ="UTC")
        theirs_in, self.to = os.pipe()
        self.answers, theirs_out = os.pipe()
        theirs_in, theirs_out = self.above(theirs_in), self.above(theirs_out)
        # Chromium wants them as 3 and 4.
        given = ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "chromium", *command]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(given, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True, pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self.number = 0
        self.waiting = {}
        self.events = []  # (session, method, parameters)
        threading.Thread(target=self.read, daemon=True).start()

    @staticmethod
    def above(fd):
        out = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(fd)
        return out

    def read(self):
        pending = b""
        while True:
            try:
                piece = os.read(self.answers, 1 << 16)
            except OSError:
                return
            if not piece:
                return
            pending += piece
            while b"\0" in pending:
                raw, pending = pending.split(b"\0", 1)
                message = json.loads(raw)
                if "id" in message:
                    self.waiting.pop(message["id"]).put(message)
                else:
                    self.events.append((message.get("sessionId"), message["method"], message["params"]))

    def call(self, method, session=None, **parameters):
        self.number += 1
        answer = self.waiting[self.number] = queue.Queue()
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        try:
            message = answer.get(timeout=ANSWER_S)
        except queue.Empty:
            raise Failure(f"the browser does not answer {method}") from None
        if "error" in message:
            raise Failure(f"the browser refuses {method}: {message['error']}")
        return message["result"]

    def open(self, url):
        return Page(self, url)

    def close(self):
        try:
            self.call("Browser.close")
        except (Failure, OSError):
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, 9)  # and what it started
        except ProcessLookupError:
            pass
        self.process.wait()


class Page:
    """One page, in a tab of its own."""

    def __init__(self, browser, url):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            browser.call(f"{domain}.enable", self.session)
        browser.call("Page.navigate", self.session, url=url)

    def run(self, script):
        """The value of an expression, evaluated in the page; promises are awaited."""
        result = self.browser.call("Runtime.evaluate", self.session, expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"in the page: {result['exceptionDetails'].get('exception', {}).get('description', result['exceptionDetails']['text'])}")
        return result["result"].get("value")

    def text(self, name):
        """What a person reads at the element of this id; None while it is hidden."""
        return self.run(f"(() => {{ const n = document.getElementById({json.dumps(name)}); return n && n.checkVisibility() ? n.textContent : null; }})()")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(n => n.textContent)")

    def wait_text(self, name, what, limit):
        """Until the element says it (all of it, or a part for which `what` is a function)."""
        said = what if callable(what) else lambda text: text == what
        last = []

        def probe():
            last[:] = [self.text(name)]
            return last[0] is not None and said(last[0]) and [last[0]]

        try:
            return wait_for(f"{name} to say {what!r}", probe, limit)[0]
        except Failure as failure:
            raise Failure(f"{failure}; it says {last[0]!r}") from None

    def faults(self):
        """Exceptions and errors that the page has logged; requests that reach nobody are not its fault."""
        out = []
        for session, method, p in self.browser.events:
            if session != self.session:
                continue
            if method == "Runtime.exceptionThrown":
                out.append(p["exceptionDetails"].get("exception", {}).get("description", p["exceptionDetails"]["text"]))
            elif method == "Runtime.consoleAPICalled" and p["type"] == "error":
                out.append(str([a.get("value") for a in p["args"]]))
            elif method == "Log.entryAdded" and p["entry"]["level"] == "error" and p["entry"]["source"] != "network":
                out.append(p["entry"]["text"])
        return out
