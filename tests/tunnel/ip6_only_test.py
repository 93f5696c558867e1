#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A host that has no IPv4 address, not even 127.0.0.1: in a network namespace of its own."""
import socket

import tools
import tunnel  # which says where the next one lies
import sandbox
from tunnel import keys, read

LOOPBACK = "::1"


class Service:
    """As tools.Service, by IPv6."""

    def __init__(self):
        self.listener = socket.create_server((LOOPBACK, 0), family=socket.AF_INET6)
        self.listener.settimeout(tunnel.arrival_s())
        self.port = self.listener.getsockname()[1]

    def accept(self):
        tcp, _ = self.listener.accept()
        tcp.settimeout(tunnel.arrival_s())
        return tcp

    def close(self):
        self.listener.close()


class Ip6Only(tools.ToolCase):
    def start(self, **more):
        return self.relay("--myhost", LOOPBACK, pairs=2, **more)

    def test_the_host_is_what_it_is_said_to_be(self):
        with self.assertRaises(OSError), socket.socket() as tcp:
            tcp.connect(("127.0.0.1", 9))

    def test_a_relay_with_what_is_usual_serves(self):
        """Its page of metrics has an address of IPv4 unless another one is given."""
        relay = self.start(environment={"FAIRLEAD_TUNNEL_METRICS_ADDR": None})
        server = self.control(relay, host=LOOPBACK)
        client = self.dial(server.public_port, host=LOOPBACK)
        server.expect()
        self.assert_talk(client, self.dial(server.reverse_port, host=LOOPBACK))

    def test_a_service_is_exposed(self):
        relay, service = self.start(), self.own(Service())
        expose = self.own(tools.Tool(tunnel.program(), "expose", f"[{LOOPBACK}]:{service.port}",
                                     "--relay", f"[{LOOPBACK}]:{relay.port}", "-k", keys().relay))
        self.assertEqual(expose.line(), f"::1:{relay.public(0)}\n".encode())
        client = self.dial(relay.public(0), host=LOOPBACK)
        inner = self.own(service.accept())
        client.sendall(b"hello")
        self.assertEqual(read(inner, 5), b"hello")
        inner.sendall(b"world")
        self.assertEqual(read(client, 5), b"world")

    def test_the_little_programs_find_one_another(self):
        relay = self.start()
        echo = self.own(tools.Tool(tunnel.program(), "echo", LOOPBACK, relay.port, "-a",
                                   keys().application, "-c", keys().relay))
        port = int(echo.line().rpartition(b":")[2])
        connect = self.own(tools.Tool(tunnel.program(), "connect", LOOPBACK, port, "-k",
                                      keys().application))
        connect.write(b"hello")
        self.assertEqual(connect.read(5), b"hello")
        connect.finish()
        self.assertEqual(connect.wait(), 0, connect.story())


if __name__ == "__main__":
    sandbox.enter()
    sandbox.run("ip address del 127.0.0.1/8 dev lo")
    tunnel.main()
