#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What stands in the IP headers of relayed packets, and the ICMP errors that they meet.

     client ---------------- relay ---------------- router ---------------- peer
     9.1.0.2   9.1.0.1 (in)       (out) 9.2.0.1   9.2.0.2   9.3.0.1      9.3.0.2
     2a00:1::2                                                           2a00:3::2

The link between router and peer carries 1400 bytes.
"""
import socket
import struct

import case
import sandbox
import stun
from client import ARRIVAL_S

IP4 = ("9.2.0.1", "9.3.0.2", stun.FAMILY_IP4)
IP6 = ("2a00:2::1", "2a00:3::2", stun.FAMILY_IP6)
IP_RECVTTL, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE = 12, 10, 3
MARKS = (0, 1, 2, 3, 0xB8, 0xB9, 0x28, 0xFF)  # DSCP and, in the low bits, ECN


def show_headers(udp):
    """recvmsg() then tells TTL and TOS, or what IPv6 calls them."""
    if udp.family == socket.AF_INET:
        udp.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    else:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)


def mark(udp, ttl, tos):
    if udp.family == socket.AF_INET:
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    else:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)


def marks(udp, ancillary):
    """(TTL, TOS) of a datagram that came with these control messages."""
    numbers = {kind: int.from_bytes(value[:4], "little") if len(value) >= 4 else value[0]
               for _, kind, value in ancillary}
    kinds = ((socket.IP_TTL, socket.IP_TOS) if udp.family == socket.AF_INET else
             (socket.IPV6_HOPLIMIT, socket.IPV6_TCLASS))
    return tuple(numbers[kind] for kind in kinds)


def receive_marked(udp):
    """(data, source, (TTL, TOS)) of the next datagram."""
    data, ancillary, _, source = udp.recvmsg(65536, 256)
    return data, source[:2], marks(udp, ancillary)


def forged_unreachable(near, far):
    """ICMP "port unreachable", as if `near` had sent a UDP packet to `far`."""
    ends = [struct.pack("!4sH", socket.inet_aton(host), port) for host, port in (near, far)]
    quoted = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, socket.IPPROTO_UDP, 0,
                         ends[0][:4], ends[1][:4])
    quoted += ends[0][4:] + ends[1][4:] + struct.pack("!HH", 8, 0)
    body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    total = sum(struct.unpack(f"!{len(body) // 2}H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body[4:]


class Packets(case.Case):
    def setUp(self):
        super().setUp()
        names = ("client", "relay", "router", "peer")
        self.hosts = [sandbox.Host(name) for name in names]
        for host in self.hosts:
            self.addCleanup(host.close)
        for number in range(3):
            left, right = self.hosts[number], self.hosts[number + 1]
            sandbox.cable(left, "out", right, "in")
            near, far = ("2", "1") if number == 0 else ("1", "2")
            sandbox.address(left, "out", f"9.{number + 1}.0.{near}/24",
                            f"2a00:{number + 1}::{near}/64")
            sandbox.address(right, "in", f"9.{number + 1}.0.{far}/24",
                            f"2a00:{number + 1}::{far}/64")
        client, relay, router, peer = self.hosts
        router.run("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for host in (router, peer):  # no limits, of which some count for the whole machine
            host.run("sysctl", "-q", "net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratemask=")
        router.run("ip link set out mtu 1400")
        peer.run("ip link set in mtu 1400")
        sandbox.route(client, "9.1.0.1", "2a00:1::1")
        sandbox.route(relay, "9.2.0.2", "2a00:2::2")
        sandbox.route(router, "9.2.0.1", "2a00:2::1")
        sandbox.route(peer, "9.3.0.1", "2a00:3::1")
        self.addCleanup(self.end_relays)
        for relay_ip, peer_ip, _ in (IP4, IP6):
            self.wait_for_path(relay_ip, peer_ip)
        with relay.inside():
            self.one = self.relay("--public-ip4-addr", "9.2.0.1", "--public-ip6-addr", "2a00:2::1",
                                  hosts=("9.2.0.1", "2a00:2::1"), is_addressed=False)

    def wait_for_path(self, near_ip, far_ip):
        """Lets the neighbours on the way learn each other's addresses."""
        with self.hosts[1].inside():
            near = self.peer(near_ip)
        with self.hosts[3].inside():
            far = self.peer(far_ip)
        near.settimeout(0.1)
        far.settimeout(0.1)

        def has_answered():
            try:
                near.sendto(b"there?", far.getsockname())
                far.sendto(*far.recvfrom(100))
                return near.recv(100) == b"there?"
            except OSError:
                return False
        sandbox.wait_until(has_answered, 20)

    def pair(self, path):
        relay_ip, peer_ip, family = path
        with self.hosts[0].inside():
            alice = self.client(self.one, relay_ip).allocate(
                (stun.REQUESTED_ADDRESS_FAMILY, family))
        with self.hosts[3].inside():
            peer = self.peer(peer_ip)
        for udp in (alice.udp, peer):
            show_headers(udp)
        return alice, peer

    def test_ttl_dscp_and_ecn_are_carried_both_ways(self):
        for path in (IP4, IP6):
            alice, peer = self.pair(path)
            alice.bind(0x4000, peer.getsockname())
            for tos in MARKS:
                mark(alice.udp, 40, tos)
                alice.send_channel(0x4000, b"ping")
                # The relay takes one, and the router behind it another one.
                self.assertEqual(receive_marked(peer), (b"ping", alice.relayed, (38, tos)))
                mark(peer, 30, tos)
                peer.sendto(b"pong", alice.relayed)
                self.assertEqual(alice.receive(), (0x4000, b"pong"))
                self.assertEqual(marks(alice.udp, alice.ancillary), (28, tos))

    def test_indications_carry_them_too(self):
        for path in (IP4, IP6):
            alice, peer = self.pair(path)
            alice.permit(path[1])
            mark(alice.udp, 50, 0xB9)
            alice.send(b"ping", peer.getsockname())
            self.assertEqual(receive_marked(peer), (b"ping", alice.relayed, (48, 0xB9)))
            mark(peer, 50, 0x2A)
            peer.sendto(b"pong", alice.relayed)
            self.assertEqual(alice.receive(), (peer.getsockname()[:2], b"pong"))
            self.assertEqual(marks(alice.udp, alice.ancillary), (48, 0x2A))

    def test_what_has_no_time_to_live_left_ends_at_the_relay(self):
        for path in (IP4, IP6):
            alice, peer = self.pair(path)
            alice.bind(0x4000, peer.getsockname())
            mark(alice.udp, 1, 0)
            alice.send_channel(0x4000, b"ends here")
            mark(alice.udp, 64, 0)
            alice.send_channel(0x4000, b"goes on")
            self.assertEqual(peer.recv(100), b"goes on")
        self.one.stop()
        self.assertIn("ttls_exceeded=2", self.one.log())

    def test_time_exceeded_on_the_way_is_told_to_the_client(self):
        for path, icmp in ((IP4, (11, 0, 0)), (IP6, (3, 0, 0))):
            alice, peer = self.pair(path)
            alice.bind(0x4000, peer.getsockname())
            mark(alice.udp, 2, 0)  # 1 behind the relay, 0 at the router
            alice.send_channel(0x4000, b"ends at the router")
            mark(alice.udp, 64, 0)
            self.assertEqual(alice.receive_error(), (peer.getsockname()[:2], *icmp))

    def test_a_closed_port_is_told_to_the_client(self):
        for path, icmp in ((IP4, (3, 3, 0)), (IP6, (1, 4, 0))):
            alice, peer = self.pair(path)
            alice.permit(path[1])
            closed = (path[1], 9)
            alice.send(b"anybody?", closed)
            self.assertEqual(alice.receive_error(), (closed, *icmp))
            alice.bind(0x4000, peer.getsockname())
            alice.send_channel(0x4000, b"ping")
            self.assertEqual(peer.recv(100), b"ping")

    def test_an_error_of_a_peer_without_a_permission_is_not_told(self):
        alice, _ = self.pair(IP4)
        alice.permit("9.3.0.1")
        with self.hosts[3].inside():
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.addCleanup(raw.close)
        for far in (("9.3.0.2", 7), ("9.3.0.1", 8)):
            raw.sendto(forged_unreachable(alice.relayed, far), (IP4[0], 0))
        self.assertEqual(alice.receive_error(), (("9.3.0.1", 8), 3, 3, 0))
        self.one.stop()
        self.assertIn(" errors_to_client=1 ", self.one.log())

    def sniffer(self):
        """All that arrives at the router from the relay, link-layer header and all."""
        with self.hosts[2].inside():
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.addCleanup(raw.close)
        raw.bind(("in", 0x0800))
        raw.settimeout(ARRIVAL_S)
        return raw

    def next_df(self, raw, payload):
        """Whether DF is set in the IPv4 packet that has the payload."""
        while True:
            packet = raw.recv(65536)
            if payload in packet:
                return bool(struct.unpack("!H", packet[6:8])[0] & 0x4000)

    def test_dont_fragment_sets_df_packet_by_packet(self):
        alice, peer = self.pair(IP4)
        alice.permit(IP4[1])
        raw = self.sniffer()
        for number in range(6):
            is_df = number % 2 == 0
            payload = b"payload %d" % number
            alice.send(payload, peer.getsockname(), *([(stun.DONT_FRAGMENT, b"")] * is_df))
            self.assertEqual(self.next_df(raw, payload), is_df)
            self.assertEqual(peer.recv(100), payload)

    def test_too_big_with_dont_fragment_is_told_with_the_mtu(self):
        alice, peer = self.pair(IP4)
        alice.permit(IP4[1])
        alice.send(bytes(1390), peer.getsockname(), (stun.DONT_FRAGMENT, b""))
        self.assertEqual(alice.receive_error(), (peer.getsockname(), 3, 4, 1400))
        alice.send(bytes(1390), peer.getsockname())  # without it, in fragments
        self.assertEqual(len(peer.recv(2000)), 1390)
        alice.send(bytes(1372), peer.getsockname(), (stun.DONT_FRAGMENT, b""))
        self.assertEqual(len(peer.recv(2000)), 1372)

    def test_long_packets_pass_in_fragments(self):
        for path in (IP4, IP6):
            alice, peer = self.pair(path)
            alice.bind(0x4000, peer.getsockname())
            if path == IP6:  # where the sender alone fragments: it learns the MTU of an error
                alice.send_channel(0x4000, bytes(1390))
                self.assertEqual(alice.receive_error(), (peer.getsockname()[:2], 2, 0, 1400))
            for length in (1390, 4000, 20000):
                alice.send_channel(0x4000, bytes(length))
                self.assertEqual(len(peer.recv(65536)), length)


if __name__ == "__main__":
    case.main("sysctl", is_root=True)
