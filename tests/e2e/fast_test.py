#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay with --ebpf-offloading: data goes through the kernel, whatever the place is like.

The places are drawn in fast_world.py and nats.py. What the kernel's program counted is asked of the
relay itself: a test that the sockets alone could pass would show nothing.
"""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conform"))
# pylint: disable=wrong-import-position
import case
import fast_world
import nats
import sandbox
import stun
from client import Client, unique
from relay import Relay
from xdp_pass import Pass

FAMILY = {4: (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4),
          6: (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)}
LENGTHS = (0, 1, 2, 3, 4, 5, 11, 63, 64, 65, 171, 172, 1000, 1201, 1400)
SLOW = 3  # packets of a flow that the sockets may get: the first ones, and one now and then


def counters(relay):
    """What the kernel's program has counted so far, by verdict."""
    before = relay.log().count("INFO fast path")
    relay.process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 5
    while relay.log().count("INFO fast path") == before:
        if time.monotonic() > end:
            raise AssertionError(f"no counters\n{relay.story()}")
        time.sleep(0.02)
    line = [one for one in relay.log().splitlines() if "INFO fast path" in one][-1]
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}


class Fast(case.Case):
    def start(self, place, *options, mode="driver"):
        for pass_program in place.passes:
            self.addCleanup(pass_program.close)
        self.addCleanup(place.close)
        self.addCleanup(self.end_relays)
        at = place.at
        with place.relay.inside():
            offloading = [word for name in place.interfaces for word in ("--ebpf-offloading", name)]
            self.one = Relay(*offloading, "--ebpf-attach-mode", mode,
                             "--allow-peer", at["bob"][4], "--allow-peer", at["bob"][6],
                             *options, hosts=(at["relay"][4], at["relay"][6]))
        self.relays.append(self.one)
        self.place = place
        for name in place.interfaces:
            self.assertRegex(self.one.log(), f"INFO relaying in the kernel .*interface={name} "
                                             f".*mode={mode}")

    def alice_and_bob(self, version, peer_version):
        """A client with a channel to a peer."""
        at = self.place.at
        with self.place.alice.inside():
            alice = self.client(self.one, at["relay"][version])
        alice.allocate(FAMILY[peer_version])
        with self.place.bob.inside():
            bob = self.peer(at["bob"][peer_version])
        alice.bind(0x4000, bob.getsockname())
        return alice, bob

    def warm_up(self, alice, bob):
        """The first packets may go by the sockets, until the neighbours are known."""
        for _ in range(3):
            alice.send_channel(0x4000, b"first")
            self.assertEqual(bob.recvfrom(100)[0], b"first")
            bob.sendto(b"first", alice.relayed)
            self.assertEqual(alice.receive(), (0x4000, b"first"))

    def assert_fast(self, version, peer_version):
        alice, bob = self.alice_and_bob(version, peer_version)
        self.warm_up(alice, bob)
        before = counters(self.one)
        for length in LENGTHS:
            for is_padded in (False, True):
                data = unique(length)
                alice.send_channel(0x4000, data, is_padded)
                arrived, source = bob.recvfrom(65536)
                self.assertEqual((arrived, source[:2]), (data, alice.relayed))
                bob.sendto(data, source)
                self.assertEqual(alice.receive(), (0x4000, data))
        after = counters(self.one)
        for name in ("to_peer", "to_client"):
            went = after.get(name, 0) - before.get(name, 0)
            self.assertGreaterEqual(went, 2 * len(LENGTHS) - SLOW, f"{name}: {before} {after}")

    def assert_all_ways(self):
        for version in (4, 6):
            for peer_version in (4, 6):
                with self.subTest(client=version, peer=peer_version):
                    self.assert_fast(version, peer_version)

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
        before = counters(self.one).get("binding", 0)
        for version in (4, 6):
            with place.alice.inside(), Client((place.at["relay"][version], self.one.port)) as alice:
                for _ in range(10):
                    self.assertEqual(alice.binding()[0], place.at["alice"][version])
        after = counters(self.one)
        self.assertEqual(after["binding"] - before, 20, after)

    def test_off_and_on_again_in_mid_flow(self):
        """Not a packet is lost but what is in flight: here each is waited for."""
        place = fast_world.Lan()
        self.start(place)
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        went = []
        for is_on in (True, False, True):
            before = counters(self.one).get("to_peer", 0)
            for _ in range(50):
                data = unique(100)
                alice.send_channel(0x4000, data)
                self.assertEqual(bob.recvfrom(200)[0], data)
                bob.sendto(data, alice.relayed)
                self.assertEqual(alice.receive(), (0x4000, data))
            went.append(counters(self.one).get("to_peer", 0) - before)
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


class Hairpin(case.Case):
    """Two clients behind symmetric NATs, by channels to one another's relayed address."""

    def test_two_clients_of_one_relay(self):
        host, behind_a, behind_b = nats.make_world()
        for machine in (host, behind_a, behind_b):
            machine.run("ethtool -K eth0 tx off")
        with sandbox.inside("internet"):
            self.addCleanup(Pass("to_relay").close)
        with host.inside():
            one = Relay("--ebpf-offloading", "eth0", hosts=(nats.RELAY4, nats.RELAY6))
        self.relays.append(one)
        for version_a in (4, 6):
            for version_b in (4, 6):
                for peer_version in (4, 6):
                    with self.subTest(a=version_a, b=version_b, relayed=peer_version):
                        self.assert_turned(one, behind_a, behind_b,
                                           (version_a, version_b, peer_version))

    def assert_turned(self, one, behind_a, behind_b, versions):
        ends = []
        for machine, version in ((behind_a, versions[0]), (behind_b, versions[1])):
            with machine.inside():
                end = self.client(one, nats.RELAY4 if version == 4 else nats.RELAY6)
            ends.append(end.allocate(FAMILY[versions[2]]))
        alice, bob = ends
        alice.bind(0x4000, bob.relayed)
        bob.bind(0x4001, alice.relayed)
        before = counters(one).get("turned", 0)
        for length in LENGTHS:
            data = unique(length)
            alice.send_channel(0x4000, data)
            self.assertEqual(bob.receive(), (0x4001, data))
            bob.send_channel(0x4001, data, True)
            self.assertEqual(alice.receive(), (0x4000, data))
        went = counters(one)["turned"] - before
        self.assertGreaterEqual(went, 2 * len(LENGTHS) - 2 * SLOW)
        for end in ends:
            end.free()


if __name__ == "__main__":
    case.main("ethtool", "nft", "setpriv", "sysctl", is_root=True)
