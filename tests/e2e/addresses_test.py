#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay on the wildcard of a host with several addresses answers from the one that was asked.

                      (east) 10.3.1.1  10.3.1.9  2001:db8:3:1::1  ---  east   10.3.1.2  ...::2
     relay, dummy lo
     10.3.0.1         (west) 10.3.2.1  2001:db8:3:2::1            ---  west   10.3.2.2  ...::2

Its public addresses are 10.3.1.1 and 2001:db8:3:1::1. The clients are east and west; west reaches
10.3.1.1 by routing, and replies leave through another interface than that of their source.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conform"))
# pylint: disable=wrong-import-position
import case
import sandbox
import stun
from relay import Relay

PUBLIC4, PUBLIC6 = "10.3.1.1", "2001:db8:3:1::1"
ALL = (PUBLIC4, "10.3.1.9", "10.3.2.1", "10.3.0.1", PUBLIC6, "2001:db8:3:2::1")


class Addresses(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.host = sandbox.Host("relay")
        cls.clients = []
        sandbox.address(cls.host, "lo", "10.3.0.1/32")
        for number, name in ((1, "east"), (2, "west")):
            client = sandbox.Host(name)
            sandbox.cable(cls.host, name, client, "eth0")
            sandbox.address(cls.host, name, f"10.3.{number}.1/24", f"2001:db8:3:{number}::1/64")
            sandbox.address(client, "eth0", f"10.3.{number}.2/24", f"2001:db8:3:{number}::2/64")
            sandbox.route(client, f"10.3.{number}.1", f"2001:db8:3:{number}::1")
            cls.clients.append(client)
        sandbox.address(cls.host, "east", "10.3.1.9/24")

    def start(self, *options, hosts=ALL):
        with self.host.inside():
            one = Relay("--allow-peer", "10.3.1.2", "--allow-peer", "2001:db8:3:1::2", *options,
                        hosts=hosts, is_addressed=False)
        self.relays.append(one)
        return one

    def assert_serves(self, one, client_host, asked, family):
        """The client checks the source of all that it receives."""
        with client_host.inside():
            alice = self.client(one, asked)
            self.assertEqual(alice.binding()[1], alice.udp.getsockname()[1])
            alice.allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
            is_ip6 = family == stun.FAMILY_IP6
            self.assertEqual(alice.relayed[0], PUBLIC6 if is_ip6 else PUBLIC4)
        with self.clients[0].inside():
            peer = self.peer("2001:db8:3:1::2" if is_ip6 else "10.3.1.2")
        alice.permit(peer.getsockname()[0])
        for _ in range(2):
            alice.send(b"ping", peer.getsockname())
            data, source = peer.recvfrom(100)
            self.assertEqual((data, source[:2]), (b"ping", alice.relayed))
            peer.sendto(b"pong", source)
            self.assertEqual(alice.receive()[1], b"pong")
            alice.bind(0x4000, peer.getsockname())
        alice.free()

    def test_every_address_serves_every_client_in_both_families(self):
        one = self.start("--public-ip4-addr", PUBLIC4, "--public-ip6-addr", PUBLIC6)
        for client_host in self.clients:
            for asked in ALL:
                for family in (stun.FAMILY_IP4, stun.FAMILY_IP6):
                    with self.subTest(client=client_host.name, asked=asked, family=family):
                        self.assert_serves(one, client_host, asked, family)

    def test_two_addresses_are_two_servers_to_one_client_socket(self):
        one = self.start("--public-ip4-addr", PUBLIC4, hosts=ALL[:2])
        with self.clients[0].inside():
            alice = self.client(one, ALL[0]).allocate()
            alice.server = (ALL[1], one.port)
            alice.refresh(code=437)  # the 5-tuple is another
            alice.allocate()
            alice.server = (ALL[0], one.port)
            alice.free()

    def test_a_bound_address_is_the_only_one(self):
        one = self.start("--bind-ip4-addr", "10.3.1.9", hosts=("10.3.1.9",))
        with self.clients[0].inside():
            self.assertEqual(self.client(one).allocate().relayed[0], "10.3.1.9")
            other = self.client(one, PUBLIC4)
            other.udp.sendto(stun.write(stun.BINDING, stun.REQUEST), other.server)
            self.assertIsNone(other.receive_raw(0.3))


if __name__ == "__main__":
    case.main(is_root=True)
