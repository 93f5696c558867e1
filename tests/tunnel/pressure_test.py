#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Those who send and are not read, or read and are slow: the relay keeps nothing for them."""
import os
import socket
import time

import tunnel
from daemon import LEAN
from tunnel import better, expect_silence, read, read_to_end
from traffic import Receiver, Sender, pour, send_aside

GROWTH_KIB = 4096
MOST = 64 << 20  # that the kernels together take on one way


class Pressure(tunnel.TunnelCase):
    def assert_flat(self, relay, before_kib):
        grown_kib = relay.rss_kib() - before_kib
        self.assertLess(grown_kib, GROWTH_KIB)

    def settle(self, *ends):
        """Pours until it has stopped for good: what the kernels take, they take in steps."""
        lengths, last = [0] * len(ends), None
        while lengths != last:
            last = list(lengths)
            for number, end in enumerate(ends):
                lengths[number] += pour(end, MOST)
                self.assertLess(lengths[number], MOST)
            time.sleep(0.1)
        return lengths

    @better
    def test_clients_that_send_before_they_are_served(self):
        relay = self.relay(pairs=1, environment=LEAN)
        server = self.control(relay)
        clients = [self.client(server) for _ in range(20)]
        before_kib = relay.rss_kib()
        poured = self.settle(*clients)
        self.assert_flat(relay, before_kib)
        reverse = self.serve(server)
        self.assertEqual(read(reverse, poured[0]), bytes(poured[0]))

    @better
    def test_those_who_send_to_nobody_who_reads(self):
        relay = self.relay(pairs=1, environment=LEAN)
        server = self.control(relay)
        for first in (0, 1):
            sessions = [self.session(server) for _ in range(5)]
            before_kib = relay.rss_kib()
            poured = self.settle(*(ends[first] for ends in sessions))
            self.assert_flat(relay, before_kib)
            for length, ends in zip(poured, sessions):
                ends[first].shutdown(socket.SHUT_WR)
                receiver = Receiver(ends[1 - first])
                self.assertEqual(receiver.result()[0], length)

    def test_one_direction_that_stands_does_not_hold_the_other(self):
        server = self.control(self.relay(pairs=1))
        for first in (0, 1):
            ends = self.session(server)
            pour(ends[first], 64 << 20)
            for _ in range(10):
                data = os.urandom(50000)
                ends[1 - first].sendall(data)
                self.assertEqual(read(ends[first], len(data)), data)

    def read_slowly(self, reader, length):
        """A little at a time, with a small window."""
        data = bytearray()
        while len(data) < length:
            data += read(reader, min(4096, length - len(data)))
            time.sleep(0.0005)
        return bytes(data)

    def test_slow_readers_get_all_of_it(self):
        server = self.control(self.relay(pairs=1))
        data = os.urandom(1 << 20)
        client = self.client(server, buffer_len=8192)
        reverse = self.serve(server, buffer_len=8192)
        for writer, reader in ((client, reverse), (reverse, client)):
            sending = send_aside(writer, data)
            self.assertEqual(self.read_slowly(reader, len(data)), data)
            sending.join()

    def test_others_are_served_while_some_stand_still(self):
        server = self.control(self.relay(pairs=1))
        for first in (0, 1) * 10:
            pour(self.session(server)[first], 8 << 20)
        self.assert_talk(*self.session(server))

    def test_a_session_that_stands_still_ends_when_its_reader_leaves(self):
        server = self.control(self.relay(pairs=1))
        for first in (0, 1):
            ends = self.session(server)
            pour(ends[first], 8 << 20)
            ends[1 - first].close()
            self.assertEqual(tunnel.read_until_over(ends[first]), b"")


class Transfers(tunnel.TunnelCase):
    def test_both_directions_at_once(self):
        ends, length = self.session(self.control(self.relay(pairs=1))), 64 << 20
        senders = [Sender(end, length, stays=True) for end in ends]
        receivers = [Receiver(end, length) for end in ends]
        for sender, receiver in zip(senders, reversed(receivers)):
            self.assertEqual(receiver.result(), sender.result())
        self.assert_talk(*ends)

    def test_many_at_once(self):
        relay = self.relay(pairs=2)
        servers = [self.control(relay) for _ in range(2)]
        sessions = [self.session(servers[number % 2]) for number in range(16)]
        moving = [(Sender(ends[number % 2], 4 << 20), Receiver(ends[1 - number % 2]))
                  for number, ends in enumerate(sessions)]
        for sender, receiver in moving:
            self.assertEqual(receiver.result(), sender.result())

    def test_urgent_data_hold_nothing_up(self):
        """Their last byte is left out, as by the original; what follows comes."""
        ends, length = self.session(self.control(self.relay(pairs=1))), 4 << 20
        for first in (0, 1):
            receiver = Receiver(ends[1 - first], 2 * length)
            ends[first].sendall(bytes(length))
            ends[first].send(b"!", socket.MSG_OOB)
            ends[first].sendall(bytes(length))
            self.assertEqual(receiver.result()[0], 2 * length)

    def test_small_pieces_between_large_ones(self):
        """So that the way of carrying them changes back and forth."""
        client, reverse = self.session(self.control(self.relay(pairs=1)))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        expect_silence(client)
        for number in range(60):
            length = (7, 1 << 20, 300, 65536)[number % 4]
            data = os.urandom(length)
            sending = send_aside(client, data)
            self.assertEqual(read(reverse, length), data)
            sending.join()
        client.close()
        self.assertEqual(read_to_end(reverse), b"")


if __name__ == "__main__":
    tunnel.main()
