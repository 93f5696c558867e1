#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains: many datagrams that a client or a peer hands to the system at once.

On loopback the system keeps them together, so that the relay takes each train whole and sends it on
whole; clients and peers here take it apart again.
"""
import signal
import socket
import struct

import case
import stun
from client import unique
from packets_test import mark, receive_marked, show_headers

ALLOW = ("--allow-peer", "127.0.0.0/8", "--allow-peer", "::1")
HOSTS = ("127.0.0.1", "::1")
UDP_SEGMENT = 103
# Lengths of the payload, and how many datagrams.
TRAINS = ((1, 64), (2, 2), (3, 33), (99, 5), (1199, 40), (1200, 50), (1400, 46), (8191, 7),
          (30001, 2))
MIXED = (700, 700, 1, 700, 300, 300, 1400, 1400, 1399, 1400, 2, 2, 1)


def runs(messages):
    """Cut into what can leave as one train: equal lengths, of which the last may be shorter."""
    run = []
    for message in messages:
        if run and (len(message) > len(run[0]) or len(run[-1]) < len(run[0])):
            yield run
            run = []
        run.append(message)
    yield run


def send_train(udp, messages, to):
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(messages[0])))]
    udp.sendmsg([b"".join(messages)], control, 0, to)


class Trains(case.Case):
    def setUp(self):
        super().setUp()
        self.one = self.relay(*ALLOW, hosts=HOSTS)

    def pair(self, host):
        """A client with an allocation, and a peer bound to channel 0x4001."""
        family = stun.FAMILY_IP6 if ":" in host else stun.FAMILY_IP4
        alice = self.client(self.one, host, local=host)
        alice.allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
        peer = self.peer(host)
        alice.bind(0x4001, peer.getsockname())
        return alice, peer

    def pass_there(self, alice, peer, payloads):
        messages = [stun.write_channel_data(0x4001, payload) for payload in payloads]
        for run in runs(messages):
            send_train(alice.udp, run, alice.server)
        for payload in payloads:
            data, source = peer.recvfrom(65536)
            self.assertEqual((data, source[:2]), (payload, alice.relayed))

    def pass_back(self, alice, peer, payloads):
        for run in runs(payloads):
            send_train(peer, run, alice.relayed)
        for payload in payloads:
            self.assertEqual(alice.receive(), (0x4001, payload))

    def test_trains_of_every_length_arrive_whole_and_in_order(self):
        for host in HOSTS:
            alice, peer = self.pair(host)
            for length, count in TRAINS:
                self.pass_there(alice, peer, [unique(length) for _ in range(count)])
                self.pass_back(alice, peer, [unique(length) for _ in range(count)])

    def test_mixed_lengths_arrive_in_order(self):
        for host in HOSTS:
            alice, peer = self.pair(host)
            self.pass_there(alice, peer, [unique(length) for length in MIXED])
            self.pass_back(alice, peer, [unique(length) for length in MIXED])

    def test_a_train_for_several_peers_is_dealt_out(self):
        for host in HOSTS:
            alice, first = self.pair(host)
            second, third = self.peer(host), self.peer(host)
            alice.bind(0x4002, second.getsockname())
            alice.permit(host)
            peers = {0x4001: first, 0x4002: second}
            payloads = [(0x4001 + number % 2, unique(500)) for number in range(30)]
            send_train(alice.udp, [stun.write_channel_data(*one) for one in payloads],
                       alice.server)
            for number, payload in payloads:
                self.assertEqual(peers[number].recv(65536), payload)
            # Send indications are no longer than their data need, so these are a train too.
            payloads = [unique(500) for _ in range(20)]
            send_train(alice.udp, [
                stun.write(stun.SEND, stun.INDICATION, [
                    (stun.XOR_PEER_ADDRESS, third.getsockname()[:2]), (stun.DATA_VALUE, payload)])
                for payload in payloads], alice.server)
            for payload in payloads:
                self.assertEqual(third.recv(65536), payload)
            for payload in payloads:
                third.sendto(payload, alice.relayed)
            for payload in payloads:
                self.assertEqual(alice.receive(), (third.getsockname()[:2], payload))

    def test_a_request_within_a_train_is_answered(self):
        alice, peer = self.pair("127.0.0.1")
        request = stun.write(stun.BINDING, stun.REQUEST)
        payloads = [unique(len(request) - 4) for _ in range(4)]
        messages = [stun.write_channel_data(0x4001, payload) for payload in payloads]
        for place in range(5):
            send_train(alice.udp, messages[:place] + [request] + messages[place:], alice.server)
            for payload in payloads:
                self.assertEqual(peer.recv(65536), payload)
            answer = stun.Message(alice.receive_raw())
            self.assertEqual((answer.kind, answer.raw[8:20]), (stun.SUCCESS, request[8:20]))

    def test_what_nobody_may_send_within_a_train_is_left_out(self):
        alice, peer = self.pair("127.0.0.1")
        good = [unique(60) for _ in range(3)]
        messages = [stun.write_channel_data(0x4001, good[0]),
                    stun.write_channel_data(0x4007, unique(60)),  # not bound
                    stun.write_channel_data(0x4001, good[1]),
                    bytes(64),
                    stun.write_channel_data(0x4001, unique(60))[:2] + b"\xff\xff" + bytes(60),
                    stun.write_channel_data(0x4001, good[2])]
        send_train(alice.udp, messages, alice.server)
        for payload in good:
            self.assertEqual(peer.recv(65536), payload)

    def test_ttl_and_tos_that_change_between_trains_go_with_theirs(self):
        for host in HOSTS:
            alice, peer = self.pair(host)
            show_headers(alice.udp)
            show_headers(peer)
            trains = [(60, 0x10), (60, 0x11), (33, 0x11), (2, 0), (255, 0xB8)]
            for ttl, tos in trains:
                payloads = [unique(200) for _ in range(10)]
                mark(alice.udp, ttl, tos)
                send_train(alice.udp, [stun.write_channel_data(0x4001, payload)
                                       for payload in payloads], alice.server)
                mark(peer, ttl, tos)
                send_train(peer, payloads, alice.relayed)
                for payload in payloads:
                    self.assertEqual(receive_marked(peer), (payload, alice.relayed,
                                                            (ttl - 1, tos)))
                    data, _, seen = receive_marked(alice.udp)
                    self.assertEqual(stun.read_channel_data(data), (0x4001, payload))
                    self.assertEqual(seen, (ttl - 1, tos))

    def test_data_are_relayed_though_a_request_behind_them_ends_the_allocation(self):
        alice, peer = self.pair("127.0.0.1")
        payloads = [unique(1000) for _ in range(32)]
        refresh = stun.write(stun.REFRESH, stun.REQUEST,
                             [(stun.LIFETIME, 0), *alice.credential()], alice.key)
        self.one.process.send_signal(signal.SIGSTOP)  # so that all of it waits
        send_train(alice.udp, [stun.write_channel_data(0x4001, payload)
                               for payload in payloads], alice.server)
        alice.udp.sendto(refresh, alice.server)
        self.one.process.send_signal(signal.SIGCONT)
        self.assertEqual(stun.Message(alice.receive_raw()).kind, stun.SUCCESS)
        for payload in payloads:
            self.assertEqual(peer.recv(65536), payload)


if __name__ == "__main__":
    case.main()
