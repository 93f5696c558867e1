#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two clients behind symmetric NATs, by channels to one another's relayed address in the kernel.

Where they are is drawn in nats.py.
"""
from fast_case import FastCase
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world


class Hairpin(FastCase):
    def test_two_clients_of_one_relay(self):
        place = fast_world.Natted()
        self.start(place)
        for version_a in (4, 6):
            for version_b in (4, 6):
                for relayed in (4, 6):
                    with self.subTest(a=version_a, b=version_b, relayed=relayed):
                        self.assert_turned((place.alice, place.bob), (version_a, version_b),
                                           relayed)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
