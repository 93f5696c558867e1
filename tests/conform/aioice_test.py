#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aioice, the ICE of Python's WebRTC stack, as a client: allocation, channels, data, its end."""
import asyncio
import logging

import case
from sandbox import PATIENCE_S

try:
    import ice
    from aioice import turn
except ImportError:
    turn = None

DATAGRAMS, LENGTH = 200, 1200


class Collector(asyncio.DatagramProtocol):
    """Keeps what it receives, or sends it back."""

    def __init__(self, is_echo=False):
        self.is_echo = is_echo
        self.arrived = asyncio.Queue()
        self.closed = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.closed.set()

    def datagram_received(self, data, source):
        if self.is_echo:
            self.transport.sendto(data, source)
        else:
            self.arrived.put_nowait((data, source[:2]))


class Aioice(case.Case):
    def setUp(self):
        if turn is None:
            self.skipTest("needs python3-aioice")
        super().setUp()
        logging.basicConfig(level=logging.ERROR)
        self.one = self.relay("--allow-peer", "127.0.0.1", hosts=("127.0.0.1", "::1"))

    async def exchange(self, host):
        loop = asyncio.get_running_loop()
        peer_transport, _ = await loop.create_datagram_endpoint(
            lambda: Collector(is_echo=True), local_addr=("127.0.0.1", 0))
        peer = peer_transport.get_extra_info("sockname")
        # Every packet renews the channel, since its time is 0.
        transport, collector = await turn.create_turn_endpoint(
            Collector, server_addr=(host, self.one.port), username="alice", password="wonder",
            lifetime=600, channel_refresh_time=0)
        self.assertEqual(transport.get_extra_info("sockname")[0], "127.0.0.1")
        for number in range(DATAGRAMS):
            data = number.to_bytes(4, "big") * (LENGTH // 4)
            transport.sendto(data, peer)
            arrived = await asyncio.wait_for(collector.arrived.get(), PATIENCE_S)
            self.assertEqual(arrived, (data, peer))
        transport.close()
        await asyncio.wait_for(collector.closed.wait(), PATIENCE_S)
        peer_transport.close()

    def test_an_allocation_carries_data_and_is_given_back(self):
        for number, host in enumerate(self.one.hosts):
            asyncio.run(self.exchange(host))
            self.one.wait_for_log(r"(allocation ended reason=deleted[\s\S]*)" * (number + 1))

    async def live_on(self, one, seconds):
        """An allocation of 18 s, renewed after 15, and channels, after 5: aioice alone keeps them."""
        loop = asyncio.get_running_loop()
        peer_transport, _ = await loop.create_datagram_endpoint(
            lambda: Collector(is_echo=True), local_addr=("127.0.0.1", 0))
        peer = peer_transport.get_extra_info("sockname")
        transport, collector = await turn.create_turn_endpoint(
            Collector, server_addr=("127.0.0.1", one.port), username="alice", password="wonder",
            lifetime=18, channel_refresh_time=5)
        for number in range(seconds * 2):
            transport.sendto(b"%d" % number, peer)
            arrived = await asyncio.wait_for(collector.arrived.get(), PATIENCE_S)
            self.assertEqual(arrived, (b"%d" % number, peer))
            await asyncio.sleep(0.5)
        transport.close()
        await asyncio.wait_for(collector.closed.wait(), PATIENCE_S)
        peer_transport.close()

    def test_short_lifetimes_are_renewed_in_time(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--min-lifetime", "5")
        asyncio.run(self.live_on(one, 19))
        self.assertIn(" lifetime_s=18", one.log())
        self.assertNotIn("expired", one.log())
        one.stop()

    def test_a_wrong_password_fails(self):
        async def attempt():
            with self.assertRaisesRegex(Exception, "401"):
                await turn.create_turn_endpoint(
                    Collector, server_addr=("127.0.0.1", self.one.port), username="alice",
                    password="wander")
        asyncio.run(attempt())
        self.one.announced.append(case.UNPROVEN)

    async def connect(self):
        """ICE between two agents that may use their relayed candidates only."""
        server = ("127.0.0.1", self.one.port)
        agents = [await ice.agent(is_controlling, server) for is_controlling in (True, False)]
        await ice.meet(agents)
        for agent, other in (agents, agents[::-1]):
            await agent.send(b"hello")
            self.assertEqual(await asyncio.wait_for(other.recv(), PATIENCE_S), b"hello")
        for agent in agents:
            await agent.close()

    def test_two_ice_agents_meet_through_it(self):
        asyncio.run(asyncio.wait_for(self.connect(), 2 * PATIENCE_S))


if __name__ == "__main__":
    case.main()
