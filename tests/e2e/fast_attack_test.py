#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-probe attack against a relay that relays in the kernel.

The place is drawn in fast_world.py. Usage: fast_attack_test.py RELAY PROBE [Case.test...]
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


class Attack(FastCase):
    def test_nothing_above_info_is_found(self):
        place = fast_world.Lan()
        self.start(place, "--user", "bob:builder", "--allow-peer", place.at["alice"][4],
                   "--allow-peer", place.at["alice"][6], announced=[".*"])
        command = [os.environ["FAIRLEAD_PROBE"], "attack",
                   f"{place.at['relay'][4]}:{self.one.port}", "--i-may", "--user", "alice",
                   "--pass", "wonder", "--other-user", "bob", "--other-pass", "builder",
                   "--timeout", "20000", "--rate", "2000", "--format", "json"]
        with place.alice.inside():
            done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=250)
        self.outputs.append(done.stdout[-20000:] + done.stderr)
        told = json.loads(done.stdout)
        # A machine that is busy with other things can make an allocation slow.
        found = {one["id"]: (one["verdict"], one["came"]) for one in told["results"]
                 if one["verdict"] in ("high", "medium", "low") and one["id"] != "state-strangers"}
        self.assertEqual(found, {})
        self.assertGreater(told["counts"]["pass"], 50)
        self.assertGreater(sum(counters(self.one).values()), 0)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
