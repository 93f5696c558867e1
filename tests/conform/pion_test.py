#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pion, Go's WebRTC stack, as a client: every packet there and back, refreshes, stale nonces.

pion/ holds the program around its client, which is built here. All that it is told by the relay is
in the JSON that it prints: each transaction counts once, however often it was repeated.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import case
from daemon import end_with_parent

HERE = os.path.dirname(os.path.abspath(__file__))
GOPATH = "/usr/share/gocode"  # where Debian has the sources of Go packages
PACKETS = 1000
LIFETIME_S, HOLD_S = 5, 12
HOSTS = ("127.0.0.1", "::1")
FAMILY = {"127.0.0.1": 1, "::1": 2}


def bracketed(host):
    return f"[{host}]" if ":" in host else host


def build(folder):
    """The path of the program, made without a network and without a trace outside the folder."""
    path = os.path.join(folder, "pion")
    done = subprocess.run(
        ["go", "build", "-o", path, "."], cwd=os.path.join(HERE, "pion"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={"PATH": os.environ["PATH"], "HOME": folder, "GOCACHE": os.path.join(folder, "cache"),
             "GOPATH": GOPATH, "GO111MODULE": "off", "CGO_ENABLED": "0"})
    if done.returncode != 0:
        raise AssertionError(f"go build: {done.stdout}")
    return path


class Echo:
    """A peer that sends back all that it receives, and counts it by its source."""

    def __init__(self, udp):
        self.udp = udp
        self.udp.settimeout(0.1)
        self.sources = collections.Counter()
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            try:
                data, source = self.udp.recvfrom(65536)
            except TimeoutError:
                continue
            self.sources[source[:2]] += 1
            self.udp.sendto(data, source)

    def end(self):
        self.is_over = True
        self.thread.join()


class Pion(case.Case):
    @classmethod
    def setUpClass(cls):
        case.needs_tool("go")
        if not os.path.isdir(f"{GOPATH}/src/github.com/pion/turn/v2"):
            raise unittest.SkipTest("needs golang-github-pion-turn.v2-dev")
        folder = tempfile.mkdtemp(prefix="fairlead-pion-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.program = build(folder)

    def setUp(self):
        super().setUp()
        self.one = self.relay("--allow-peer", "127.0.0.1", "--allow-peer", "::1",
                              "--min-lifetime", LIFETIME_S, hosts=HOSTS)

    def echo(self, host):
        echo = Echo(self.peer(host))
        self.addCleanup(echo.end)
        return echo

    def start(self, host, echo, *options):
        """The client speaks to the relay at a host."""
        peer_host, peer_port = echo.udp.getsockname()[:2]
        command = [self.program, "-server", f"{bracketed(host)}:{self.one.port}",
                   "-peer", f"{bracketed(peer_host)}:{peer_port}",
                   "-family", FAMILY[peer_host], *options]
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True,
                                   preexec_fn=end_with_parent)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def story(self, process, echo):
        """What it says at its end, of which some must be so in every run."""
        output, _ = process.communicate(timeout=120)
        self.outputs.append(output)
        self.assertEqual(process.returncode, 0, output)
        story = json.loads(output.splitlines()[-1])
        self.assertEqual(story["faults"], [])
        self.assertEqual(story["mapped"], story["local"])
        self.assertGreaterEqual(story["exchanged"], PACKETS)
        host, port = story["relayed"].rsplit(":", 1)
        self.assertEqual(host, bracketed(echo.udp.getsockname()[0]))
        self.assertEqual(echo.sources, {(host.strip("[]"), int(port)): story["exchanged"]})
        # Until its channel is bound it sends indications.
        for way in ("send_indications", "channel_data_sent"):
            self.assertGreater(story[way], 0)
        self.assertEqual(story["send_indications"] + story["channel_data_sent"],
                         story["exchanged"])
        self.assertEqual(story["data_indications"] + story["channel_data_received"],
                         story["exchanged"])
        return story

    def test_every_packet_comes_back_in_both_families(self):
        for host in HOSTS:
            for peer_host in HOSTS:
                with self.subTest(server=host, peer=peer_host):
                    echo = self.echo(peer_host)
                    story = self.story(self.start(host, echo, "-count", PACKETS), echo)
                    self.assertEqual(story["responses"], {
                        "Binding": 1, "Allocate 401": 1, "Allocate": 1, "CreatePermission": 2,
                        "ChannelBind": 1, "Refresh": 1})
        self.one.wait_for_log(r"(allocation ended reason=deleted[\s\S]*){4}")

    def test_short_lifetimes_and_stale_nonces_are_lived_through(self):
        # Both at the same time, since each takes longer than two lifetimes.
        short = ("-count", PACKETS, "-lifetime", LIFETIME_S, "-hold", f"{HOLD_S}s")
        echoes = [self.echo("127.0.0.1"), self.echo("::1")]
        fresh = self.start("::1", echoes[0], *short)
        stale = self.start("127.0.0.1", echoes[1], *short, "-stale", "-abandon")

        told = self.story(fresh, echoes[0])["responses"]
        self.assertGreaterEqual(told.pop("Refresh"), HOLD_S // LIFETIME_S + 1)  # one is the last
        self.assertEqual(told, {"Binding": 1, "Allocate 401": 1, "Allocate": 1,
                                "CreatePermission": 2, "ChannelBind": 1})

        told = self.story(stale, echoes[1])["responses"]
        self.assertGreaterEqual(told["Refresh"], HOLD_S // LIFETIME_S)
        # Its end may come between a refusal and what it does then.
        self.assertIn(told.pop("Refresh 438") - told.pop("Refresh"), (0, 1))
        self.assertEqual(told, {"Binding": 1, "Allocate 401": 1, "Allocate": 1,
                                "CreatePermission 438": 1, "CreatePermission": 2,
                                "ChannelBind": 1})
        self.one.wait_for_log("allocation ended reason=deleted")
        self.one.wait_for_log("allocation ended reason=expired")
        self.assertEqual(len(re.findall("lifetime_s=5\n", self.one.log())), 2)

    def test_a_wrong_password_gets_no_allocation(self):
        echo = self.echo("127.0.0.1")
        process = self.start("127.0.0.1", echo, "-password", "wander")
        output, _ = process.communicate(timeout=30)
        self.outputs.append(output)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(output, "Allocate: .*401")
        self.assertNotIn("allocation created", self.one.log())
        self.one.announced.append(case.UNPROVEN)


if __name__ == "__main__":
    case.main()
