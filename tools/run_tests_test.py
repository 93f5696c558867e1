#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs run-tests with a meson that is not one, and expects its last line and exit code."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent / "run-tests"
# Sets a folder up, lists three tests, and logs what $LOG says before it ends like $END.
MESON = r"""#!/bin/sh
case "$*" in
setup*) mkdir "$2" && touch "$2/build.ninja" ;;
*--list*) echo one; echo two; echo three ;;
test*)
    mkdir -p "$3/meson-logs"
    for result in $LOG; do
        echo "{\"name\": \"x\", \"result\": \"$result\", \"returncode\": 1, \"command\": []}"
    done >"$3/meson-logs/testlog.json"
    eval "$END" ;;
esac
"""


class RunTests(unittest.TestCase):
    def run_tests(self, log, end, what="build-test"):
        """Its exit code and last line. `end` can look at what its meson was asked for."""
        with tempfile.TemporaryDirectory() as folder:
            programs = pathlib.Path(folder, "bin")
            tools = pathlib.Path(folder, "tools")
            programs.mkdir()
            tools.mkdir()
            shutil.copy(TOOL, tools)
            for name, text in {"meson": MESON, "ninja": "#!/bin/sh\n"}.items():
                (programs / name).write_text(text)
                (programs / name).chmod(0o755)
            path = f"{programs}:{os.environ['PATH']}"
            run = subprocess.run([tools / "run-tests", what], text=True, timeout=60,
                                 env=os.environ | {"PATH": path, "LOG": log, "END": end},
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode, run.stdout.splitlines()[-1]

    def test_counts_what_passed_failed_and_was_skipped(self):
        self.assertEqual(self.run_tests("OK OK OK", "exit 0"), (0, "3 passed, 0 failed"))
        self.assertEqual(self.run_tests("OK SKIP OK", "exit 0"),
                         (0, "2 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.run_tests("OK FAIL OK", "exit 1"), (1, "2 passed, 1 failed"))

    def test_fails_when_meson_ends_before_the_last_test(self):
        for log in ("OK", "OK OK"):
            for end in ("kill -KILL $$", "kill -TERM $$", "exit 1", "exit 0"):
                with self.subTest(log=log, end=end):
                    code, last = self.run_tests(log, end)
                    self.assertEqual(code, 1)
                    self.assertRegex(last, "passed, 1 failed$")

    def test_runs_one_suite_of_a_folder(self):
        for what, suites in (("build-test", "--no-suite house --no-suite vm"),
                             ("build-test:vm", "--suite vm")):
            with self.subTest(what=what):
                end = f'case "$*" in *" -t 5 {suites}") exit 0 ;; esac; exit 1'
                self.assertEqual(self.run_tests("OK OK OK", end, what), (0, "3 passed, 0 failed"))

    def test_fails_when_meson_does_and_no_test_did(self):
        self.assertEqual(self.run_tests("OK OK OK", "exit 1"), (1, "3 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
