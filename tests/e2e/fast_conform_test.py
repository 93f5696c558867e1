#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-probe conform against a relay whose kernel relays channels: it finds what it finds without.

Usage: fast_conform_test.py RELAY PROBE [Case.test...]. The place is drawn in fast_world.py.
"""
import json
import os
import subprocess
import sys

from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world

if "FAIRLEAD_PROBE" not in os.environ:  # case.main() may start this file anew
    os.environ["FAIRLEAD_PROBE"] = os.path.abspath(sys.argv.pop(2))
PROBE = os.environ["FAIRLEAD_PROBE"]

# As without a kernel's help (tests/conform/probe_conform_test.py).
WANTED = {"binding-software": "warn", "allocate-software": "warn", "allocate-port-dynamic": "warn",
          "channel-reserved-400": "fail"}


class Conform(FastCase):
    def test_the_kernel_changes_nothing_that_can_be_asked(self):
        place = fast_world.Lan()
        self.start(place, announced=[".*"])
        before = counters(self.one)
        for version, name in ((4, "{}"), (6, "[{}]")):
            server = f"{name.format(place.at['public'][version])}:{self.one.port}"
            with place.bob.inside():
                done = subprocess.run([PROBE, "conform", server, "--user", "alice", "--pass",
                                       "wonder", "--timeout", "20000", "--format", "json"],
                                      text=True, capture_output=True, check=False, timeout=200)
            self.outputs.append(done.stdout[-20000:] + done.stderr)
            self.assertEqual(done.returncode, 1, done.stderr)
            found = {one["id"]: one["verdict"] for one in json.loads(done.stdout)["results"]
                     if one["verdict"] not in ("pass", "skip")}
            self.assertEqual(found, WANTED)
        # It was the kernel that was asked.
        self.assertGreater((counters(self.one) - before)["binding"], 0)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
