#!/usr/bin/env python3
"""The page in a browser, on a real daemon in a live meeting over WebRTC.

usage: page_test.py HANSARD

A person attends a meeting from the page and reads along: who says what while it is said, what was decided, what was heard. The
daemon is asked to finish, killed, started again and sees the meeting to its end; the page tells each of that by itself and has every
line once. Needs Chromium (ends with 77 without it), the modules, the models and flite.
"""
import os
import signal
import sys
import tempfile
import time

from browser import Browser, chromium
from calendar_daemon import Checks, wait_for
from live_meeting import LIMIT_S, LiveMeeting, Viewer, speak

SPEECH_S = 60
LATEST_S = 6.0  # after which the page tells what the daemon's status says

LINES = """[...document.querySelectorAll("#utterances > li")].map(n => [n.id.replace("utterance-", ""), n.querySelector("div > span:last-child").textContent])"""
NAMES = """[...new Set([...document.querySelectorAll("#utterances .speaker")].map(n => n.textContent))]"""
FORM = """(url => { const i = document.getElementById("join-url"); i.value = url; i.form.requestSubmit(); })"""

check = Checks()


class Reader(LiveMeeting):
    def configure(self):
        super().configure()
        with open(self.config, "a", encoding="utf-8") as f:
            f.write('[daemon]\ndrain_limit = "5min"\n')

    def address(self):
        return f"http://127.0.0.1:{self.port}/"

    def lines(self):
        """What the page shows and what the daemon has: {utterance: text}, each in order."""
        stored = self.api.get(f"/api/meetings/{self.id}")["utterances"]
        return self.page.run(LINES), [[u["id"], u["text"]] for u in stored]

    def shows_all(self, limit=5):
        """Until the page has what the daemon has; words may come in between."""
        wait_for("the page to show what the daemon has", lambda: len(set(map(tuple, (both := self.lines())[0]))) > 0 and both[0] == both[1], limit)
        return self.lines()[0]


def without_token(reader, browser):
    page = browser.open(reader.address())
    page.wait_text("connection", "no access", 10)
    notice = page.text("notice")
    check("needs its token" in notice and not page.texts("#meetings li"), f"without its token the page shows nothing and says why: {notice}")
    check(not page.faults(), f"without an error {page.faults() or ''}".rstrip())


def attend(reader, browser):
    reader.page = page = browser.open(f"{reader.address()}#token={reader.api.token}")
    page.wait_text("connection", "live", 10)
    check("token" not in page.run("location.href"), "the token is not left in the address")
    check("No meetings yet" in page.text("no-meetings"), "an empty list says so")
    page.wait_text("recognizer", lambda t: t.startswith("speech: "), 15)
    page.run(f"{FORM}({reader.url!r})")
    meeting = wait_for("the meeting", lambda: (reader.status() or {"meetings": []})["meetings"], 10)[0]
    reader.id = meeting["id"]
    began = time.monotonic()
    page.wait_text("state", "recording", 20)
    check(page.run("document.getElementById('state').dataset.kind") == "live" and len(page.texts("#meetings li")) == 1, f"attended from the page: recording after {time.monotonic() - began:.1f} s")
    check(page.text("stop") == "Leave" and page.text("pause") == "Pause", "it can be left and paused there")


def read_along(reader, viewer):
    page = reader.page
    partials = set()

    def more():
        partials.update(page.texts("#partials li div > span:last-child"))
        return viewer.finals(reader.id) >= 3 and len(partials) >= 2 and len(page.run(NAMES)) == 2

    wait_for("partial results, three finals and both speakers", more, 40)
    lines = reader.shows_all()
    check(len(lines) >= 3, f"{len(lines)} finals stand on the page as the daemon has them, and words before they were final: {sorted(partials)[0]!r}")
    check(sorted(page.run(NAMES)) == ["Anna", "Tom"], "with the names of both speakers")
    check(len(page.texts("#coverage li svg")) >= 1, "and what was heard of them")


def drain_and_die(reader, viewer):
    page = reader.page
    check(page.text("stopping") is None, "nothing is said of an end before there is one")
    code, _ = reader.run("stop", "--finish")
    asked = time.monotonic()
    said = page.wait_text("stopping", lambda t: t.startswith("draining, 1 meeting left, until "), LATEST_S)
    check(code == 0, f"`hansard stop --finish`: the page says so after {time.monotonic() - asked:.1f} s: {said}")
    before = viewer.finals(reader.id)
    wait_for("a final while it drains", lambda: viewer.finals(reader.id) > before, 30)
    reader.shows_all()
    check(page.text("state") == "recording", "and goes on")
    notice = page.run(f"{FORM}({reader.url + '-other'!r})") or page.wait_text("notice", lambda t: "joins nothing new" in t, 5)
    check(True, f"a join meanwhile is answered: {notice}")
    reader.daemon.send_signal(signal.SIGKILL)
    reader.daemon.wait()
    page.wait_text("connection", "connection lost, trying again", 5)
    check(page.text("stopping") is None and not page.texts("#partials li"), "when the daemon is gone the page says that, and nothing of what is over")


def come_back(reader, viewer):
    page = reader.page
    kept = page.run(LINES)
    reader.serve()
    began = time.monotonic()
    page.wait_text("connection", "live", LIMIT_S)
    check(page.run(LINES)[:len(kept)] == kept, f"it is live again by itself {time.monotonic() - began:.1f} s after the daemon's start, with all that was there")
    page.wait_text("state", "recording", LIMIT_S)
    before = viewer.finals(reader.id)
    wait_for("a final of the next daemon", lambda: viewer.finals(reader.id) > before, 30)
    lines = reader.shows_all()
    check(len(lines) > len(kept) and len({i for i, _ in lines}) == len(lines), f"{len(lines) - len(kept)} more finals, each once")
    check(page.text("stopping") is None and page.text("notice") is None, "nothing of the end that was not is left")
    wait_for("the gap in the coverage", lambda: any("lost" in t for t in page.texts("#coverage li .lost")), 10)
    check(True, f"what nobody heard is told: {page.texts('#coverage li .lost')}")


def end(reader):
    page = reader.page
    reader.ask_room("DELETE")
    page.wait_text("state", "done", 40)
    reader.shows_all()
    check(page.text("stop") is None and page.text("pause") is None and not page.texts("#partials li"), "the meeting has ended on the page too")
    files = wait_for("the minutes", lambda: page.texts("#files li"), 10)
    check(any(f.endswith(".md") for f in files), f"with its minutes, {len(files)} files")
    stored = reader.api.get(f"/api/meetings/{reader.id}")
    tasks = [i["text"] for i in stored["items"] if i["kind"] == "action_item"]
    wait_for("its action items", lambda: page.texts("#tasks li .text") == tasks or (not tasks and page.texts("#tasks li.none")), 5)
    check(True, f"and its {len(tasks)} action items: {tasks}")
    # What was loaded and what came live must lead to the same page.
    live = page.run(LINES), page.texts("#tasks li .text"), page.texts("#decisions li .text"), page.texts("#summary li")
    page.browser.call("Page.reload", page.session)
    page.wait_text("state", "done", 10)
    reader.shows_all()
    again = page.run(LINES), page.texts("#tasks li .text"), page.texts("#decisions li .text"), page.texts("#summary li")
    check(live == again, "loaded again it is the same page")
    check(not page.faults(), f"no error in all that time {page.faults() or ''}".rstrip())


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    if chromium() is None:
        print("skipped: Chromium is missing; scripts/setup test installs it")
        return 77
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hansard-page-", ignore_cleanup_errors=True) as folder:
        reader = Reader(os.path.abspath(sys.argv[1]), folder)
        browser = None
        with reader.guarded(check, logs=("daemon", "chromium")):
            try:
                speak(folder, SPEECH_S)
                reader.start_room()
                reader.configure()
                reader.serve()
                browser = Browser(folder)
                wait_for("the daemon's answer", reader.status, 20)
                without_token(reader, browser)
                reader.start_speakers()
                viewer = Viewer(reader.api)
                attend(reader, browser)
                read_along(reader, viewer)
                drain_and_die(reader, viewer)
                come_back(reader, viewer)
                end(reader)
            finally:
                if browser:
                    browser.close()
    print(f"{time.monotonic() - began:.0f} s")
    return check.finish()


if __name__ == "__main__":
    sys.exit(main())
