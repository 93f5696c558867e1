#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every limit with its option and error code, and how long answers to strangers may be."""
import contextlib
import os
import time

import case
import stun
from client import open_socket
from sandbox import wait_until

UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)
REFUSED = "^request refused "
COUNT = 200


class Limits(case.Case):
    def test_a_user_over_the_quota_gets_486_and_others_do_not(self):
        one = self.relay("--user-quota=2", "--user", "bob:builder", announced=[REFUSED])
        first = self.client(one).allocate()
        self.client(one).allocate()
        for _ in range(3):
            self.client(one).ask(code=486)
        self.client(one, user="bob", password="builder").allocate()
        one.wait_for_log(r"WARN request refused .*--user-quota")
        first.free()
        self.client(one).allocate()

    def test_allocations_over_all_users_are_counted(self):
        one = self.relay("--user-quota=64", "--max-allocations=3", announced=[REFUSED])
        clients = [self.client(one).allocate() for _ in range(3)]
        self.client(one).ask(code=508)
        clients[0].free()
        self.client(one).allocate()

    def test_permissions_and_channels_of_one_allocation_are_counted(self):
        one = self.relay("--permissions-per-allocation=3", "--channels-per-allocation=2",
                         announced=[REFUSED])
        alice = self.client(one).allocate()
        alice.permit("9.9.9.1", "9.9.9.2")
        alice.permit("9.9.9.3", "9.9.9.4", code=508)  # all or none
        alice.permit("9.9.9.3")
        alice.permit("9.9.9.4", code=508)
        alice.permit("9.9.9.1", "9.9.9.3")  # a refresh
        for number in (0, 1):
            alice.bind(0x4000 + number, ("9.9.9.1", 1000 + number))
        alice.bind(0x4002, ("9.9.9.1", 1002), code=508)
        alice.bind(0x4000, ("9.9.9.1", 1000))
        self.client(one).allocate().bind(0x4000, ("9.9.9.9", 9))

    def test_permissions_and_channels_of_all_are_counted(self):
        one = self.relay("--max-permissions=2", "--max-channels=1", announced=[REFUSED])
        alice, bob = self.client(one).allocate(), self.client(one).allocate()
        alice.bind(0x4000, ("9.9.9.1", 9))
        bob.bind(0x4000, ("9.9.9.1", 9), code=508)
        bob.permit("9.9.9.1")
        bob.permit("9.9.9.2", code=508)
        alice.free()
        bob.bind(0x4000, ("9.9.9.2", 9))

    def relayed_counts(self, length, dropped, *options):
        """In how many seconds how many of COUNT packets that come at once get to a peer, and from it
        to the client. The relay has counted all others by the name of `dropped`.

        So few that the relay's sockets hold all of them, should it stand still meanwhile.
        """
        one = self.relay("--allow-peer=127.0.0.1", *options)
        alice, peer = self.client(one).allocate(), self.peer()
        alice.bind(0x4000, peer.getsockname())
        began_s = time.monotonic()
        for _ in range(COUNT):
            alice.send_channel(0x4000, bytes(length))
            peer.sendto(bytes(length), alice.relayed)
        counts = [0, 0]

        def is_over():
            for side, udp in enumerate((peer, alice.udp)):
                udp.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while udp.recv(65536):
                        counts[side] += 1
            return sum(counts) + one.counted()[dropped] == 2 * COUNT
        wait_until(is_over)
        return time.monotonic() - began_s, counts

    def test_an_allocation_relays_so_many_packets_a_second(self):
        seconds, counts = self.relayed_counts(100, "dropped_max_pps", "--max-pps=50")
        for count in counts:
            self.assertGreaterEqual(count, 50)
            self.assertLessEqual(count, 51 + 50 * seconds)

    def test_an_allocation_relays_so_many_bytes_a_second(self):
        seconds, counts = self.relayed_counts(100, "dropped_max_bps", "--max-bps=5000")
        for count in counts:
            self.assertGreaterEqual(count, 50)
            self.assertLessEqual(count, 51 + 50 * seconds)

    def test_a_lifetime_of_5_seconds_ends_after_5_seconds(self):
        one = self.relay("--min-lifetime=5")
        before = one.descriptor_count()
        alice, bob = self.client(one), self.client(one)
        start = time.monotonic()
        alice.allocate((stun.LIFETIME, 1))
        bob.allocate((stun.LIFETIME, 5))
        bob.refresh((stun.LIFETIME, 60))
        self.assertEqual((alice.lifetime, bob.lifetime), (5, 5))
        self.assertEqual(self.client(one).allocate().lifetime, 600)  # none asked for
        one.wait_for_log("allocation ended reason=expired .*relayed=127.0.0.1:%d" % alice.relayed[1])
        self.assertGreater(time.monotonic() - start, 4.9)
        alice.refresh(code=437)
        open_socket(*alice.relayed).close()
        bob.refresh((stun.LIFETIME, 5))
        self.assertEqual(one.descriptor_count(), before + 2)

    def test_the_log_says_at_start_how_much_there_is_room_for(self):
        one = self.relay("--max-allocations=7")
        one.wait_for_log("INFO capacity allocations=7 ports=200 ")

    def test_where_both_families_are_served_an_allocation_may_take_two_descriptors(self):
        for workers, hosts, count in ((1, ("127.0.0.1",), 57), (1, ("127.0.0.1", "::1"), 24),
                                      (2, ("127.0.0.1",), 46)):
            one = self.relay(f"--num-worker-threads={workers}", "--metrics-addr=off", hosts=hosts,
                             prefix=("prlimit", "--nofile=100"), announced=["^the limit of descriptors "])
            one.wait_for_log(f"INFO capacity allocations={count} ports=200 descriptors=100")

    def test_workers_leave_most_descriptors_to_allocations(self):
        """Two with both families would take 40 of 100."""
        is_fewer = len(os.sched_getaffinity(0)) > 1
        one = self.relay("--metrics-addr=off", hosts=("127.0.0.1", "::1"),
                         prefix=("prlimit", "--nofile=100"),
                         announced=["^the limit of descriptors ", *["^fewer workers "] * is_fewer])
        one.wait_for_log("INFO workers started count=1$")
        one.wait_for_log("INFO capacity allocations=24 ports=200 descriptors=100")


class Strangers(case.Case):
    REQUEST = stun.write(stun.ALLOCATE, stun.REQUEST, [UDP])

    def longest_answer(self, relay, *requests):
        """The greatest ratio of an answer's length to its request's; 0 of none."""
        ratios = [0]
        for raw in requests:
            stranger = self.client(relay)
            stranger.udp.sendto(raw, stranger.server)
            answer = stranger.receive_raw(0.3)
            ratios.append(len(answer) / len(raw) if answer else 0)
        return max(ratios)

    def requests(self):
        for method in (stun.BINDING, stun.ALLOCATE, stun.REFRESH, stun.CHANNEL_BIND):
            yield stun.write(method, stun.REQUEST)
            yield stun.write(method, stun.REQUEST, fingerprint=True)
            yield stun.write(method, stun.REQUEST, [(0x7000 + n, b"") for n in range(40)])
        yield self.REQUEST
        yield stun.write(stun.ALLOCATE, stun.REQUEST, [
            UDP, (stun.USERNAME, b"1:x"), (stun.REALM, b"firezone")], bytes(16))

    def test_they_get_at_most_four_times_what_they_sent(self):
        for options in ((), ("--realm", "r" * 127), ("--software", "s" * 127),
                        ("--stamp-secret", "4c98")):
            with self.subTest(options=options):
                one = self.relay(*options, announced=["^the shortest first requests get no answer"])
                ratio = self.longest_answer(one, *self.requests())
                self.assertGreater(ratio, 1)
                self.assertLessEqual(ratio, 4)

    def test_when_that_is_strict_they_get_no_more_than_they_sent(self):
        one = self.relay("--strict-amplification", is_answering=False)
        self.assertLessEqual(self.longest_answer(one, *self.requests()), 1)
        alice = self.client(one)
        padding = (0x8022, b"a client that pads its first request".ljust(120))
        alice.learn(alice.expect(401, stun.ALLOCATE, [UDP, padding]))
        alice.allocate()
        alice.permit("9.9.9.9")  # whoever has proved who he is gets every answer

    def test_neither_realm_nor_software_costs_the_shortest_first_request_its_answer(self):
        software = "a text that is meant for people, and not worth an answer".ljust(127, "x")
        one = self.relay("--realm", "turn.example.org:28 bytes ..", "--software", software)
        alice = self.client(one)
        self.assertEqual(alice.binding(), ("127.0.0.1", alice.udp.getsockname()[1]))
        response = alice.allocate().refresh()
        self.assertEqual(response.get(stun.SOFTWARE), software.encode())

    def test_software_is_what_the_operator_says_or_nothing(self):
        for options, sent in (((), None), (("--software", "a relay"), b"a relay")):
            one = self.relay(*options)
            alice = self.client(one).allocate()
            for response in (alice.refresh(), alice.permit("10.0.0.1", code=403),
                             alice.expect(None, stun.BINDING, with_credential=False)):
                self.assertEqual(response.get(stun.SOFTWARE), sent)
            one.announced.append("^peer denied")


if __name__ == "__main__":
    case.main()
