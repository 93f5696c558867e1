#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A reset of each connection at each step of a session: the others end, and nothing is left."""
import functools
import socket
import time

import tunnel
from sandbox import wait_until
from tunnel import Control, better, dial, read_until_over, reset
from traffic import pour


class Resets(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        self.one = self.relay(pairs=1)
        self.server = Control(self.one).greet()
        for end in self.full():  # so that the relay has all that it keeps
            reset(end)
        time.sleep(0.3)
        self.base = self.one.socket_count()

    def tearDown(self):
        self.server.close()

    # --- steps: what there is by then, the client first

    def waits(self):
        client = dial(self.server.public_port)
        self.server.expect()
        return [client]

    def waits_and_has_spoken(self):
        client, = self.waits()
        client.sendall(b"early")
        return [client]

    def waits_and_has_finished(self):
        client, = self.waits_and_has_spoken()
        client.shutdown(socket.SHUT_WR)
        return [client]

    def joined(self):
        client, = self.waits()
        reverse = dial(self.server.reverse_port)
        self.assert_talk(client, reverse)
        return [client, reverse]

    def full(self):
        """Of bytes on their way in both directions."""
        ends = self.joined()
        for end in ends:
            pour(end, 8 << 20)
        return ends

    def half_closed(self, first):
        ends = self.joined()
        ends[first].shutdown(socket.SHUT_WR)
        self.assertEqual(ends[1 - first].recv(1), b"")
        return ends

    def half_closed_and_full(self, first):
        ends = self.half_closed(first)
        pour(ends[1 - first], 8 << 20)
        return ends

    # --- what happens then

    def assert_nothing_is_left(self):
        wait_until(lambda: self.one.socket_count() <= self.base)
        with self.waits()[0] as client:
            client.sendall(b"!")
            heard = b""
            while heard != b"!":  # with the original, those come first who were reset
                with dial(self.server.reverse_port) as reverse:
                    heard = read_until_over(reverse, 1)
        wait_until(lambda: self.one.socket_count() <= self.base)

    def reset_one(self, step, number):
        ends = step()
        reset(ends.pop(number))
        for other in ends:
            read_until_over(other)
            other.close()
        self.assert_nothing_is_left()

    def reset_control(self, step):
        ends = step()
        reset(socket.socket(fileno=self.server.tls.detach()))
        for end in ends:
            read_until_over(end)
            end.close()
        wait_until(lambda: tunnel.answers_nobody(self.one, 0))
        self.server = Control(self.one).greet()
        self.assert_nothing_is_left()

    def test_while_a_client_waits(self):
        for step in (self.waits, self.waits_and_has_spoken, self.waits_and_has_finished):
            self.reset_one(step, 0)

    def test_in_a_session(self):
        for step in (self.joined, self.full):
            for number in (0, 1):
                self.reset_one(step, number)

    @better
    def test_when_one_direction_has_ended(self):
        for first in (0, 1):
            for step in (self.half_closed, self.half_closed_and_full):
                for number in (0, 1):
                    self.reset_one(functools.partial(step, first), number)

    def test_of_the_control_connection(self):
        for step in (self.waits, self.waits_and_has_spoken, self.waits_and_has_finished,
                     self.joined, self.full):
            self.reset_control(step)

    @better
    def test_of_the_control_connection_when_one_direction_has_ended(self):
        for first in (0, 1):
            for step in (self.half_closed, self.half_closed_and_full):
                self.reset_control(functools.partial(step, first))

    def test_in_the_middle_of_a_handshake(self):
        hello = tunnel.client_hello()
        for length in (0, 1, len(hello) // 2, len(hello)):
            stranger = dial(self.one.port)
            stranger.sendall(hello[:length])
            time.sleep(0.02)
            reset(stranger)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    tunnel.main()
