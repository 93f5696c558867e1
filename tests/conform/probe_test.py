#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-probe against the relay: what it measures must be what the relay has counted.

Usage: probe_test.py RELAY PROBE [Case.test...]
"""
import json
import os
import subprocess
import sys

import case

if "FAIRLEAD_PROBE" not in os.environ:  # case.main() may start this file anew
    os.environ["FAIRLEAD_PROBE"] = os.path.abspath(sys.argv.pop(2))
PROBE = os.environ["FAIRLEAD_PROBE"]


class Probe(case.Case):
    def probe(self, *options, exit_code=0, password="wonder", clients="4", server=None):
        done = subprocess.run(
            [PROBE, "bench", server or f"127.0.0.1:{self.one.port}", "--user", "alice", "--password",
             password, "--num-clients", clients, "--seconds", "1", "--json", *options],
            text=True, capture_output=True, check=False, timeout=90)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout) if exit_code == 0 else done.stderr

    def test_a_gentle_load_arrives_whole(self):
        self.one = self.relay("--allow-peer", "127.0.0.1")
        case.once(self.send_a_gentle_load)

    def send_a_gentle_load(self):
        found = self.probe("--rate", "500", "--part", "rate", "--part", "latency", "--train", "1",
                           "--train", "8")
        self.assertEqual(len(found["packets"]), 6)
        for row in found["packets"]:
            self.assertGreater(row["overload_sent"], 400)
            self.assertEqual(row["overload"], row["overload_sent"], row)
            self.assertEqual(row["loss_free"], row["overload"], row)
        idle, busy = found["latencies"]
        self.assertEqual(idle["rate"], 0)
        self.assertGreater(busy["rate"], 200)
        for one in (idle, busy):
            self.assertGreater(one["returned"], 0.9 * one["sent"])
            self.assertGreater(one["p50_ns"], 1000)
            self.assertGreaterEqual(one["p99_ns"], one["p50_ns"])

    def test_a_server_of_both_families_relays_ip6(self):
        self.one = self.relay("--allow-peer", "::1", hosts=("127.0.0.1", "::1"))

        def relay_ip6():
            found = self.probe("--rate", "300", "--part", "rate", "--direction", "both",
                               server=f"[::1]:{self.one.port}")
            self.assertGreater(found["packets"][0]["loss_free"], 250)
        case.once(relay_ip6)

    def test_a_shared_secret_makes_each_client_a_user(self):
        self.one = self.relay("--allow-peer", "127.0.0.1", "--auth-secret", "north",
                              "--user-quota", "1")
        done = subprocess.run([PROBE, "bench", f"127.0.0.1:{self.one.port}", "--auth-secret", "north",
                               "--num-clients", "4", "--seconds", "1", "--rate", "300", "--part",
                               "rate"], text=True, capture_output=True, check=False, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("to-peers", done.stdout)

    def test_allocations_are_made_and_let_go_of(self):
        self.one = self.relay("--allow-peer", "127.0.0.1")
        found = self.probe("--part", "allocate", "--num-allocations", "20")
        self.assertGreater(found["allocations"], 1)  # a second
        self.assertEqual(found["packets"], [])

    def test_floods_are_named(self):
        self.one = self.relay("--allow-peer", "127.0.0.1")
        case.once(self.flood)

    def flood(self):
        found = self.probe("--rate", "400", "--direction", "to-peers", "--train", "1",
                           "--part", "flood", "--flood-rate", "320")
        self.assertEqual([one["kind"] for one in found["floods"]],
                         ["401", "Binding", "malformed"])
        for one in found["floods"]:
            self.assertGreater(one["rate"], 250)
            self.assertEqual(one["goodput"], 1, one)

    def test_what_is_wrong_is_said(self):
        self.one = self.relay("--user-quota", "2", announced=[".*"])
        wrong = self.probe(exit_code=1, clients="1")
        self.assertIn("must allow --peer-address", wrong)
        self.assertIn("error 486", self.probe(exit_code=1))
        closed = self.probe(exit_code=1, server="127.0.0.1:9")
        self.assertIn("nobody listens", closed)
        self.assertIn("--pass right?", self.probe(exit_code=1, password="x"))
        self.assertIn("nowhere.invalid: ", self.probe(exit_code=1, server="nowhere.invalid"))


if __name__ == "__main__":
    case.main()
