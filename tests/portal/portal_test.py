#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay and its portal: what each says, and what becomes of the relay that is refused."""
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conform")]
import case
import relay
from certificates import certify
from firezone_test import OFFER
from portal_case import REFUSED, UNREACHED, PortalCase
from standin import TOKEN, instead_of_reply, refuse
import stun


class Joining(PortalCase):
    def test_it_says_what_firezones_relay_says_and_leaves_when_it_ends(self):
        portal = self.portal()
        one = self.join(portal)
        portal.wait_for("joined")
        one.wait_for_log("portal joined host=127.0.0.1")
        one.stop()
        portal.wait_for("leave")
        self.assertEqual(portal.wait_for("close").detail, (1000).to_bytes(2, "big"))
        self.assertEqual(portal.count, 1)

    def test_it_tells_name_addresses_and_port_below_the_path_of_the_url(self):
        portal = self.portal(base="/some/base/", scheme="http")
        port = relay.free_ports(1)
        portal.expect_relay(port, "relay: Zürich & co/1", "127.0.0.1", "::1")
        self.relay(TOKEN, "relay: Zürich & co/1", "--api-url", portal.url + "?x=y#z", user=None,
                   port=port, hosts=("127.0.0.1", "::1"))
        portal.wait_for("joined")

    def test_an_ip6_address_is_a_host_too(self):
        portal = self.portal(host="::1", name="[::1]")
        self.join(portal)
        portal.wait_for("joined")

    def test_the_token_may_lie_in_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(f"\n  {TOKEN[:20]}\n{TOKEN[20:]} \r\n")
            file.flush()
            portal = self.portal()
            self.join(portal, environment={"FIREZONE_TOKEN": file.name})
            portal.wait_for("joined")

    def test_a_secret_that_is_given_is_kept(self):
        portal = self.portal()
        self.join(portal, "--stamp-secret", "0123456789abcdef" * 4)
        portal.wait_for("joined")
        self.assertEqual(portal.secrets, ["0123456789abcdef" * 4])

    def test_the_token_is_shown_to_nobody(self):
        portal = self.portal()
        one = self.join(portal, portal.token)
        portal.wait_for("joined")
        for name in ("cmdline", "environ"):
            with open(f"/proc/{one.process.pid}/{name}", "rb") as file:
                self.assertNotIn(portal.token.encode()[4:], file.read())
        one.stop()
        for secret in (portal.token, portal.secrets[0]):
            self.assertNotIn(secret, one.log() + one.errors())


class Tls(PortalCase):
    @classmethod
    def setUpClass(cls):
        case.needs_tool("openssl")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        cls.folder = folder.name
        for name in ("good", "other"):
            certify(name, f"{cls.folder}/{name}.pem", f"{cls.folder}/{name}.key",
                    "-addext", "subjectAltName=DNS:localhost")

    def secure(self, *manners, **more):
        return self.portal(*manners, scheme="wss", **{
            "name": "localhost",
            "certificate": (f"{self.folder}/good.pem", f"{self.folder}/good.key")} | more)

    def test_certificates_of_the_system_or_of_a_file_are_trusted(self):
        for options, variables in (
                (["--portal-ca", f"{self.folder}/good.pem"], {}),
                ([], {"FAIRLEAD_PORTAL_CA": f"{self.folder}/good.pem"}),
                ([], {"SSL_CERT_FILE": f"{self.folder}/good.pem"})):
            with self.subTest(options=options, variables=variables):
                portal = self.secure()
                self.join(portal, *options, environment=variables)
                portal.wait_for("joined")

    def test_others_are_not(self):
        unknown = "is signed by itself, and not trusted here"
        for options, variables, host, why in (
                ([], {}, "localhost", unknown),
                (["--portal-ca", f"{self.folder}/other.pem"], {}, "localhost", unknown),
                (["--portal-ca", f"{self.folder}/other.pem"],
                 {"SSL_CERT_FILE": f"{self.folder}/good.pem"}, "localhost", unknown),
                (["--portal-ca", f"{self.folder}/good.pem"], {}, "127.0.0.1",
                 "is not for 127.0.0.1 but for localhost")):
            with self.subTest(options=options, host=host):
                portal = self.secure(name=host)
                one = self.join(portal, *options, announced=[UNREACHED], environment=variables)
                one.wait_for_log(f"portal out of reach.*the certificate.* {why}")
                portal.wait_for("tcp", 2)
                self.assertEqual(portal.find("request"), [])
                self.assertTrue(one.answers("127.0.0.1"))

    def test_a_handshake_that_is_not_answered_is_given_up(self):
        portal = self.portal(scheme="wss")  # waits for HTTP
        start_s = time.monotonic()
        one = self.join(portal, announced=[UNREACHED])
        self.assertGreaterEqual(portal.wait_for("tcp", 2).time_s - start_s, 5)
        one.wait_for_log("portal out of reach.*no answer to TLS in time")

    def test_a_file_without_certificates_is_told_at_start(self):
        for path in ("/dev/null", "/nonexistent.pem", f"{self.folder}/good.key"):
            run = subprocess.run([relay.program(), TOKEN, "--api-url", "wss://localhost",
                                  "--portal-ca", path, "--bind-ip4-addr", "127.0.0.1",
                                  "--listen-port", str(relay.free_ports(1))], check=False,
                                 capture_output=True, text=True, timeout=20, env=relay.ENVIRONMENT)
            self.assertEqual(run.returncode, 1, run)
            self.assertIn("--portal-ca has no certificates that can be read", run.stdout)


class Refusals(PortalCase):
    def test_a_rejected_token_is_said_clearly_and_ends_the_relay(self):
        portal = self.portal(refuse(401, {"Content-Type": "application/problem+json"},
                                    b'{"type":"invalid_token","status":401}'))
        one = self.join(portal, announced=REFUSED, is_answering=False)
        self.expect_exit_1(one, "portal refuses the relay for good .*it rejects the token.*401")
        self.assertEqual(portal.count, 1)

    def test_a_refused_join_ends_the_relay(self):
        portal = self.portal(instead_of_reply(
            lambda self, join: self.reply("relay", join["ref"], "error", {"reason": "denied"})))
        one = self.join(portal, announced=REFUSED, is_answering=False)
        self.expect_exit_1(one, "portal refuses .*it refuses the join.*said=denied")

    def test_an_expired_token_cuts_no_call(self):
        portal = self.portal()
        one = self.join(portal, "--drain-timeout", "60")
        portal.wait_for("joined")
        node = self.node(one, portal.secrets[0])
        node.allocate()
        peer = self.relays_with(node)
        portal.connections[0].say("relay", "disconnect", {"reason": "token_expired"})
        one.wait_for_log("ending, since the portal refuses the relay")
        self.relays_to(node, peer)
        self.node(one, portal.secrets[0], "another").expect(401, stun.ALLOCATE, OFFER)
        node.expect(None, stun.REFRESH, [*OFFER, (stun.LIFETIME, 0)])
        self.expect_exit_1(one, "portal refuses .*the token has expired")
        self.assertEqual(portal.count, 1)

    def test_retry_after_is_heeded_and_other_statuses_are_tried_again(self):
        portal = self.portal(refuse(503, {"Retry-After": "3"}), refuse(500), refuse(200))
        start_s = time.monotonic()
        one = self.join(portal, announced=[UNREACHED])
        self.assertGreaterEqual(portal.wait_for("tcp", 2).time_s - start_s, 3)
        one.wait_for_log("portal out of reach.*status=503 wait_ms=3000")
        portal.wait_for("joined")

    def test_a_redirection_gets_no_token(self):
        other = self.portal()
        portal = self.portal(refuse(302, {"Location": other.url + "/x"}),
                             refuse(307, {"Location": "/elsewhere"}))
        self.join(portal, announced=[UNREACHED])
        portal.wait_for("joined")
        self.assertEqual(other.count, 0)


if __name__ == "__main__":
    case.main()
