#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From where servers and clients may come, over IPv4 and IPv6."""
import os

import tunnel
from tunnel import NO_CONTROLLER, Control, better, expect_silence, knock, read_to_end

MINE, OTHER = "127.0.0.1", "127.0.0.2"


class Sources(tunnel.TunnelCase):
    @better
    def test_a_reverse_connection_from_elsewhere_gets_nobody(self):
        server = self.control(relay := self.relay(pairs=1, announced=[tunnel.FOREIGN]))
        client = self.client(server)
        client.sendall(b"secret")
        for source in (OTHER, "127.0.0.3"):
            self.assertEqual(knock(relay.reverse(0), source=source), b"")
        expect_silence(client)
        reverse = self.dial(relay.reverse(0))
        self.assertEqual(tunnel.read(reverse, 6), b"secret")
        self.assert_talk(client, reverse)

    @better
    def test_unless_it_is_allowed(self):
        relay = self.relay("--reverse-policy", "any", pairs=1)
        client = self.client(self.control(relay))
        self.assert_talk(client, self.dial(relay.reverse(0), source=OTHER))

    @better
    def test_the_policy_can_be_named(self):
        relay = self.relay("--reverse-policy", "same-ip", pairs=1, announced=[tunnel.FOREIGN])
        self.client(self.control(relay))
        self.assertEqual(knock(relay.reverse(0), source=OTHER), b"")

    def test_a_server_is_known_by_its_control_connection(self):
        relay = self.relay(pairs=2)
        servers = [self.control(relay, source=source) for source in (MINE, OTHER)]
        for number, source in enumerate((MINE, OTHER)):
            client = self.client(servers[number], source="127.0.0.77")
            self.assert_talk(client, self.dial(relay.reverse(number), source=source))

    @better
    def test_a_stranger_without_a_client_is_refused_too(self):
        self.control(relay := self.relay(pairs=1, announced=[tunnel.FOREIGN]))
        self.assertEqual(knock(relay.reverse(0), source=OTHER), b"")
        self.assertIn(OTHER, relay.wait_for_log(tunnel.FOREIGN).string)


class Versions(tunnel.TunnelCase):
    """IPv6 beside IPv4, which the original did not have."""

    @better
    def test_all_over_ipv6(self):
        relay = self.relay("--myhost", "::1", pairs=1)
        server = self.own(Control(relay, host="::1"))
        self.assertEqual(server.line(), b"public_listener ::1:%d\r\n" % relay.public(0))
        self.assertEqual(server.line(), b"reverse_listener ::1:%d\r\n" % relay.reverse(0))
        client = self.dial(relay.public(0), host="::1")
        server.expect()
        self.assert_talk(client, self.dial(relay.reverse(0), host="::1"))

    @better
    def test_clients_of_one_version_with_a_server_of_the_other(self):
        relay = self.relay(pairs=2)
        for host, other in (("127.0.0.1", "::1"), ("::1", "127.0.0.1")):
            server = self.control(relay, host=host)
            client = self.client(server, host=other)
            self.assert_talk(client, self.dial(server.reverse_port, host=host))

    @better
    def test_a_reverse_connection_of_the_other_version_cannot_be_compared(self):
        for host, other in (("127.0.0.1", "::1"), ("::1", "127.0.0.1")):
            relay = self.relay(pairs=1, announced=[tunnel.OTHER_FAMILY])
            server = self.control(relay, host=host)
            client = self.client(server)
            self.assert_talk(client, self.dial(server.reverse_port, host=other))
            relay.wait_for_log(tunnel.OTHER_FAMILY)

    @better
    def test_ports_without_a_server_say_so(self):
        relay = self.relay(pairs=1)
        for port in (relay.public(0), relay.reverse(0)):
            self.assertEqual(read_to_end(self.dial(port, host="::1")), NO_CONTROLLER)

    def test_a_host_without_ipv6(self):
        """We listen at all addresses that there are, and say at which."""
        relay = self.relay(pairs=1, prefix=[os.path.join(tunnel.HERE, "without_ip6.py")])
        if not tunnel.is_original():
            relay.wait_for_log(r"listening .*0\.0\.0\.0:")
        self.assert_talk(*self.session(self.control(relay)))


if __name__ == "__main__":
    tunnel.main()
