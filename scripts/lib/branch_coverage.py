#!/usr/bin/env python3
"""Sums what gcov counted in core's branches.

usage: branch_coverage.py BUILD [--least PERCENT] [--files] [--missing FILE]

BUILD was built with --coverage and its tests have run. A branch is named by its file, its line and its place among the
line's branches, whatever object or instance of a template holds it: it is taken when one of them took it. Exits 1 when less
than PERCENT of the branches were taken, or when there is nothing to count.
"""
import argparse
import collections
import json
import math
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Lines that do not count: a broken CHECK ends the program, so its other branch cannot be tested (core/base/check.h); and the
# comparisons that the compiler writes have no branch in the source.
NOT_COUNTED = re.compile(r"\bCHECK\(|= default;")
OF_TESTS = ("_test.cc", "_testing.h", "test_support.h")
BATCH = 20


def of_conditions(branches):
    """Without the edges of exceptions: each comes with the edge of the call that returns, which is no condition either."""
    kept, skip = [], False
    for i, branch in enumerate(branches):
        if skip:
            skip = False
        elif branch["throw"]:
            if i + 1 < len(branches) and branches[i + 1]["fallthrough"]:
                skip = True
        elif branch["fallthrough"] and i + 1 < len(branches) and branches[i + 1]["throw"]:
            skip = True
        else:
            kept.append(branch)
    return kept


def reports(build):
    """gcov's report of every object of core that has counters, also of one that no test ran."""
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(build, "core")) for name in names if name.endswith(".gcno")]
    for at in range(0, len(notes), BATCH):
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *notes[at:at + BATCH]],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.exit(f"gcov cannot read the counters in {build}; remove that folder and build it again")
        yield from (json.loads(line) for line in done.stdout.splitlines() if line.strip())


def of_core(name, cwd):
    path = os.path.relpath(os.path.normpath(os.path.join(cwd, name)), ROOT)
    return path if path.startswith("core/") and not path.endswith(OF_TESTS) else None


def count(build):
    """{file: {(line, index): taken}}"""
    seen = collections.defaultdict(list)  # (file, line): the branches in each object
    checks = {}
    for report in reports(build):
        for entry in report["files"]:
            path = of_core(entry["file"], report["current_working_directory"])
            if path is None:
                continue
            if path not in checks:
                with open(os.path.join(ROOT, path), encoding="utf-8") as source:
                    checks[path] = {n for n, line in enumerate(source, 1) if NOT_COUNTED.search(line)}
            for line in entry["lines"]:
                if line["line_number"] not in checks[path]:
                    seen[path, line["line_number"]].append([branch["count"] > 0 for branch in of_conditions(line["branches"])])
    taken = collections.defaultdict(lambda: collections.defaultdict(bool))
    for (path, number), objects in seen.items():
        # gcov strings the branches of a template's instances together, as many as the object has.
        period = math.gcd(*map(len, objects))
        for i, was in ((i, was) for branches in objects for i, was in enumerate(branches)):
            key = (number, i % period)
            taken[path][key] = taken[path][key] or was
    return taken


def row(name, branches):
    done = sum(branches)
    print(f"{name:<44} {done:>6} of {len(branches):>6}  {100 * done / max(1, len(branches)):6.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--missing", metavar="FILE")
    options = parser.parse_args()
    taken = count(options.build)
    folders = collections.defaultdict(list)
    for path, branches in sorted(taken.items()):
        folders[os.path.dirname(path)] += branches.values()
        if options.files:
            row(path, list(branches.values()))
    if options.missing:
        with open(os.path.join(ROOT, options.missing), encoding="utf-8") as source:
            lines = source.read().split("\n")
        missed = collections.Counter(key[0] for key, was in taken[options.missing].items() if not was)
        for number in sorted(missed):
            print(f"{options.missing}:{number}: {missed[number]} not taken: {lines[number - 1].strip()}")
    for folder, branches in sorted(folders.items()):
        row(folder, branches)
    total = [was for branches in taken.values() for was in branches.values()]
    row("core", total)
    if not total or 100 * sum(total) < options.least * len(total):
        sys.exit(f"branch coverage of core is below {options.least:g} %")


if __name__ == "__main__":
    main()
