#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay does for others while it has a portal, and when either ends."""
import asyncio
import os
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conform")]
import case
import relay
from aioice import turn
from aioice_test import Collector
from firezone_test import FAR_EXPIRY, OFFER, password_of
from hanging import hang
from portal_case import UNREACHED, PortalCase
from sandbox import PATIENCE_S, wait_until
from standin import refuse
import stun


class Serving(PortalCase):
    def test_credentials_of_the_portal_relay_traffic(self):
        portal = self.portal()
        one = self.join(portal)
        portal.wait_for("joined")
        secret = portal.secrets[0]
        node = self.node(one, secret)
        node.allocate()
        self.relays_with(node)
        wrong = self.node(one, "f" * 64, "wrong")
        raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
            *OFFER, (stun.USERNAME, wrong.username.encode()), (stun.REALM, b"firezone")], wrong.key)
        self.assertEqual(wrong.client.exchange(raw).error, 401)
        response = wrong.client.exchange(stun.write(stun.BINDING, stun.REQUEST))
        self.assertEqual(response.get(stun.SOFTWARE), b"fairlead-relay")

    def test_other_peoples_clients_are_told_the_realm_of_their_credentials(self):
        portal = self.portal()
        one = self.join(portal)
        portal.wait_for("joined")
        username = f"{FAR_EXPIRY}:salt"
        asyncio.run(self.exchange(one, username, password_of(username, portal.secrets[0])))

    async def exchange(self, one, username, password):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Collector(is_echo=True), local_addr=("127.0.0.1", 0))
        peer = transport.get_extra_info("sockname")
        relayed, collector = await turn.create_turn_endpoint(
            Collector, server_addr=("127.0.0.1", one.port), username=username, password=password,
            lifetime=600)
        for number in range(50):
            relayed.sendto(number.to_bytes(400, "big"), peer)
            arrived = await asyncio.wait_for(collector.arrived.get(), PATIENCE_S)
            self.assertEqual(arrived, (number.to_bytes(400, "big"), peer))
        relayed.close()
        await asyncio.wait_for(collector.closed.wait(), PATIENCE_S)
        transport.close()

    def test_the_portal_is_left_when_draining_begins_and_calls_go_on(self):
        portal = self.portal()
        one = self.join(portal, "--drain-timeout", "60")
        one.wait_for_log("portal joined")
        node = self.node(one, portal.secrets[0])
        node.allocate()
        peer = self.relays_with(node)
        one.process.send_signal(signal.SIGTERM)
        portal.wait_for("leave")
        portal.wait_for("close")
        self.relays_to(node, peer)
        self.assertIsNone(one.process.poll())
        node.expect(None, stun.REFRESH, [*OFFER, (stun.LIFETIME, 0)])
        wait_until(lambda: one.process.poll() is not None)
        self.assertEqual(portal.count, 1)

    def ready(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:8080/readyz", timeout=PATIENCE_S) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_health_is_told_where_firezones_relay_tells_it(self):
        portal = self.portal(refuse(503, {"Retry-After": "4"}))
        one = self.join(portal, "--drain-timeout", "60", announced=[UNREACHED])
        one.wait_for_log("portal out of reach")
        self.assertEqual(self.ready(), 503)
        one.wait_for_log("portal joined")
        wait_until(lambda: self.ready() == 200)
        node = self.node(one, portal.secrets[0])
        node.allocate()
        one.process.send_signal(signal.SIGTERM)
        one.wait_for_log("draining")
        self.assertEqual(self.ready(), 503)
        node.expect(None, stun.REFRESH, [*OFFER, (stun.LIFETIME, 0)])

    def test_the_end_waits_for_its_thread_and_then_for_a_silent_collector_but_not_for_long(self):
        case.needs_root()
        portal = self.portal()
        with socket.create_server(("127.0.0.1", 0)) as collector:
            one = self.join(portal, "--otlp-endpoint",
                            f"http://127.0.0.1:{collector.getsockname()[1]}",
                            announced=["^telemetry was not taken", "^ending without waiting for "
                                                                   "the portal's thread"],
                            # Whoever looks for leaks cannot stop a thread that is stopped.
                            environment={"ASAN_OPTIONS": "detect_leaks=0"})
            one.wait_for_log("portal joined")
            hang(self, one.process.pid, "portal")
            self.assertGreater(one.stop(), 4.5)  # of the 7 seconds that it may take, with status 0

    def test_a_reload_changes_nothing_of_it(self):
        portal = self.portal()
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            one = self.join(portal, "--config", file.name)
            os.chmod(file.name, 0o644)
            one.wait_for_log("portal joined")
            file.write("deny-peer = 192.0.2.0/24\n")
            file.flush()
            one.process.send_signal(signal.SIGHUP)
            one.wait_for_log("INFO .*reloaded")
            node = self.node(one, portal.secrets[0])
            node.allocate()
            self.relays_with(node)
            one.announced.append("^peer denied")
            node.bind(0x4001, ("192.0.2.1", 9), code=403)
        self.assertEqual(portal.count, 1)

    def test_users_of_its_own_are_served_beside_the_portals(self):
        portal = self.portal()
        one = self.join(portal, "--user", relay.USER)
        portal.wait_for("joined")
        self.assertEqual(self.client(one).allocate().realm, b"fairlead")
        self.node(one, portal.secrets[0]).allocate()


if __name__ == "__main__":
    case.main()
