#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ways out change while packets go by them: the fast path follows, and nobody tells the relay.

The places are drawn in fast_world.py.
"""
import signal
import time

from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
from client import ARRIVAL_S, unique
from frames import Watch
from sandbox import PATIENCE_S

COUNT = 50


class Change(FastCase):
    def go_on(self, alice, bob):
        """Packets may be lost until the change is known, and go by the sockets for a moment."""
        for end in (alice.udp, bob):
            self.addCleanup(end.settimeout, ARRIVAL_S)
        self.await_soon(lambda: self.is_through(alice, bob))
        bob.settimeout(ARRIVAL_S)
        self.await_soon(lambda: self.is_fast(alice, bob))
        self.assert_is_fast(alice, bob)

    def await_soon(self, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, self.one.story())

    def is_fast(self, alice, bob):
        before = counters(self.one)
        self.warm_up(alice, bob)
        went = counters(self.one) - before
        return min(went["to_peer"], went["to_client"]) > 1

    def is_through(self, alice, bob):
        """A packet to the peer arrives soon, and so does one to the client."""
        data = unique(100)
        bob.settimeout(0.1)
        alice.send_channel(0x4000, data)
        try:
            while bob.recv(200) != data:
                pass
        except TimeoutError:
            return False
        bob.sendto(data, alice.relayed)
        while (arrived := alice.receive(0.1)) not in (None, (0x4000, data)):
            pass
        return arrived is not None

    def assert_is_fast(self, alice, bob):
        before = counters(self.one)
        for _ in range(COUNT):
            self.exchange(alice, bob, unique(100))
        self.assert_went(before, ("to_peer", "to_client"), COUNT)

    def for_each_version(self, place, change):
        """Two flows, each of which sees a change of its own in the middle."""
        self.start(place)
        for version in (4, 6):
            with self.subTest(version=version):
                alice, bob = self.alice_and_bob(version, version)
                self.warm_up(alice, bob)
                self.assert_is_fast(alice, bob)
                change(version)
                self.go_on(alice, bob)

    def test_a_peer_gets_another_mac_address(self):
        place = fast_world.Lan()
        place.bob.run("sysctl -q net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1")
        self.for_each_version(place, lambda version: place.bob.run(
            f"ip link set eth0 address 02:00:00:00:00:b{version}"))

    def test_a_client_gets_another_mac_address(self):
        place = fast_world.Lan()
        place.alice.run("sysctl -q net.ipv4.conf.eth0.arp_notify=1 "
                        "net.ipv6.conf.eth0.ndisc_notify=1")
        self.for_each_version(place, lambda version: place.alice.run(
            f"ip link set eth0 address 02:00:00:00:00:a{version}"))

    def test_the_relay_gets_another_mac_address(self):
        place = fast_world.Lan()
        place.relay.run("sysctl -q net.ipv4.conf.eth0.arp_notify=1 "
                        "net.ipv6.conf.eth0.ndisc_notify=1")
        self.for_each_version(place, lambda version: place.relay.run(
            f"ip link set eth0 address 02:00:00:00:00:c{version}"))

    def test_the_system_forgets_a_neighbour(self):
        place = fast_world.Lan()
        self.for_each_version(place, lambda version: place.relay.run(
            f"ip neighbour del {place.at['bob'][version]} dev eth0"))

    def test_the_interface_goes_down_and_up(self):
        """Also while relaying in the kernel is off. Of IPv6 the system would take the addresses."""
        place = fast_world.Lan()
        self.start(place, versions=(4,))
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        for is_off in (False, True):
            with self.subTest(is_off=is_off):
                if is_off:
                    self.one.process.send_signal(signal.SIGUSR2)
                    self.one.wait_for_log("INFO relaying in the kernel is off")
                place.relay.run("ip link set eth0 down")
                place.relay.run("ip link set eth0 up")
                if is_off:
                    self.one.process.send_signal(signal.SIGUSR2)
                    self.one.wait_for_log("INFO relaying in the kernel is on")
                self.go_on(alice, bob)

    def test_a_route_leads_to_another_router(self):
        place = fast_world.TwoRouters()
        self.start(place)
        watches = []
        for number in (1, 2):
            with place.bob.inside():
                watches.append(Watch(f"from{number}"))
            self.addCleanup(watches[-1].close)
        for version in (4, 6):
            with self.subTest(version=version):
                place.lead_by(1)
                alice, bob = self.alice_and_bob(version, version)
                self.warm_up(alice, bob)
                self.assert_is_fast(alice, bob)
                self.assertGreaterEqual(self.ways(watches, version)[0], COUNT)
                place.lead_by(2)
                self.await_soon(lambda v=version, a=alice, b=bob: self.has_moved(watches, v, a, b))
                self.go_on(alice, bob)
                self.ways(watches, version)
                self.assert_is_fast(alice, bob)
                self.assertEqual(self.ways(watches, version), [0, COUNT])

    def ways(self, watches, version):
        """How many packets of the relay have come by each router since last time."""
        return [len(watch.packets(self.place.at["relay"][version])) for watch in watches]

    def has_moved(self, watches, version, alice, bob):
        self.ways(watches, version)
        self.warm_up(alice, bob)
        return self.ways(watches, version)[0] == 0


if __name__ == "__main__":
    case.main("ethtool", "sysctl", is_root=True)
