#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay does when time has passed. Each class is a test by itself, since most of the time
they wait."""
import socket
import time

import tunnel
from tunnel import better, expect_silence, read_to_end, read_until_over, reset
from sandbox import PATIENCE_S, wait_until

HANDSHAKE_S = 10
AGAIN_S = 5
PENDING_S = 4  # and never that long from the coming of a client to its server, where it is to come
LATER_S, LATER_COUNT = 0.0002, 10  # the relay's own clock starts a little later


def wait_for(moment):
    """To the point, which sleep() does not come to."""
    time.sleep(max(moment - time.monotonic() - 0.01, 0))
    while time.monotonic() < moment:
        pass


class Again(tunnel.TunnelCase):
    """A dial that failed leaves its client to the next one, and the last of them without any."""

    @better
    def test_a_client_that_is_left_over_is_announced_again(self):
        server = self.control(self.relay(pairs=1, announced=[tunnel.AGAIN]))
        start = time.monotonic()
        first, second = self.client(server), self.client(server)
        self.assert_talk(first, self.dial(server.reverse_port))
        server.expect()
        self.assertGreater(time.monotonic() - start, AGAIN_S)
        self.assert_talk(second, self.dial(server.reverse_port))
        server.expect_silence()

    def test_servers_that_are_lost_just_then(self):
        relay = self.relay(pairs=40, announced=[tunnel.AGAIN])
        servers = [self.control(relay) for _ in range(40)]
        clients = [(self.dial(server.public_port), time.monotonic()) for server in servers]
        for server, (_, start) in zip(servers, clients):
            server.expect()
            server.tcp, server.start = socket.socket(fileno=server.tls.detach()), start
        for number, server in enumerate(servers):
            wait_for(server.start + AGAIN_S + number % LATER_COUNT * LATER_S)
            reset(server.tcp)
        for client, _ in clients:
            self.assertEqual(read_until_over(client), b"")
        self.assert_talk(*self.session(self.control(relay)))


class Handshakes(tunnel.TunnelCase):
    """They have ten seconds."""

    @better
    def test_those_that_are_never_finished_are_closed(self):
        relay = self.relay(pairs=1)
        before = relay.socket_count()
        start = time.monotonic()
        strangers = [self.dial(relay.port, source=f"127.0.1.{1 + number % 100}")
                     for number in range(300)]
        hello = tunnel.client_hello()
        for number, stranger in enumerate(strangers[::3]):
            stranger.sendall(hello[:1 + number])
        self.assert_talk(*self.session(server := self.control(relay)))
        for stranger in strangers:
            read_until_over(stranger)
        self.assertGreater(time.monotonic() - start, HANDSHAKE_S)
        self.assert_talk(*self.session(server))
        wait_until(lambda: relay.socket_count() < before + 10)


class Pending(tunnel.TunnelCase):
    """With --pending-timeout, which is five minutes unless it is said."""

    @better
    def test_a_client_whose_server_does_not_come_is_closed(self):
        relay = self.relay("--pending-timeout", PENDING_S, pairs=1, announced=[tunnel.TIMED_OUT])
        server = self.control(relay)
        start = time.monotonic()
        self.assertEqual(read_to_end(self.client(server)), b"")
        self.assertGreater(time.monotonic() - start, PENDING_S)
        second, third = self.client(server), self.client(server)
        for one in (second, third):
            self.assert_talk(one, self.dial(server.reverse_port))
        self.assertEqual(read_to_end(self.dial(server.reverse_port)), b"")

    @better
    def test_clients_that_are_reset_just_then(self):
        relay = self.relay("--pending-timeout", PENDING_S, pairs=1, announced=[tunnel.TIMED_OUT])
        server = self.control(relay)
        clients = [(self.dial(server.public_port), time.monotonic()) for _ in range(60)]
        for number, (client, start) in enumerate(clients):
            wait_for(start + PENDING_S + number % LATER_COUNT * LATER_S)
            reset(client)
        server.expect(60)
        self.assert_talk(*self.session(server))

    @better
    def test_a_session_has_no_such_limit(self):
        relay = self.relay("--pending-timeout", PENDING_S, pairs=1)
        session = self.session(self.control(relay))
        time.sleep(PENDING_S + 0.5)
        self.assert_talk(*session)

    def test_clients_wait_without_it(self):
        for words in ((), ("--pending-timeout", 0)):
            server = self.control(self.relay(*words, pairs=1))
            client = self.client(server)
            expect_silence(client, 2.5)
            self.assert_talk(client, self.dial(server.reverse_port))


if __name__ == "__main__":
    tunnel.main()
