#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay's packets look like on the wire: checksums, TTL, DSCP and ECN.

The places are drawn in fast_world.py. What arrives at alice or bob is read by frames.py.
"""
import itertools
import socket

from fast_case import LENGTHS, SLOW, FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
from client import unique
from frames import Packet, Watch

UDP_SEGMENT = 103  # of <linux/udp.h>: one write becomes packets of that length
TTL = 61
# DSCP and ECN: best effort and expedited; not capable, capable in both ways, congested.
MARKS = (0x00, 0x02, 0xB9, 0xB8, 0x2B, 0xFF)
OPTIONS = {socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL, socket.IP_TOS),
           socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS)}


def mark(udp, tos):
    level, ttl_option, tos_option = OPTIONS[udp.family]
    udp.setsockopt(level, ttl_option, TTL)
    udp.setsockopt(level, tos_option, tos)


class Frames(FastCase):
    def watch(self, host):
        with host.inside():
            watch = Watch("eth0")
        self.addCleanup(watch.close)
        return watch

    def assert_whole(self, watch, source, expected):
        """As many packets have come from the relay as expected, with these marks, without fault."""
        packets = watch.packets(source)
        self.assertEqual([packet.faults for packet in packets], [[]] * len(expected))
        hops = 3 if isinstance(self.place, fast_world.Routed) else 1
        self.assertEqual([(packet.tos, packet.ttl, len(packet.data)) for packet in packets],
                         [(tos, TTL - hops, length) for tos, length in expected])

    def run_flow(self, sockets, exchange, heads, versions):
        """Packets of all lengths and marks. `versions`: by which alice's and bob's packets come."""
        relay = self.place.at["relay"]
        watches = [self.watch(host) for host in (self.place.alice, self.place.bob)]
        expected = ([], [])
        for number, (length, tos) in enumerate(itertools.product(LENGTHS, MARKS)):
            for udp in sockets:
                mark(udp, tos)
            exchange(unique(length), number % 2 == 0)
            for head, those in zip(heads, expected):
                those.append((tos, head + length))
        for watch, version, those in zip(watches, versions, expected):
            self.assert_whole(watch, relay[version], those)

    def assert_flow(self, version, peer_version):
        alice, bob = self.alice_and_bob(version, peer_version)
        self.warm_up(alice, bob)
        before = counters(self.one)
        self.run_flow((alice.udp, bob),
                      lambda data, is_padded: self.exchange(alice, bob, data, is_padded),
                      (4, 0), (version, peer_version))
        self.assert_went(before, ("to_peer", "to_client"), len(LENGTHS) * len(MARKS))

    def assert_turned_flow(self, versions, relayed_version):
        alice, bob = self.pair((self.place.alice, self.place.bob), versions, relayed_version)
        self.exchange_turned(alice, bob)
        before = counters(self.one)
        self.run_flow((alice.udp, bob.udp),
                      lambda data, is_padded: self.exchange_turned(alice, bob, data, is_padded),
                      (4, 4), versions)
        self.assert_went(before, ("turned",), 2 * len(LENGTHS) * len(MARKS) - SLOW)

    def assert_all_flows(self):
        for versions in itertools.product((4, 6), (4, 6)):
            with self.subTest(client=versions[0], peer=versions[1]):
                self.assert_flow(*versions)

    def test_the_reader_sees_every_byte_that_is_wrong(self):
        self.start(fast_world.Lan())
        for version in (4, 6):
            watch = self.watch(self.place.bob)
            self.exchange(*self.alice_and_bob(version, version), unique(63))
            packet, = watch.packets(self.place.at["relay"][version])
            self.assertEqual(packet.faults, [])
            # An IPv6 header has no checksum; its addresses are in that of UDP.
            for place in range(1 if version == 4 else 8, len(packet.raw)):
                raw = bytearray(packet.raw)
                raw[place] ^= 1
                self.assertNotEqual(Packet(bytes(raw), version).faults, [], place)

    def test_one_lan(self):
        self.start(fast_world.Lan())
        self.assert_all_flows()

    def test_one_lan_in_generic_mode(self):
        self.start(fast_world.Lan(), mode="generic")
        self.assert_all_flows()

    def assert_unfinished(self, version, peer_version):
        """Packets whose checksums nobody has finished go by the sockets; so do several in one."""
        alice, bob = self.alice_and_bob(version, peer_version)
        before = counters(self.one)
        for length in LENGTHS:
            self.exchange(alice, bob, unique(length))
        bob.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
        data = unique(300)
        bob.sendto(data, alice.relayed)
        for at in (0, 100, 200):
            self.assertEqual(alice.receive(), (0x4000, data[at:at + 100]))
        went = counters(self.one) - before
        self.assertGreaterEqual(went["pass_no_checksum"], 2 * len(LENGTHS))

    def test_what_senders_leave_to_hardware(self):
        self.start(fast_world.Lan(), mode="generic")
        for host, device in ((self.place.alice, "eth0"), (self.place.bob, "eth0"),
                             (self.place.switch, "to_relay")):
            host.run(f"ethtool -K {device} tx on")
        for versions in itertools.product((4, 6), (4, 6)):
            with self.subTest(client=versions[0], peer=versions[1]):
                self.assert_unfinished(*versions)

    def test_behind_a_router(self):
        self.start(fast_world.Routed())
        self.assert_all_flows()

    def test_hairpin(self):
        self.start(fast_world.Lan())
        for *versions, relayed in itertools.product((4, 6), (4, 6), (4, 6)):
            with self.subTest(a=versions[0], b=versions[1], relayed=relayed):
                self.assert_turned_flow(versions, relayed)


if __name__ == "__main__":
    case.main("ethtool", "sysctl", is_root=True)
