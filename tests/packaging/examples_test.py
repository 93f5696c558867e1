#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each configuration that is installed is good: as it is, and with every line that it offers.

Usage: examples_test.py PROGRAM FILE...
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM, *FILES = sys.argv[1:]
COMMAND = [PROGRAM, "relay"] if PROGRAM.endswith("-tunnel") else [PROGRAM]
OFFERED = re.compile(r"^#(?=[a-z0-9-]+ = )", re.MULTILINE)


class Examples(unittest.TestCase):
    def check(self, text):
        environment = {name: os.environ[name] for name in os.environ
                       if name.endswith("SAN_OPTIONS")}
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            run = subprocess.run([*COMMAND, "--config", file.name, "--check-config"], text=True,
                                 capture_output=True, check=False, env=environment)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_each_is_good_as_it_is(self):
        for file in FILES:
            with self.subTest(file):
                self.check(pathlib.Path(file).read_text(encoding="utf-8"))

    def test_each_line_that_is_offered_is_good(self):
        for file in FILES:
            with self.subTest(file):
                text, count = OFFERED.subn("", pathlib.Path(file).read_text(encoding="utf-8"))
                self.assertGreater(count, 0)
                self.check(text)

    def test_a_mistake_would_be_found(self):
        with self.assertRaises(AssertionError):
            self.check("listen-prot = 3478\n")

    def test_none_brings_a_credential_that_all_know(self):
        for file in FILES:
            with self.subTest(file):
                self.assertNotRegex(pathlib.Path(file).read_text(encoding="utf-8"),
                                    r"(?m)^(user|auth-secret|stamp-secret|token) *=")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
