#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Errors of the system: none of them ends the relay, none leaks, and all pass when they are over.

The hosts, each a network namespace:

        relay (eth0) ------------------ (eth0) peer
        10.7.0.1  2001:db8:7::1         10.7.0.2  2001:db8:7::2
"""
import signal
import socket
import threading

import case
import sandbox
import stun
from client import ARRIVAL_S, TRY_S, Client, open_socket
from relay import Relay

SO_RCVBUFFORCE = 33
UNSENT = "^a packet could not be sent "
RELAY4, PEER4, RELAY6, PEER6 = "10.7.0.1", "10.7.0.2", "2001:db8:7::1", "2001:db8:7::2"
FAMILIES = ((RELAY4, PEER4, stun.FAMILY_IP4), (RELAY6, PEER6, stun.FAMILY_IP6))


class Exhaustion(case.Case):
    def allocate_until_508(self, relay, limit=100):
        clients = []
        for _ in range(limit):
            alice = self.client(relay).challenge()
            response = alice.request(stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, stun.UDP)])
            if response.error is not None:
                self.assertEqual(response.error, 508)
                return clients
            alice.relayed = response.address(stun.XOR_RELAYED_ADDRESS)
            clients.append(alice)
        raise AssertionError(f"{limit} allocations, and no 508")

    def test_without_descriptors_clients_get_508_until_some_are_free(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--metrics-addr", "off",
                         "--num-worker-threads", "1", prefix=("prlimit", "--nofile=70:70"),
                         announced=["^the limit of descriptors ",
                                    "^a relayed socket could not be opened .*EMFILE",
                                    "^request refused .*the system has no more sockets"])
        before = one.descriptor_count()
        clients = self.allocate_until_508(one)
        self.assertGreater(len(clients), 30)
        self.assertEqual(one.descriptor_count(), 70)
        for _ in range(30):  # more than the log's limit, and no descriptor more
            self.client(one).ask(code=508)
        for alice in clients[:5]:
            alice.free()
        again = self.allocate_until_508(one)
        self.assertEqual(len(again), 5)
        peer = self.peer()
        again[0].bind(0x4000, peer.getsockname())
        again[0].send_channel(0x4000, b"ping")
        self.assertEqual(peer.recvfrom(100), (b"ping", again[0].relayed))
        for alice in again + clients[5:]:
            alice.free()
        self.assertEqual(one.descriptor_count(), before)

    def test_ports_of_another_program_are_passed_over(self):
        announced = ["^the system refuses a relayed port; trying another ",
                     "^request refused .*(the system refuses relayed ports|"
                     "no fitting port from --lowest-port)"]
        one = self.relay("--allow-peer", "127.0.0.1", ports=20, announced=announced)
        before = one.descriptor_count()
        taken = [self.peer(port=port) for port in range(one.lowest, one.highest + 1, 2)]
        clients = self.allocate_until_508(one)
        clients += self.allocate_until_508(one)  # what the first refusal has left
        free = set(range(one.lowest + 1, one.highest + 1, 2))
        self.assertEqual({alice.relayed[1] for alice in clients}, free)
        self.assertEqual(len(clients), len(free))
        for udp in taken:
            udp.close()
        for alice in clients:
            alice.free()
        self.assertEqual(one.descriptor_count(), before)
        self.client(one).allocate()

    def test_a_pair_of_ports_needs_both(self):
        one = self.relay(ports=2, announced=["^request refused "])
        self.client(one).allocate((stun.EVEN_PORT, b"\x80"))
        self.client(one).ask(code=508)


class Network(case.Case):
    def setUp(self):
        super().setUp()
        self.relay_host, self.peer_host = sandbox.Host("relay"), sandbox.Host("peer")
        sandbox.cable(self.relay_host, "eth0", self.peer_host, "eth0")
        sandbox.address(self.relay_host, "eth0", RELAY4 + "/24", RELAY6 + "/64")
        sandbox.address(self.peer_host, "eth0", PEER4 + "/24", PEER6 + "/64")
        self.addCleanup(self.relay_host.close)
        self.addCleanup(self.peer_host.close)
        self.addCleanup(self.end_relays)  # before its host goes
        with self.relay_host.inside():  # the clients are where nothing happens: on its loopback
            self.one = Relay("--allow-peer", "10.7.0.0/24", "--allow-peer", "2001:db8::/32",
                             "--allow-peer", RELAY4, "--allow-peer", "192.0.2.1",
                             "--public-ip4-addr", RELAY4, "--public-ip6-addr", RELAY6,
                             hosts=("127.0.0.1", "::1"), is_addressed=False,
                             announced=[UNSENT])
            self.relays.append(self.one)
            self.descriptors = self.one.descriptor_count()
            self.pairs = []
            for relay, peer, family in FAMILIES:
                alice = Client(("127.0.0.1", self.one.port))
                self.addCleanup(alice.close)
                alice.allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
                self.assertEqual(alice.relayed[0], relay)
                self.pairs.append((alice, peer))
        with self.peer_host.inside():
            self.pairs = [(alice, self.peer(peer)) for alice, peer in self.pairs]

    def assert_relays(self):
        """Both ways of both families work."""
        for alice, peer in self.pairs:
            alice.bind(0x4000, peer.getsockname())
            alice.send_channel(0x4000, b"ping")
            data, source = peer.recvfrom(100)
            self.assertEqual((data, source[:2]), (b"ping", alice.relayed))
            peer.sendto(b"pong", source)
            self.assertEqual(alice.receive(), (0x4000, b"pong"))

    def assert_blocked(self, *errors):
        """Nothing arrives, the log tells why, and the client is served as before."""
        for alice, peer in self.pairs:
            alice.send_channel(0x4000, b"nowhere")
            peer.settimeout(0.3)
            self.assertRaises(TimeoutError, peer.recv, 100)
            peer.settimeout(ARRIVAL_S)
            alice.refresh()
        for error in errors:
            self.one.wait_for_log(f"could not be sent to=.* error=\"{error}")

    def assert_nothing_leaked(self):
        for alice, _ in self.pairs:
            alice.free()
        self.assertEqual(self.one.descriptor_count(), self.descriptors)

    def test_a_peer_in_a_network_without_a_route(self):
        for (alice, _), host in zip(self.pairs, ("192.0.2.1", "2001:db8:ffff::1")):
            alice.bind(0x4001, (host, 9))
            for _ in range(4):  # of both: fewer than the log's limit
                alice.send_channel(0x4001, b"nowhere")
        self.one.wait_for_log(r"could not be sent to=192\.0\.2\.1:9 error=\"ENETUNREACH")
        self.one.wait_for_log(r"could not be sent to=\[2001:db8:ffff::1\]:9 error=\"ENETUNREACH")
        self.assert_relays()
        self.assert_nothing_leaked()

    def test_peers_that_refuse(self):
        for alice, peer in self.pairs:
            alice.permit(peer.getsockname()[0])
            for _ in range(20):
                alice.send(b"to a closed port", (peer.getsockname()[0], 9))
        self.assert_relays()
        self.assertNotIn("could not be sent", self.one.log())
        self.assert_nothing_leaked()

    def test_a_firewall_that_forbids_sending(self):
        self.assert_relays()
        for verdict in ("drop", "reject with icmpx type admin-prohibited"):
            self.relay_host.nft(f"""table inet filter {{
                chain output {{
                    type filter hook output priority 0
                    oifname "eth0" udp dport != 0 {verdict}
                }}
            }}""")
            self.assert_blocked("EPERM")
            self.relay_host.run("nft delete table inet filter")
            self.assert_relays()
        self.assert_nothing_leaked()

    def test_an_interface_that_goes_down_and_comes_back(self):
        self.assert_relays()
        for _ in range(2):
            self.relay_host.run("ip link set eth0 down")  # takes its IPv6 address with it
            self.assert_blocked("ENETUNREACH")
            self.relay_host.run("ip link set eth0 up")
            for host in (self.relay_host, self.peer_host):
                host.wait_for_link("eth0")
            sandbox.address(self.relay_host, "eth0", RELAY6 + "/64")
            self.assert_relays()
        self.assert_nothing_leaked()

    def test_a_relay_that_stands_still_for_a_moment(self):
        """A request is sent again meanwhile, answered twice, and the client does not mind."""
        process = self.one.process
        process.send_signal(signal.SIGSTOP)
        timer = threading.Timer(1.5 * TRY_S, process.send_signal, [signal.SIGCONT])
        timer.start()
        self.assert_relays()
        timer.join()
        self.assert_nothing_leaked()

    def hold_packets_to(self, peer):
        """They wait at the relay's host for a neighbour, whom nobody asks for his address."""
        family = "ipv6" if ":" in peer else "ipv4"
        self.relay_host.run("sysctl", "-qw", f"net.{family}.neigh.eth0.unres_qlen_bytes=16777216")
        self.relay_host.run("ip", "neigh", "replace", peer, "dev", "eth0", "nud", "incomplete")

    def release_packets_to(self, peer):
        self.relay_host.run("ip", "neigh", "replace", peer, "dev", "eth0", "nud", "permanent",
                            "lladdr", self.peer_host.mac("eth0"))

    def test_a_full_send_buffer(self):
        count, lost = 1000, 0
        for relay, _, _ in FAMILIES:  # so that the peer's host never asks who the relay's is
            self.peer_host.run("ip", "neigh", "replace", relay, "dev", "eth0", "nud", "permanent",
                               "lladdr", self.relay_host.mac("eth0"))
        self.assert_relays()
        for (alice, peer), (bob, other) in (self.pairs, reversed(self.pairs)):
            peer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            self.hold_packets_to(peer.getsockname()[0])
            for number in range(count):
                alice.send_channel(0x4000, number.to_bytes(2, "big") + bytes(1000))
                if number % 20 == 0:
                    alice.refresh()  # answered as before, and the relay has caught up
            alice.refresh()
            bob.send_channel(0x4000, b"by another socket")
            self.assertEqual(other.recv(100), b"by another socket")
            self.release_packets_to(peer.getsockname()[0])
            alice.send_channel(0x4000, b"last")
            sent = list(iter(lambda: peer.recv(2000)[:4], b"last"))
            # Those that found room, in their order, and none of the others.
            self.assertEqual(sent, [number.to_bytes(2, "big") + bytes(2)
                                    for number in range(len(sent))])
            self.assertGreater(len(sent), 10)
            self.assertLess(len(sent), count)
            lost += count - len(sent)
        self.assert_relays()
        self.assert_nothing_leaked()
        self.one.stop()
        self.assertIn(f" sends_blocked={lost}", self.one.log())
        self.assertNotIn("could not be sent", self.one.log())

    def test_a_client_whose_network_goes_down(self):
        with self.peer_host.inside():
            clients = [Client((host, self.one.port)) for host, _, _ in FAMILIES]
        with self.relay_host.inside():
            local = open_socket(RELAY4)
        self.addCleanup(local.close)
        for bob in clients:
            self.addCleanup(bob.close)
            bob.allocate()
            bob.bind(0x4000, local.getsockname())
            local.sendto(b"before", bob.relayed)
            self.assertEqual(bob.receive(), (0x4000, b"before"))
        self.relay_host.run("ip link set eth0 down")
        for bob in clients:
            local.sendto(b"lost", bob.relayed)
        self.relay_host.run("ip link set eth0 up")
        for host in (self.relay_host, self.peer_host):
            host.wait_for_link("eth0")
        sandbox.address(self.relay_host, "eth0", RELAY6 + "/64")
        for bob in clients:
            bob.permit(RELAY4)  # asked again until the network is there
            local.sendto(b"after", bob.relayed)
            received = bob.receive()
            if received == (0x4000, b"lost"):  # the relay came to it when the network was back
                received = bob.receive()
            self.assertEqual(received, (0x4000, b"after"))
            bob.free()
        self.assert_nothing_leaked()


if __name__ == "__main__":
    case.main("nft", "prlimit", "sysctl", is_root=True)
