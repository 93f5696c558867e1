#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-probe attack against our relay in both manners, against a server that is weak on purpose,
in which each attack has to find what it is made for, and against Debian's coturn, whose known gaps
have to be found, and no more.

Usage: probe_attack_test.py RELAY PROBE [Case.test...]
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import case
import junit
from coturn import Coturn
from sandbox import PATIENCE_S
from weak import Weak

if "FAIRLEAD_PROBE" not in os.environ:  # case.main() may start this file anew
    os.environ["FAIRLEAD_PROBE"] = os.path.abspath(sys.argv.pop(2))
PROBE = os.environ["FAIRLEAD_PROBE"]
KNOWN = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging" / "known"
BOB = ("--other-user", "bob", "--other-pass", "builder")

HARDENED = pathlib.Path(__file__).resolve().parents[2] / "docs" / "coturn-hardened.conf"

# Of what they say, a machine that is busy with other things can spoil the least.
SOMETIMES = {"state-strangers", "enumerate-time"}

# What of Debian's coturn 4.6.1 lies open without any option that closes it; each was tried by hand.
COTURN = {
    "relay-link-local": "high",
    "relay-metadata": "high",
    "relay-private": "high",
    "relay-shared": "medium",
    "relay-multicast": "medium",
    "relay-broadcast": "medium",
    "relay-special": "low",
    "relay6-link-local": "high",
    "relay6-metadata": "high",
    "relay6-unique-local": "high",
    "relay6-site-local": "low",
    "relay6-multicast": "medium",
    "relay6-mapped": "high",
    "relay6-compatible": "medium",
    "relay6-nat64": "medium",
    "relay6-6to4": "medium",
    "relay6-teredo": "low",
    "relay6-isatap": "medium",
    "relay6-special": "low",
    "amplify-odd": "high",
    "port-token-guessed": "low",
    "port-token-of-other": "low",
}


class Attack(case.Case):
    def probe(self, server, *options, exit_code=0, user=("--user", "alice", "--pass", "wonder"),
              timeout_ms=20000):
        command = [PROBE, "attack", server, *user, "--timeout", str(timeout_ms), "--rate", "2000",
                   "--format", "json", *options]
        done = subprocess.run(command, text=True, capture_output=True, check=False,
                              timeout=500)
        self.outputs.append(done.stdout[-20000:] + done.stderr)
        self.assertIn("fairlead-probe: attacking ", done.stderr)
        if exit_code is not None:
            self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout)

    def findings(self, told):
        """Those above info, which may not be there at all."""
        return {one["id"]: one["verdict"] for one in told["results"]
                if one["verdict"] in ("high", "medium", "low") and one["id"] not in SOMETIMES}

    def skipped(self, told):
        return {one["id"] for one in told["results"]
                if one["verdict"] == "skip" and one["id"] not in SOMETIMES}


class OurRelay(Attack):
    def test_nothing_above_info_is_found(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--allow-peer", "2001:db8::1", "--user",
                         "bob:builder", hosts=("127.0.0.1", "::1"), announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", *BOB, exit_code=None)
        self.assertEqual(self.findings(told), {})
        self.assertEqual(self.skipped(told), {"loop-listener-relayed"})
        self.assertGreaterEqual(len(told["results"]), 60)

    def test_nor_over_ip6_with_a_shared_secret(self):
        one = self.relay("--allow-peer", "::1", "--auth-secret", "north", user=None,
                         hosts=("127.0.0.1", "::1"), announced=[".*"])
        told = self.probe(f"[::1]:{one.port}", "--except", "crash", exit_code=None,
                          user=("--auth-secret", "north"))
        self.assertEqual(self.findings(told), {})

    def test_what_it_is_told_to_allow_is_found(self):
        one = self.relay("--allow-peer", "127.0.0.0/8", "--allow-peer", "10.0.0.0/8",
                         announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", "--only", "relay", exit_code=1)
        self.assertEqual(self.findings(told), {"relay-loopback": "high", "relay-private": "high"})
        found = {one["id"]: one["came"] for one in told["results"]}
        self.assertIn("127.0.0.2 (permission and channel)", found["relay-loopback"])
        self.assertNotIn("127.0.0.1 ", found["relay-loopback"])  # where the peers are

    def test_firezones_manner_stands_it_but_for_private_networks(self):
        secret = "4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab"
        username = "2145916800:probe"
        digest = hashlib.sha256(f"2145916800:{secret}:probe".encode()).digest()
        password = base64.b64encode(digest).decode().rstrip("=")
        one = self.relay("--allow-peer", "127.0.0.1", "--stamp-secret", secret, user=None,
                         hosts=("127.0.0.1", "::1"), announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", "--jobs", "1", "--realm", "firezone",
                          "--except", "crash", exit_code=1, user=("--user", username, "--pass", password))
        # Its peers are gateways, which may be where they like.
        self.assertEqual(self.findings(told), {
            "relay-private": "high", "relay-shared": "medium", "relay-metadata": "high",
            "relay6-unique-local": "high", "relay6-metadata": "high", "relay6-mapped": "high",
            "relay6-compatible": "medium", "relay6-nat64": "medium"})


class WeakServer(Attack):
    def attack(self, *weaknesses, finds=(), options=(), exit_code=1):
        server = Weak(*weaknesses)
        try:
            only = [word for name in finds for word in ("--only", name)]
            told = self.probe(server.name(), *BOB, *only, *options, exit_code=exit_code,
                              timeout_ms=5000)
        finally:
            server.close()
        return {one["id"]: one["verdict"] for one in told["results"]
                if one["verdict"] not in ("pass", "skip")}

    def assert_found(self, weakness, **findings):
        findings = {name.replace("_", "-"): grade for name, grade in findings.items()}
        is_info = set(findings.values()) == {"info"}

        def attempt():
            found = self.attack(weakness, finds=findings, options=("--quiet", "3000"),
                                exit_code=0 if is_info else 1)
            self.assertEqual(found, findings)

        case.once(attempt)

    def test_one_without_a_weakness_has_none(self):
        found = self.attack(exit_code=None)
        self.assertEqual({name: grade for name, grade in found.items()
                          if grade != "info" and name not in SOMETIMES}, {})

    def test_any_peer(self):
        self.assert_found("any-peer", relay_loopback="high", relay_unspecified="high",
                          relay_link_local="high", relay_metadata="high", relay_azure="info",
                          relay_private="high", relay_shared="medium", relay_multicast="medium",
                          relay_broadcast="medium", relay_special="low", relay_mapped="high",
                          relay_low_port="info", loop_listener="medium")

    def test_no_permissions(self):
        self.assert_found("no-permission", relay_without_permission="high",
                          relay_from_stranger="medium")

    def test_any_nonce(self):
        self.assert_found("any-nonce", nonce_forged="medium", nonce_altered="medium",
                          nonce_cut="medium", nonce_replayed="low", nonce_elsewhere="info")

    def test_nonces_that_count(self):
        self.assert_found("counting-nonce", nonce_guessed="medium")

    def test_no_users(self):
        self.assert_found("open", user_none="high")

    def test_short_proofs(self):
        self.assert_found("short-proof", user_short_proof="high")

    def test_what_is_asked_about_an_allocation_is_not_proven(self):
        self.assert_found("unproven", user_unproven="high", user_wrongly_proven="high")

    def test_an_allocation_is_anyones(self):
        self.assert_found("anyones", user_other="high")

    def test_software(self):
        self.assert_found("software", user_software="info")

    def test_users_are_told_from_nobody_by_the_answer(self):
        self.assert_found("enumerate", enumerate_answer="low")

    def test_users_are_told_from_nobody_by_time(self):
        self.assert_found("slow-known", enumerate_time="info")

    def test_ports_in_a_series(self):
        self.assert_found("series", port_series="medium")

    def test_even_ports(self):
        self.assert_found("even", port_parity="info")

    def test_tokens_that_count(self):
        self.assert_found("counting-token", port_token_guessed="low")

    def test_large_challenges(self):
        self.assert_found("fat", amplify_challenge="high")

    def test_answers_come_twice(self):
        self.assert_found("twice", amplify_binding="low")

    def test_lengths_are_believed(self):
        self.assert_found("overread", leak_channel_data="high", leak_attribute="high",
                          leak_message="high", leak_cut="high")

    def test_padding_is_memory(self):
        self.assert_found("padding", leak_padding="high", leak_padding_data="high")

    def test_no_quota(self):
        self.assert_found("no-quota", state_quota="low")

    def test_strangers_are_remembered(self):
        self.assert_found("forgetless", state_strangers="high")

    def test_one_datagram_ends_it(self):
        self.assert_found("fragile", crash_http="high")


class Others(Attack):
    def setUp(self):
        super().setUp()
        case.needs_tool("turnserver")

    def ask(self, server_options, *options):
        server = Coturn(*server_options)
        self.addCleanup(server.close)
        return self.probe(f"127.0.0.1:{server.port}", *BOB, *options, exit_code=None)

    def attack(self, server_options, *options):
        return self.findings(self.ask(server_options, *options))

    def test_coturns_known_gaps_are_found_and_no_more(self):
        told = self.ask((), "--except", "state-quota",  # what it ended a moment ago has ports still
                        "--known-file", KNOWN / "coturn-4.6.1.attack")
        self.assertEqual(self.findings(told), COTURN)
        # What no configuration closes is known (packaging/known); what one does counts.
        self.assertEqual({one["id"] for one in told["results"] if one["counts"]} - SOMETIMES,
                         {name for name in COTURN if name.startswith("relay")} | {"amplify-odd"})
        self.assertEqual(told["gone"], [])

    def test_coturn_has_no_quota_unless_told(self):
        self.assertEqual(self.attack((), "--only", "state-quota"), {"state-quota": "low"})

    def test_what_coturns_options_open_and_close(self):
        found = self.attack(("--allow-loopback-peers", "--no-multicast-peers", "--user-quota", "60",
                            "--denied-peer-ip", "10.0.0.0-10.255.255.255",
                            "--denied-peer-ip", "172.16.0.0-172.31.255.255",
                            "--denied-peer-ip", "192.168.0.0-192.168.255.255"),
                            "--only", "relay", "--only", "state-quota")
        closed = ("relay-private", "relay-multicast", "relay-broadcast")
        wanted = {name: grade for name, grade in COTURN.items()
                  if name.startswith("relay-") and name not in closed}
        self.assertEqual(found, wanted | {"relay-loopback": "high"})

    def test_the_configuration_that_is_recommended_closes_what_it_can(self):
        lines = HARDENED.read_text(encoding="utf-8").splitlines()
        options = ["--" + line for line in lines if line and not line.startswith("#")]
        self.assertGreater(len(options), 30)
        found = self.attack(options, "--only", "relay", "--only", "amplify", "--jobs", "2")
        self.assertEqual(found, {})
        self.assertEqual(self.attack(options, "--only", "state-quota"), {})


class Safety(Attack):
    def refused(self, *arguments):
        done = subprocess.run([PROBE, "attack", *arguments], text=True, capture_output=True,
                              check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_others_addresses_are_not_attacked_unasked(self):
        told = self.refused("192.0.2.1", "--user", "alice", "--pass", "wonder")
        self.assertIn("is no address of this host: say --i-may", told)

    def test_no_more_is_sent_than_it_may(self):
        self.assertIn("is more than the 2000", self.refused("127.0.0.1", "--rate", "2001"))

    def test_what_is_not_begun_in_time_is_skipped(self):
        server = Weak()
        self.addCleanup(server.close)
        told = self.probe(server.name(), "--only", "leak", "--jobs", "1", "--quiet", "1500",
                          "--limit", "1", exit_code=5)
        self.assertIn("the time that was allowed was over",
                      {one["came"] for one in told["results"]})

    def test_a_pipeline_reads_severities(self):
        server = Weak("open", "software")
        self.addCleanup(server.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "junit.xml")
        done = subprocess.run([PROBE, "attack", server.name(), "--user", "alice", "--pass", "wonder",
                               "--timeout", "5000", "--only", "user-none", "--only", "user-software",
                               "--format", "junit", "--output", path], text=True, capture_output=True,
                              check=False, timeout=2 * PATIENCE_S)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("findings that count: 1 (user-none)", done.stderr)
        ends = {one.get("name"): (one[0].tag, one[0].get("type")) for one in
                junit.read(path).iter("testcase")}
        self.assertEqual(ends, {"user-none": ("failure", "high"), "user-software": ("skipped", "info")})

    def test_a_known_finding_that_has_become_worse_counts(self):
        server = Weak("open")
        self.addCleanup(server.close)
        with tempfile.NamedTemporaryFile("w") as known:
            for grade, code in (("medium", 1), ("high", 0), ("skip", 1)):
                known.seek(0)
                known.truncate()
                known.write(f"user-none {grade}\n")
                known.flush()
                self.probe(server.name(), "--only", "user-none", "--known-file", known.name,
                           exit_code=code, timeout_ms=5000)

    def test_names_are_judged_by_what_they_are(self):
        server = Weak("open")
        self.addCleanup(server.close)
        port = server.name().rpartition(":")[2]
        told = self.probe(f"localhost:{port}", "-4", "--only", "user-none", exit_code=1,
                          timeout_ms=5000)
        self.assertEqual((told["host"], told["server"]), ("localhost", server.name()))

    def test_the_list_is_for_people(self):
        told = subprocess.run([PROBE, "attack", "--list"], text=True, capture_output=True,
                              check=True, timeout=PATIENCE_S).stdout
        self.assertRegex(told, r"\n  relay-loopback +CVE-2018-4058 +high ")


if __name__ == "__main__":
    case.main()
