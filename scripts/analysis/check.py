"""Scores the whole program by cross-validation over the teams of ami_train: nothing that it is scored with has seen the team."""
import importlib.util
import json
import subprocess

import numpy as np

from score import counts, f1, interval

FOLDS = 5


def shown(m):
    """A meeting as the program gets it: neither labels nor gold."""
    return {"meeting": m["meeting"], "participants": m["participants"],
            "utterances": [{k: u[k] for k in ("id", "speaker", "start", "end", "text")} for u in m["utterances"]]}


def check(ami, train, folder, program, scorer_path, seed):
    spec = importlib.util.spec_from_file_location("score_analysis", scorer_path)
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    team_of = {m["meeting"]: int(ami.team[np.flatnonzero(ami.meeting == i)[0]]) for i, m in enumerate(ami.meetings)}
    teams = np.random.default_rng(seed).permutation(max(team_of.values()) + 1)
    prediction = {}
    for fold in range(FOLDS):
        held_out = teams[fold::FOLDS]
        weights = "%s/fold%d.bin" % (folder, fold)
        train(weights, held_out)
        lines = "".join(json.dumps(shown(m)) + "\n" for m in ami.meetings if team_of[m["meeting"]] in held_out)
        out = subprocess.run([program, weights], input=lines, capture_output=True, text=True, check=True).stdout
        prediction.update((d["meeting"], d) for d in map(json.loads, out.splitlines()))
    with open(folder + "/predictions.json", "w", encoding="utf-8") as f:
        json.dump(prediction, f)
    result = scorer.score(ami.meetings, prediction)
    for kind in ("action_items", "decisions"):
        by_team = {}
        for m in ami.meetings:
            c = counts(m, prediction[m["meeting"]], kind)
            by_team[team_of[m["meeting"]]] = tuple(map(sum, zip(by_team.get(team_of[m["meeting"]], (0, 0, 0)), c)))
        rows = list(by_team.values())
        r = result[kind]
        print("%s: utterance F1 %.3f [%.3f, %.3f over teams] (precision %.3f, recall %.3f, %d predicted, %d gold), near %.3f, item %.3f, "
              "strict %.3f, grounded %s; by team %s"
              % (kind, f1(rows), *interval(rows), r["utterance"]["p"], r["utterance"]["r"], r["utterance"]["pred"],
                 r["utterance"]["gold"], r["near"]["f1"], r["item"]["f1"], r["item_strict"]["f1"], r["grounded"],
                 " ".join("%.2f" % f1([x]) for x in sorted(rows, key=lambda x: f1([x])))), flush=True)
