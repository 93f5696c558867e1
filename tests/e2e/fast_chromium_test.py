#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All that chromium_test.py shows of two browsers behind NATs, with their data in the kernel."""
from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import chromium_test
import fast_world


class FastChromium(FastCase, chromium_test.Chromium):
    @classmethod
    def setUpClass(cls):
        """Each test has a world of its own."""

    def set_up_relay(self):
        world = fast_world.Natted()
        self.behind_a, self.behind_b = world.alice, world.bob
        self.start(world)

    def assert_carried(self, wanted):
        """The kernel has, and so the relay's sockets have not."""
        went = counters(self.one)
        self.assertGreaterEqual(went["turned_bytes"], wanted, went)
        self.assertLess(self.carried()["bytes_to_client"], wanted // 10)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", "chromium", is_root=True)
