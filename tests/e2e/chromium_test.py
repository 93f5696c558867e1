#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two browsers behind NATs, told to use nothing but the relay, speak over a data channel.

Where they are is drawn in nats.py. Each has one page, which runs page.js; the test carries their
descriptions from one to the other. Chromium never asks for a relayed address of IPv6: over IPv6
too its relayed address is one of IPv4.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conform"))
# pylint: disable=wrong-import-position
import case
from browser import Browser
from nats import NAT_A4, NAT_A6, NAT_B4, NAT_B6, RELAY4, RELAY6, make_world
from relay import Relay
from sandbox import wait_until

MESSAGES = 1000
OUTSIDE = {RELAY4: (NAT_A4, NAT_B4), RELAY6: (NAT_A6, NAT_B6)}


def text(name, number):
    """Of all lengths up to what needs two packets; page.js sends the same."""
    return f"{name} {number} ".ljust(20 + number * 7 % 1500, "x")


def bracketed(host):
    return f"[{host}]" if ":" in host else host


class Chromium(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.relay_host, cls.behind_a, cls.behind_b = make_world()

    def setUp(self):
        super().setUp()
        self.set_up_relay()

    def set_up_relay(self):
        with self.relay_host.inside():
            self.one = Relay(hosts=(RELAY4, RELAY6))
        self.relays.append(self.one)

    def browser(self, host):
        browser = Browser(host)
        self.addCleanup(browser.close)
        with open(os.path.join(HERE, "page.js"), encoding="utf-8") as page:
            browser.evaluate(page.read())
        return browser

    def server(self, host, password="wonder"):
        """The relay as RTCPeerConnection wants it."""
        return {"urls": f"turn:{bracketed(host)}:{self.one.port}?transport=udp",
                "username": "alice", "credential": password}

    def connect(self, alice, alice_server, bob, bob_server):
        offer = alice.apply("offer", alice_server)
        answer = bob.apply("answer", bob_server, offer)
        alice.apply("accept", answer)
        are_open = [browser.apply("isOpen", 60) for browser in (alice, bob)]
        self.assertEqual(are_open, [True, True], [b.apply("story") for b in (alice, bob)])

    def assert_both_ways(self, alice, bob):
        """Both send at the same time; each receives all, in the order in which it was sent."""
        ends = ((alice, "alice", "bob"), (bob, "bob", "alice"))
        for browser, name, _ in ends:
            browser.apply("send", name, MESSAGES)
        for browser, _, other in ends:
            arrived = browser.apply("receive", MESSAGES, 60)
            self.assertEqual(arrived, [text(other, number) for number in range(MESSAGES)])

    def assert_selected(self, browser, host, ports):
        """It uses the relay on both sides and knows of no other way. Returns bytes received."""
        # It asks again now and then whether the way still leads there.
        wait_until(lambda: browser.apply("selected")["state"] == "succeeded")
        pair = browser.apply("selected")
        for candidate in (pair["local"], pair["remote"], *pair["candidates"]):
            self.assertEqual((candidate["candidateType"], candidate["protocol"],
                              candidate["address"]), ("relay", "udp", RELAY4))
        self.assertEqual({pair["local"]["port"], pair["remote"]["port"]}, ports)
        self.assertEqual(pair["local"]["relayProtocol"], "udp")
        self.assertEqual(pair["local"]["url"], self.server(host)["urls"])
        return pair["bytesReceived"]

    def assert_allocations(self, hosts):
        """One for each browser, as its NAT has shown it to the relay. Returns their ports."""
        created = re.findall(r"allocation created client=(\S+):\d+ relayed=(\S+):(\d+)",
                             self.one.log())
        self.assertEqual([(client, relayed) for client, relayed, _ in created],
                         [(bracketed(OUTSIDE[host][end]), RELAY4)
                          for end, host in enumerate(hosts)])
        return {int(port) for *_, port in created}

    def carried(self):
        """The relay ends: what it has counted. It has found no fault.

        Chromium sends its first checks before the other end has given its permission, and may
        send on for a moment when that has closed.
        """
        self.one.stop()
        traffic = self.one.wait_for_log(r" INFO traffic (.*)")[1]
        counts = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", traffic)}
        self.assertLessEqual({name for name in counts if name.startswith("dropped")},
                             {"dropped_no_permission", "dropped_no_allocation"}, traffic)
        return counts

    def assert_carried(self, wanted):
        """The relay has carried at least so many bytes, by its own count."""
        self.assertGreaterEqual(self.carried()["bytes_to_client"], wanted)

    def meet(self, *hosts):
        """One browser behind each NAT, which speaks to the relay at its host."""
        alice, bob = self.browser(self.behind_a), self.browser(self.behind_b)
        self.connect(alice, self.server(hosts[0]), bob, self.server(hosts[1]))
        self.assert_both_ways(alice, bob)
        ports = self.assert_allocations(hosts)
        received = sum(self.assert_selected(browser, host, ports)
                       for browser, host in zip((alice, bob), hosts))
        self.assertGreater(received, sum(len(text(name, number)) for name in ("alice", "bob")
                                         for number in range(MESSAGES)))
        for browser in (alice, bob):
            browser.apply("finish")
        self.one.wait_for_log(r"(allocation ended reason=deleted[\s\S]*){2}")
        self.assert_carried(received)

    def test_two_browsers_over_ip4(self):
        self.meet(RELAY4, RELAY4)

    def test_two_browsers_over_ip6(self):
        self.meet(RELAY6, RELAY6)

    def test_a_browser_over_ip4_and_one_over_ip6(self):
        self.meet(RELAY4, RELAY6)

    def test_a_wrong_password_leaves_a_browser_without_candidates(self):
        alice = self.browser(self.behind_a)
        offer = alice.apply("offer", self.server(RELAY4, password="wander"))
        self.assertNotIn("a=candidate", offer["sdp"])
        self.assertEqual(alice.apply("story")["errors"], [401])
        self.one.wait_for_log(r"WARN credential refused .* username=alice reason=\"not the password")
        self.one.announced.append(case.UNPROVEN)


if __name__ == "__main__":
    case.main("nft", "sysctl", "chromium", is_root=True)
