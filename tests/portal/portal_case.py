# SPDX-License-Identifier: Apache-2.0
"""A relay and its portal, for the tests of both."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conform")]
import case
import relay
from firezone_test import Node
from sandbox import PATIENCE_S
from standin import Portal

UNREACHED = "^portal out of reach"
STRANGE = "^portal sends"
REFUSED = ["^portal refuses the relay for good", "^ending, since the portal refuses the relay"]


class PortalCase(case.Case):
    def setUp(self):
        self.portals = []
        self.addCleanup(self.close_portals)  # when the relays have left them
        super().setUp()

    def portal(self, *manners, **more):
        portal = Portal(manners, **more)
        self.portals.append(portal)
        return portal

    def close_portals(self):
        for portal in self.portals:
            portal.close()
        self.assertEqual([portal.wrongs for portal in self.portals], [[]] * len(self.portals))

    def join(self, portal, *options, announced=(), environment=None, name=None, hosts=None, **more):
        """A relay with this portal, which judges what it sends."""
        hosts = hosts or ("127.0.0.1",)
        port = relay.free_ports(1)
        portal.expect_relay(port, name, *hosts)
        given = {"FIREZONE_TOKEN": portal.token, "FIREZONE_API_URL": portal.url}
        return self.relay("--allow-peer", "127.0.0.1", *options, user=None, port=port, hosts=hosts,
                          announced=list(announced), environment=given | (environment or {}), **more)

    def node(self, one, secret, salt="n23JJ2wKKtt30oXi"):
        return Node(self, one, secret=secret, salt=salt)

    def relays_with(self, node, number=0x4000):
        peer = self.peer()
        node.bind(number, peer.getsockname())
        self.relays_to(node, peer, number)
        return peer

    def relays_to(self, node, peer, number=0x4000):
        node.client.send_channel(number, b"ping")
        data, source = peer.recvfrom(100)
        self.assertEqual(data, b"ping")
        peer.sendto(b"pong", source)
        self.assertEqual(node.client.receive(), (number, b"pong"))

    def expect_exit_1(self, one, *lines):
        one.announced += REFUSED
        one.is_judged = True
        self.assertEqual(one.process.wait(PATIENCE_S), 1, one.story())
        self.assertEqual(one.errors(), "")
        for line in lines:
            self.assertRegex(one.log(), line)
