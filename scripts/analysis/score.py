"""Runs `PROGRAM analyze` over a file of meetings and prints its scores. Usage: score.py SCORER MEETINGS.jsonl PROGRAM"""
import importlib.util
import json
import random
import resource
import subprocess
import sys

SAMPLES = 2000


def counts(gold, prediction, kind):
    """(hits, predicted, gold) utterances of one meeting."""
    known = {u["id"] for u in gold["utterances"]}
    p = {u for item in prediction.get(kind) or [] for u in item["utterance_ids"] if u in known}
    g = {u for item in gold.get(kind) or [] for u in item["utterance_ids"] if u in known}
    return len(p & g), len(p), len(g)


def f1(rows):
    hits, predicted, gold = (sum(r[i] for r in rows) for i in range(3))
    return 2 * hits / (predicted + gold) if predicted + gold else 0.0


def interval(rows):
    """95 % percentile bootstrap over meetings."""
    rng = random.Random(1)
    values = sorted(f1([rng.choice(rows) for _ in rows]) for _ in range(SAMPLES))
    return values[int(SAMPLES * 0.025)], values[int(SAMPLES * 0.975)]


def main():
    scorer_path, meetings, program = sys.argv[1:]
    spec = importlib.util.spec_from_file_location("score_analysis", scorer_path)
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    gold = [json.loads(line) for line in open(meetings, encoding="utf-8") if line.strip()]
    # The program sees neither the labels nor the gold.
    shown = "".join(json.dumps({"meeting": m["meeting"], "participants": m["participants"],
                                "utterances": [{k: u[k] for k in ("id", "speaker", "start", "end", "text")} for u in m["utterances"]]}) + "\n"
                    for m in gold)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([program, "analyze"], input=shown, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    prediction = {d["meeting"]: d for d in map(json.loads, out.splitlines())}
    result = scorer.score(gold, prediction)
    for kind in ("action_items", "decisions"):
        scored = [g for g in gold if kind != "action_items" or g.get("has_action_items") is not False]
        if not scored:
            continue
        rows = [counts(g, prediction.get(g["meeting"], {}), kind) for g in scored]
        low, high = interval(rows)
        r = result[kind]
        print("%s: utterance F1 %.3f [%.3f, %.3f] (precision %.3f, recall %.3f, %d predicted, %d gold), near %.3f, item %.3f, strict %.3f, grounded %s%s"
              % (kind, r["utterance"]["f1"], low, high, r["utterance"]["p"], r["utterance"]["r"], r["utterance"]["pred"], r["utterance"]["gold"],
                 r["near"]["f1"], r["item"]["f1"], r["item_strict"]["f1"], r["grounded"],
                 ", owner %s of %d" % (r["owner_accuracy"], r["owner_pairs"]) if kind == "action_items" else ""))
    if "summary" in result:
        print("summary: ROUGE-1 %(rouge1).3f, ROUGE-2 %(rouge2).3f, ROUGE-L %(rougeL).3f over %(meetings)d meetings" % result["summary"])
    hours = sum(m["utterances"][-1]["end"] for m in gold) / 3600
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print("CPU: %.2f s for %.1f hours, %.3f s per meeting hour" % (cpu, hours, cpu / hours))


if __name__ == "__main__":
    main()
