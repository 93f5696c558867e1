#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A reload and an end while the kernel relays: calls go on there, and what is denied stops there.

The places are drawn in fast_world.py.
"""
import os
import signal
import tempfile

from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import fast_world  # found by what fast_case has done
import case
from client import unique
from sandbox import PATIENCE_S

COUNT = 50
RELOADED = "INFO the configuration is reloaded"


class Reload(FastCase):
    def setUp(self):
        super().setUp()
        self.file = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.addCleanup(self.file.close)
        os.chmod(self.file.name, 0o644)

    def reload(self, text):
        before = self.one.log().count(RELOADED)
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()
        self.one.process.send_signal(signal.SIGHUP)
        self.one.wait_for_log(f"(?s)({RELOADED}.*){{{before + 1}}}")

    def start_with_file(self, **more):
        self.start(fast_world.Lan(), "--config", self.file.name, "--num-worker-threads", "2",
                   **more)

    def assert_is_fast(self, alice, bob):
        before = counters(self.one)
        for _ in range(COUNT):
            self.exchange(alice, bob, unique(100))
        self.assert_went(before, ("to_peer", "to_client"), COUNT)

    def test_a_call_stays_in_the_kernel_until_its_peer_is_denied(self):
        self.start_with_file()
        calls = {version: self.alice_and_bob(version, version) for version in (4, 6)}
        for alice, bob in calls.values():
            self.warm_up(alice, bob)
        self.reload("user-quota = 60\nuser = carol:sesame\n")
        for alice, bob in calls.values():
            self.assert_is_fast(alice, bob)
        # The rule that allows just bob is the command line's, beside which denying wins.
        self.reload(f"deny-peer = {self.place.at['bob'][4]}\n")
        alice, bob = calls[4]
        before = counters(self.one)
        for _ in range(COUNT):
            alice.send_channel(0x4000, b"no")
            bob.sendto(b"no", alice.relayed)
        self.assert_is_fast(*calls[6])
        bob.settimeout(0.2)
        self.assertRaises(TimeoutError, bob.recv, 100)
        self.assertIsNone(alice.receive(0.2))
        went = counters(self.one) - before
        self.assertLessEqual(went["to_peer"], COUNT)  # all of the other call
        self.assertGreaterEqual(went["pass_unbound"], 2 * COUNT)

    def test_a_call_stays_in_the_kernel_while_the_relay_drains(self):
        self.start_with_file(environment={"FAIRLEAD_DRAIN_TIMEOUT": "60"})
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        self.one.process.send_signal(signal.SIGTERM)
        self.one.wait_for_log("INFO draining: ")
        self.assert_is_fast(alice, bob)
        alice.refresh()
        self.assert_is_fast(alice, bob)
        alice.free()
        self.assertEqual(self.one.process.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
