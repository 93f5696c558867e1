#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two machines behind NATs, which give each flow a random port, meet through a relay between them.

     alice                nat_a                internet (a bridge)          nat_b                bob
    10.1.0.2 --- 10.1.0.1   198.51.100.1 ---+---+---+--- 198.51.100.2   10.2.0.1 --- 10.2.0.2
 fd01::2 --- fd01::1   2001:db8::1 ---------+   |   +------- 2001:db8::2   fd02::1 --- fd02::2
                                                |
                                              relay
                                   198.51.100.10  2001:db8::10

The NATs masquerade all that leaves (nft masquerade random) and let nothing in that no flow from
inside has asked for. They do so for IPv6 too, so that both families go the same way.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conform"))
# pylint: disable=wrong-import-position
import case
import sandbox
import stun
from client import Client, unique
from relay import Relay

RELAY4, RELAY6 = "198.51.100.10", "2001:db8::10"
NAT_B4, NAT_B6 = "198.51.100.2", "2001:db8::2"
IP4 = (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4)
IP6 = (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)
MASQUERADE = """
table inet nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname "outside" masquerade random
    }
}
table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop
        iifname "inside" accept
        ct state established,related accept
    }
    chain input {
        type filter hook input priority filter
        iifname "outside" ct state new udp dport != 0 drop
    }
}
"""


def make_nat(internet, name, number):
    """A NAT and the machine behind it; returns (nat, machine)."""
    nat, machine = sandbox.Host(f"nat_{name}"), sandbox.Host(f"behind_{name}")
    sandbox.cable(machine, "eth0", nat, "inside")
    sandbox.cable(nat, "outside", internet, f"to_{name}")
    internet.run(f"ip link set to_{name} master bridge")
    sandbox.address(machine, "eth0", f"10.{number}.0.2/24", f"fd0{number}::2/64")
    sandbox.address(nat, "inside", f"10.{number}.0.1/24", f"fd0{number}::1/64")
    sandbox.address(nat, "outside", f"198.51.100.{number}/24", f"2001:db8::{number}/64")
    sandbox.route(machine, f"10.{number}.0.1", f"fd0{number}::1")
    nat.run("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    nat.nft(MASQUERADE)
    return nat, machine


def make_world():
    internet, relay = sandbox.Host("internet"), sandbox.Host("relay")
    internet.run("ip link add bridge type bridge")
    internet.run("ip link set bridge up")
    sandbox.cable(relay, "eth0", internet, "to_relay")
    internet.run("ip link set to_relay master bridge")
    sandbox.address(relay, "eth0", f"{RELAY4}/24", f"{RELAY6}/64")
    return relay, make_nat(internet, "a", 1)[1], make_nat(internet, "b", 2)[1]


class Nat(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.relay_host, cls.behind_a, cls.behind_b = make_world()

    def setUp(self):
        super().setUp()
        with self.relay_host.inside():
            self.one = Relay(hosts=(RELAY4, RELAY6))
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
            bob.udp.settimeout(2)
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
