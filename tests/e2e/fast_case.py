# SPDX-License-Identifier: Apache-2.0
"""What the tests of relaying in the kernel share: a relay in a place, flows, and what was counted.

The places are drawn in fast_world.py and nats.py. What the kernel's program counted is asked of the
relay itself: a test that the sockets alone could pass would show nothing.
"""
import collections
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conform"))
# pylint: disable=wrong-import-position
import case
import stun
from client import unique
from relay import Relay
from sandbox import PATIENCE_S

FAMILY = {4: (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4),
          6: (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)}
LENGTHS = (0, 1, 2, 3, 4, 5, 11, 63, 64, 65, 171, 172, 1000, 1201, 1400)
SLOW = 3  # packets of a flow that the sockets may get: the first ones, and one now and then


def counters(relay):
    """What the kernel's program has counted so far, by verdict: a difference has what is new."""
    before = relay.log().count("INFO fast path")
    relay.process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + PATIENCE_S
    while relay.log().count("INFO fast path") == before:
        if time.monotonic() > end:
            raise AssertionError(f"no counters\n{relay.story()}")
        time.sleep(0.02)
    line = [one for one in relay.log().splitlines() if "INFO fast path" in one][-1]
    return collections.Counter({name: int(value)
                                for name, value in re.findall(r"(\w+)=(\d+)", line)})


class FastCase(case.Case):
    def start(self, place, *options, mode="driver", versions=(4, 6), offloading=None, **more):
        """The relay in its place, with the addresses of these IP versions."""
        for pass_program in place.passes:
            self.addCleanup(pass_program.close)
        self.addCleanup(place.close)
        self.addCleanup(self.end_relays)
        allowed = [word for version in versions
                   for word in ("--allow-peer", place.at["bob"][version])]
        named = offloading or place.interfaces
        with place.relay.inside():
            self.one = Relay(*(word for name in named for word in ("--ebpf-offloading", name)),
                             "--ebpf-attach-mode", mode, *allowed, *options,
                             **{"hosts": [place.at["relay"][one] for one in versions]} | more)
        self.relays.append(self.one)
        self.place = place
        attached = re.findall(rf"INFO relaying in the kernel interface=(\S+) mode={mode}\n",
                              self.one.log())
        self.assertEqual(attached, list(place.interfaces if "auto" in named else named))

    def alice_and_bob(self, version, peer_version):
        """A client with a channel to a peer."""
        at = self.place.at
        with self.place.alice.inside():
            alice = self.client(self.one, at["public"][version])
        alice.allocate(FAMILY[peer_version])
        with self.place.bob.inside():
            bob = self.peer(at["bob"][peer_version])
        alice.bind(0x4000, bob.getsockname())
        return alice, bob

    def pair(self, machines, versions, relayed_version):
        """Two clients on machines, by these IP versions, with channels to one another."""
        ends = []
        for machine, version in zip(machines, versions):
            with machine.inside():
                end = self.client(self.one, self.place.at["public"][version])
            ends.append(end.allocate(FAMILY[relayed_version]))
        for end, other in (ends, ends[::-1]):
            end.bind(0x4000, other.relayed)
        return ends

    def exchange(self, alice, bob, data=b"first", is_padded=False):
        """To the peer and back."""
        alice.send_channel(0x4000, data, is_padded)
        arrived, source = bob.recvfrom(65536)
        self.assertEqual((arrived, source[:2]), (data, alice.relayed))
        bob.sendto(data, source)
        self.assertEqual(alice.receive(), (0x4000, data))

    def exchange_turned(self, alice, bob, data=b"first", is_padded=False):
        """To the other client and back."""
        for end, other in ((alice, bob), (bob, alice)):
            end.send_channel(0x4000, data, is_padded)
            self.assertEqual(other.receive(), (0x4000, data))

    def warm_up(self, alice, bob):
        """The first packets may go by the sockets, until the neighbours are known."""
        for _ in range(3):
            self.exchange(alice, bob)

    def assert_went(self, before, names, least):
        """The kernel's program has relayed that much since, which it counts by these names."""
        went = counters(self.one) - before
        for name in names:
            self.assertGreaterEqual(went[name], least - SLOW, f"{name}: {went}")

    def assert_fast(self, version, peer_version):
        alice, bob = self.alice_and_bob(version, peer_version)
        self.warm_up(alice, bob)
        before = counters(self.one)
        for length in LENGTHS:
            for is_padded in (False, True):
                self.exchange(alice, bob, unique(length), is_padded)
        self.assert_went(before, ("to_peer", "to_client"), 2 * len(LENGTHS))

    def assert_turned(self, machines, versions, relayed_version):
        alice, bob = self.pair(machines, versions, relayed_version)
        self.exchange_turned(alice, bob)
        before = counters(self.one)
        for length in LENGTHS:
            for is_padded in (False, True):
                self.exchange_turned(alice, bob, unique(length), is_padded)
        self.assert_went(before, ("turned",), 4 * len(LENGTHS) - SLOW)
        for end in (alice, bob):
            end.free()

    def assert_all_ways(self):
        for version in (4, 6):
            for peer_version in (4, 6):
                with self.subTest(client=version, peer=peer_version):
                    self.assert_fast(version, peer_version)
