#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-probe conform against our relay in both manners, against Debian's coturn as a check of
the probe itself (its known gaps and no more), and against servers that misbehave.

Usage: probe_conform_test.py RELAY PROBE [Case.test...]
"""
import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import case
import junit
from coturn import Coturn
from sandbox import PATIENCE_S
from weak import Weak

if "FAIRLEAD_PROBE" not in os.environ:  # case.main() may start this file anew
    os.environ["FAIRLEAD_PROBE"] = os.path.abspath(sys.argv.pop(2))
PROBE = os.environ["FAIRLEAD_PROBE"]
KNOWN = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging" / "known"

# What the RFCs have and our relay has not, on purpose (docs/conformance.md), and where its relayed
# ports are in these tests.
RELAY = {
    "binding-software": "warn",
    "allocate-software": "warn",
    "allocate-port-dynamic": "warn",
    "channel-reserved-400": "fail",
}
# Of Firezone's manner, which is that of its own relay.
FIREZONE = {
    "auth-no-username-400": "fail",
    "auth-no-nonce-400": "fail",
    "auth-unknown-user-401": "fail",
    "sha256-anonymity": "lacks",
    "family-permission-443": "fail",
    "family-refresh-443": "fail",
    "permission-no-address-400": "fail",
    "permission-strange-family-400": "fail",
    "permission-mismatch-437": "fail",
    "channel-permits": "fail",
    "channel-and-indication": "fail",
    "data-two-clients": "fail",  # one allocation for each user: the second takes the first one's place
}
# Of coturn 4.6.1; docs/conformance.md has the RFC's words and coturn's answer to each.
COTURN = {
    "binding-unexpected-known": "warn",
    "framing-wrong-cookie": "lacks",
    "framing-unknown-method": "fail",
    "framing-wrong-class": "fail",
    "framing-overrun": "fail",
    "auth-behind-integrity": "fail",
    "sha256-nonce-cookie": "fail",
    "sha256-offer": "lacks",
    "sha256-anonymity": "lacks",
    "allocate-port-dynamic": "warn",
    "allocate-unknown-transport-442": "fail",
    "port-token-once-508": "fail",
    "port-token-unknown-508": "fail",
    "family-additional": "fail",
    "family-additional-served": "lacks",
    "permission-short-address-400": "fail",
    "permission-strange-family-400": "fail",
    "permission-mismatch-437": "fail",
    "channel-reserved-400": "fail",
    "channel-mismatch-437": "fail",
    "data-icmp": "warn",
}
# coturn keeps a deleted allocation for a moment, which may or may not be over when it is asked again.
COTURN_SOMETIMES = {"refresh-deleted-437", "refresh-allocate-anew", "data-after-deletion",
                    "permission-ends-with-allocation"}


class Conform(case.Case):
    def probe(self, server, *options, exit_code=0, user=("--user", "alice", "--pass", "wonder"),
              is_json=True, timeout_ms=20000):
        command = [PROBE, "conform", server, *user, "--timeout", str(timeout_ms), *options]
        if is_json:
            command += ["--format", "json"]
        done = subprocess.run(command, text=True, capture_output=True, check=False,
                              timeout=2 * PATIENCE_S + 100)
        self.outputs.append(done.stdout[-20000:] + done.stderr)
        if exit_code is not None:
            self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout) if is_json else done.stdout

    def findings(self, told):
        return {one["id"]: one["verdict"] for one in told["results"]
                if one["verdict"] not in ("pass", "skip")}

    def skipped(self, told):
        return {one["id"]: one["came"] for one in told["results"] if one["verdict"] == "skip"}


class OurRelay(Conform):
    def test_it_passes_all_that_it_means_to(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--allow-peer", "::1", "--user", "bob:builder",
                         hosts=("127.0.0.1", "::1"), announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", "--other-user", "bob", "--other-pass", "builder",
                          exit_code=1)
        self.assertEqual(self.findings(told), RELAY)
        self.assertEqual(self.skipped(told), {})
        self.assertGreaterEqual(len(told["results"]), 180)

    def test_it_passes_over_ip6_and_with_a_shared_secret(self):
        one = self.relay("--allow-peer", "::1", "--auth-secret", "north", user=None,
                         hosts=("127.0.0.1", "::1"), announced=[".*"])
        told = self.probe(f"[::1]:{one.port}", exit_code=1, user=("--auth-secret", "north"))
        # A name that is made of a secret cannot be found by its hash.
        self.assertEqual(self.findings(told), RELAY | {"sha256-anonymity": "lacks"})
        self.assertEqual(sorted(self.skipped(told)),
                         ["sha256-userhash", "sha256-userhash-unknown-401"])

    def test_it_passes_with_software_and_what_is_known_does_not_count(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--software", "fairlead", announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", "--known-file", KNOWN / "fairlead-relay.conform",
                          "--only", "channel", "--only", "allocate-success")
        self.assertEqual(self.findings(told), {"channel-reserved-400": "fail"})
        self.assertEqual(told["gone"], [])
        told = self.probe(f"127.0.0.1:{one.port}", "--strict", "--only", "binding-software", "--known",
                          "channel-reserved-400")
        self.assertEqual(told["counts"]["pass"], 1)

    def test_where_it_forbids_the_peers_nothing_is_a_fault_and_no_all_clear(self):
        # It permits their address, which is that of other clients' relayed ports, but not theirs.
        one = self.relay(announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", "--only", "data", "--jobs", "16", exit_code=5,
                          timeout_ms=8000)
        self.assertEqual(self.findings(told), {})
        skipped = self.skipped(told)
        self.assertIn("must allow --peer-address", skipped["data-to-peer"])
        self.assertIn("must allow --peer-address", skipped["data-icmp"])
        self.assertGreaterEqual(len(skipped), 9)

    def test_without_a_credential_it_is_no_all_clear_unless_told(self):
        one = self.relay("--software", "x", announced=[".*"])
        asked = (f"127.0.0.1:{one.port}", "--only", "binding", "--only", "refresh")
        told = self.probe(*asked, exit_code=5, user=())
        self.assertGreater(told["counts"]["skip"], 5)
        self.assertEqual(told["counts"]["fail"], 0)
        self.assertIn("no all-clear", self.outputs[-1])
        self.probe(*asked, "--allow-skips", user=())

    def test_what_takes_a_user_who_is_refused_is_no_finding(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--software", "fairlead", announced=[".*"])
        told = self.probe(f"127.0.0.1:{one.port}", user=("--auth-secret", "wrong"), exit_code=1)
        self.assertIn("the server refuses the user by 401: look at", self.outputs[-1])
        self.assertEqual(self.findings(told), {})
        self.assertIn("refuses the user by 401", self.skipped(told)["auth-success"])

    def test_another_user_who_is_refused_is_told(self):
        one = self.relay("--allow-peer", "127.0.0.1", "--user", "bob:builder", announced=[".*"])
        for password, exit_code, verdict in (("builder", 0, "pass"), ("wrong", 1, "skip")):
            done = subprocess.run(
                [PROBE, "attack", f"127.0.0.1:{one.port}", "--user", "alice", "--pass", "wonder",
                 "--other-user", "bob", "--other-pass", password, "--only", "port-token-of-other",
                 "--format", "json", "--timeout", "20000"], text=True, capture_output=True,
                check=False, timeout=2 * PATIENCE_S + 100)
            self.outputs.append(done.stdout + done.stderr)
            result = json.loads(done.stdout)["results"][0]
            self.assertEqual((done.returncode, result["verdict"]), (exit_code, verdict), done.stderr)
        self.assertIn("refuses the other user by 401", result["came"])
        self.assertIn("look at --other-user and --other-pass", done.stderr)

    def test_a_server_has_a_name(self):
        one = self.relay(announced=[".*"])
        asked = ("--only", "binding-success")
        told = self.probe(f"localhost:{one.port}", "-4", *asked, user=())
        self.assertEqual(told["server"], f"127.0.0.1:{one.port}")
        self.assertEqual(told["host"], "localhost")
        self.assertIn("localhost is 127.0.0.1", self.outputs[-1])
        shown = self.probe(f"localhost:{one.port}", "--ip4", *asked, user=(), is_json=False)
        self.assertIn(f"conform of localhost (127.0.0.1:{one.port}), 1 checks", shown)

    def test_firezones_manner_is_that_of_its_own_relay(self):
        secret = "4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab"
        username = "2145916800:probe"
        digest = hashlib.sha256(f"2145916800:{secret}:probe".encode()).digest()
        password = base64.b64encode(digest).decode().rstrip("=")
        one = self.relay("--allow-peer", "127.0.0.1", "--allow-peer", "::1", "--stamp-secret", secret,
                         user=None, hosts=("127.0.0.1", "::1"), announced=[".*"])
        silent = ("auth-unknown-user", "channel-permits", "channel-and-indication",
                  "data-two-clients")  # what is waited for there does not come
        found = {}
        for options, timeout_ms in (([word for name in silent for word in ("--except", name)], 20000),
                                    ([word for name in silent for word in ("--only", name)], 6000)):
            told = self.probe(f"127.0.0.1:{one.port}", "--jobs", "1", "--realm", "firezone",
                              *options, exit_code=1, user=("--user", username, "--pass", password),
                              timeout_ms=timeout_ms)
            found |= self.findings(told)
        wanted = {**RELAY, **FIREZONE}
        del wanted["channel-reserved-400"]  # its channels end where RFC 8656 has them end
        self.assertEqual(found, wanted)


class Others(Conform):
    def setUp(self):
        super().setUp()
        case.needs_tool("turnserver")

    def test_its_known_gaps_are_found_and_no_more(self):
        server = Coturn("--allow-loopback-peers")
        self.addCleanup(server.close)
        # With what packaging/known says of it, nothing counts, and nothing has gone.
        told = self.probe(f"127.0.0.1:{server.port}", "--other-user", "bob", "--other-pass", "builder",
                          "--known-file", KNOWN / "coturn-4.6.1.conform")
        self.assertEqual(told["gone"], [])
        found = {name: verdict for name, verdict in self.findings(told).items()
                 if name not in COTURN_SOMETIMES}
        self.assertEqual(found, COTURN)


# --- servers that misbehave ----------------------------------------------------------------------

class Twisted:
    """A server that answers each request by what `answer` returns: (from the other port?, bytes)."""

    def __init__(self, answer):
        self.answer = answer
        self.one, self.other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.one.bind(("127.0.0.1", 0))
        self.other.bind(("127.0.0.1", 0))
        self.one.settimeout(0.2)
        self.is_running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.is_running:
            try:
                raw, client_address = self.one.recvfrom(2048)
            except socket.timeout:
                continue
            for is_other, reply in self.answer(raw, client_address):
                (self.other if is_other else self.one).sendto(reply, client_address)

    def name(self):
        return f"127.0.0.1:{self.one.getsockname()[1]}"

    def close(self):
        self.is_running = False
        self.thread.join()
        self.one.close()
        self.other.close()


def binding(raw, address):
    """A right answer to a Binding request."""
    port = address[1] ^ 0x2112
    ip = bytes(a ^ b for a, b in zip(socket.inet_aton(address[0]), b"\x21\x12\xa4\x42"))
    value = b"\0\x01" + port.to_bytes(2, "big") + ip
    return b"\x01\x01\0\x0c\x21\x12\xa4\x42" + raw[8:20] + b"\0\x20\0\x08" + value


class Misbehaving(Conform):
    def ask(self, answer, *options, exit_code=1):
        server = Twisted(answer)
        self.addCleanup(server.close)
        told = self.probe(server.name(), *options, "--only", "binding-success", exit_code=exit_code,
                          timeout_ms=6000)
        return told["results"][0]

    def test_what_is_no_answer_is_told_as_such(self):
        # Each waits as long as an answer may take: side by side.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            garbage, elsewhere, stranger = pool.map(self.ask, (
                lambda raw, address: [(False, b"\xde\xad")],
                lambda raw, address: [(True, binding(raw, address))],
                lambda raw, address: [(False, binding(bytes(20), address))]))
        self.assertEqual(garbage["verdict"], "fail")
        self.assertIn("no answer within 6000 ms; there came from", garbage["came"])
        self.assertIn("2 bytes that are neither STUN nor ChannelData dead", garbage["came"])
        self.assertIn("there came from 127.0.0.1:", elsewhere["came"])
        self.assertIn("Binding success response", elsewhere["came"])
        self.assertIn("no answer", stranger["came"])

    def test_a_right_answer_among_garbage_is_found(self):
        found = self.ask(lambda raw, address: [(False, b"x"), (True, b"y"),
                                               (False, binding(raw, address)), (False, b"")],
                         exit_code=0)
        self.assertEqual(found["verdict"], "pass")

    def test_an_answer_that_is_malformed_is_told_as_such(self):
        def answer(raw, address):
            good = bytearray(binding(raw, address))
            good[23] = 40
            return [(False, bytes(good))]

        found = self.ask(answer)
        self.assertIn("attributes overrun", found["came"])

    def test_all_checks_end_with_such_a_server(self):
        server = Twisted(lambda raw, address: [(False, raw), (True, raw), (False, raw[:7])])
        self.addCleanup(server.close)
        told = self.probe(server.name(), "--jobs", "32", exit_code=1, timeout_ms=3000)
        self.assertEqual(told["counts"]["pass"], 0)

    def test_one_that_lets_go_of_ports_and_quota_later_is_waited_for(self):
        server = Weak("late-ports", "late-quota")
        self.addCleanup(server.close)
        told = self.probe(server.name(), "--only", "refresh-success", timeout_ms=6000)
        self.assertEqual(told["counts"]["pass"], 1)
        self.assertEqual(len(server.late), 3)

    def test_a_server_that_never_answers_is_3(self):
        server = Twisted(lambda raw, address: [])
        self.addCleanup(server.close)
        done = subprocess.run([PROBE, "conform", server.name(), "--timeout", "300"], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3)
        self.assertIn("does not answer", done.stderr)


class Telling(Conform):
    # Of which this server, that answers all requests by success, fails the first.
    three = ("--only", "binding-unknown-420", "--only", "binding-success", "--only", "binding-software")

    def setUp(self):
        super().setUp()
        self.server = Twisted(lambda raw, address: [(False, binding(raw, address))])
        self.addCleanup(self.server.close)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def known(self, text):
        """The path of a file of known findings."""
        with open(self.path("known"), "w", encoding="utf-8") as file:
            file.write(text)
        return file.name

    def test_the_table_is_for_people(self):
        told = self.probe(self.server.name(), "--only", "binding", "--hex", exit_code=1,
                          is_json=False, user=())
        self.assertRegex(told, r"\nfail  binding-unknown-420  \(RFC 8489, 6.3.1, MUST\)\n")
        self.assertIn('the RFC: "If the request contains one or more unknown', told)
        self.assertIn("expected: an error response with code 420\n", told)
        self.assertIn("came: Binding success response, XOR-MAPPED-ADDRESS 127.0.0.1:", told)
        self.assertRegex(told, r"> client 0: Binding request, attribute 0x7f71")
        self.assertIn("00010008", told)
        self.assertRegex(told, r"\nBinding +\d+")

    def test_junit_is_xml_with_each_check(self):
        path = self.path("junit.xml")
        self.probe(self.server.name(), "--only", "binding", "--format", "junit", "--output", path,
                   exit_code=1, is_json=False, user=())
        suites = junit.read(path)
        cases = suites.findall("testsuite/testcase")
        self.assertGreater(len(cases), 10)
        suite = suites.find("testsuite")
        self.assertEqual(suite.get("tests"), str(len(cases)))
        self.assertEqual(int(suite.get("failures")),
                         len([one for one in cases if one.find("failure") is not None]))
        failed = {one.get("name") for one in cases if one.find("failure") is not None}
        self.assertIn("binding-unknown-420", failed)
        self.assertNotIn("binding-software", failed)  # which servers may leave out
        self.assertEqual(suites.get("name"), "fairlead-probe conform")
        self.assertEqual({one.find("skipped").get("type") for one in cases
                          if one.get("name") == "binding-software"}, {"warn"})
        self.assertEqual(suite.find("properties/property").get("value"), self.server.name())

    def test_what_is_known_is_told_as_such_in_all_forms(self):
        known = self.known("binding-unknown-420 fail # its makers <know>\n")
        asked = (self.server.name(), *self.three, "--known-file", known)
        told = self.probe(*asked, exit_code=0, user=())
        one = {one["id"]: one for one in told["results"]}["binding-unknown-420"]
        self.assertEqual((one["verdict"], one["is_known"], one["counts"]), ("fail", True, False))
        self.assertEqual(one["known_reason"], "its makers <know>")
        shown = self.probe(*asked, is_json=False, user=())
        self.assertRegex(shown, r"\nfail  binding-unknown-420  .*  known: its makers <know>\n")
        self.assertIn("findings that count: 0; known: 1\n", shown)
        table = self.probe(*asked, "--format", "markdown", is_json=False, user=())
        self.assertIn("| `binding-unknown-420` | RFC 8489, 6.3.1 | fail | known: Binding", table)
        path = self.path("junit.xml")
        self.probe(*asked, "--format", "junit", "--output", path, is_json=False, user=())
        case_of = {one.get("name"): one for one in junit.read(path).iter("testcase")}
        self.assertRegex(case_of["binding-unknown-420"].find("skipped").get("message"),
                         "^known: its makers <know>: Binding success response")

    def test_what_is_new_fails_and_what_has_gone_is_told(self):
        known = self.known("# of an older one\nbinding-success fail\n")
        told = self.probe(self.server.name(), *self.three, "--known-file", known, exit_code=1, user=())
        self.assertEqual(told["gone"], ["binding-success"])
        self.assertIn(f"gone: binding-success is known, but is not found any more: take it out of "
                      f"{known}, line 2", self.outputs[-1])
        self.assertIn("findings that count: 1 (binding-unknown-420); known: 0", self.outputs[-1])

    def test_what_is_written_as_known_is_known(self):
        known = self.known("binding-success fail\nrefresh-success # elsewhere\n"
                           "binding-unknown-420 fail # ours\n")
        asked = (self.server.name(), "--only", "binding", "--only", "allocate")
        self.probe(*asked, "--known-file", known, "--write-known", known, user=())
        with open(known, encoding="utf-8") as file:
            written = file.read()
        self.assertNotIn("binding-success ", written)
        self.assertRegex(written, r"\nbinding-unknown-420 +fail +# ours\n")
        self.assertRegex(written, r"\nbinding-software +warn +# expected an answer with SOFTWARE\n")
        self.assertRegex(written, r"\nallocate-success +skip +# no user of the server is known")
        self.assertRegex(written, r"\nrefresh-success +# elsewhere\n")
        told = self.probe(*asked, "--strict", "--known-file", known, user=())
        self.assertEqual(told["gone"], [])

    def test_an_answer_that_comes_and_goes_is_told_as_that(self):
        order = []

        def answer(raw, address):  # the greeting, and three times the check
            if raw[8:20] not in order:
                order.append(raw[8:20])
            is_good = order.index(raw[8:20]) != 2
            return [(False, binding(raw, address) if is_good
                     else b"\x01\x11\0\x08\x21\x12\xa4\x42" + raw[8:20] + b"\0\x09\0\x04\0\0\5\0")]

        server = Twisted(answer)
        self.addCleanup(server.close)
        asked = (server.name(), "--only", "binding-success", "--repeat", "3")
        told = self.probe(*asked, exit_code=1, user=())
        found = told["results"][0]
        self.assertEqual((found["verdict"], found["asked"], found["found"]), ("fail", 3, 1))
        order.clear()
        shown = self.probe(*asked, exit_code=1, is_json=False, user=())
        self.assertRegex(shown, r"\nfail  binding-success  .*  1 of 3 times\n")
        order.clear()
        known = self.path("known")
        self.probe(*asked, "--write-known", known, user=())
        with open(known, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"\nbinding-success +fail +sometimes +# ")

    def test_datagrams_of_checks_that_are_named_are_told_when_they_pass_too(self):
        shown = self.probe(self.server.name(), "--only", "binding-success", "--details",
                           is_json=False, user=())
        self.assertRegex(shown, r"\npass  binding-success .*\n.*\n.* > client 0: Binding request\n")
        shown = self.probe(self.server.name(), "--details", "--except", "binding-unknown-420",
                           exit_code=None, is_json=False, user=())
        self.assertNotIn("\npass  binding-success", shown)

    def test_skips_take_one_line_for_each_reason(self):
        shown = self.probe(self.server.name(), "--only", "refresh", "--only", "channel", exit_code=5,
                           is_json=False, user=())
        self.assertEqual(shown.count("no user of the server is known"), 1)
        self.assertRegex(shown, r"\nskip  \d\d checks not tried: no user .*\n      refresh-success ")

    def test_without_a_user_only_what_anybody_may_ask_is_asked(self):
        told = self.probe(self.server.name(), exit_code=1, user=())
        self.assertIn("no user of the server is known", self.skipped(told)["refresh-success"])

    def test_markdown_has_a_row_for_each(self):
        told = self.probe(self.server.name(), "--only", "binding-success", "--format", "markdown",
                          is_json=False, user=())
        self.assertIn("| `binding-success` | RFC 8489, 12 | pass |", told)

    def test_wrong_use_is_2(self):
        for options in (["nowhere:0"], ["127.0.0.1", "--only", "nothing"], [], ["::1", "-4"],
                        ["127.0.0.1", "--known-file", "/dev/null/none"],
                        ["127.0.0.1", "--user", "a"], ["127.0.0.1", "--format", "pdf"],
                        ["127.0.0.1", "--auth-secret", "s", "--user", "a", "--pass", "b"]):
            done = subprocess.run([PROBE, "conform", *options], text=True, capture_output=True,
                                  check=False, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn("fairlead-probe: ", done.stderr)
            self.assertNotIn("in the file", done.stderr)  # there is none

    def test_that_no_check_is_left_is_2(self):
        for command, options, why in (
                ("conform", ("--only", "binding", "--except", "binding"), "--except leaves out all"),
                ("conform", ("--only", "expiry"), "these need --slow"),
                ("attack", ("--only", "nonce-old"), "these need --slow")):
            done = subprocess.run([PROBE, command, self.server.name(), *options], text=True,
                                  capture_output=True, check=False, timeout=PATIENCE_S)
            self.assertEqual((done.returncode, done.stdout), (2, ""), options)
            self.assertIn("no check is left to be run: " + why, done.stderr)

    def test_the_commands_of_the_page_are_right(self):
        page = (KNOWN.parent.parent / "docs" / "probe-in-ci.md").read_text(encoding="utf-8")
        script = re.search(r"<!-- ci/turn-check -->\n```\n(.*?)```", page, re.S)[1].replace("\\\n", "")
        commands = re.findall(r"^fairlead-probe (.*?)(?: >.*)? \|\|", script, re.M)
        self.assertEqual(len(commands), 4)
        for command in commands:
            words = [str(KNOWN / word.replace("ci/turn.", "coturn-4.6.1.")) if word.startswith("ci/")
                     else word for word in command.split()]
            done = subprocess.run([PROBE, *words, "--list"], text=True, capture_output=True, check=False,
                                  timeout=PATIENCE_S)
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_a_name_that_nobody_has_is_3(self):
        done = subprocess.run([PROBE, "conform", "nowhere.invalid"], text=True, capture_output=True,
                              check=False, timeout=2 * PATIENCE_S)
        self.assertEqual(done.returncode, 3)
        self.assertIn("fairlead-probe: nowhere.invalid: ", done.stderr)

    def test_the_list_needs_no_server(self):
        done = subprocess.run([PROBE, "conform", "--list"], text=True, capture_output=True,
                              check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"allocate-twice-437 +RFC 8656, 7.2 +MUST ")


if __name__ == "__main__":
    case.main()
