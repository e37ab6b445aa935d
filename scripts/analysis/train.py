#!/usr/bin/env python3
"""Trains the weights of core/analysis from the AMI and ICSI training meetings. Run by scripts/train-analysis.

For each kind: logistic regression over the features of the C++ tool, scaled by inverse document frequency. Grouped
cross-validation over the teams of ami_train (and series of icsi_train) chooses, on the held-out scores pooled over the
folds, the threshold; then one fit on all of it. The tune parts are never read here.
"""
import argparse
import struct
import sys
import time

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from corpus import Corpus, balanced_threshold, best_threshold

HASH_SIZE = 1 << 21  # kHashSize and kPlaceSlots of core/analysis/features.h
SLOTS = HASH_SIZE + 64
PLACE_IDF = 4.0
FOLDS = 5
# The share of negative utterances that training sees, for speed; the bias and the threshold belong to this share. Action
# items are so rare that the draw itself shows in the result: they see all.
NEGATIVES = 0.3
KEPT = 30000  # weights kept of each kind
# A feature that is at least this many times as frequent in AMI as in ICSI belongs to AMI's one scenario; it is scaled
# down so that the model leans on what both have in common.
SCENARIO_RATIO = 6
SCENARIO_SCALE = 0.5
# ICSI's decisions are marked more sparsely and count less. A person is better served by fewer false decisions: the
# threshold is the highest that keeps this share of the best F1.
ICSI_WEIGHT = 0.3
DECISION_SHARE = 0.95


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
    return np.asarray((x > 0).sum(0)).ravel()


def idf_scale(x):
    df = document_frequency(x)
    idf = np.where(df >= 4, np.log(x.shape[0] / np.maximum(df, 1)), 0.0)
    idf[HASH_SIZE:] = PLACE_IDF
    return idf


def fit(x, y, weight, c):
    model = LogisticRegression(C=c, solver="liblinear", max_iter=100)
    model.fit(x, y, sample_weight=weight)
    return model.coef_[0].copy(), float(model.intercept_[0])


def sampled(rows, y, negatives, rng):
    return rows[y[rows] | (rng.random(len(rows)) < negatives)]


def held_out(x, y, team, weight, c, negatives):
    """Scores of every row by a model that saw neither its team nor, in the second column, any place."""
    rng = np.random.default_rng(1)
    out = np.zeros((len(y), 2))
    for train, test in GroupKFold(FOLDS).split(x, y, team):
        rows = sampled(train, y, negatives, rng)
        w, b = fit(x[rows], y[rows], weight[rows], c)
        out[test, 0] = x[test] @ w + b
        w[HASH_SIZE:] = 0
        out[test, 1] = x[test] @ w + b
    return out


def encode(weights, bias, thresholds):
    keep = np.sort(np.argsort(-np.abs(weights), kind="stable")[:KEPT])
    keep = keep[weights[keep] != 0]
    scale = float(np.abs(weights).max()) / (127 * 127)
    q = np.sign(weights[keep]) * np.round(np.sqrt(np.abs(weights[keep]) / scale))
    body = struct.pack("<ffffI", bias, thresholds[0], thresholds[1], scale, len(keep))
    body += b"".join(leb128(int(d)) for d in np.diff(np.concatenate([[0], keep])))
    return body + q.astype(np.int8).tobytes()


def train_kind(name, x, y, team, weight, judged, scale, c, cut, negatives=NEGATIVES):
    """One kind's encoded weights. `judged`: the rows on which F1 is taken (AMI alone); cut(score, y) -> (F1, threshold)."""
    scaled = (x @ sparse.diags(scale)).tocsr()
    start = time.time()
    s = held_out(scaled, y, team, weight, c, negatives)[judged]
    f1, threshold = cut(s[:, 0], y[judged])
    live_f1, live_threshold = cut(s[:, 1], y[judged])
    print("%s C=%g: held-out F1 %.3f (threshold %.2f), without place %.3f (%.2f), %.0f s"
          % (name, c, f1, threshold, live_f1, live_threshold, time.time() - start), flush=True)
    rows = sampled(np.arange(len(y)), y, negatives, np.random.default_rng(1))
    w, b = fit(scaled[rows], y[rows], weight[rows], c)
    return encode(w * scale, b, (threshold, live_threshold))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", required=True, help="folder with ami_train.jsonl and icsi_train.jsonl")
    ap.add_argument("--features", required=True, help="folder with ami_train.bin and icsi_train.bin")
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    ami = Corpus(a.data + "/ami_train.jsonl", a.features + "/ami_train.bin", SLOTS)
    icsi = Corpus(a.data + "/icsi_train.jsonl", a.features + "/icsi_train.bin", SLOTS)
    both = sparse.vstack([ami.x, icsi.x]).tocsr()
    teams = np.concatenate([ami.team, icsi.team + 1000])
    is_ami = np.arange(both.shape[0]) < ami.x.shape[0]

    ratio = (document_frequency(ami.x) / ami.x.shape[0]) / np.maximum(document_frequency(icsi.x) / icsi.x.shape[0], 1e-9)
    scenario = np.where((ratio >= SCENARIO_RATIO) & (np.arange(SLOTS) < HASH_SIZE), SCENARIO_SCALE, 1.0)

    # ICSI was never annotated for action items.
    parts = [train_kind("action items", ami.x, ami.y["action_items"], ami.team, np.ones(ami.x.shape[0]), np.ones(ami.x.shape[0], bool),
                        idf_scale(ami.x) * scenario, 0.5, balanced_threshold, negatives=1.0)]
    y = np.concatenate([ami.y["decisions"], icsi.y["decisions"]])
    parts.append(train_kind("decisions", both, y, teams, np.where(is_ami, 1.0, ICSI_WEIGHT), is_ami, idf_scale(both), 0.05,
                            lambda score, y: best_threshold(score, y, DECISION_SHARE)))
    y = np.concatenate([ami.abstract, icsi.abstract])
    parts.append(train_kind("key points", both, y, teams, np.ones(len(y)), is_ami, idf_scale(both), 0.02,
                            best_threshold))

    data = b"HANSARDW" + struct.pack("<II", 1, len(parts)) + b"".join(parts)
    data += struct.pack("<I", crc32c(data))
    with open(a.out, "wb") as f:
        f.write(data)
    print("wrote %s, %d bytes" % (a.out, len(data)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
