#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`fairlead-tunnel expose`: a service of this host, reached through a relay of ours or in Twisted.

    client --> relay <-- expose --> service
"""
import signal
import socket
import time

import halves_test
import pressure_test
import storm_test
import tunnel
from daemon import LEAN, rss_kib
from sandbox import wait_until
from tools import Service, Tool, ToolCase
from traffic import pour
from tunnel import expect_silence, keys, read, read_to_end, read_until_over


class Exposed(Service):
    """A service and the program that exposes it; to tests like a server."""

    def __init__(self, relay, *options, folder=None, retry="lost", environment=None):
        super().__init__()
        self.tool = Tool(tunnel.program(), "expose", f"127.0.0.1:{self.port}", "--relay",
                         f"127.0.0.1:{relay.port}", "-k", folder or keys().relay, "--retry", retry,
                         *options, environment=environment)
        self.public_port = None

    def publish(self):
        self.public_port = int(self.tool.line().rpartition(b":")[2])
        return self

    def expect(self, count=1):
        """Nothing is told of clients but their connections."""

    def close(self):
        self.tool.close()
        super().close()


class Exposing(ToolCase):
    """Where the other tests have a server with a control connection."""

    def control(self, relay, *options, **more):
        return self.own(Exposed(relay, *options, **more)).publish()

    def serve(self, control, **_):
        return self.own(control.accept())


class Halves(Exposing, halves_test.Halves):
    pass


class Transfers(Exposing, pressure_test.Transfers):
    pass


class ExposedStorm(Exposed):
    def connections(self, _):
        """New ones by which clients come."""
        self.listener.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.listener.accept()[0])
        except BlockingIOError:
            return found


class Storm(storm_test.Storm):
    """Its programs are killed now and then."""

    def server(self):
        return ExposedStorm(self.one).publish()


class Expose(Exposing):
    def expose(self, relay, *options, **more):
        """Which may fail."""
        return self.own(Exposed(relay, *options, **more))

    def test_many_clients_at_once(self):
        exposed = self.control(self.relay(pairs=1))
        clients = [self.dial(exposed.public_port) for _ in range(60)]
        services = [self.serve(exposed) for _ in clients]
        for number, client in enumerate(clients):
            client.sendall(b"%02d" % number)
        met = {int(read(service, 2)): service for service in services}
        for number, client in enumerate(clients):
            self.assert_talk(client, met[number])

    def test_nothing_is_kept_for_those_who_do_not_read(self):
        exposed = self.control(self.relay(pairs=1), environment=LEAN)
        for first in (0, 1):
            sessions = [self.session(exposed) for _ in range(3)]
            before_kib = rss_kib(exposed.tool.process.pid)
            for ends in sessions:
                pour(ends[first])
            time.sleep(0.2)
            self.assertLess(rss_kib(exposed.tool.process.pid) - before_kib, 4096)

    def test_through_a_relay_in_twisted(self):
        exposed = self.control(self.relay(pairs=1, executable=tunnel.TWISTED_RELAY))
        sessions = [self.session(exposed) for _ in range(5)]
        for session in sessions:
            self.assert_talk(*session)
        for client, service in sessions:
            client.sendall(b"the end")
            client.close()
            self.assertEqual(read_to_end(service), b"the end")

    def test_a_service_that_is_not_there_resets_its_clients(self):
        exposed = self.control(self.relay(pairs=1))
        exposed.listener.close()
        for _ in range(3):
            with self.assertRaises(ConnectionResetError):
                self.dial(exposed.public_port).recv(100)
        wait_until(lambda: "refused" in exposed.tool.errors())
        exposed.listener = socket.create_server(("127.0.0.1", exposed.port))
        self.assert_talk(*self.session(exposed))

    def test_it_comes_again_when_the_relay_does(self):
        relay = self.relay(pairs=1)
        exposed = self.control(relay)
        client, service = self.session(exposed)
        relay.stop()
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
            end.close()
        again = self.relay(pairs=1, port=relay.port)
        again.wait_for_log("a server is linked")
        self.assert_talk(*self.session(exposed))
        self.assertEqual(exposed.tool.read(0), b"")

    def test_it_tells_when_its_address_has_changed(self):
        relay = self.relay(pairs=1)
        exposed = self.control(relay)
        relay.stop()
        again = self.relay(pairs=2, port=relay.port)
        exposed.publish()
        self.assertEqual(exposed.public_port, again.public(0))
        self.assert_talk(*self.session(exposed))

    def test_when_told_it_waits_for_a_relay_from_the_start(self):
        relay = self.relay(pairs=1)
        relay.stop()
        exposed = self.expose(relay, retry="always")
        wait_until(lambda: "refused" in exposed.tool.errors())
        self.relay(pairs=1, port=relay.port)
        self.assert_talk(*self.session(exposed.publish()))

    def test_when_told_it_does_not_come_again(self):
        relay = self.relay(pairs=1)
        exposed = self.control(relay, retry="never")
        relay.stop()
        self.assertEqual(exposed.tool.wait(), 1)

    def test_no_relay_is_there(self):
        relay = self.relay(pairs=1)
        relay.stop()
        self.assert_fails(self.expose(relay).tool, "refused", str(relay.port))

    def test_the_relay_is_full(self):
        relay = self.relay(pairs=1, announced=[tunnel.FULL])
        self.control(relay)
        self.assert_fails(self.expose(relay).tool, "full")

    def test_the_relay_does_not_know_it(self):
        exposed = self.expose(self.relay(pairs=1), folder=keys().stranger)
        self.assert_fails(exposed.tool, "certificate")

    def test_it_does_not_know_the_relay(self):
        exposed = self.expose(self.relay(pairs=1), folder=keys().application)
        self.assert_fails(exposed.tool, "certificate")

    def test_the_relay_must_have_its_name(self):
        exposed = self.expose(self.relay(pairs=1), "--relay-name", "relay.example.org")
        self.assert_fails(exposed.tool, "relay.example.org")

    def test_it_ends_when_it_is_told(self):
        relay = self.relay(pairs=1)
        for number in (signal.SIGTERM, signal.SIGINT):
            exposed = self.control(relay)
            client, service = self.session(exposed)
            exposed.tool.signal(number)
            for end in (client, service):
                self.assertEqual(read_until_over(end), b"")
                end.close()
            self.assertEqual(exposed.tool.wait(), 0)
            wait_until(lambda: tunnel.answers_nobody(relay, 0))

    def test_it_is_killed(self):
        relay = self.relay(pairs=1)
        exposed = self.control(relay)
        client, service = self.session(exposed)
        exposed.tool.signal(signal.SIGKILL)
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
        wait_until(lambda: tunnel.answers_nobody(relay, 0))
        self.assert_talk(*self.session(self.control(relay)))

    def test_more_clients_than_it_may_have_wait(self):
        exposed = self.control(self.relay(pairs=1), "--max-sessions", 2)
        sessions = [self.session(exposed) for _ in range(2)]
        client = self.dial(exposed.public_port)
        client.sendall(b"!")
        expect_silence(client)
        for end in sessions.pop():
            end.close()
        service = self.serve(exposed)
        self.assertEqual(read(service, 1), b"!")
        self.assert_talk(client, service)
        self.assert_talk(*sessions[0])


if __name__ == "__main__":
    tunnel.main()
