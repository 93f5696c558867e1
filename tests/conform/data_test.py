#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Data between clients and peers: every way it takes, and that it takes no other."""
import case
import stun
from client import unique

ALLOW = ("--allow-peer", "127.0.0.0/8", "--allow-peer", "::1")
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 63, 99, 1199, 1200, 1471, 8191, 60001)
HOSTS = ("127.0.0.1", "::1")


class Data(case.Case):
    def pair(self, host="127.0.0.1"):
        """A client with an allocation, and a peer that it may reach."""
        family = stun.FAMILY_IP6 if ":" in host else stun.FAMILY_IP4
        alice = self.client(self.one, host).allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
        return alice, self.peer(host)

    def setUp(self):
        super().setUp()
        self.one = self.relay(*ALLOW, hosts=HOSTS)

    def test_send_and_data_indications_carry_every_length_both_ways(self):
        for host in HOSTS:
            alice, peer = self.pair(host)
            alice.permit(host)
            for length in (0, *LENGTHS):
                there, back = unique(length), unique(length)
                alice.send(there, peer.getsockname())
                data, source = peer.recvfrom(65536)
                self.assertEqual((data, source[:2]), (there, alice.relayed))
                peer.sendto(back, source)
                self.assertEqual(alice.receive(), (peer.getsockname()[:2], back))

    def test_channels_carry_every_length_both_ways_padded_or_not(self):
        for host in HOSTS:
            alice, peer = self.pair(host)
            alice.bind(0x4001, peer.getsockname())
            for length in (0, *LENGTHS):
                for is_padded in (False, True):
                    there, back = unique(length), unique(length)
                    alice.send_channel(0x4001, there, is_padded)
                    data, source = peer.recvfrom(65536)
                    self.assertEqual((data, source[:2]), (there, alice.relayed))
                    peer.sendto(back, source)
                    self.assertEqual(alice.receive(), (0x4001, back))

    def test_both_ways_stand_side_by_side(self):
        alice, bound = self.pair()
        other = self.peer()
        alice.bind(0x4FFF, bound.getsockname())
        for peer in (bound, other):
            alice.send(b"indication", peer.getsockname())
            self.assertEqual(peer.recvfrom(100), (b"indication", alice.relayed))
            peer.sendto(b"back", alice.relayed)
        arrived = {alice.receive(), alice.receive()}
        self.assertEqual(arrived, {(0x4FFF, b"back"), (other.getsockname(), b"back")})

    def test_data_with_and_without_dont_fragment_arrives_whole(self):
        alice, peer = self.pair()
        alice.permit("127.0.0.1")
        for length in (100, 60000):
            for attributes in ([(stun.DONT_FRAGMENT, b"")], []):
                data = unique(length)
                alice.send(data, peer.getsockname(), *attributes)
                self.assertEqual(peer.recv(65536), data)

    def test_nothing_passes_without_a_permission(self):
        alice, peer = self.pair()
        stranger = self.peer("127.0.0.3")
        alice.send(b"before", peer.getsockname())
        peer.sendto(b"before", alice.relayed)
        alice.binding()  # one turn of the relay's loop, so that it has seen the datagram
        alice.permit("127.0.0.1")
        stranger.sendto(b"from an address without one", alice.relayed)
        alice.send(b"to an address without one", stranger.getsockname())
        alice.send(b"after", peer.getsockname())
        self.assertEqual(peer.recv(100), b"after")
        peer.sendto(b"after", alice.relayed)
        self.assertEqual(alice.receive(), (peer.getsockname(), b"after"))
        self.assertIsNone(alice.receive(0.2))
        stranger.settimeout(0.2)
        self.assertRaises(TimeoutError, stranger.recv, 100)

    def test_a_permission_is_for_every_port_of_its_host(self):
        alice, peer = self.pair()
        alice.permit("9.9.9.9", "127.0.0.1")
        for one in (peer, self.peer()):
            one.sendto(b"here", alice.relayed)
            self.assertEqual(alice.receive(), (one.getsockname(), b"here"))

    def test_a_channel_that_is_not_bound_carries_nothing(self):
        alice, peer = self.pair()
        alice.bind(0x4000, peer.getsockname())
        other = self.client(self.one).allocate()
        alice.send_channel(0x4001, b"of no one")
        other.send_channel(0x4000, b"of another client")
        alice.send_channel(0x4000, b"bound")
        self.assertEqual(peer.recv(100), b"bound")
        peer.settimeout(0.2)
        self.assertRaises(TimeoutError, peer.recv, 100)

    def test_after_the_end_nothing_passes(self):
        alice, peer = self.pair()
        alice.bind(0x4000, peer.getsockname())
        alice.free()
        alice.send_channel(0x4000, b"late")
        alice.send(b"late", peer.getsockname())
        peer.settimeout(0.3)
        self.assertRaises(TimeoutError, peer.recv, 100)
        alice.allocate()
        alice.send_channel(0x4000, b"not bound anew")
        self.assertRaises(TimeoutError, peer.recv, 100)

    def test_two_clients_meet_at_their_relayed_addresses(self):
        for host in HOSTS:
            alice, bob = self.pair(host)[0], self.pair(host)[0]
            alice.permit(bob.relayed[0])
            bob.bind(0x4000, alice.relayed)
            alice.send(b"hello", bob.relayed)
            self.assertEqual(bob.receive(), (0x4000, b"hello"))
            bob.send_channel(0x4000, b"hello yourself", is_padded=True)
            self.assertEqual(alice.receive(), (bob.relayed, b"hello yourself"))

    def test_indications_are_never_answered(self):
        alice, _ = self.pair()
        for method in (stun.BINDING, stun.ALLOCATE, stun.SEND, stun.DATA, 0xFFF):
            alice.udp.sendto(stun.write(method, stun.INDICATION, [(0x7FFF, b"unknown")]),
                             alice.server)
        for method in (stun.BINDING, stun.ALLOCATE, 0xFFF):
            for kind in (stun.SUCCESS, stun.ERROR):
                alice.udp.sendto(stun.write(method, kind), alice.server)
        self.assertIsNone(alice.receive_raw(0.3))

    def test_many_packets_in_one_go_come_all_and_in_order(self):
        alice, peer = self.pair()
        alice.bind(0x4000, peer.getsockname())
        for start in range(0, 2000, 100):
            for number in range(start, start + 100):
                alice.send_channel(0x4000, number.to_bytes(4, "big") + bytes(168))
            for number in range(start, start + 100):
                data = peer.recv(65536)
                self.assertEqual((len(data), int.from_bytes(data[:4], "big")), (172, number))


class Wildcard(case.Case):
    def test_it_answers_from_the_address_that_was_asked(self):
        hosts = ("127.0.0.1", "127.0.0.2", "127.99.0.1")
        one = self.relay("--public-ip4-addr", "127.0.0.1", *ALLOW, hosts=hosts, is_addressed=False)
        for host in hosts:  # the client checks the source of all that it receives
            alice = self.client(one, host, local="127.0.0.1").allocate()
            self.assertEqual(alice.relayed[0], "127.0.0.1")
            peer = self.peer()
            alice.bind(0x4000, peer.getsockname())
            alice.send_channel(0x4000, b"ping")
            self.assertEqual(peer.recvfrom(100), (b"ping", alice.relayed))
            peer.sendto(b"pong", alice.relayed)
            self.assertEqual(alice.receive(), (0x4000, b"pong"))


if __name__ == "__main__":
    case.main()
