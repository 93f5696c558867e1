#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The control connection: who gets one, what ends it, and what ends with it."""
import os
import socket
import ssl
import time

import tunnel
from tunnel import (Control, answers_nobody, better, client_hello, keys, read, read_to_end,
                    read_until_over, reset, tls_context)
from sandbox import wait_until

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Strangers(tunnel.TunnelCase):
    """Each of them may have taken no pair: the next server has the first one."""

    def refused(self, relay, *options, **more):
        """The error that the relay ends TLS with."""
        with self.assertRaises(ssl.SSLError) as raised:
            self.own(Control(relay, *options, **more)).line()
        return raised.exception.reason

    def assert_first_is_free(self, relay):
        self.assertEqual(self.control(relay).public_port, relay.public(0))

    def test_without_a_certificate(self):
        relay = self.relay()
        self.assertEqual(self.refused(relay, role=None, version=TLS_1_2),
                         "SSLV3_ALERT_HANDSHAKE_FAILURE")
        self.assertEqual(self.refused(relay, role=None, version=TLS_1_3),
                         "TLSV13_ALERT_CERTIFICATE_REQUIRED")

    def test_with_a_certificate_of_somebody_else(self):
        relay = self.relay()
        for version in (TLS_1_2, TLS_1_3):
            self.assertEqual(self.refused(relay, folder=keys().stranger, version=version),
                             "TLSV1_ALERT_UNKNOWN_CA")

    @better
    def test_without_a_good_certificate_no_pair_is_taken(self):
        relay = self.relay(pairs=3)
        for version in (TLS_1_2, TLS_1_3):
            for folder, role in ((keys().relay, None), (keys().stranger, "client")):
                self.refused(relay, folder=folder, role=role, version=version)
        self.assert_first_is_free(relay)

    def test_any_certificate_of_the_ca_will_do(self):
        self.control(self.relay(), role="server")

    def test_plain_text_is_closed(self):
        relay = self.relay()
        for words in (b"hello\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(100), b"\xff" * 9):
            stranger = self.dial(relay.port)
            stranger.sendall(words)
            self.assertNotIn(b"_listener", read_until_over(stranger))

    @better
    def test_plain_text_takes_no_pair(self):
        relay = self.relay(pairs=3)
        for words in (b"hello\r\n", bytes(100)):
            stranger = self.dial(relay.port)
            stranger.sendall(words)
            read_until_over(stranger)
        self.assert_first_is_free(relay)

    @better
    def test_connections_that_say_nothing_take_no_pair(self):
        relay = self.relay(pairs=3)
        for number in range(100):
            self.dial(relay.port, source=f"127.0.1.{number + 1}")
        self.assert_first_is_free(relay)

    @better
    def test_nor_do_they_all_from_the_servers_own_address(self):
        relay = self.relay(pairs=3)
        for _ in range(100):
            self.dial(relay.port)
        self.assert_first_is_free(relay)

    @better
    def test_nor_do_handshakes_that_stop_halfway(self):
        relay = self.relay(pairs=3)
        hello = client_hello()
        for number in range(50):
            stranger = self.dial(relay.port, source=f"127.0.1.{number + 1}")
            stranger.sendall(hello if number % 2 else hello[:number])
        self.assert_first_is_free(relay)

    def test_a_handshake_may_come_byte_by_byte(self):
        relay = self.relay()
        arrived, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = tls_context(keys().relay).wrap_bio(arrived, sent)
        tcp = self.dial(relay.port)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while data.count(b"\r\n") < 2:
            try:
                data += tls.read(1000)
            except ssl.SSLWantReadError:
                for one in sent.read():
                    tcp.sendall(bytes([one]))
                arrived.write(tcp.recv(65536))
        self.assertTrue(data.startswith(b"public_listener "), data)


class Lines(tunnel.TunnelCase):
    """Nothing is ever said from a server to the relay in the first version of the protocol."""

    def setUp(self):
        super().setUp()
        self.one = self.relay(pairs=1)

    def assert_ended(self, control):
        try:
            self.assertEqual(control.read_to_end(), b"")
        except (ssl.SSLError, ConnectionResetError):  # not cleanly, as the original
            pass
        control.close()
        wait_until(lambda: answers_nobody(self.one, 0))

    def test_a_line_ends_it(self):
        for line in (b"\r\n", b"hello\r\n", b"new_connection\r\n", b"a" * 1000 + b"\r\nmore"):
            control = self.control(self.one)
            control.tls.sendall(line)
            self.assert_ended(control)

    def test_parts_of_a_line_do_not(self):
        control = self.control(self.one)
        for part in (b"hello", b"\r", b"x\n", b"\n", b"a" * 16000):
            control.tls.sendall(part)
        control.expect_silence()
        self.assert_talk(*self.session(control))
        control.tls.sendall(b"\r\n")
        self.assert_ended(control)

    def test_a_line_that_comes_in_two_parts_does(self):
        control = self.control(self.one)
        control.tls.sendall(b"hello\r")
        control.expect_silence()
        control.tls.sendall(b"\n")
        self.assert_ended(control)

    def test_a_line_without_an_end_may_be_of_16384_bytes(self):
        control = self.control(self.one)
        for _ in range(16):
            control.tls.sendall(b"a" * 1024)
        control.expect_silence()
        control.tls.sendall(b"a" * 2)
        self.assert_ended(control)

    @better
    def test_its_pair_is_free_even_if_the_server_stays(self):
        control = self.control(self.one)
        control.tls.sendall(b"a" * 20000)
        self.assertEqual(control.read_to_end(), b"")
        wait_until(lambda: answers_nobody(self.one, 0))


class Loss(tunnel.TunnelCase):
    """What becomes of clients and sessions when their server's control connection is lost."""

    def setUp(self):
        super().setUp()
        self.one = self.relay(pairs=1)
        self.server = self.control(self.one)

    def lose(self, how):
        """Cleanly, by FIN without TLS's own end, and by RST."""
        if how == "cleanly":
            try:
                self.server.tls.unwrap()
            except (OSError, ssl.SSLError):
                pass
        if how == "reset":
            reset(socket.socket(fileno=self.server.tls.detach()))
        self.server.close()

    def test_sessions_end_with_it(self):
        for how in ("cleanly", "closed", "reset"):
            client, reverse = self.session(self.server)
            self.lose(how)
            for end in (client, reverse):
                self.assertEqual(read_to_end(end), b"")
            self.server = self.control(self.one)

    def test_what_is_on_its_way_arrives(self):
        client, reverse = self.session(self.server)
        for end in (client, reverse):
            end.sendall(bytes(30000))
        time.sleep(0.05)
        self.lose("closed")
        for end in (client, reverse):
            self.assertEqual(read_to_end(end), bytes(30000))

    def test_clients_that_wait_are_closed_without_a_word(self):
        clients = [self.client(self.server) for _ in range(5)]
        clients[0].sendall(b"early")
        self.lose("closed")
        for client in clients[1:]:
            self.assertEqual(read_to_end(client), b"")
        self.assertEqual(read_until_over(clients[0]), b"")

    def test_its_pair_can_be_had_at_once(self):
        for _ in range(5):
            client = self.client(self.server)
            self.lose("closed")
            self.assertEqual(read_to_end(client), b"")
            self.server = self.control(self.one)
            self.assert_talk(*self.session(self.server))

    def test_old_reverse_connections_do_not_serve_the_next_server(self):
        client, reverse = self.session(self.server)
        self.lose("closed")
        self.server = self.control(self.one)
        newcomer = self.client(self.server)
        for old in (client, reverse):
            read_until_over(old)
        self.assert_talk(newcomer, self.dial(self.server.reverse_port))

    def test_in_the_middle_of_a_transfer_what_arrived_is_right(self):
        client, reverse = self.session(self.server)
        data = os.urandom(1 << 20)
        client.settimeout(0.2)
        try:
            for _ in range(32):
                client.sendall(data)
        except TimeoutError:
            pass
        arrived = read(reverse, 300000)
        self.lose("closed")
        arrived += read_until_over(reverse)
        whole, rest = divmod(len(arrived), len(data))
        self.assertEqual(arrived, whole * data + data[:rest])


if __name__ == "__main__":
    tunnel.main()
