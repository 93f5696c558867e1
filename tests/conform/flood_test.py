#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Floods of requests without valid integrity, beside clients that go on.

Each network of the loopback (127.x.y.0/24) is somebody else's. The flood is slow enough for the
relay's buffers to hold it, and many times what the relay has been told to answer.
"""
import contextlib
import threading
import time

import case
import stun
from client import open_socket
from sandbox import wait_until

RATE = 200  # requests a second that the relay answers
FLOOD = 3000  # requests a second
TURN_S = 0.01
AT_ONCE = 100  # requests: what the relay's buffers hold, even if both stand still now and then
REPEATS = 20  # of hundreds of requests, which a busy machine may make clients send again

UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)
ALLOCATE = stun.write(stun.ALLOCATE, stun.REQUEST, [UDP])
BINDING = stun.write(stun.BINDING, stun.REQUEST)
FORGED = stun.write(stun.ALLOCATE, stun.REQUEST,
                    [UDP, (stun.USERNAME, b"alice"), (stun.REALM, b"fairlead"),
                     (stun.NONCE, b"obMatJos2AAADAAAAAAAAAAAAAAAAAAAA")], b"no key of anybody")


class Flooder:
    """Sends one request after the other, from each of the addresses in turn."""

    def __init__(self, server, hosts, *raws):
        self.server, self.raws = server, raws
        self.udps = [open_socket(host) for host in hosts]
        for udp in self.udps:
            udp.setblocking(False)
        self.sent = self.answered = 0
        self.is_over = False
        self.began_s = time.monotonic()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over:
            wanted = self.seconds() * FLOOD
            for _ in range(min(int(wanted) - self.sent, AT_ONCE)):
                udp = self.udps[self.sent % len(self.udps)]
                udp.sendto(self.raws[self.sent % len(self.raws)], self.server)
                self.sent += 1
            self.read()
            time.sleep(TURN_S)

    def read(self):
        for udp in self.udps:
            with contextlib.suppress(BlockingIOError):
                while udp.recv(2048):
                    self.answered += 1

    def seconds(self):
        return time.monotonic() - self.began_s

    def end(self):
        self.is_over = True
        self.thread.join()
        self.read()

    def close(self):
        for udp in self.udps:
            udp.close()


class Flood(case.Case):
    def setUp(self):
        super().setUp()
        self.one = self.relay(f"--unauthenticated-rate={RATE}", "--user-quota=1000",
                              announced=[case.UNPROVEN])

    @contextlib.contextmanager
    def flood(self, hosts, *raws, kinds=1):
        """In the end no more must have been answered than the rate allows."""
        flooder = Flooder(("127.0.0.1", self.one.port), hosts, *raws)
        self.addCleanup(flooder.close)
        time.sleep(1.5)  # until the crowd is there

        def most():
            return kinds * RATE * (flooder.seconds() + 1.2)
        try:
            yield flooder
            wait_until(lambda: flooder.sent > 2 * most())
        finally:
            flooder.end()
        self.assertLessEqual(flooder.answered, most())
        self.assertGreater(flooder.answered, RATE / 2)

    @staticmethod
    def everywhere():
        return [f"127.77.{network}.1" for network in range(250)]

    def go_on(self, alice, number):
        alice.refresh()
        alice.permit(f"9.9.9.{number % 50 + 1}")
        alice.binding()

    def assert_hardly_repeated(self, clients):
        self.assertLessEqual(sum(len(client.answered) for client in clients), REPEATS)

    def test_a_flood_from_one_network_is_not_felt_in_others(self):
        for raws in ([BINDING], [ALLOCATE], [FORGED], [ALLOCATE, FORGED]):
            alice = self.client(self.one, local="127.50.0.1").allocate()
            clients = [alice]
            with self.flood(["127.66.1.1", "127.66.1.2"], *raws, kinds=len(raws)):
                for number in range(40):
                    client = self.client(self.one, local=f"127.60.{number}.1").allocate()
                    self.go_on(alice, number)
                    clients.append(client)
                    time.sleep(0.02)
            self.assert_hardly_repeated(clients)
            for client in clients:
                client.free()

    def test_a_flood_from_everywhere_leaves_allocations_alone(self):
        alice = self.client(self.one, local="127.50.0.1").allocate()
        bob = self.client(self.one, local="127.50.1.1").challenge()
        for raws in ([BINDING, ALLOCATE], [FORGED], [ALLOCATE, FORGED]):
            with self.flood(self.everywhere(), *raws, kinds=len(set(raws) - {BINDING})):
                for number in range(100):
                    self.go_on(alice, number)
                if FORGED not in raws:  # he has been answered once
                    bob.allocate()
                    bob.free()
        self.assert_hardly_repeated([alice, bob])

    def test_what_was_limited_is_counted(self):
        with self.flood(self.everywhere(), ALLOCATE) as flooder:
            pass

        def is_each_answered_or_counted():
            flooder.read()
            limited = self.one.counted()["requests_limited"]
            return limited > 0 and limited + flooder.answered == flooder.sent
        wait_until(is_each_answered_or_counted)


if __name__ == "__main__":
    case.main()
