#!/usr/bin/env python3
"""`hansard transcribe` with several files, one of which takes the decoder down.

usage: transcribe_test.py HANSARD

All files of a command are decoded by one child. What is missing, is no audio or is empty costs itself alone; so does a file on
which the decoder dies, which a test plays with a pipe that nobody writes to and a SIGKILL.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import wave

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("HANSARD_CACHE") or os.path.join(ROOT, ".cache")
SPEECH = os.path.join(CACHE, "samples", "pyannote", "sample.wav")


def children(pid, word):
    """Children of `pid` with `word` among their arguments."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as stat, open(f"/proc/{entry}/cmdline", "rb") as line:
                if int(stat.read().rsplit(") ", 1)[1].split()[1]) == pid and word.encode() in line.read().split(b"\0"):
                    found.append(int(entry))
        except (OSError, ValueError, IndexError):
            pass
    return found


def until(probe, limit, what):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not in {limit} s: {what}")


def main():
    if len(sys.argv) != 2:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    hansard = os.path.abspath(sys.argv[1])
    if not os.path.exists(SPEECH) or not os.path.isdir(os.path.join(CACHE, "models")):
        print("skipped: the recorded conversation or the models are missing; fetch them with: scripts/fetch")
        return 77
    failures = []

    def check(ok, what):
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        if not ok:
            failures.append(what)

    with tempfile.TemporaryDirectory(prefix="hansard-transcribe-") as folder:
        def path(name):
            return os.path.join(folder, name)

        with wave.open(SPEECH) as source:
            parameters, audio = source.getparams(), source.readframes(source.getnframes())
        second = parameters.framerate * parameters.sampwidth
        for name, begin, end in (("-one.wav", 6, 15), ("two.wav", 14, 22), ("three.wav", 21, 30)):
            with wave.open(path(name), "wb") as w:
                w.setparams(parameters)
                w.writeframes(audio[begin * second:end * second])
        with open(path("text.wav"), "w", encoding="utf-8") as f:
            f.write("no audio at all")
        open(path("empty.wav"), "w", encoding="utf-8").close()
        os.mkfifo(path("stuck.wav"))
        alone = [json.loads(subprocess.run([hansard, "transcribe", "--jsonl", path(n)], capture_output=True, text=True, check=True, timeout=60).stdout)
                 for n in ("-one.wav", "two.wav", "three.wav")]

        names = ["-one.wav", "gone.wav", "text.wav", "two.wav", "stuck.wav", "empty.wav", "three.wav"]
        process = subprocess.Popen([hansard, "transcribe", "--jsonl", "--", *names], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            first = [process.stdout.readline() for _ in range(2)]
            decoders = until(lambda: children(process.pid, "decode"), 20, "a decoder")
            check(len(decoders) == 1, "one decoder works on all files")
            os.kill(decoders[0], signal.SIGKILL)
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        heard = [json.loads(line) for line in first + out.splitlines()]
        check([t["file"] for t in heard] == ["-one.wav", "two.wav", "three.wav"], "each file with speech has its line: " + ", ".join(t["file"] for t in heard))
        check(all(t["segments"] == a["segments"] and t["text"] for t, a in zip(heard, alone)), "with the text that it has alone")
        told = {n: [line for line in errors.splitlines() if n in line] for n in names}
        check(process.returncode == 1 and all(len(told[n]) == 1 for n in ("gone.wav", "text.wav", "stuck.wav", "empty.wav")) and not told["two.wav"],
              "and each other file one line that says what is wrong with it: " + " | ".join(errors.splitlines()))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
