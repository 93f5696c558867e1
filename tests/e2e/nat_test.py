#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two machines behind NATs, which give each flow a random port, meet through a relay between them.

Where they are is drawn in nats.py.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conform"))
# pylint: disable=wrong-import-position
import case
import stun
from client import ARRIVAL_S, Client, unique
from nats import NAT_B4, NAT_B6, RELAY4, RELAY6, make_world
from relay import Relay

IP4 = (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4)
IP6 = (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)


class Nat(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.relay_host, cls.behind_a, cls.behind_b = make_world()

    def setUp(self):
        super().setUp()
        with self.relay_host.inside():
            # The addresses of this Internet are those of documentation, which are denied.
            self.one = Relay("--allow-peer", NAT_B4, "--allow-peer", NAT_B6,
                             hosts=(RELAY4, RELAY6))
        self.relays.append(self.one)

    def at(self, machine, host, *attributes):
        """A client behind a NAT that speaks to the relay at `host`, with an allocation."""
        with machine.inside():
            return self.client(self.one, host).allocate(*attributes)

    def assert_both_ways(self, alice, bob):
        """By indications, then by channels; afterwards by both at the same time."""
        alice.permit(bob.relayed[0])
        bob.permit(alice.relayed[0])
        for _ in range(2):
            for length in (1, 172, 1200, 5000):
                for one, other in ((alice, bob), (bob, alice)):
                    data = unique(length)
                    one.send(data, other.relayed)
                    source, arrived = other.receive()
                    self.assertIn(source, (one.relayed, 0x4000))
                    self.assertEqual(arrived, data)
            alice.bind(0x4000, bob.relayed)
            bob.bind(0x4000, alice.relayed)
        for one, other in ((alice, bob), (bob, alice)):
            for number in range(100):
                data = number.to_bytes(4, "big") + unique(168)
                one.send_channel(0x4000, data)
                self.assertEqual(other.receive(), (0x4000, data))

    def test_clients_are_seen_as_their_nats(self):
        for machine, ip4, ip6 in ((self.behind_a, "198.51.100.1", "2001:db8::1"),
                                  (self.behind_b, NAT_B4, NAT_B6)):
            for host, outside in ((RELAY4, ip4), (RELAY6, ip6)):
                client = self.at(machine, host, IP6 if ":" in host else IP4)
                self.assertEqual(client.mapped[0], outside)
                self.assertNotEqual(client.mapped[1], client.udp.getsockname()[1])

    def test_two_clients_over_ip4(self):
        self.assert_both_ways(self.at(self.behind_a, RELAY4), self.at(self.behind_b, RELAY4))

    def test_two_clients_over_ip6(self):
        self.assert_both_ways(self.at(self.behind_a, RELAY6, IP6),
                              self.at(self.behind_b, RELAY6, IP6))

    def test_a_client_over_ip4_with_an_ip6_relayed_address(self):
        self.assert_both_ways(self.at(self.behind_a, RELAY4, IP6),
                              self.at(self.behind_b, RELAY6, IP6))

    def test_a_client_over_ip6_with_an_ip4_relayed_address(self):
        self.assert_both_ways(self.at(self.behind_a, RELAY6, IP4),
                              self.at(self.behind_b, RELAY4, IP4))

    def test_a_peer_behind_a_nat_is_reached_once_it_has_sent(self):
        """By its mapping for the relayed address, which is not the one that a STUN server sees."""
        for host, nat, family in ((RELAY4, NAT_B4, IP4), (RELAY6, NAT_B6, IP6)):
            alice = self.at(self.behind_a, host, family)
            with self.behind_b.inside():
                bob = Client((host, self.one.port))
                self.addCleanup(bob.close)
            reflexive = bob.binding()
            self.assertEqual(reflexive[0], nat)
            alice.permit(nat)
            alice.send(b"too early", reflexive)
            self.assertIsNone(bob.receive_raw(0.3))

            bob.udp.sendto(b"knock", alice.relayed)
            peer, data = alice.receive()
            self.assertEqual((peer[0], data), (nat, b"knock"))
            self.assertNotEqual(peer[1], reflexive[1])  # random for each flow
            bob.udp.settimeout(ARRIVAL_S)
            for number in range(50):
                if number == 25:
                    alice.bind(0x4000, peer)
                data = unique(500)
                if number < 25:
                    alice.send(data, peer)
                else:
                    alice.send_channel(0x4000, data)
                arrived, source = bob.udp.recvfrom(65536)
                self.assertEqual((arrived, source[:2]), (data, alice.relayed))
                bob.udp.sendto(data, source)
                self.assertEqual(alice.receive(), (peer if number < 25 else 0x4000, data))

    def test_a_peer_without_a_permission_stays_outside(self):
        alice = self.at(self.behind_a, RELAY4)
        with self.behind_b.inside():
            bob = self.peer("10.2.0.2")
        bob.sendto(b"knock", alice.relayed)
        self.assertIsNone(alice.receive_raw(0.3))
        alice.permit(NAT_B4)
        bob.sendto(b"knock", alice.relayed)
        self.assertEqual(alice.receive()[1], b"knock")

    def test_a_client_whose_nat_forgets_it_is_told_to_start_anew(self):
        alice = self.at(self.behind_a, RELAY4)
        before = alice.mapped
        with self.behind_a.inside():
            moved = Client((RELAY4, self.one.port))  # the same client from another mapping
            self.addCleanup(moved.close)
        moved.realm, moved.nonce, moved.key = alice.realm, alice.nonce, alice.key
        moved.learn(moved.expect(438, stun.REFRESH))
        moved.refresh(code=437)
        moved.allocate()
        self.assertNotEqual(moved.mapped, before)


if __name__ == "__main__":
    case.main("nft", "sysctl", is_root=True)
