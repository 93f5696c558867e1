#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Four workers, and clients that know nothing of them: one relay.

Which worker serves a client is chance, new at each start. So each test has enough clients that some
of them are on different workers: that 12 all meet one happens once in four million.
"""
import signal
import socket
import threading

import case
import stun
from firezone_test import Node, OFFER, SECRET

COUNT = 12
OPTIONS = ("--num-worker-threads=4", "--allow-peer", "127.0.0.1")


class Workers(case.Case):
    def clients(self, one, count=COUNT):
        return [self.client(one) for _ in range(count)]

    def test_the_log_says_how_many_there_are(self):
        self.relay(*OPTIONS).wait_for_log("INFO workers started count=4")
        self.relay(environment={"NUM_WORKER_THREADS": "3"}).wait_for_log("workers started count=3")

    def test_any_two_clients_meet(self):
        one = self.relay(*OPTIONS)
        clients = [client.allocate() for client in self.clients(one)]
        for number, alice in enumerate(clients):
            bob = clients[number - 1]
            alice.bind(0x4000 + number, bob.relayed)
            bob.bind(0x5000 - 1 - number, alice.relayed)
            alice.send_channel(0x4000 + number, b"to bob %d" % number)
            self.assertEqual(bob.receive(), (0x5000 - 1 - number, b"to bob %d" % number))
            bob.send_channel(0x5000 - 1 - number, b"to alice")
            self.assertEqual(alice.receive(), (0x4000 + number, b"to alice"))

    def test_a_quota_counts_wherever_the_user_comes(self):
        one = self.relay(*OPTIONS, "--user-quota=5",
                         announced=["^request refused .*user has all"])
        clients = self.clients(one)
        for alice in clients[:5]:
            alice.allocate()
        for alice in clients[5:]:
            alice.challenge().ask(code=486)
        clients[2].free()
        clients[5].allocate()
        clients[6].ask(code=486)

    def test_a_reserved_port_is_had_wherever_the_user_comes(self):
        one = self.relay(*OPTIONS)
        for _ in range(COUNT):
            first = self.client(one).allocate((stun.EVEN_PORT, b"\x80"))
            second = self.client(one).allocate((stun.RESERVATION_TOKEN, first.token))
            self.assertEqual(second.relayed, (first.relayed[0], first.relayed[1] + 1))
            self.client(one).challenge().ask([(stun.RESERVATION_TOKEN, first.token)], code=508)

    def test_an_allocation_follows_its_user_to_another_worker(self):
        one = self.relay(*OPTIONS, "--stamp-secret", SECRET, hosts=("127.0.0.1", "::1"))
        before = one.descriptor_count()
        old = None
        peer = self.peer()
        for number in range(COUNT):
            node = Node(self, one)
            node.allocate()
            if old is not None:
                old.expect(437, stun.REFRESH, OFFER)
            self.assertEqual(one.descriptor_count(), before + 2)
            node.bind(0x4000, peer.getsockname())
            node.client.send_channel(0x4000, b"from %d" % number)
            self.assertEqual(peer.recv(100), b"from %d" % number)
            old = node

    def test_counters_are_those_of_all(self):
        one = self.relay(*OPTIONS)
        for client in self.clients(one, 40):
            client.binding()
        asked = one.log().count("INFO traffic")
        one.process.send_signal(signal.SIGUSR1)
        one.wait_for_log(r"INFO traffic .*binding_requests=([4-9]\d|\d{3})\b")
        self.assertEqual(one.log().count("INFO traffic"), asked + 1)

    def test_they_end_while_they_are_flooded(self):
        one = self.relay(*OPTIONS)
        clients = [client.allocate() for client in self.clients(one)]
        is_over = threading.Event()

        def flood(alice):
            raw = stun.write(stun.BINDING, stun.REQUEST)
            while not is_over.is_set():
                try:
                    alice.udp.sendto(raw, alice.server)
                    alice.udp.sendto(b"\x40\x00\x00\x04noise", alice.server)
                except (BlockingIOError, ConnectionRefusedError, socket.timeout):
                    pass  # it has ended

        threads = [threading.Thread(target=flood, args=(alice,)) for alice in clients]
        for thread in threads:
            thread.start()
        try:
            one.stop()  # judges how it ended
        finally:
            is_over.set()
            for thread in threads:
                thread.join()


if __name__ == "__main__":
    case.main()
