#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ways to set up a relay that offloads, and what else is on its host.

The places are drawn in fast_world.py.
"""
from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
from client import unique

COUNT = 20


class Setup(FastCase):
    def assert_only(self, version):
        """A relay whose host has one family alone."""
        self.start(fast_world.Lan(versions=(version,)), versions=(version,))
        self.assert_fast(version, version)
        machines = self.place.alice, self.place.bob
        self.assert_turned(machines, (version, version), version)

    def test_ip4_only(self):
        self.assert_only(4)

    def test_ip6_only(self):
        self.assert_only(6)

    def test_auto(self):
        self.start(fast_world.Lan(), offloading=["auto"])
        self.assert_all_ways()

    def test_an_interface_that_is_not_named(self):
        """What comes in or would leave by it goes by the sockets; the other one is fast."""
        place = fast_world.TwoArmed()
        at_alice = place.at["alice"][4]
        self.start(place, "--allow-peer", at_alice, offloading=["outside"])
        for version in (4, 6):
            before = counters(self.one)
            alice, bob = self.alice_and_bob(version, version)
            for _ in range(COUNT):
                self.exchange(alice, bob, unique(100))
            went = counters(self.one) - before
            self.assertEqual(went["to_peer"] + went["to_client"], 0, went)
            self.assertGreaterEqual(went["pass_no_hop"], COUNT, went)
        with place.alice.inside():
            neighbour = self.peer(at_alice)
            alice = self.client(self.one, place.at["relay"][4]).allocate()
        alice.bind(0x4000, neighbour.getsockname())
        self.warm_up(alice, neighbour)
        before = counters(self.one)
        for _ in range(COUNT):
            self.exchange(alice, neighbour, unique(100))
        self.assert_went(before, ("to_peer", "to_client"), COUNT)


class Neighbours(FastCase):
    """Services that have nothing to do with the relay, while it relays in the kernel."""

    def ask(self, asker, service, exchange):
        for _ in range(COUNT):
            question, answer = unique(50), unique(100)
            asker.sendto(question, service.getsockname())
            arrived, source = service.recvfrom(200)
            self.assertEqual(arrived, question)
            service.sendto(answer, source)
            self.assertEqual(asker.recvfrom(200)[0], answer)
            exchange()

    def test_a_service_at_a_port_of_the_relayed_range(self):
        self.start(fast_world.Lan())
        at = self.place.at
        for version in (4, 6):
            alice, bob = self.alice_and_bob(version, version)
            self.warm_up(alice, bob)
            with self.place.relay.inside():
                taken = alice.relayed[1]
                port = self.one.highest if taken != self.one.highest else self.one.lowest
                service = self.peer(at["relay"][version], port)
            with self.place.alice.inside():
                asker = self.peer(at["alice"][version])
            before = counters(self.one)
            self.ask(asker, service, lambda a=alice, b=bob: self.exchange(a, b))
            went = counters(self.one) - before
            self.assertEqual(went["pass_unbound"], COUNT, went)
            self.assert_went(before, ("to_peer", "to_client"), COUNT)

    def test_answers_to_a_client_on_the_relays_host(self):
        """As of DNS, or of QUIC."""
        self.start(fast_world.Lan())
        at = self.place.at
        for version in (4, 6):
            alice, bob = self.alice_and_bob(version, version)
            self.warm_up(alice, bob)
            with self.place.bob.inside():
                server = self.peer(at["bob"][version], 53)
            with self.place.relay.inside():
                resolver = self.peer(at["relay"][version])
            self.assertGreater(resolver.getsockname()[1], self.one.highest)
            before = counters(self.one)
            self.ask(resolver, server, lambda a=alice, b=bob: self.exchange(a, b))
            went = counters(self.one) - before
            self.assertGreaterEqual(went["pass_foreign"], COUNT, went)
            self.assertEqual(went["pass_unbound"], 0, went)
            self.assert_went(before, ("to_peer", "to_client"), COUNT)


if __name__ == "__main__":
    case.main("ethtool", "sysctl", is_root=True)
