#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients and reverse connections: how they are announced and matched, and what each gets."""
import os
import time

import tunnel
from tunnel import NO_CONTROLLER, better, expect_silence, read, read_to_end, read_until_over, reset


class Match(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        self.server = self.control(self.relay(pairs=1))
        self.public, self.reverse = self.server.public_port, self.server.reverse_port

    def test_a_client_is_announced_before_it_says_anything(self):
        for _ in range(3):
            self.dial(self.public)
            self.assertEqual(self.server.line(), b"new_connection\r\n")
        self.server.expect_silence()

    def test_a_session_carries_bytes_both_ways(self):
        client, reverse = self.session(self.server)
        for length in (1, 2, 1000, 65536, 300000):
            data = os.urandom(length)
            for one, other in ((client, reverse), (reverse, client)):
                one.sendall(data)
                self.assertEqual(read(other, length), data)

    def test_a_server_may_speak_first(self):
        client = self.client(self.server)
        reverse = self.dial(self.reverse)
        reverse.sendall(b"220 ready\r\n")
        self.assertEqual(read(client, 11), b"220 ready\r\n")

    def test_what_a_client_says_early_arrives_in_order(self):
        client = self.client(self.server)
        data = os.urandom(30000)
        for start in range(0, len(data), 1000):
            client.sendall(data[start:start + 1000])
        reverse = self.dial(self.reverse)
        self.assertEqual(read(reverse, len(data)), data)
        self.assert_talk(client, reverse)

    def test_a_client_that_has_said_all_and_left(self):
        client = self.client(self.server)
        client.sendall(b"for the record")
        client.close()
        time.sleep(0.05)
        self.assertEqual(read_to_end(self.dial(self.reverse)), b"for the record")

    def test_a_client_that_has_left_without_a_word_keeps_its_place(self):
        self.client(self.server).close()
        second = self.client(self.server)
        self.assertEqual(read_to_end(self.dial(self.reverse)), b"")
        self.assert_talk(second, self.dial(self.reverse))

    def test_a_client_that_was_reset_is_in_nobodys_way(self):
        """What it had said arrives with the original; here the next client is served instead."""
        first = self.client(self.server)
        first.sendall(b"gone")
        reset(first)
        time.sleep(0.05)
        second = self.client(self.server)
        second.sendall(b"here")
        reverses = [self.dial(self.reverse) for _ in range(2)]
        heard = [reverse.recv(100) for reverse in reverses]
        self.assertIn(heard, ([b"gone", b"here"], [b"", b"here"], [b"here", b""]))
        self.assert_talk(second, reverses[heard.index(b"here")])

    def test_clients_are_served_in_the_order_of_their_coming(self):
        clients = [self.client(self.server) for _ in range(10)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            reverse = self.dial(self.reverse)
            self.assertEqual(read(reverse, 1), b"%d" % number)
            self.assert_talk(client, reverse)

    def test_a_reverse_connection_without_a_client_is_closed_silently(self):
        for _ in range(3):
            self.assertEqual(read_to_end(self.dial(self.reverse)), b"")
        talkative = self.dial(self.reverse)
        talkative.sendall(b"220 ready\r\n")
        self.assertEqual(read_until_over(talkative), b"")
        self.server.expect_silence()
        self.assert_talk(*self.session(self.server))

    def test_sessions_stand_side_by_side(self):
        sessions = [self.session(self.server) for _ in range(20)]
        for number, (client, reverse) in enumerate(sessions):
            client.sendall(b"%04d" % number)
            reverse.sendall(b"%04d" % -number)
        for number, (client, reverse) in reversed(list(enumerate(sessions))):
            self.assertEqual(read(reverse, 4), b"%04d" % number)
            self.assertEqual(read(client, 4), b"%04d" % -number)

    def test_either_end_that_closes_ends_both(self):
        for first in (0, 1):
            ends = self.session(self.server)
            ends[first].sendall(b"last words")
            ends[first].close()
            self.assertEqual(read_to_end(ends[1 - first]), b"last words")

    @better
    def test_a_reset_is_passed_on_as_a_reset(self):
        for first in (0, 1):
            ends = self.session(self.server)
            reset(ends[first])
            with self.assertRaises(ConnectionResetError):
                ends[1 - first].recv(100)

    def test_other_sessions_do_not_notice_an_end(self):
        staying = self.session(self.server)
        for how in (lambda one: one.close(), reset):
            client, reverse = self.session(self.server)
            how(client)
            read_until_over(reverse)
        self.assert_talk(*staying)


class Ports(tunnel.TunnelCase):
    def test_ports_without_a_server_say_so(self):
        relay = self.relay(pairs=2)
        for port in range(relay.port + 1, relay.port + 5):
            self.assertEqual(read_to_end(self.dial(port)), NO_CONTROLLER)
        self.assertEqual(len(NO_CONTROLLER), 20)

    def test_those_who_speak_there_are_told_too(self):
        relay = self.relay(pairs=1)
        for port in (relay.public(0), relay.reverse(0)):
            hasty = self.dial(port)
            hasty.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(read_until_over(hasty), NO_CONTROLLER)

    def test_each_pair_has_its_own_clients(self):
        relay = self.relay(pairs=2)
        servers = [self.control(relay) for _ in range(2)]
        clients = [self.client(server) for server in servers]
        servers[0].expect_silence()
        for number in (1, 0):
            self.assert_talk(clients[number], self.dial(relay.reverse(number)))

    def test_reverse_connections_of_one_pair_never_get_anothers_clients(self):
        relay = self.relay(pairs=2)
        servers = [self.control(relay) for _ in range(2)]
        client = self.client(servers[0])
        self.assertEqual(read_to_end(self.dial(relay.reverse(1))), b"")
        expect_silence(client)


if __name__ == "__main__":
    tunnel.main()
