#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A service as systemd reads it: without a complaint, and with hardly anything left to take away.

Usage: service_test.py PROGRAM UNIT [DROP_IN...]
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM, UNIT, *DROP_INS = (os.path.abspath(name) for name in sys.argv[1:])
EXPOSURE_MAX = 2.0  # of 10; 9.6 is a service that does not say anything


class Service(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / os.path.basename(UNIT)

    def write(self, drop_ins):
        """The unit with what drop-ins add, as if it were one file; with the program that there is."""
        text = "\n".join(pathlib.Path(file).read_text(encoding="utf-8")
                         for file in (UNIT, *drop_ins))
        text, count = re.subn(rf"(?m)^(Exec\w+)=\S+/{os.path.basename(PROGRAM)}",
                              rf"\1={PROGRAM}", text)
        self.assertEqual(count, 2)
        self.path.write_text(text, encoding="utf-8")

    def analyze(self, *words):
        run = subprocess.run(["systemd-analyze", *words, str(self.path)], text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.returncode, run.stdout

    def exposure(self):
        code, text = self.analyze("security", "--offline=yes", "--no-pager")
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", text)
        self.assertTrue(code == 0 and found, text)
        return float(found[1])

    def test_systemd_understands_every_line(self):
        for drop_ins in ([], *([one] for one in DROP_INS), DROP_INS):
            with self.subTest(drop_ins):
                self.write(drop_ins)
                code, text = self.analyze("verify", "--man=no")
                mine = [line for line in text.splitlines() if "fairlead" in line]
                self.assertEqual((code, mine), (0, []))

    def test_hardly_anything_is_left_to_take_away(self):
        for drop_ins in ([], *([one] for one in DROP_INS), DROP_INS):
            with self.subTest(drop_ins):
                self.write(drop_ins)
                self.assertLess(self.exposure(), EXPOSURE_MAX)

    def test_without_a_drop_in_it_has_no_capability(self):
        self.write([])
        text = self.path.read_text(encoding="utf-8")
        self.assertIn("\nCapabilityBoundingSet=\n", text)
        self.assertIn("\nAmbientCapabilities=\n", text)

    def test_a_crash_leaves_no_copy_of_its_memory(self):
        self.assertIn("\nLimitCORE=0\n", pathlib.Path(UNIT).read_text(encoding="utf-8"))

    def test_a_mistake_would_be_found(self):
        self.write([])
        self.path.write_text(self.path.read_text(encoding="utf-8") + "[Service]\nNonsense=fairlead\n",
                             encoding="utf-8")
        self.assertRegex(self.analyze("verify", "--man=no")[1], "Nonsense")
        self.path.write_text(f"[Service]\nExecStart={PROGRAM}\n", encoding="utf-8")
        self.assertGreater(self.exposure(), 9)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
