#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One direction of a session may end before the other, which the original never had."""
import os
import socket
import time

import tunnel
from tunnel import better, expect_silence, read, read_to_end
from traffic import Receiver, Sender


def finish(tcp):
    tcp.shutdown(socket.SHUT_WR)


class Halves(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        self.server = self.control(self.relay(pairs=1))

    def both_ways(self):
        """A session, and the same one seen from the other side."""
        for first in (0, 1):
            ends = self.session(self.server)
            yield ends[first], ends[1 - first]

    @better
    def test_who_has_finished_is_answered_still(self):
        for one, other in self.both_ways():
            one.sendall(b"all I have")
            finish(one)
            self.assertEqual(read_to_end(other), b"all I have")
            expect_silence(one)
            time.sleep(0.05)
            other.sendall(b"and here is")
            other.sendall(b" the answer")
            self.assertEqual(read(one, 22), b"and here is the answer")
            other.close()
            self.assertEqual(read_to_end(one), b"")

    @better
    def test_both_directions_end_one_after_the_other(self):
        for one, other in self.both_ways():
            finish(one)
            self.assertEqual(read_to_end(other), b"")
            other.sendall(b"bye")
            finish(other)
            self.assertEqual(read_to_end(one), b"bye")

    @better
    def test_a_client_that_finishes_before_it_is_paired(self):
        client = self.client(self.server)
        client.sendall(b"request")
        finish(client)
        time.sleep(0.05)
        reverse = self.serve(self.server)
        self.assertEqual(read_to_end(reverse), b"request")
        reverse.sendall(b"response")
        finish(reverse)
        self.assertEqual(read_to_end(client), b"response")

    @better
    def test_a_server_that_finishes_at_once(self):
        client = self.client(self.server)
        reverse = self.serve(self.server)
        reverse.sendall(b"banner")
        finish(reverse)
        self.assertEqual(read_to_end(client), b"banner")
        client.sendall(b"thanks")
        finish(client)
        self.assertEqual(read_to_end(reverse), b"thanks")

    @better
    def test_much_goes_on_after_one_has_finished(self):
        for one, other in self.both_ways():
            finish(one)
            self.assertEqual(read_to_end(other), b"")
            sender, receiver = Sender(other, 20 << 20), Receiver(one)
            self.assertEqual(receiver.result(), sender.result())

    @better
    def test_the_last_bytes_of_much_arrive_before_the_end(self):
        """Sent in one go, then finished or closed, to one that reads late."""
        for one, other in self.both_ways():
            sender = Sender(one, 8 << 20)
            time.sleep(0.1)
            other.sendall(b"still here")
            self.assertEqual(read(one, 10), b"still here")
            self.assertEqual(Receiver(other).result(), sender.result())

    def test_the_last_bytes_arrive_when_all_is_closed_at_once(self):
        for one, other in self.both_ways():
            data = os.urandom(50000)
            one.sendall(data)
            one.close()
            time.sleep(0.05)
            self.assertEqual(read_to_end(other), data)


if __name__ == "__main__":
    tunnel.main()
