#!/usr/bin/env python3
"""Trains the weights of core/analysis from the AMI and ICSI training meetings. Run by scripts/train-analysis.

For each kind: logistic regression over the features of the C++ tool, scaled by inverse document frequency. Grouped
cross-validation over the teams (AMI) and series (ICSI) chooses the threshold on held-out scores of the weights in the form
in which they are shipped; then one fit on all. With --check the whole of that is done once for each fold of AMI teams,
without them, and the program with those weights is scored on the meetings of these teams. The tune parts are never read here.
"""
import argparse
import struct
import sys
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from check import check
from corpus import Corpus, balanced_threshold, best_threshold, role_slots

HASH_SIZE = 1 << 21  # kHashSize and kPlaceSlots of core/analysis/features.h
SLOTS = HASH_SIZE + 64
PLACE_IDF = 4.0
FOLDS = 5
# The share of negative utterances that training sees, for speed; the bias and the threshold belong to this share. Action
# items are so rare that the draw itself shows in the result: they see all.
NEGATIVES = 0.3
KEPT = 30000  # weights kept of each kind
# ICSI's decisions are marked more sparsely and count less. A person is better served by fewer false decisions: the
# threshold is the highest that keeps this share of the best F1.
ICSI_WEIGHT = 0.3
DECISION_SHARE = 0.95
# What a speaker's role adds to the score of a decision is on average below 0. So much of that average a speaker of unknown
# role gets too: none makes far more decisions of a meeting that tells no roles, all of it misses many.
DECISION_ROLES = 0.5


def crc32c(data):
    table = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    crc = 0xFFFFFFFF
    for b in data:
        crc = (crc >> 8) ^ table[(crc ^ b) & 0xFF]
    return crc ^ 0xFFFFFFFF


def leb128(n):
    out = bytearray()
    while True:
        b = n & 0x7F
        n >>= 7
        out.append(b | (0x80 if n else 0))
        if not n:
            return bytes(out)


def document_frequency(x):
    return np.bincount(x.indices, minlength=x.shape[1])


def idf_scale(x):
    df = document_frequency(x)
    idf = np.where(df >= 4, np.log(x.shape[0] / np.maximum(df, 1)), 0.0)
    idf[HASH_SIZE:] = PLACE_IDF
    return idf


class Shipped:
    """A model's weights as the program will have them: the KEPT largest, each a signed byte."""

    def __init__(self, weights, bias):
        self.bias = bias
        self.keep = np.sort(np.argsort(-np.abs(weights), kind="stable")[:KEPT])
        self.keep = self.keep[weights[self.keep] != 0]
        kept = weights[self.keep]
        self.scale = float(np.float32(np.abs(kept).max() / (127 * 127)))
        self.q = (np.sign(kept) * np.round(np.sqrt(np.abs(kept) / self.scale))).astype(np.int8)

    def scores(self, x):
        w = np.zeros((x.shape[1], 2))
        w[self.keep, 0] = self.scale * self.q.astype(float) * np.abs(self.q.astype(float))
        w[:HASH_SIZE, 1] = w[:HASH_SIZE, 0]  # without place
        return x @ w + self.bias

    def encode(self, thresholds):
        body = struct.pack("<ffffI", self.bias, thresholds[0], thresholds[1], self.scale, len(self.keep))
        body += b"".join(leb128(int(d)) for d in np.diff(np.concatenate([[0], self.keep])))
        return body + self.q.tobytes()


def fit(x, y, weight, c, scale, roles, share):
    """x is unscaled; the weights returned are for unscaled features too. `roles`: slots of speakers' roles; `share` of what they
    add on average goes to the bias."""
    used = np.flatnonzero((scale > 0) & (document_frequency(x) > 0))
    scaled = (x[:, used] @ sparse.diags(scale[used])).tocsr()
    model = LogisticRegression(C=c, solver="liblinear", dual=True, tol=0.02, max_iter=100, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parameters' names to come
        model.fit(scaled, y, sample_weight=weight)
    w = np.zeros(x.shape[1])
    w[used] = model.coef_[0] * scale[used]
    bias = float(model.intercept_[0])
    if share:
        values = x[:, roles]
        average = share * float((values @ w[roles]).sum() / values.sum())
        w[roles] -= average
        bias += average * float(values.max())
    return Shipped(w, bias)


class Kind:
    """What one kind of item is trained on. judged: the rows on which F1 is taken (AMI alone); cut(score, y) -> (F1, threshold);
    roles and role_share: as of fit()."""

    def __init__(self, name, x, y, team, weight, judged, scale, c, cut, negatives=NEGATIVES, roles=(), role_share=0.0):
        self.name, self.x, self.y, self.team, self.weight, self.judged = name, x, y, team, weight, judged
        self.scale, self.c, self.cut, self.negatives, self.roles, self.role_share = scale, c, cut, negatives, list(roles), role_share

    def fit(self, rows, rng):
        seen = rows[self.y[rows] | (rng.random(len(rows)) < self.negatives)]
        return fit(self.x[seen], self.y[seen], self.weight[seen], self.c, self.scale(rows), self.roles, self.role_share)

    def train(self, rows):
        """The encoded weights, from these rows alone."""
        start = time.time()
        rng = np.random.default_rng(1)
        score = np.zeros((len(rows), 2))
        for train, test in GroupKFold(FOLDS).split(rows, groups=self.team[rows]):
            score[test] = self.fit(rows[train], rng).scores(self.x[rows[test]])
        judged = self.judged[rows]
        y = self.y[rows][judged]
        cuts = [self.cut(score[judged, column], y) for column in (0, 1)]
        print("%s C=%g: held-out F1 %.3f (threshold %.2f), in a running meeting %.3f (%.2f), %.0f s"
              % (self.name, self.c, *cuts[0], *cuts[1], time.time() - start), flush=True)
        return self.fit(rows, np.random.default_rng(1)).encode([t for _, t in cuts])


def kinds(ami, icsi):
    both = sparse.vstack([ami.x, icsi.x]).tocsr()
    n = ami.x.shape[0]
    teams = np.concatenate([ami.team, icsi.team + 1000])
    is_ami = np.arange(both.shape[0]) < n

    # ICSI was never annotated for action items. Every utterance comes twice, for half each: with the roles of the meeting's
    # people, and as if nobody's were known. From the first alone a model leans on roles and finds too little without them.
    two = sparse.vstack([ami.x, ami.x_no_roles]).tocsr()
    yield Kind("action items", two, np.tile(ami.y["action_items"], 2), np.tile(ami.team, 2), np.full(2 * n, 0.5),
               np.ones(2 * n, bool), lambda rows: idf_scale(two[rows]), 0.1, balanced_threshold, negatives=1.0)
    yield Kind("decisions", both, np.concatenate([ami.y["decisions"], icsi.y["decisions"]]), teams,
               np.where(is_ami, 1.0, ICSI_WEIGHT), is_ami, lambda rows: idf_scale(both[rows]), 0.05,
               lambda score, y: best_threshold(score, y, DECISION_SHARE), roles=role_slots(ami.meetings),
               role_share=DECISION_ROLES)
    yield Kind("key points", both, np.concatenate([ami.abstract, icsi.abstract]), teams, np.ones(len(teams)), is_ami,
               lambda rows: idf_scale(both[rows]), 0.02, best_threshold)


def write(path, parts):
    data = b"HANSARDW" + struct.pack("<II", 1, len(parts)) + b"".join(parts)
    data += struct.pack("<I", crc32c(data))
    with open(path, "wb") as f:
        f.write(data)
    return len(data)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", required=True, help="folder with ami_train.jsonl and icsi_train.jsonl")
    ap.add_argument("--features", required=True, help="folder with ami_train.bin, ami_train_no_roles.bin and icsi_train.bin")
    ap.add_argument("--out", required=True)
    ap.add_argument("--check", metavar="PROGRAM", help="score by cross-validation with this analysis_apply; OUT is a folder then")
    ap.add_argument("--scorer", help="score_analysis.py, for --check")
    ap.add_argument("--seed", type=int, default=0, help="how --check forms its folds of teams")
    a = ap.parse_args()
    ami = Corpus(a.data + "/ami_train.jsonl", a.features + "/ami_train.bin", SLOTS, a.features + "/ami_train_no_roles.bin")
    icsi = Corpus(a.data + "/icsi_train.jsonl", a.features + "/icsi_train.bin", SLOTS)
    all_kinds = list(kinds(ami, icsi))
    if a.check:
        def train(path, held_out):
            # The summary is not judged, so that its part stays that of the decisions.
            parts = [k.train(np.flatnonzero(~np.isin(k.team, held_out))) for k in all_kinds[:2]]
            write(path, [*parts, parts[1]])
        check(ami, train, a.out, a.check, a.scorer, a.seed)
        return 0
    size = write(a.out, [k.train(np.arange(len(k.y))) for k in all_kinds])
    print("wrote %s, %d bytes" % (a.out, size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
