#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Channels of several workers in the one table of the kernel's program.

The places are drawn in fast_world.py. Which worker serves a client is chance: that all of 12 meet
the same one of four happens once in four million starts.
"""
from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world

COUNT = 12
OPTIONS = ("--num-worker-threads=4", "--max-channels=32")
ROUNDS = 10


class Workers(FastCase):
    def test_channels_of_all_go_by_the_kernel(self):
        self.start(fast_world.Lan(), *OPTIONS)
        ends = [self.alice_and_bob(4, 4) for _ in range(COUNT)]
        for alice, bob in ends:
            self.warm_up(alice, bob)
        before = counters(self.one)
        for _ in range(ROUNDS):
            for alice, bob in ends:
                self.exchange(alice, bob)
        self.assert_went(before, ("to_peer", "to_client"), COUNT * ROUNDS)

    def test_one_that_ends_leaves_the_others(self):
        self.start(fast_world.Lan(), *OPTIONS)
        ends = [self.alice_and_bob(4, 4) for _ in range(COUNT)]
        for alice, bob in ends:
            self.warm_up(alice, bob)
        while ends:
            alice, bob = ends.pop()
            alice.free()
            bob.sendto(b"to nobody", alice.relayed)
            before = counters(self.one)
            for alice, bob in ends:
                self.exchange(alice, bob)
            if ends:
                self.assert_went(before, ("to_peer", "to_client"), len(ends))
        again = [self.alice_and_bob(4, 4) for _ in range(COUNT)]  # the slots are free again
        for alice, bob in again:
            self.exchange(alice, bob)

    def test_two_clients_meet_in_the_kernel(self):
        place = fast_world.Natted()
        self.start(place, *OPTIONS)
        for _ in range(COUNT):
            self.assert_turned((place.alice, place.bob), (4, 4), 4)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
