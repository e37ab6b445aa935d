#!/usr/bin/env python3
"""Runs `hansard demo --exit` and looks at what it leaves.

usage: demo_test.py HANSARD [--lo]

First meeting: word error rate of the live transcript against the .stm at most 1.3 times that of the same audio (each speaker's
track) as files, every final with the right speaker; the rate of the uncut recording is printed beside it. Second meeting: minutes with decisions and
tasks, each with its quote in the transcript. With --lo the demo runs in a network namespace with nothing but loopback.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = os.path.join(os.environ.get("HANSARD_CACHE") or os.path.join(ROOT, ".cache"), "samples", "pyannote")


def words(text):
    return re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("okay", "ok").replace("-", "")).split()


def errors(reference, said):
    """Word edits between two lists."""
    row = list(range(len(said) + 1))
    for i, r in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, s in enumerate(said, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (r != s))
    return row[-1]


def read_stm():
    out = []
    for line in open(os.path.join(SAMPLES, "sample.stm")):
        parts = line.split(None, 5)
        out.append({"speaker": parts[2], "start": float(parts[3]), "end": float(parts[4]), "text": parts[5].strip()})
    return out


def speaker_errors(utterances, stm):
    """Finals whose words fit another speaker's reference better than their own."""
    wrong = []
    by_speaker = {s: words(" ".join(x["text"] for x in stm if x["speaker"] == s)) for s in {x["speaker"] for x in stm}}
    for u in utterances:
        said = words(u["text"])
        if len(said) < 3 or u["speaker"] not in by_speaker:
            if u["speaker"] not in by_speaker:
                wrong.append(u)
            continue
        common = {s: sum(w in ref for w in said) for s, ref in by_speaker.items()}
        if max(common.values()) > common[u["speaker"]] + 1:
            wrong.append(u)
    return wrong


def demo(hansard, folder, loopback_only):
    command = [hansard, "demo", "--exit", "--dir", folder]
    if loopback_only:
        command = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=400)
    if result.returncode != 0:
        print(result.stdout[-3000:], result.stderr[-2000:], sep="\n", file=sys.stderr)
        for log in ("daemon", "room"):
            path = f"{folder}/logs/{log}.log"
            if os.path.exists(path):
                print(f"--- {log}.log (end)", *open(path, errors="replace").read().splitlines()[-30:], sep="\n", file=sys.stderr)
        raise SystemExit(f"demo test: the demo ended with {result.returncode}")
    return result.stdout


def shown(hansard, folder, *words_):
    out = subprocess.run([hansard, "meetings", *words_, "--json", "--config", f"{folder}/hansard.toml"], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def main():
    args = [a for a in sys.argv[1:] if a != "--lo"]
    if len(args) != 1:
        print("usage: demo_test.py HANSARD [--lo]", file=sys.stderr)
        return 2
    hansard = os.path.abspath(args[0])
    failures = []

    def check(ok, what):
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        if not ok:
            failures.append(what)

    # Where the demo can run, doctor must not say that a part is missing.
    doctor = subprocess.run([hansard, "doctor", "--json"], capture_output=True, text=True, timeout=60)
    missing = [f["what"] for f in json.loads(doctor.stdout) if f["state"] == "missing"]
    check(doctor.returncode == 0 and not missing, f"doctor finds nothing missing {missing or ''}".rstrip())

    with tempfile.TemporaryDirectory(prefix="hansard-demo-") as folder:
        text = demo(hansard, folder, "--lo" in sys.argv)
        meetings = {m["title"]: shown(hansard, folder, "show", m["id"]) for m in shown(hansard, folder, "list")}
        check(len(meetings) == 2 and all(m["state"] == "done" for m in meetings.values()), "both meetings are done")
        first = next(m for t, m in meetings.items() if "telephone" in t)
        second = next(m for t, m in meetings.items() if "library" in t)

        stm = read_stm()
        reference = words(" ".join(s["text"] for s in stm))
        live = words(" ".join(u["text"] for u in sorted(first["utterances"], key=lambda u: u["start_ms"])))
        def transcribed(files):
            out = subprocess.run([hansard, "transcribe", *files, "--jsonl"], capture_output=True, text=True, timeout=200)
            if out.returncode != 0:
                raise SystemExit(f"demo test: transcribe failed: {out.stderr.strip()}")
            return [s for line in out.stdout.splitlines() for s in json.loads(line)["segments"]]

        def in_order(segments):
            return words(" ".join(s["text"] for s in sorted(segments, key=lambda s: s["start"])))

        # The same audio is what the speakers sent: one file each. The recording before it was cut by speaker is easier.
        tracks = [os.path.join(folder, "voices", f"recorded-{s}.wav") for s in ("Diane", "Sheila")]
        n = len(reference)
        counts = {"live": errors(reference, live), "its tracks as files": errors(reference, in_order(transcribed(tracks))),
                  "the uncut recording as a file": errors(reference, in_order(transcribed([os.path.join(SAMPLES, "sample.wav")])))}
        print(f"      word errors of {n}: " + ", ".join(f"{what} {e} ({100 * e / n:.1f} %)" for what, e in counts.items()))
        check(counts["live"] <= 1.3 * counts["its tracks as files"], "live word error rate at most 1.3 times that of the same audio as files")
        wrong = speaker_errors(first["utterances"], stm)
        check(not wrong, f"every one of {len(first['utterances'])} finals has the right speaker")

        spoken = {u["id"]: u["text"] for u in second["utterances"]}
        items = [i for i in second["items"] if i["kind"] in ("decision", "action_item")]
        check(any(i["kind"] == "decision" for i in items) and any(i["kind"] == "action_item" for i in items), "decisions and tasks were found")
        check(all(any(i["quote"] in spoken.get(u, "") for u in i["utterance_ids"]) for i in items), "each quote stands word for word in a cited utterance")
        check("found" in text and "missed" in text and "invented" in text, "the demo says what was found, missed and invented")
        for m in meetings.values():
            check(sorted(os.path.splitext(f)[1] for f in m["files"]) == [".json", ".md", ".srt", ".vtt"] and all(os.path.getsize(f) > 0 for f in m["files"]), f"minutes of '{m['title']}' are written")
        check(text.index("the page is at http://127.0.0.1:") < text.index("\n"), "the address of the page is the first line")
        check(not os.path.exists(f"{folder}/data/audio") or not os.listdir(f"{folder}/data/audio"), "no audio is left behind")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
