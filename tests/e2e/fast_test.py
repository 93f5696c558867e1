#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay with --ebpf-offloading: data goes through the kernel, whatever the place is like.

The places are drawn in fast_world.py and nats.py. What the kernel's program counted is asked of the
relay itself: a test that the sockets alone could pass would show nothing.
"""
import collections
import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from fast_case import SLOW, FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
import relay
from client import ARRIVAL_S, Client, unique
from relay import Relay
from sandbox import PATIENCE_S
from xdp_pass import Pass

SO_RCVBUFFORCE = 33
METRICS = "http://127.0.0.1:9641/metrics"


class Fast(FastCase):
    def test_one_lan(self):
        self.start(fast_world.Lan())
        self.assert_all_ways()

    def test_one_lan_in_generic_mode(self):
        self.start(fast_world.Lan(), mode="generic")
        self.assert_all_ways()

    def test_behind_a_router(self):
        self.start(fast_world.Routed())
        self.assert_all_ways()

    def test_two_armed(self):
        self.start(fast_world.TwoArmed())
        self.assert_all_ways()

    def test_binding_requests_are_answered(self):
        place = fast_world.Lan()
        self.start(place)
        before = counters(self.one)
        for version in (4, 6):
            with place.alice.inside(), Client((place.at["relay"][version], self.one.port),
                                              try_s=ARRIVAL_S) as alice:
                for _ in range(10):
                    self.assertEqual(alice.binding()[0], place.at["alice"][version])
        went = counters(self.one) - before
        self.assertEqual(went["binding"], 20, went)

    def check_limit(self, option, rate, length, verdict):
        """A second's worth of packets goes each way, and the kernel drops the others."""
        count = 4 * rate
        self.start(fast_world.Lan(), option)
        alice, bob = self.alice_and_bob(4, 6)
        self.warm_up(alice, bob)
        for udp in (alice.udp, bob):  # what arrives is read later
            udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        time.sleep(1.1)  # until the limits are full again
        before, began_s = counters(self.one), time.monotonic()
        for _ in range(count):
            alice.send_channel(0x4000, bytes(length))
            bob.sendto(bytes(length), alice.relayed)
        arrived = {"to_peer": 0, "to_client": 0}
        for name, udp in (("to_peer", bob), ("to_client", alice.udp)):
            udp.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while udp.recv(2048):
                    arrived[name] += 1
        seconds = time.monotonic() - began_s
        went = counters(self.one) - before
        for name, number in arrived.items():
            self.assertGreaterEqual(went[name], rate)
            self.assertLessEqual(went[name], rate * (seconds + 1) + 1)
            # The sockets, which may get one now and then, have limits of their own.
            self.assertLessEqual(abs(number - went[name]), SLOW)
        dropped = 2 * count - went["to_peer"] - went["to_client"]
        self.assertLessEqual(abs(went[verdict] - dropped), 2 * SLOW)

    def test_packets_over_the_limit_are_dropped_in_the_kernel(self):
        self.check_limit("--max-pps=100", 100, 100, "drop_max_pps")

    def test_bytes_over_the_limit_are_dropped_in_the_kernel(self):
        self.check_limit("--max-bps=100000", 100, 1000, "drop_max_bps")

    def scrape(self):
        """Each number for Prometheus, by its name and labels, when all workers tell theirs in time."""
        while True:
            with self.place.relay.inside(), \
                    urllib.request.urlopen(METRICS, timeout=PATIENCE_S) as response:
                lines = response.read().decode().splitlines()
            found = collections.Counter({name: float(number) for name, number in
                                         (line.rsplit(" ", 1) for line in lines if line[0] != "#")})
            if found["relay_late_workers"] == 0:
                return found

    def test_metrics_have_both_ways_and_their_sum(self):
        self.start(fast_world.Lan())
        alice, bob = self.alice_and_bob(4, 6)
        self.warm_up(alice, bob)
        before, count, length = self.scrape(), 40, 250
        self.assertEqual(before["relay_xdp_interfaces"], 1)
        for _ in range(count):
            self.exchange(alice, bob, unique(length))
        went = self.scrape()
        went.subtract(before)
        kernel, sockets = 'relay_datapath="xdp"', 'relay_datapath="userspace"'
        for direction in ("to_peer", "to_client"):
            by_kernel = went[f'relay_relayed_packets_total{{{kernel},direction="{direction}"}}']
            by_sockets = went[f'relay_relayed_packets_total{{{sockets},direction="{direction}"}}']
            self.assertGreaterEqual(by_kernel, count - SLOW)
            self.assertEqual(by_kernel + by_sockets, count)
            self.assertEqual(went[f'relay_relayed_bytes_total{{{kernel},direction="{direction}"}}'],
                             by_kernel * length)
        self.assertEqual(sum(went[f'relay_packet_size_bytes_bucket{{{path},le="300"}}'] -
                             went[f'relay_packet_size_bytes_bucket{{{path},le="200"}}']
                             for path in (kernel, sockets)), 2 * count)
        for name in ("rcvp", "sentp", "peer_rcvp", "peer_sentp"):
            self.assertEqual(went[f"turn_traffic_{name}"], count)
        for name in ("rcvb", "sentb", "peer_rcvb", "peer_sentb"):
            self.assertEqual(went[f"turn_total_traffic_{name}"], count * length)

    def told_by_top(self, path):
        """The only allocation, as `fairlead-relay top` has it."""
        told = subprocess.run([relay.program(), "top", "--json", "--control-socket", path],
                              capture_output=True, timeout=20, check=True, text=True)
        return collections.Counter({name: value for name, value in
                                    json.loads(told.stdout)["allocations"][0].items()
                                    if name.endswith(("_packets", "_bytes"))})

    def test_what_the_kernel_relays_counts_for_its_allocation(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "relay.sock")
        self.start(fast_world.Lan(), "--control-socket", path)
        alice, bob = self.alice_and_bob(4, 6)
        self.warm_up(alice, bob)
        before, count, length = self.told_by_top(path), 40, 250
        for _ in range(count):
            self.exchange(alice, bob, unique(length))
        told = self.told_by_top(path)
        went = told.copy()
        went.subtract(before)
        for way in ("to_peer", "to_client"):
            self.assertGreaterEqual(went[f"kernel_{way}_packets"], count - SLOW)
            self.assertEqual(went[f"kernel_{way}_packets"] + went[f"sockets_{way}_packets"], count)
            self.assertEqual(went[f"kernel_{way}_bytes"] + went[f"sockets_{way}_bytes"],
                             count * length)
        alice.free()
        ended = self.one.wait_for_log(r"allocation ended reason=deleted .* to_peer_packets=(\d+) .* "
                                      r"to_client_bytes=(\d+) kernel_packets=(\d+)")
        self.assertEqual([int(number) for number in ended.groups()],
                         [told["kernel_to_peer_packets"] + told["sockets_to_peer_packets"],
                          told["kernel_to_client_bytes"] + told["sockets_to_client_bytes"],
                          told["kernel_to_peer_packets"] + told["kernel_to_client_packets"]])

    def test_it_is_told_that_nothing_has_come(self):
        place = fast_world.Lan()
        place.relay.run("ip link add idle type bridge")
        place.interfaces = ["idle"]
        self.start(place, mode="generic")
        self.assertEqual(dict(counters(self.one)), {"packets": 0})

    def test_off_and_on_again_in_mid_flow(self):
        """Not a packet is lost but what is in flight: here each is waited for."""
        place = fast_world.Lan()
        self.start(place)
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        went = []
        for is_on in (True, False, True):
            before = counters(self.one)
            for _ in range(50):
                self.exchange(alice, bob, unique(100))
            went.append((counters(self.one) - before)["to_peer"])
            self.one.process.send_signal(signal.SIGUSR2)
            self.one.wait_for_log("INFO relaying in the kernel is " + ("off" if is_on else "on"))
        self.assertGreaterEqual(went[0], 50 - SLOW)
        self.assertEqual(went[1], 0)
        self.assertGreaterEqual(went[2], 50 - SLOW)

    def test_nothing_passes_after_the_allocation_is_gone(self):
        self.start(fast_world.Lan())
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        alice.free()
        alice.send_channel(0x4000, b"late")
        bob.sendto(b"late", alice.relayed)
        bob.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            bob.recvfrom(100)
        self.assertIsNone(alice.receive(0.3))


class Refused(case.Case):
    """Whatever is missing, the relay runs on its sockets and says why."""

    def start(self, *words, reason, announced=(), prefix=(), interface="eth0"):
        place = fast_world.Lan()
        self.addCleanup(place.close)
        self.addCleanup(self.end_relays)
        with place.relay.inside():
            one = Relay("--ebpf-offloading", interface, *words, hosts=("192.0.2.10",),
                        prefix=prefix, announced=["relaying by sockets alone", *announced])
        self.relays.append(one)
        self.assertRegex(one.log(), f"WARN relaying by sockets alone .*{reason}")
        with place.alice.inside(), Client(("192.0.2.10", one.port)) as alice:
            alice.allocate()
        one.process.send_signal(signal.SIGUSR2)
        one.announced.append("no relaying in the kernel to switch")
        one.wait_for_log("WARN no relaying in the kernel to switch")

    def test_no_such_interface(self):
        self.start(interface="eth7", reason="no interface takes",
                   announced=["not relaying in the kernel on an interface .*eth7"])

    def test_no_rights(self):
        self.start(prefix=("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                           "--bounding-set=-all"), reason="CAP_BPF")

    def test_another_program_is_there(self):
        place = fast_world.Lan()
        self.addCleanup(place.close)
        self.addCleanup(self.end_relays)
        with place.relay.inside():
            self.addCleanup(Pass("eth0").close)
            one = Relay("--ebpf-offloading", "eth0", hosts=("192.0.2.10",), announced=[
                "relaying by sockets alone",
                "not relaying in the kernel on an interface .*another"])
        self.relays.append(one)
        self.assertRegex(one.log(), "not relaying in the kernel .*reason=.*another")


class Strange(FastCase):
    def test_an_inner_address_that_is_not_this_hosts(self):
        self.start(fast_world.Lan(), "--ebpf-int4-addr", "10.9.9.9", versions=(4,),
                   announced=[r"the inner address is not this host's: .*address=10\.9\.9\.9"])
        self.assertRegex(self.one.log(), f"WARN {self.one.announced[0]}")
        alice, bob = self.alice_and_bob(4, 4)
        for _ in range(10):
            self.exchange(alice, bob)
        went = counters(self.one)
        self.assertEqual(went["to_peer"] + went["to_client"], 0, went)


class Rights(case.Case):
    def test_three_capabilities_are_enough_and_given_up(self):
        place = fast_world.Lan()
        for pass_program in place.passes:
            self.addCleanup(pass_program.close)
        self.addCleanup(place.close)
        self.addCleanup(self.end_relays)
        caps = "+bpf,+net_admin,+perfmon"
        with place.relay.inside():
            one = Relay("--ebpf-offloading", "eth0", "--allow-peer", "192.0.2.2",
                        hosts=("192.0.2.10",),
                        prefix=("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                                f"--inh-caps=-all,{caps}", f"--ambient-caps=-all,{caps}",
                                f"--bounding-set=-all,{caps}"))
        self.relays.append(one)
        self.assertRegex(one.log(), "INFO relaying in the kernel .*interface=eth0")
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            self.assertEqual(int(one.status()[name], 16), 0, name)
        # Off and on again needs no rights any more, and binding none either.
        for word in ("off", "on"):
            one.process.send_signal(signal.SIGUSR2)
            one.wait_for_log(f"INFO relaying in the kernel is {word}")
        with place.alice.inside(), Client(("192.0.2.10", one.port)) as alice:
            alice.allocate().bind(0x4000, ("192.0.2.2", 9))


if __name__ == "__main__":
    case.main("ethtool", "setpriv", "sysctl", is_root=True)
