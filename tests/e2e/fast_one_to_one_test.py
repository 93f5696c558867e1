#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay behind a one-to-one NAT, which tells it nothing but its public address.

The place is drawn in fast_world.py.
"""
from fast_case import FastCase
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world


class OneToOne(FastCase):
    def assert_fast_to_all(self, *options, is_addressed=False):
        place = fast_world.OneToOne()
        self.start(place, "--public-ip4-addr", place.at["public"][4], *options, versions=(4,),
                   is_addressed=is_addressed)
        self.assert_fast(4, 4)
        self.assert_turned((place.alice, place.bob), (4, 4), 4)
        self.assert_turned((place.alice, place.alice), (4, 4), 4)

    def test_the_relay_finds_its_inner_address(self):
        self.assert_fast_to_all()

    def test_the_relay_is_told_its_inner_address(self):
        self.assert_fast_to_all("--ebpf-int4-addr", "10.0.0.4")

    def test_the_relay_is_bound_to_its_inner_address(self):
        self.assert_fast_to_all(is_addressed=True)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
