"""Reads the development corpus and the features that the C++ tool `analysis_features` wrote for it."""
import json

import numpy as np
from scipy import sparse

KINDS = ("action_items", "decisions")
HASH_BITS = 21  # kHashBits of core/analysis/features.h
ROLE_KIND = 14  # kRole of core/analysis/features.cc


class Corpus:
    """Rows are utterances. x: CSR features; rules: strengths by the rules, a column a kind; y[kind]: 0/1 labels; meeting: row -> meeting number; team: row -> team number;
    abstract: linked to a sentence of the abstract. x_no_roles: x as if nobody's role were known, where a file of that is given."""

    def __init__(self, jsonl, features, slots, features_no_roles=None):
        self.meetings = [json.loads(line) for line in open(jsonl, encoding="utf-8") if line.strip()]
        for m in self.meetings:
            m["utterances"] = [u for u in m["utterances"] if u["text"].strip()]
        self.x, self.rules = read_features(features, slots)
        self.x_no_roles = read_features(features_no_roles, slots)[0] if features_no_roles else None
        rows = sum(len(m["utterances"]) for m in self.meetings)
        if rows != self.x.shape[0]:
            raise SystemExit("%s: %d rows for %d utterances" % (features, self.x.shape[0], rows))
        self.meeting = np.concatenate([np.full(len(m["utterances"]), i) for i, m in enumerate(self.meetings)])
        # ES2002a..d are one team; an ICSI meeting (Bmr001) is taken with its series (Bmr).
        names = [m["meeting"][:-1] if m["corpus"] == "AMI" else m["meeting"][:3] for m in self.meetings]
        order = {n: i for i, n in enumerate(sorted(set(names)))}
        self.team = np.array([order[names[i]] for i in self.meeting])
        abstract = [{u for s in m["abstract"] for u in s["utterance_ids"]} for m in self.meetings]
        self.abstract = np.array([u["id"] in abstract[i] for i, m in enumerate(self.meetings) for u in m["utterances"]])
        self.y = {}
        for kind in KINDS:
            linked = [{u for item in m.get(kind) or [] for u in item["utterance_ids"]} for m in self.meetings]
            self.y[kind] = np.array([u["id"] in linked[i] for i, m in enumerate(self.meetings) for u in m["utterances"]])


def read_features(path, slots):
    words = np.fromfile(path, dtype="<u4")
    index_parts, value_parts, lengths, rules = [], [], [], []
    at = 0
    while at < len(words):
        n = int(words[at])
        rules.append(words[at + 1: at + 3].view("<f4"))
        body = words[at + 3: at + 3 + 2 * n]
        index_parts.append(body[0::2])
        value_parts.append(body[1::2].view("<f4"))
        lengths.append(n)
        at += 3 + 2 * n
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    x = sparse.csr_matrix((np.concatenate(value_parts).astype(np.float32), np.concatenate(index_parts).astype(np.int32), indptr),
                          shape=(len(lengths), slots))
    return x, np.array(rules)


def best_threshold(score, y, share=1.0):
    """(F1, threshold) of the cut with the highest F1, or of the highest cut that reaches `share` of it."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(y[order])
    n = np.arange(1, len(order) + 1)
    f1 = 2 * hits / (n + y.sum())
    k = int(np.flatnonzero(f1 >= share * f1.max())[0])
    return float(f1[k]), float(score[order[k]])


def balanced_threshold(score, y):
    """(F1, threshold) of the cut that takes as many as are right: precision and recall are equal there. F1 is flat around
    its best, and the best of one set of teams hangs on a few utterances; this one carries over to others better."""
    threshold = float(np.sort(score)[-int(y.sum())])
    taken = score >= threshold
    return float(2 * (taken & y).sum() / (taken.sum() + y.sum())), threshold


def role_slots(meetings):
    """Slots of the roles of these meetings' speakers, as slot() of core/analysis/features.cc places them."""
    mask = (1 << 64) - 1
    out = set()
    for role in {p["role"] for m in meetings for p in m["participants"] if p.get("role")}:
        value = 0xCBF29CE484222325  # FNV-1a
        for byte in role.lower().encode():
            value = ((value ^ byte) * 0x100000001B3) & mask
        h = (((value | 1) ^ ((ROLE_KIND * 0x9E3779B97F4A7C15) & mask)) * 0xBF58476D1CE4E5B9) & mask
        h = ((h ^ (h >> 29)) * 0x94D049BB133111EB) & mask
        out.add(h >> (64 - HASH_BITS))
    return sorted(out)
