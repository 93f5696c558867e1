#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The seven steps of the original's own test, which a person had to watch, with our programs and
with Twisted's in each place.

    client -- TLS from end to end -- relay -- (dialled by the server) -- server

Of the three at least one is ours, which is then met by one that somebody else could have written.
"""
import os
import signal
import time

import tunnel
from sandbox import wait_until
from tools import OurTools, TwistedTools, netcat, serve


class Steps:
    """Of a relay that has one pair, so that each server shows that the one before has left it.

    All in one test, since Twisted's programs take long to begin.
    """
    relay_path = None
    server_tools = client_tools = None

    def test_the_seven_steps(self):
        self.one = self.relay(pairs=1, executable=self.relay_path, announced=[tunnel.FULL])
        self.server = self.serve()
        self.an_echo_comes_back_again_and_again()
        self.clients_stand_side_by_side()
        self.a_client_without_the_applications_certificate_gets_nothing()
        self.a_server_that_was_stopped_resumes()
        self.a_second_server_finds_the_relay_full()
        self.without_a_server_clients_are_told()
        self.the_pair_is_there_again_at_once()
        self.the_relay_ends_when_it_is_interrupted()

    def serve(self):
        server = self.own(serve(self.server_tools, "relayed_echoserver", self.one))
        self.assertEqual(server.line(), f"127.0.0.1:{self.one.public(0)}\n".encode())
        return server

    def netcat(self, **options):
        return self.own(netcat(self.client_tools, self.one.public(0), **options))

    def assert_echo(self, client, data):
        client.write(data)
        self.assertEqual(client.read(len(data)), data)

    def leave(self, client):
        client.finish()
        client.wait()

    def an_echo_comes_back_again_and_again(self):
        """Steps 1 and 4."""
        client = self.netcat()
        self.assert_echo(client, b"hello world\n")
        for _ in range(3):
            self.assert_echo(client, b"hi!\n")
            time.sleep(0.1)
        self.leave(client)

    def clients_stand_side_by_side(self):
        clients = [self.netcat() for _ in range(2)]
        for number, client in enumerate(clients):
            self.assert_echo(client, b"%d\n" % number)
        for client in reversed(clients):
            self.assert_echo(client, os.urandom(50000))
            self.leave(client)

    def a_client_without_the_applications_certificate_gets_nothing(self):
        stranger = self.netcat(folder=tunnel.keys().stranger)
        stranger.write(b"let me in\n")
        stranger.wait()
        self.assertEqual(stranger.read(100), b"")

    def a_server_that_was_stopped_resumes(self):
        """Step 2."""
        self.server.signal(signal.SIGSTOP)
        lost = self.dial(self.one.public(0))
        lost.sendall(tunnel.client_hello())
        tunnel.expect_silence(lost)
        lost.close()
        client = self.netcat()
        client.write(b"resumed\n")
        time.sleep(0.5)
        self.server.signal(signal.SIGCONT)
        self.assertEqual(client.read(8), b"resumed\n")
        self.leave(client)

    def a_second_server_finds_the_relay_full(self):
        """Step 5."""
        second = self.own(serve(self.server_tools, "relayed_echoserver", self.one))
        self.assertNotEqual(second.wait(), 0)
        self.assertEqual(second.read(100), b"")
        self.assertIn("full", second.errors())

    def without_a_server_clients_are_told(self):
        """Step 3."""
        self.server.signal(signal.SIGINT)
        self.server.wait()
        wait_until(lambda: tunnel.answers_nobody(self.one, 0))
        with tunnel.dial(self.one.public(0)) as plain:
            self.assertEqual(tunnel.read_to_end(plain), b"no controller linked")

    def the_pair_is_there_again_at_once(self):
        """Step 6."""
        self.server = self.serve()

    def the_relay_ends_when_it_is_interrupted(self):
        """Step 7, with everybody still there."""
        client = self.netcat()
        self.assert_echo(client, b"before the end\n")
        self.one.stop(signal.SIGINT)
        client.wait()


class AllTwisted(Steps, tunnel.TunnelCase):
    """Which shows that the test itself is right."""
    relay_path = tunnel.TWISTED_RELAY
    server_tools = client_tools = TwistedTools


class OurRelay(Steps, tunnel.TunnelCase):
    server_tools = client_tools = TwistedTools


class OurServer(Steps, tunnel.TunnelCase):
    relay_path = tunnel.TWISTED_RELAY
    server_tools, client_tools = OurTools, TwistedTools


class OurClient(Steps, tunnel.TunnelCase):
    relay_path = tunnel.TWISTED_RELAY
    server_tools, client_tools = TwistedTools, OurTools


class AllOurs(Steps, tunnel.TunnelCase):
    server_tools = client_tools = OurTools


if __name__ == "__main__":
    tunnel.main()
