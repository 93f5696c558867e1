#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a stranger can send costs the relay neither its service nor memory nor descriptors."""
import os
import random
import socket
import struct

import case
import stun
from client import ARRIVAL_S

FLOOD, AT_ONCE = 40000, 400
GROWTH_MAX_KIB = 1280  # buffers of one worker that are used for the first time
SEED = int(os.environ.get("FAIRLEAD_SEED") or str(random.randrange(2**32)), 0)


class Strangers(case.Case):
    def setUp(self):
        super().setUp()
        print(f"FAIRLEAD_SEED={SEED:#x}", flush=True)
        self.random = random.Random(SEED)
        # Answers to all of them are what would be remembered, if anything were.
        self.one = self.relay("--allow-peer", "127.0.0.1", "--unauthenticated-rate", "0",
                              "--num-worker-threads", "1")

    def serves(self):
        """Whether a client gets all that it is due."""
        with self.one.client() as alice:
            peer = self.peer()
            alice.allocate().bind(0x4000, peer.getsockname())
            alice.send_channel(0x4000, b"ping")
            self.assertEqual(peer.recvfrom(100), (b"ping", alice.relayed))
            alice.free()

    def assert_silence_at(self, raws):
        """None of the datagrams is answered; a Binding response tells that all were seen."""
        stranger = self.client(self.one)
        for number, raw in enumerate(raws):
            stranger.udp.sendto(raw, stranger.server)
            if number % 50 == 49:
                stranger.binding()
        stranger.binding()
        self.assertEqual(stranger.arrived, [])
        self.assertIsNone(stranger.receive_raw(0.2))

    def test_garbage_of_every_length_gets_silence(self):
        for first in (None, 0x00, 0x01, 0x40, 0x4F, 0x80, 0xFF):
            raws = []
            for length in range(201):
                raw = bytearray(self.random.randbytes(length))
                if first is not None and raw:
                    raw[0] = first
                raws.append(bytes(raw))
            self.assert_silence_at(raws)
        self.serves()

    def test_zeros_of_every_size_get_silence(self):
        self.assert_silence_at(bytes(length) for length in (*range(41), 1472, 9000, 65507))
        self.serves()

    def test_every_truncation_of_a_request_gets_silence(self):
        alice = self.client(self.one).challenge()
        raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
            (stun.REQUESTED_TRANSPORT, stun.UDP), (stun.USERNAME, b"alice"),
            (stun.REALM, alice.realm), (stun.NONCE, alice.nonce)], alice.key, fingerprint=True)
        self.assert_silence_at(raw[:length] for length in range(len(raw)))
        self.serves()

    def test_lengths_that_lie_get_silence(self):
        cookie = struct.pack("!I", stun.COOKIE) + bytes(12)
        raws = [struct.pack("!HH", 1, length) + cookie for length in (1, 2, 3, 4, 8, 65532, 65535)]
        raws += [struct.pack("!HH", 1, 8) + cookie + struct.pack("!HH", 0x8022, length) + bytes(4)
                 for length in (5, 8, 9, 1000, 65533, 65535)]
        raws += [struct.pack("!HH", 0x4000, length) + bytes(4) for length in (5, 8, 65535)]
        self.assert_silence_at(raws)
        self.serves()

    def test_a_message_with_any_byte_changed_does_no_harm(self):
        alice = self.client(self.one).challenge()
        good = stun.write(stun.ALLOCATE, stun.REQUEST, [
            (stun.REQUESTED_TRANSPORT, stun.UDP), (stun.LIFETIME, 600), (stun.USERNAME, b"alice"),
            (stun.REALM, alice.realm), (stun.NONCE, alice.nonce)], alice.key)
        before = self.one.descriptor_count()
        for at in range(len(good)):
            raw = bytearray(good)
            raw[at] ^= self.random.randrange(1, 256)
            alice.udp.sendto(raw, alice.server)
            alice.binding()
        self.assertEqual(self.one.descriptor_count(), before)
        for raw in alice.arrived:
            answer = stun.Message(raw)
            if answer.method != stun.BINDING:  # which one change of a bit can make of it
                self.assertIn(answer.error, (400, 401, 420, 438))
        self.serves()
        self.one.announced.append(case.UNPROVEN)

    def flood(self, count):
        """Allocates from a source port each; returns how many were challenged."""
        answered = 0
        for start in range(0, count, AT_ONCE):
            strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                         for _ in range(min(AT_ONCE, count - start))]
            for stranger in strangers:
                stranger.connect(("127.0.0.1", self.one.port))
                stranger.send(stun.write(stun.ALLOCATE, stun.REQUEST, [
                    (stun.REQUESTED_TRANSPORT, stun.UDP)]))
            for stranger in strangers:
                stranger.settimeout(ARRIVAL_S)
                answered += stun.Message(stranger.recv(2000)).error == 401
                stranger.close()
        return answered

    def test_a_flood_of_first_requests_is_forgotten_at_once(self):
        self.flood(2000)  # whatever is touched once and for all
        descriptors, rss_kib = self.one.descriptor_count(), self.one.rss_kib()
        self.assertEqual(self.flood(FLOOD), FLOOD)
        self.assertEqual(self.one.descriptor_count(), descriptors)
        growth_kib = self.one.rss_kib() - rss_kib
        print(f"{FLOOD} requests, the relay grew by {growth_kib} KiB", flush=True)
        self.assertLess(growth_kib, GROWTH_MAX_KIB)
        self.assertNotIn("allocation created", self.one.log())
        self.serves()


if __name__ == "__main__":
    case.main()
