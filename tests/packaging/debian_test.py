#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""debian/ says of the project what the project says: its version, and what its build needs.

Usage: debian_test.py SOURCE VERSION
"""
import pathlib
import re
import sys
import unittest

SOURCE, VERSION = pathlib.Path(sys.argv[1]), sys.argv[2]
# Part of every Debian machine that builds packages.
ESSENTIAL = {"gcc", "libc6-dev"}
# Which the programs need, not their build.
RUNNING = {"ca-certificates"}


class Debian(unittest.TestCase):
    def text(self, name):
        return (SOURCE / name).read_text(encoding="utf-8")

    def test_the_version_is_that_of_the_project(self):
        self.assertEqual(re.match(r"fairlead \(([^)]+)\) ", self.text("debian/changelog"))[1],
                         VERSION)

    def field(self, name):
        """The packages that a field of debian/control lists, whatever package has it first."""
        text = re.search(rf"(?ms)^{name}:(.*?)^\S", self.text("debian/control"))[1]
        return {re.match(r"[a-z0-9.+-]+", one.strip())[0] for one in text.split(",") if one.strip()}

    def test_the_build_needs_what_make_run_installs(self):
        wanted = set(re.findall(r"(?m)^run +(\S+)", self.text("tools/packages.txt"))) - ESSENTIAL
        needed = self.field("Build-Depends") - {"debhelper-compat", "dh-sequence-installsysusers"}
        self.assertEqual(needed, wanted - RUNNING,
                         "Build-Depends of debian/control, and kind run of tools/packages.txt")
        self.assertEqual(self.field("Recommends"), wanted & RUNNING)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
