#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""coturn's own clients as processes, judged by what they really received.

All manners of turnutils_uclient run at the same time against one relay: each of them mostly waits.
It waits for no packet longer than its own clock says, so one that has lost any may try again, alone.
docs/conformance.md says which of its options are not here.
"""
import re
import subprocess
import unittest

import case
import stun
from client import open_socket
from relay import Relay
from turnutils import MESSAGES, assert_all_arrived, start_peer, uclient

IP4, IP6 = ("127.0.0.1", "127.0.0.1"), ("::1", "::1")
OLD_ADDITIONAL_ADDRESS_FAMILY = 0x8032  # in drafts, and in turnutils_uclient of Debian 12
# Manner: options, (server, peer), sockets that send, options that count.
MANNERS = {
    "channels and DONT-FRAGMENT": ("-g -X", IP4, 2, {}),
    "Send and Data indications": ("-s -X", IP4, 2, {}),
    "an RTP and RTCP pair: EVEN-PORT and RESERVATION-TOKEN": ("-X", IP4, 2, {}),
    "without RTCP": ("-c -X", IP4, 1, {}),
    "of no family that is named": ("", IP4, 2, {}),
    "client to client": ("-y -X", IP4, 4, {}),
    "client to client without RTCP": ("-y -c -X", IP4, 2, {}),
    "client to client by indications": ("-y -s -X", IP4, 4, {}),
    "extra requests": ("-G -X", IP4, 2, {}),
    "padded channels": ("-D -X", IP4, 2, {}),
    "disconnected at random": ("-B -X", IP4, 2, {}),
    "mobility, which it does not get": ("-M -X", IP4, 2, {}),
    "OAuth, which it does not get": ("-J -X", IP4, 2, {}),
    "ORIGIN, which says nothing to the relay": ("-o http://example.org -X", IP4, 2, {}),
    "IPv6 to IPv6": ("-x", IP6, 2, {}),
    "IPv6 to IPv6 without RTCP": ("-x -c", IP6, 1, {}),
    "IPv6 to IPv6 by indications": ("-x -s", IP6, 2, {}),
    "IPv6 client to IPv6 client": ("-x -y", IP6, 4, {}),
    "IPv4 to IPv6": ("-x", ("127.0.0.1", "::1"), 2, {}),
    "IPv4 to IPv6 without RTCP": ("-x -c", ("127.0.0.1", "::1"), 1, {}),
    "IPv6 to IPv4": ("-X", ("::1", "127.0.0.1"), 2, {}),
    "50 clients": ("-c -X", IP4, 50, {"-m": 50, "-n": 100, "-z": 20}),
}


class Uclient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("turnutils_uclient", "turnutils_peer"):
            case.needs_tool(tool)
        cls.peer, cls.peer_port = start_peer()
        cls.addClassCleanup(cls.peer.wait)
        cls.addClassCleanup(cls.peer.kill)
        cls.one = Relay("--allow-peer", "127.0.0.1", "--allow-peer", "::1", "--user-quota=1000",
                        "--auth-secret=secret", "--realm=north.gov", user=None, ports=2000,
                        hosts=("127.0.0.1", "::1"))
        cls.addClassCleanup(cls.one.close)
        cls.runs = {name: cls.start(options, server, peer, counts)
                    for name, (options, (server, peer), _, counts) in MANNERS.items()}

    @classmethod
    def start(cls, options, server, peer, counts, user="user"):
        run = uclient(f"{options} -W secret", server, cls.one.port, peer, cls.peer_port, counts,
                      password=None, user=user)
        cls.addClassCleanup(run.wait)
        cls.addClassCleanup(run.kill)
        return run

    def check(self, name):
        options, (server, peer), senders, counts = MANNERS[name]
        run = self.runs.pop(name, None) or self.start(options, server, peer, counts)
        assert_all_arrived(self, run, senders * counts.get("-n", MESSAGES))

    def test_every_manner_receives_all_that_was_sent(self):
        failed = 0
        # Beside the others: clients that connect, do not wait for answers, and go ("DOS mode").
        crowd = [self.start("-O -c -X", *IP4, {"-m": 10}, user="crowd") for _ in range(5)]
        for run in crowd:
            output, _ = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 0, output)
        self.assertRegex(self.one.log(), r"allocation created .* username=\d+:crowd ")
        for name in MANNERS:
            with self.subTest(name):
                failed += 1
                case.once(lambda name=name: self.check(name))
                failed -= 1
        if failed:
            self.fail(self.one.story())
        self.one.stop()


class Refused(case.Case):
    def test_a_wrong_password_gets_no_allocation(self):
        case.needs_tool("turnutils_uclient")
        one = self.relay(announced=[case.UNPROVEN])
        for user, password in (("alice", "wander"), ("nobody", "wonder")):
            run = uclient("-y -c", "127.0.0.1", one.port, "127.0.0.1", 9, {"-n": 5},
                          password=password, user=user)
            output, _ = run.communicate(timeout=30)
            self.outputs.append(output)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn("Cannot complete Allocation", output)
        self.assertNotIn("allocation created", one.log())

    def test_a_peer_that_is_not_allowed_gets_403_and_the_log_says_which_option_would(self):
        case.needs_tool("turnutils_uclient")
        one = self.relay(announced=["^peer denied; --allow-peer would allow it "])
        run = uclient("", "127.0.0.1", one.port, "127.0.0.2", 9, {"-n": 5})
        output, _ = run.communicate(timeout=30)
        self.outputs.append(output)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("error 403 (Forbidden)", output)
        one.wait_for_log(r" WARN peer denied; --allow-peer would allow it client=127\.0\.0\.1:\d+ "
                         r"peer=127\.0\.0\.2:\d+ reason=\"a loopback address\"")


    def test_a_channel_number_that_there_is_not_gets_400(self):
        case.needs_tool("turnutils_uclient")
        one = self.relay("--allow-peer", "127.0.0.1")
        run = uclient("-N", "127.0.0.1", one.port, "127.0.0.1", 9, {"-n": 5})
        output, _ = run.communicate(timeout=30)
        self.outputs.append(output)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("channel bind: error 400 (Bad Request)", output)

    def test_a_dual_allocation_by_the_attribute_of_a_draft_is_one_of_ip4(self):
        """-Z. Debian 12's uclient asks by a number that a server may ignore.

        It takes the one address that it gets, and draws lots of which family the peer of each of
        its channels is: either all of them are of IPv4, or one is refused. By the number of RFC
        8656 it would get both: test_both_families_are_granted_at_one_port.
        """
        case.needs_tool("turnutils_uclient")
        with open_socket("127.0.0.1") as udp:
            run = uclient("-Z -y", "127.0.0.1", udp.getsockname()[1], "127.0.0.1", 9, {"-n": 5})
            asked = stun.Message(udp.recv(2000))
            run.kill()
            run.communicate()
        self.assertEqual(asked.get(OLD_ADDITIONAL_ADDRESS_FAMILY), b"\x02\0\0\0")
        self.assertIsNone(asked.get(stun.ADDITIONAL_ADDRESS_FAMILY))

        one = self.relay("--allow-peer", "127.0.0.1", "--allow-peer", "::1",
                         hosts=("127.0.0.1", "::1"))
        run = uclient("-Z -y", "127.0.0.1", one.port, "127.0.0.1", 9, {"-n": 5})
        output, _ = run.communicate(timeout=30)
        self.outputs.append(output)
        self.assertRegex(output, r"error 443 \(Peer Address Family Mismatch\)|"
                                 r"tot_send_msgs=10, tot_recv_msgs=10\b[\s\S]*lost packets 0 ")
        one.wait_for_log(r"allocation created client=127\.0\.0\.1:\d+ relayed=127\.0\.0\.1:")
        self.assertNotIn("relayed=[::1]", one.log())


class Stunclient(case.Case):
    def test_it_learns_its_address(self):
        case.needs_tool("turnutils_stunclient")
        one = self.relay(hosts=("127.0.0.1", "::1"))
        for host in one.hosts:
            run = subprocess.run(["turnutils_stunclient", "-p", str(one.port), host], text=True,
                                 capture_output=True, timeout=20, check=False)
            self.outputs.append(run.stdout + run.stderr)
            self.assertEqual(run.returncode, 0)
            self.assertRegex(run.stdout, rf"UDP reflexive addr: {host}:\d+")

    def test_natdiscovery_learns_its_address_and_nothing_of_rfc_5780(self):
        case.needs_tool("turnutils_natdiscovery")
        one = self.relay()
        run = subprocess.run(["turnutils_natdiscovery", "-m", "-f", "-p", str(one.port),
                              "127.0.0.1"], text=True, capture_output=True, timeout=20, check=False)
        self.outputs.append(run.stdout + run.stderr)
        self.assertEqual(run.returncode, 0)
        self.assertEqual(len(re.findall(r"UDP reflexive addr: 127\.0\.0\.1:\d+", run.stdout)), 3)
        for part in ("RFC 5780 response", "Other addr", "NAT with"):
            self.assertNotIn(part, run.stdout)


if __name__ == "__main__":
    case.main()
