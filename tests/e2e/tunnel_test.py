#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A server behind a NAT serves clients behind another one, through the reverse relay between them.

Where they are is drawn in nats.py: the server is alice, the client is bob.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
# pylint: disable=wrong-import-position
import tunnel
from nats import NAT_A4, NAT_A6, RELAY4, RELAY6, make_world
from traffic import Receiver, Sender
from tunnel import expect_silence, knock

LOSS = """
table inet loss {
    chain input {
        type filter hook input priority 0
        meta l4proto tcp numgen random mod 50 == 0 drop
    }
    chain output {
        type filter hook output priority 0
        meta l4proto tcp numgen random mod 50 == 0 drop
    }
}
"""


class Nat(tunnel.TunnelCase):
    @classmethod
    def setUpClass(cls):
        cls.relay_host, cls.behind_a, cls.behind_b = make_world()

    def setUp(self):
        super().setUp()
        with self.relay_host.inside():
            self.one = self.relay("--myhost", RELAY4, pairs=2, announced=[tunnel.FOREIGN])

    def server(self, host):
        """Behind the first NAT, connected over that address of the relay."""
        with self.behind_a.inside():
            return self.control(self.one, host=host)

    def visit(self, server, host):
        """A client behind the second NAT, who is announced."""
        with self.behind_b.inside():
            return self.client(server, host=host)

    def serve(self, server, host):
        with self.behind_a.inside():
            return self.dial(server.reverse_port, host=host)

    def test_over_each_version_to_each(self):
        for servers in (RELAY4, RELAY6):
            for clients in (RELAY4, RELAY6):
                server = self.server(servers)
                client = self.visit(server, clients)
                self.assert_talk(client, self.serve(server, servers))
                server.close()

    def test_the_log_has_the_addresses_of_the_nats(self):
        for host, seen in ((RELAY4, NAT_A4), (RELAY6, f"[{NAT_A6}]")):
            self.server(host)
            self.one.wait_for_log("a server is linked server=" + re.escape(seen))

    def test_a_thief_behind_the_other_nat_gets_nobody(self):
        server = self.server(RELAY4)
        client = self.visit(server, RELAY4)
        client.sendall(b"secret")
        with self.behind_b.inside():
            self.assertEqual(knock(server.reverse_port, host=RELAY4), b"")
        expect_silence(client)
        self.assertEqual(tunnel.read(self.serve(server, RELAY4), 6), b"secret")

    def test_much_over_lines_that_lose(self):
        server = self.server(RELAY4)
        ends = self.visit(server, RELAY4), self.serve(server, RELAY4)
        self.relay_host.nft(LOSS)
        self.addCleanup(self.relay_host.nft, "delete table inet loss")
        senders = [Sender(end, 2 << 20) for end in ends]
        receivers = [Receiver(end) for end in ends]
        for sender, receiver in zip(senders, reversed(receivers)):
            self.assertEqual(receiver.result(), sender.result())


if __name__ == "__main__":
    tunnel.main("nft", is_root=True)
