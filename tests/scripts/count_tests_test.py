#!/usr/bin/env python3
"""The count at the end of ./test: what passed, failed, crashed, or never ran."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COUNT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "lib", "count_tests.py")


def case(name, *, failed=False, skipped=False):
    result = {"name": name, "status": "RUN", "result": "SKIPPED" if skipped else "COMPLETED"}
    return {**result, "failures": [{"failure": "no"}]} if failed else result


class CountTests(unittest.TestCase):
    def count(self, ctest="", reports=None, stages=None):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, cases in (reports or {}).items():
                with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as file:
                    file.write(cases if isinstance(cases, str) else json.dumps({"testsuites": [{"name": "S", "testsuite": cases}]}))
            if ctest:
                paths.append(os.path.join(folder, "ctest.xml"))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(f"<testsuite>{ctest}</testsuite>")
            if stages is not None:
                paths.append(os.path.join(folder, "stages.txt"))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(stages)
            done = subprocess.run([sys.executable, COUNT, *paths], capture_output=True, text=True, check=False)
        return done.stdout.strip().split("\n"), done.returncode

    def test_counts_cases_not_programs(self):
        lines, code = self.count('<testcase name="a" status="run"/>', {"a": [case("x"), case("y"), case("z", skipped=True)]})
        self.assertEqual((lines, code), (["skipped: a: S.z", "2 passed, 0 failed, 1 skipped"], 0))

    def test_a_failed_case_fails_the_run(self):
        lines, code = self.count('<testcase name="a" status="fail"><failure/></testcase>', {"a": [case("x"), case("y", failed=True)]})
        self.assertEqual((lines, code), (["failed: a: S.y", "1 passed, 1 failed, 0 skipped"], 1))

    def test_a_crash_without_a_report_is_a_failure(self):
        lines, code = self.count('<testcase name="a" status="fail"><failure/></testcase><testcase name="b" status="run"/>')
        self.assertEqual((lines, code), (["failed: a", "1 passed, 1 failed, 0 skipped"], 1))

    def test_a_crash_after_a_good_report_is_a_failure(self):
        lines, code = self.count('<testcase name="a" status="fail"><failure/></testcase>', {"a": [case("x")]})
        self.assertEqual((lines, code), (["failed: a", "1 passed, 1 failed, 0 skipped"], 1))

    def test_a_broken_report_is_a_failure(self):
        lines, code = self.count('<testcase name="a" status="run"/>', {"a": '{"testsuites": ['})
        self.assertEqual((lines, code), (["failed: a", "0 passed, 1 failed, 0 skipped"], 1))

    def test_what_skips_itself_is_skipped(self):
        lines, code = self.count('<testcase name="a" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase><testcase name="b" status="run"/>')
        self.assertEqual((lines, code), (["skipped: a", "1 passed, 0 failed, 1 skipped"], 0))

    def test_a_program_that_could_not_be_found_is_a_failure(self):
        lines, code = self.count('<testcase name="a" status="notrun"><skipped message="Unable to find executable"/></testcase>')
        self.assertEqual((lines, code), (["failed: a", "0 passed, 1 failed, 0 skipped"], 1))

    def test_stages_count_too(self):
        lines, code = self.count(stages="passed simulation\nfailed set-up\n")
        self.assertEqual((lines, code), (["failed: set-up", "1 passed, 1 failed, 0 skipped"], 1))

    def test_nothing_at_all_is_a_failure(self):
        self.assertEqual(self.count(stages=""), (["0 passed, 0 failed, 0 skipped"], 1))


if __name__ == "__main__":
    unittest.main()
