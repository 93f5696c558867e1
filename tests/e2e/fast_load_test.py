#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A call at full speed, while relaying in the kernel is turned off and on: it goes on.

As many packets as can be are on their way in both directions at once, but never more than WINDOW in
each, so that no queue overflows on a busy machine. What is lost or overtaken is counted.
"""
import select
import signal
import struct
import time

from fast_case import FastCase, counters
# pylint: disable=wrong-import-order
import case  # found by what fast_case has done
import fast_world
import stun
from client import unique

WINDOW = 32
SWITCHES = 8
BETWEEN = 1000  # packets in each direction from one switch to the next
LOST = 2        # packets in each direction that a switch may cost
SILENCE_S = 1   # after which a packet is lost


class Stream:
    """Numbered packets in one direction."""

    def __init__(self, send, udp, read):
        self.send, self.udp, self.read = send, udp, read
        self.filling = unique(160)
        self.sent = self.next = self.late_count = 0
        self.arrived = set()
        udp.setblocking(False)

    def fill(self):
        while self.sent < self.next + WINDOW:
            self.send(struct.pack("!I", self.sent) + self.filling)
            self.sent += 1

    def take(self):
        """All that has arrived. Each packet must be whole, and come once."""
        while True:
            try:
                data = self.read(self.udp.recv(65536))
            except BlockingIOError:
                return
            number, = struct.unpack("!I", data[:4])
            if data[4:] != self.filling or number in self.arrived or number >= self.sent:
                raise AssertionError(f"packet {number} of {self.sent}: {data.hex()}")
            self.arrived.add(number)
            self.late_count += number < self.next
            self.next = max(self.next, number + 1)

    @property
    def lost_count(self):
        return self.sent - len(self.arrived)


def read_channel(raw):
    number, data = stun.read_channel_data(raw)
    assert number == 0x4000
    return data


class Load(FastCase):
    def run_until(self, streams, is_over):
        """Sends and receives, until is_over(), which is asked now and then."""
        while not is_over():
            end = min(stream.next for stream in streams) + 100
            while min(stream.next for stream in streams) < end:
                for stream in streams:
                    stream.fill()
                ready, _, _ = select.select([stream.udp for stream in streams], [], [], SILENCE_S)
                for stream in streams:
                    stream.take()
                    if not ready:  # all that was on its way in both directions is lost
                        stream.next = stream.sent

    def run_for(self, streams, count):
        ends = [stream.next + count for stream in streams]
        self.run_until(streams, lambda: all(stream.next >= end
                                            for stream, end in zip(streams, ends)))

    def drain(self, streams):
        """What was on its way has arrived, or never will."""
        while select.select([stream.udp for stream in streams], [], [], SILENCE_S)[0]:
            for stream in streams:
                stream.take()

    def switch(self, streams, number):
        """In mid-flow. Until it is done the flow goes on."""
        line = "INFO relaying in the kernel is " + ("off", "on")[number % 2]
        before = self.one.log().count(line)
        self.one.process.send_signal(signal.SIGUSR2)
        self.run_until(streams, lambda: self.one.log().count(line) > before)

    def assert_goes_on(self, mode):
        self.start(fast_world.Lan(), mode=mode)
        alice, bob = self.alice_and_bob(4, 4)
        self.warm_up(alice, bob)
        streams = (Stream(lambda data: alice.send_channel(0x4000, data), bob, bytes),
                   Stream(lambda data: bob.sendto(data, alice.relayed), alice.udp, read_channel))
        began = time.monotonic()
        went = []
        for number in range(SWITCHES):
            before = counters(self.one)
            self.run_for(streams, BETWEEN)
            went.append(counters(self.one) - before)
            self.switch(streams, number)
        self.run_for(streams, BETWEEN)
        rate = streams[0].sent / (time.monotonic() - began)
        self.drain(streams)
        print(f"{rate:.0f} packets a second in each direction; lost, overtaken:",
              [(stream.lost_count, stream.late_count) for stream in streams])
        for stream in streams:
            self.assertLessEqual(stream.lost_count, SWITCHES * LOST)
            # Those that waited in the sockets when others began to overtake them.
            self.assertLessEqual(stream.late_count, SWITCHES // 2 * WINDOW)
        for number, counted in enumerate(went):
            for name in ("to_peer", "to_client"):
                if number % 2 == 0:
                    self.assertGreaterEqual(counted[name], BETWEEN * 9 // 10, went)
                else:
                    self.assertEqual(counted[name], 0, went)

    def test_in_driver_mode(self):
        self.assert_goes_on("driver")

    def test_in_generic_mode(self):
        self.assert_goes_on("generic")


if __name__ == "__main__":
    case.main("ethtool", "sysctl", is_root=True)
