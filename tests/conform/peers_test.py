#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which peers are refused, however they are spelt; and the relay's own addresses.

The scan tries what tools that look for open relays try (stunner range-scan), and more.

        relay 9.1.1.1  2a00:1::1 (eth0) ------------ (eth0) peer 9.1.1.2  2a00:1::2
              9.1.1.9
"""
import ipaddress

import case
import sandbox
import stun

UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)
DENIED = "^peer denied"
IP4 = """0.0.0.0 0.0.0.7 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.2
127.0.0.53 127.1.2.3 127.255.255.255 169.254.0.1 169.254.169.253 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.254
255.255.255.255""".split()
IP6 = """:: ::2 100::1 2001:db8::1 2001:10::1 2001:20::1 3fff::1 5f00::1 64:ff9b:1::1 fc00::1 fd00::1
fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 200::1 1000::1 2001:2::1 4000::1 8000::1""".split()
PUBLIC4 = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0".split()
TUNNELS = "6to4", "Teredo"  # RFC 8656 section 21.4
PUBLIC6 = "2606:4700::1111 2a00::1 2001:db7::1 2001:4860:4860::8888".split()


def spellings(text):
    """An IPv4 address as those IPv6 addresses that lead to it."""
    ip = ipaddress.IPv4Address(text).packed
    inverted = bytes(byte ^ 0xFF for byte in ip)
    for kind, raw in (("mapped", bytes(10) + b"\xff\xff" + ip), ("compatible", bytes(12) + ip),
                      ("6to4", b"\x20\x02" + ip + bytes(9) + b"\x01"),
                      ("NAT64", b"\0\x64\xff\x9b" + bytes(8) + ip),
                      ("Teredo", b"\x20\x01\0\0\x09\x09\x09\x09\0\0\x12\x34" + inverted)):
        yield kind, str(ipaddress.IPv6Address(raw))


class Scan(case.Case):
    def assert_answer(self, client, code, host, what=""):
        """The same from both requests that name a peer."""
        with self.subTest(host=host, what=what):
            client.permit(host, code=code)
            self.number += 1
            client.bind(self.number, (host, 9), code=code)

    def setUp(self):
        super().setUp()
        self.number = 0x4000
        self.many = ("--channels-per-allocation=1000", "--permissions-per-allocation=1000")

    def allocate(self, one):
        return (self.client(one).allocate(),
                self.client(one).allocate((stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)))

    def test_all_that_is_not_on_the_internet_is_refused_in_every_spelling(self):
        one = self.relay(*self.many, hosts=("127.0.0.1", "::1"), announced=[DENIED])
        ip4, ip6 = self.allocate(one)
        for host in IP4:
            self.assert_answer(ip4, 403, host)
            for kind, spelt in spellings(host):
                self.assert_answer(ip6, 403, spelt, f"{kind} of {host}")
        for host in IP6:
            self.assert_answer(ip6, 403, host)
        for kind, spelt in spellings("127.0.0.1"):
            self.assert_answer(ip6, 403, spelt, kind)
        one.wait_for_log(r"peer=0\.0\.0\.0:0 reason=\"an unspecified address\"")

    def test_what_is_on_the_internet_is_allowed_in_every_spelling_that_is_no_tunnels(self):
        one = self.relay(*self.many, hosts=("127.0.0.1", "::1"), announced=[DENIED])
        ip4, ip6 = self.allocate(one)
        for host in PUBLIC4:
            self.assert_answer(ip4, None, host)
            for kind, spelt in spellings(host):
                code = 403 if kind in TUNNELS else None
                self.assert_answer(ip6, code, spelt, f"{kind} of {host}")
        for host in PUBLIC6:
            self.assert_answer(ip6, None, host)

    def test_one_refused_peer_refuses_a_request_as_a_whole(self):
        one = self.relay(announced=[DENIED])
        alice = self.client(one).allocate()
        alice.permit("1.1.1.1", "10.0.0.1", "1.1.1.2", code=403)

    def test_rules_are_about_addresses_not_about_spellings(self):
        one = self.relay("--allow-peer", "10.1.0.0/16", "--deny-peer", "10.1.2.0/24",
                         "--deny-peer", "1.1.1.1", hosts=("127.0.0.1", "::1"), announced=[DENIED])
        ip4, ip6 = self.allocate(one)
        for host, code in (("10.1.1.1", None), ("10.1.2.1", 403), ("10.2.0.1", 403),
                           ("1.1.1.1", 403), ("1.1.1.2", None)):
            self.assert_answer(ip4, code, host)
            for kind, spelt in spellings(host):
                self.assert_answer(ip6, 403 if kind in TUNNELS else code, spelt, kind)
        one.wait_for_log("reason=\"denied by --deny-peer\"")

    def test_a_send_indication_goes_nowhere_without_a_permission(self):
        one = self.relay("--allow-peer", "127.0.0.2", announced=[DENIED])
        alice, bob = self.client(one).allocate(), self.peer("127.0.0.3")
        alice.permit("127.0.0.3", code=403)
        alice.send(b"x", bob.getsockname())
        bob.settimeout(0.3)
        self.assertRaises(TimeoutError, bob.recv, 100)


class Own(case.Case):
    """Needs root: a host with addresses that are not loopback."""

    def setUp(self):
        super().setUp()
        case.needs_root()
        self.host, other = sandbox.Host("relay"), sandbox.Host("peer")
        sandbox.cable(self.host, "eth0", other, "eth0")
        sandbox.address(self.host, "eth0", "9.1.1.1/24", "2a00:1::1/64", "9.1.1.9/24")
        sandbox.address(other, "eth0", "9.1.1.2/24", "2a00:1::2/64")
        self.addCleanup(self.host.close)
        self.addCleanup(other.close)
        self.addCleanup(self.end_relays)

    def start(self, *options):
        with self.host.inside():
            return self.relay("--public-ip4-addr=9.1.1.1", "--public-ip6-addr=2a00:1::1", *options,
                              hosts=("9.1.1.1", "2a00:1::1"), is_addressed=False,
                              announced=[DENIED])

    def allocate(self, one, family=stun.FAMILY_IP4):
        with self.host.inside():
            return self.client(one).allocate((stun.REQUESTED_ADDRESS_FAMILY, family))

    def test_own_addresses_are_refused_but_for_live_relayed_ports(self):
        one = self.start()
        alice, bob = self.allocate(one), self.allocate(one)
        six, seven = (self.allocate(one, stun.FAMILY_IP6) for _ in range(2))
        alice.permit("9.1.1.1")  # a permission names no port
        alice.permit("9.1.1.9", code=403)
        six.permit("2a00:1::1")
        dead = next(port for port in range(one.lowest, one.highest)
                    if port not in {each.relayed[1] for each in (alice, bob, six, seven)})
        for port in (one.port, 22, 53, dead, seven.relayed[1]):
            alice.bind(0x4000, ("9.1.1.1", port), code=403)
        six.bind(0x4000, ("2a00:1::1", dead), code=403)
        for _, spelt in spellings("9.1.1.1"):
            six.bind(0x4000, (spelt, 53), code=403)
        one.wait_for_log("reason=\"an address of the relay's own host\"")
        with self.host.inside():  # another service of the host, on an own address
            service = self.peer("9.1.1.1")
        alice.send(b"x", service.getsockname())
        service.settimeout(0.3)
        self.assertRaises(TimeoutError, service.recv, 100)
        alice.bind(0x4000, bob.relayed)
        six.bind(0x4000, seven.relayed)
        bob.free()
        alice.send_channel(0x4000, b"to a port that is dead now")
        alice.refresh()

    def test_a_rule_for_just_that_address_allows_it(self):
        one = self.start("--allow-peer", "9.1.1.9")
        alice = self.allocate(one)
        with self.host.inside():
            service = self.peer("9.1.1.9")
        alice.bind(0x4000, service.getsockname())
        alice.send_channel(0x4000, b"ping")
        self.assertEqual(service.recv(100), b"ping")

    def test_a_wide_rule_does_not(self):
        alice = self.allocate(self.start("--allow-peer", "9.1.1.0/24"))
        alice.permit("9.1.1.2")
        alice.permit("9.1.1.9", code=403)

    def test_two_clients_meet_only_with_the_permission_of_both(self):
        for family in (stun.FAMILY_IP4, stun.FAMILY_IP6):
            one = self.start()
            alice, bob = self.allocate(one, family), self.allocate(one, family)
            alice.bind(0x4000, bob.relayed)
            alice.send_channel(0x4000, b"too early")
            self.assertIsNone(bob.receive(0.3))
            bob.permit(alice.relayed[0])
            alice.send_channel(0x4000, b"hello")
            self.assertEqual(bob.receive(), (alice.relayed, b"hello"))
            alice.bind(0x4001, alice.relayed)  # a client that speaks to itself
            alice.send_channel(0x4001, b"me")
            self.assertEqual(alice.receive(), (0x4001, b"me"))
            one.stop()


if __name__ == "__main__":
    case.main()
