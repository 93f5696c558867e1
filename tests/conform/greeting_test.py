#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay without any option, on hosts with and without a default route.

What it prints must be true: the credential, the iceServers for a browser, and the line to try it
with, which is run as it stands.

        both ----------- (router)       10.8.0.1   2001:db8:8::1
        ip4 ------------ (router)       10.8.1.1
        ip6 ------------ (router)                  2001:db8:8:2::1
        alone                           only lo, without any route
"""
import json
import re
import subprocess

import case
import sandbox
import stun
from daemon import end_with_parent

HOSTS = {
    "both": ["10.8.0.1/24", "2001:db8:8::1/64"],
    "ip4": ["10.8.1.1/24"],
    "ip6": ["2001:db8:8:2::1/64"],
    "alone": [],
}
ALONE = "^there is no default route: serving this host alone$"


class Greeting(case.Case):
    def make_host(self, name, addresses):
        host = sandbox.Host(name)
        self.addCleanup(host.close)
        if addresses:
            sandbox.cable(host, "eth0", self.router, "to-" + name)
            sandbox.address(host, "eth0", *addresses)
            for one in addresses:
                sandbox.route(host, one.split("/")[0][:-1] + "2")
        return host

    def start(self, host, addresses):
        with host.inside():
            served = [one.split("/")[0] for one in addresses] or ["127.0.0.1"]
            return self.relay(is_bare=True, port=3478, hosts=served,
                              announced=[] if addresses else [ALONE])

    def check_credential(self, host, one):
        """Returns the line that is printed last."""
        text = one.wait_for_log(r"No --user is given[\s\S]*?\n  (turnutils_uclient .*)\n")
        user = re.search(r"\n  username    (\S+)\n  credential  ([0-9a-f]{32})\n", text[0])
        servers = json.loads(re.search(r"\n  (\{.*\})\n", text[0])[1])["iceServers"]
        self.assertEqual(len(servers), 1)
        self.assertEqual((servers[0]["username"], servers[0]["credential"]), user.groups())
        urls = []
        for served in one.hosts:
            shown = f"[{served}]" if ":" in served else served
            one.wait_for_log(rf"INFO serving clients at public={re.escape(shown)}:3478\n")
            urls += [f"stun:{shown}:3478", f"turn:{shown}:3478?transport=udp"]
        self.assertEqual(servers[0]["urls"], urls)
        with host.inside():
            for served in one.hosts:
                alice = self.client(one, served, user=user[1], password=user[2])
                family = stun.FAMILY_IP6 if ":" in served else stun.FAMILY_IP4
                alice.allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
                self.assertEqual(alice.relayed[0], served)
        return text[1]

    def test_what_it_prints_is_true_on_every_host(self):
        self.router = sandbox.Host("router")
        self.addCleanup(self.router.close)
        hosts = {name: self.make_host(name, addresses) for name, addresses in HOSTS.items()}
        relays = {name: self.start(hosts[name], HOSTS[name]) for name in HOSTS}
        self.addCleanup(self.end_relays)  # before their hosts go
        credentials, lines, runs = set(), {}, {}
        for name, one in relays.items():
            line = self.check_credential(hosts[name], one)
            credentials.add(re.search(r"-w (\S+)", line)[1])
            runs[name] = self.try_line(hosts[name], line)
            lines[name] = line
        self.assertEqual(len(credentials), len(HOSTS))
        for name, line in lines.items():
            case.once(lambda name=name, line=line: self.assert_works(
                runs.pop(name, None) or self.try_line(hosts[name], line)))

    def try_line(self, host, line):
        with host.inside():
            return subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True,
                                    preexec_fn=end_with_parent)

    def assert_works(self, run):
        output, _ = run.communicate(timeout=80)
        self.outputs.append(output)
        totals = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
        self.assertTrue(totals)
        self.assertEqual(totals[-1], ("10", "10"))
        self.assertIn("Total lost packets 0 ", output)
        self.assertEqual(run.returncode, 0)

    def test_addresses_that_pass_are_not_served(self):
        """Neither those for privacy, which change each day, nor those of one cable."""
        self.router = sandbox.Host("router")
        self.addCleanup(self.router.close)
        host = self.make_host("fleeting", [])
        sandbox.cable(host, "eth0", self.router, "to-fleeting")
        host.run("sh", "-c", "echo 2 >/proc/sys/net/ipv6/conf/eth0/use_tempaddr")
        host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad")
        sandbox.address(host, "eth0", "10.8.4.1/24")
        host.run("ip -6 address add 2001:db8:8:4::5/64 dev eth0 mngtmpaddr nodad valid_lft 86400 "
                 "preferred_lft 3600")
        host.run("ip -4 route add default via 10.8.4.2")
        host.run("ip -6 route add default dev eth0")
        sandbox.wait_until(lambda: re.search(r"inet6 2001\S+ scope global temporary (?!tentative)",
                                             host.run("ip -6 address show dev eth0")))
        one = self.start(host, ["10.8.4.1", "2001:db8:8:4::5"])
        self.addCleanup(self.end_relays)
        one.wait_for_log(r"INFO serving clients at public=\[2001:db8:8:4::5\]:3478\n")
        one.stop()
        host.run("ip -6 address flush dev eth0 scope global")
        host.run("ip -6 route replace default dev eth0")
        sandbox.wait_until(lambda: "inet6 fe80" in host.run("ip -6 address show dev eth0"))
        one = self.start(host, ["10.8.4.1"])
        one.wait_for_log("INFO serving clients")
        self.assertNotIn("fe80", one.log())
        one.stop()


if __name__ == "__main__":
    case.main("turnutils_uclient", is_root=True)
