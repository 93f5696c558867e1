#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ends that are killed, servers that do not read, too few descriptors: the relay goes on."""
import errno
import os
import signal
import socket
import time

import tunnel
from sandbox import wait_until
from tunnel import Control, better, dial, expect_silence, knock, read, read_until_over, reset


def serve(relay):
    """A server for one client, whom it greets."""
    server = Control(relay).greet()
    yield server
    server.expect()
    reverse = dial(server.reverse_port)
    reverse.sendall(b"welcome")
    yield reverse


def visit(relay):
    """A client that says hello."""
    client = dial(relay.public(0))
    client.sendall(b"hello")
    yield client


class Killed(tunnel.TunnelCase):
    def start(self, role, relay):
        """A process that plays the role, and has got through its first part."""
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                held = []
                for part in role(relay):
                    held.append(part)
                    os.write(tell, b".")
                signal.pause()
            finally:
                os._exit(1)
        os.close(tell)
        self.addCleanup(os.close, ready)
        self.addCleanup(self.kill, child)
        self.assertEqual(os.read(ready, 1), b".")
        return child

    def kill(self, child):
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):  # killed before
            pass

    def test_servers(self):
        relay = self.relay(pairs=1)
        for _ in range(3):
            server = self.start(serve, relay)
            client = self.dial(relay.public(0))
            self.assertEqual(read(client, 7), b"welcome")
            waiting = self.dial(relay.public(0))
            expect_silence(waiting)
            self.kill(server)
            for one in (client, waiting):
                self.assertEqual(read_until_over(one), b"")
        self.assert_talk(*self.session(self.control(relay)))

    def test_clients(self):
        server = self.control(relay := self.relay(pairs=1))
        for _ in range(3):
            visitor = self.start(visit, relay)
            server.expect()
            reverse = self.dial(server.reverse_port)
            self.assertEqual(read(reverse, 5), b"hello")
            self.kill(visitor)
            self.assertEqual(read_until_over(reverse), b"")

    def test_the_relay_itself(self):
        relay = self.relay(pairs=1)
        server = self.control(relay)
        client, reverse = self.session(server)
        relay.kill()
        relay.is_judged = True
        for one in (client, reverse):
            self.assertEqual(read_until_over(one), b"")
        self.assert_talk(*self.session(self.control(self.relay(pairs=1, port=relay.port))))


class Hurry(tunnel.TunnelCase):
    """Clients that come and go."""

    def test_a_server_that_does_not_read_hears_of_each_later(self):
        relay = self.relay(pairs=2)
        lazy = self.control(relay, buffer_len=2048)
        busy = self.control(relay)
        for _ in range(100):
            reset(dial(lazy.public_port))
            self.assert_talk(*self.session(busy))
        lazy.expect(100)
        lazy.expect_silence()

    @better
    def test_those_of_one_address_who_wait_are_limited(self):
        relay = self.relay(pairs=2, announced=[tunnel.LIMITED])
        servers = [self.control(relay) for _ in range(2)]
        kept = [self.client(servers[0]) for _ in range(64)]
        self.assertEqual(knock(relay.public(0)), b"")
        servers[0].expect_silence()
        self.client(servers[0], source="127.0.0.2")
        self.assert_talk(kept[0], self.dial(relay.reverse(0)))
        self.client(servers[0])

    @better
    def test_those_of_one_server_who_wait_are_limited(self):
        relay = self.relay(pairs=2, announced=[tunnel.LIMITED])
        servers = [self.control(relay) for _ in range(2)]
        kept = [self.client(servers[0], source=f"127.0.2.{number}") for number in range(1, 129)]
        self.assertEqual(knock(relay.public(0)), b"")
        self.assert_talk(*self.session(servers[1]))
        self.assert_talk(kept[0], self.dial(relay.reverse(0)))
        self.client(servers[0])

    @better
    def test_sessions_are_limited(self):
        for limit in ("--max-sessions", "--max-sessions-per-pair"):
            relay = self.relay(limit, 5, pairs=1, announced=[tunnel.LIMITED])
            server = self.control(relay)
            sessions = [self.session(server) for _ in range(4)]
            waiting = self.client(server)
            self.assertEqual(knock(relay.public(0)), b"")
            for end in sessions.pop():
                end.close()
            relay.wait_for_log("session ended")
            self.assert_talk(waiting, self.dial(server.reverse_port))
            sessions.append(self.session(server))
            self.assertEqual(knock(relay.public(0)), b"")
            for session in sessions:
                self.assert_talk(*session)

    def test_one_after_the_other_very_often(self):
        server = self.control(relay := self.relay(pairs=1))
        before = relay.socket_count()
        for number in range(300):
            client = dial(server.public_port)
            server.expect()
            reverse = dial(server.reverse_port)
            client.sendall(b"%d" % number)
            client.close()
            self.assertEqual(read_until_over(reverse), b"%d" % number)
            reverse.close()
        wait_until(lambda: relay.socket_count() <= before)


class Descriptors(tunnel.TunnelCase):
    def serve_this(self, server, client):
        """Dials until it meets this client: those before may have gone."""
        client.sendall(b"!")
        for _ in range(100):
            reverse = self.dial(server.reverse_port)
            if read_until_over(reverse, 1) == b"!":
                return reverse
        raise AssertionError("the client is not served")

    def visitor(self, port):
        """A client that does not wait until it is let in."""
        knocking = self.own(socket.socket())
        knocking.setblocking(False)
        self.assertEqual(knocking.connect_ex(("127.0.0.9", port)), errno.EINPROGRESS)
        return knocking

    def assert_waits(self, relay):
        """It does not try again all the time."""
        before_s = relay.cpu_s()
        time.sleep(0.5)
        self.assertLess(relay.cpu_s() - before_s, 0.2)

    def test_too_few_of_them(self):
        relay = self.relay(pairs=1, prefix=("prlimit", "--nofile=64:64"),
                           announced=[tunnel.EXHAUSTED, tunnel.LIMITED])
        server = self.control(relay)
        session = self.session(server)
        for _ in range(3):
            crowd = [self.visitor(server.public_port) for _ in range(80)]
            self.assert_talk(*session)
            tunnel.case.once(lambda: self.assert_waits(relay))
            self.assert_talk(*session)
            for one in crowd:
                reset(one)
            client = self.dial(server.public_port)
            self.assert_talk(client, self.serve_this(server, client))


if __name__ == "__main__":
    tunnel.main("prlimit")
