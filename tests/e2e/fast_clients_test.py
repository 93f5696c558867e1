#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's clients, whose data goes through the kernel without their knowing.

The places are drawn in fast_world.py and nats.py. Browsers are in fast_chromium_test.py.
"""
import asyncio
import logging

from fast_case import SLOW, FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
from sandbox import PATIENCE_S
from turnutils import LENGTH, MESSAGES, assert_all_arrived, start_peer, uclient

try:
    import ice
except ImportError:
    ice = None

DATAGRAMS = 200  # of each ICE agent
# Manner: options, IP versions of client and peer. Without RTCP (-c): one flow for each sender.
TO_PEER = {
    "IPv4 to IPv4": ("-c -X", 4, 4),
    "IPv4 to IPv4, padded": ("-c -X -D", 4, 4),
    "IPv4 to IPv6": ("-c -x", 4, 6),
    "IPv6 to IPv4": ("-c -X", 6, 4),
    "IPv6 to IPv6": ("-c -x", 6, 6),
}
TO_CLIENT = {  # two senders each
    "IPv4": ("-c -y -X", 4, 4),
    "IPv6": ("-c -y -x", 6, 6),
}


class Uclient(FastCase):
    """All manners of a test at the same time. One that went by the sockets would show in the sum:
    a few packets of each do, but not MESSAGES of one.
    """

    def setUp(self):
        for tool in ("turnutils_uclient", "turnutils_peer"):
            case.needs_tool(tool)
        super().setUp()
        self.start(fast_world.Lan())

    def run_all(self, manners, senders, peer_port=9):
        """Returns what the kernel's program has counted."""
        before = counters(self.one)
        at = self.place.at

        def start(options, version, peer_version):
            run = uclient(options, at["relay"][version], self.one.port, at["bob"][peer_version],
                          peer_port, {}, prefix=self.place.alice.prefix)
            self.addCleanup(run.wait)
            self.addCleanup(run.kill)
            return run
        runs = {name: start(*manner) for name, manner in manners.items()}
        for name, manner in manners.items():
            with self.subTest(name):
                case.once(lambda name=name, manner=manner: assert_all_arrived(
                    self, runs.pop(name, None) or start(*manner), senders * MESSAGES))
        return counters(self.one) - before

    def test_to_a_peer_and_back(self):
        bob = self.place.bob
        with bob.inside():
            process, port = start_peer([self.place.at["bob"][version] for version in (4, 6)],
                                       prefix=bob.prefix)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        went = self.run_all(TO_PEER, 1, port)
        least = len(TO_PEER) * (MESSAGES - SLOW)
        for name in ("to_peer", "to_client"):
            self.assertGreaterEqual(went[name], least, went)
            self.assertGreaterEqual(went[f"{name}_bytes"], least * LENGTH, went)

    def test_from_client_to_client(self):
        went = self.run_all(TO_CLIENT, 2)
        self.assertGreaterEqual(went["turned"], len(TO_CLIENT) * 2 * (MESSAGES - SLOW), went)


class Aioice(FastCase):
    def setUp(self):
        if ice is None:
            self.skipTest("needs python3-aioice")
        super().setUp()
        logging.basicConfig(level=logging.ERROR)

    async def talk(self, place, versions):
        agents = []
        for host, version in zip((place.alice, place.bob), versions):
            with host.inside():
                agents.append(await ice.agent(not agents,
                                              (place.at["relay"][version], self.one.port)))
        await ice.meet(agents)
        for number in range(DATAGRAMS):
            data = b"%d" % number * 100
            for one, other in (agents, agents[::-1]):
                await one.send(data)
                self.assertEqual(await asyncio.wait_for(other.recv(), PATIENCE_S), data)
        for agent in agents:
            await agent.close()

    def test_two_ice_agents_behind_symmetric_nats(self):
        place = fast_world.Natted()
        self.start(place)
        for versions in ((4, 4), (6, 6), (4, 6)):
            with self.subTest(versions=versions):
                before = counters(self.one)
                asyncio.run(asyncio.wait_for(self.talk(place, versions), 4 * PATIENCE_S))
                self.assert_went(before, ("turned",), 2 * DATAGRAMS)


if __name__ == "__main__":
    case.main("ethtool", "nft", "sysctl", is_root=True)
