#!/usr/bin/env python3
"""Adds up what ran: the cases inside GoogleTest programs, ctest's other tests, and the stages of ./test.

usage: count_tests.py RESULTS...   each a ctest JUnit file (*.xml, with GoogleTest's JSON files beside it) or a stage
                                   file of lines "passed|failed|skipped NAME"
Prints the failed and the skipped ones, and last "N passed, N failed, N skipped". Exits 1 when one failed or none ran.
"""
import json
import os
import sys
import xml.etree.ElementTree as ElementTree


def cases_of(report):
    """(name, outcome) of every case in one GoogleTest JSON report."""
    for suite in report.get("testsuites", []):
        for case in suite.get("testsuite", []):
            name = f"{suite['name']}.{case['name']}"
            if case.get("failures"):
                yield name, "failed"
            elif case.get("result") == "SKIPPED":
                yield name, "skipped"
            elif case.get("status") == "RUN":
                yield name, "passed"


def outcome_of(testcase):
    if testcase.find("failure") is not None or testcase.get("status") == "fail":
        return "failed"
    if testcase.get("status") == "disabled":
        return "skipped"
    if testcase.get("status") == "notrun" or testcase.find("skipped") is not None:
        # Only a test that says so itself is skipped; a missing program or fixture is a failure.
        skipped = testcase.find("skipped")
        return "skipped" if skipped is not None and skipped.get("message", "").startswith("SKIP_") else "failed"
    return "passed"


def read_ctest(path):
    folder = os.path.dirname(path)
    for testcase in ElementTree.parse(path).getroot().iter("testcase"):
        name, outcome = testcase.get("name"), outcome_of(testcase)
        cases = []
        try:
            with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as report:
                cases = [(f"{name}: {case}", result) for case, result in cases_of(json.load(report))]
        except FileNotFoundError:
            pass  # not a GoogleTest program, or it died before it could write: ctest's own verdict counts
        except json.JSONDecodeError:
            outcome = "failed"
        if cases and (outcome != "failed" or any(result == "failed" for _, result in cases)):
            yield from cases
        else:
            # A program that crashed or timed out counts as one failure whatever it wrote.
            yield from (case for case in cases if outcome == "failed")
            yield name, outcome


def read_stages(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            outcome, name = line.rstrip("\n").split(" ", 1)
            yield name, outcome


def main():
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    listed = {"failed": [], "skipped": []}
    for path in sys.argv[1:]:
        for name, outcome in read_ctest(path) if path.endswith(".xml") else read_stages(path):
            totals[outcome] += 1
            if outcome in listed:
                listed[outcome].append(name)
    for outcome in ("skipped", "failed"):
        for name in listed[outcome]:
            print(f"{outcome}: {name}")
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    sys.exit(1 if totals["failed"] or not totals["passed"] else 0)


if __name__ == "__main__":
    main()
