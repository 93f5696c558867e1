#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of connections on which nothing happens: what they cost, and that they still work.

A process here may have 20,000 descriptors, and a session takes two of the relay's and two of ours.
"""
import random
import resource
import time

import tunnel
from daemon import LEAN
from sandbox import wait_until

SESSIONS = 9000
BURST = 60
BYTES_EACH = 512
# Sanitizers keep something beside each piece of memory.
SANITIZED_BYTES_EACH = 1024


class Idle(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))

    def sessions(self, control, count):
        """So many, some at a time, so that nobody waits for each of them."""
        sessions = []
        while len(sessions) < count:
            clients = [self.dial(control.public_port) for _ in range(BURST)]
            control.expect(BURST)
            sessions += [(client, self.dial(control.reverse_port)) for client in clients]
        return sessions

    def assert_rests(self, relay):
        before_s = relay.cpu_s()
        time.sleep(0.5)
        self.assertLess(relay.cpu_s() - before_s, 0.05)

    def test_thousands_of_sessions(self):
        relay = self.relay("--max-waiting-per-pair", SESSIONS, "--max-waiting-per-address",
                           SESSIONS, pairs=1, environment=LEAN)
        server = self.control(relay)
        sessions = self.sessions(server, 2 * BURST)
        self.assert_talk(*sessions[-1])
        before_kib = relay.rss_kib()
        sessions += self.sessions(server, SESSIONS - len(sessions))
        self.assert_talk(*sessions[-1])
        bytes_each = (relay.rss_kib() - before_kib) * 1024 / (SESSIONS - 2 * BURST)
        print(f"{bytes_each:.0f} bytes of the process for each of {SESSIONS} idle sessions")
        self.assertLess(bytes_each, BYTES_EACH if not tunnel.is_sanitized()
                        else SANITIZED_BYTES_EACH)

        tunnel.case.once(lambda: self.assert_rests(relay))
        for client, reverse in random.sample(sessions, 200):
            self.assert_talk(client, reverse)
        server.close()
        wait_until(lambda: relay.descriptor_count() < 100)
        for client, reverse in random.sample(sessions, 20):
            self.assertEqual(tunnel.read_until_over(client), b"")
            self.assertEqual(tunnel.read_until_over(reverse), b"")


if __name__ == "__main__":
    tunnel.main()
