#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The container's entry script and health check, without a container: beside stand-ins for the
metadata services of Google Cloud and EC2, and with a relay that prints its environment.

Usage: entrypoint_test.py FOLDER     (which has the two scripts)
"""
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

FOLDER = pathlib.Path(sys.argv[1]).resolve()
TOKEN = "imds-token-4711"
RELAY = "#!/bin/sh\necho \"I am ${0##*/} $*\"\nenv\n"
GCE = {
    "/gce/instance/network-interfaces/0/access-configs/0/external-ip": "203.0.113.5",
    "/gce/instance/network-interfaces/0/ipv6s": "2600:1900:4000::5/96\n2600:1900:4000::6/96\n",
    "/gce/instance/id": "4711",
    "/gce/instance/name": "relay-a1b2\n",
    "/gce/instance/zone": "projects/123/zones/us-east1-b",
}
EC2 = {"/ec2/meta-data/public-ipv4": "198.51.100.7\n", "/ec2/meta-data/ipv6": "2001:db8::7"}


class Metadata(http.server.BaseHTTPRequestHandler):
    """Strict as the real ones: without its header or token a request is refused."""

    def answer(self, code, text=""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        server = self.server
        server.asked.append(self.path)
        is_good = (self.path == "/ec2/api/token" and
                   self.headers["X-aws-ec2-metadata-token-ttl-seconds"] == "60")
        self.answer(200, TOKEN) if is_good else self.answer(400)

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        if server.failures > 0:
            server.failures -= 1
            self.answer(503)
        elif self.path.startswith("/gce/") and self.headers["Metadata-Flavor"] != "Google":
            self.answer(403)
        elif self.path.startswith("/ec2/") and self.headers["X-aws-ec2-metadata-token"] != TOKEN:
            self.answer(401)
        elif self.path in server.answers:
            self.answer(200, server.answers[self.path])
        else:
            self.answer(404, "<html>not found</html>")

    def log_message(self, *_):
        pass


class Entrypoint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("fairlead-relay", "other-relay"):
            (self.folder / name).write_text(RELAY, encoding="ascii")
            (self.folder / name).chmod(0o755)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
        self.server.answers, self.server.asked, self.server.failures = {**GCE, **EC2}, [], 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.port = self.server.server_address[1]

    def run_script(self, name, *words, **variables):
        base = f"http://127.0.0.1:{self.port}"
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}",
                       "FAIRLEAD_GCE_METADATA_URL": f"{base}/gce",
                       "FAIRLEAD_EC2_METADATA_URL": f"{base}/ec2",
                       "FAIRLEAD_METADATA_SECONDS": "3", "http_proxy": "http://127.0.0.1:1"}
        return subprocess.run([str(FOLDER / name), *words], text=True, capture_output=True,
                              timeout=30, check=False, env=environment | variables)

    def enter(self, *words, **variables):
        """What the relay was given: its first line, and its environment."""
        run = self.run_script("entrypoint.sh", *words, **variables)
        self.assertEqual(run.returncode, 0, run.stderr)
        first, *rest = run.stdout.splitlines()
        return first, dict(line.split("=", 1) for line in rest)

    def refuse(self, pattern, **variables):
        run = self.run_script("entrypoint.sh", **variables)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertRegex(run.stderr, pattern)

    def test_without_a_variable_it_asks_nobody(self):
        first, environment = self.enter()
        self.assertEqual(first, "I am fairlead-relay ")
        self.assertNotIn("PUBLIC_IP4_ADDR", environment)
        self.assertEqual(self.server.asked, [])

    def test_options_are_the_relays_and_a_command_is_another_program(self):
        self.assertEqual(self.enter("--listen-port", "3479")[0],
                         "I am fairlead-relay --listen-port 3479")
        self.assertEqual(self.enter("other-relay", "a b")[0], "I am other-relay a b")

    def test_google_cloud_tells_both_addresses(self):
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata")
        self.assertEqual(environment["PUBLIC_IP4_ADDR"], "203.0.113.5")
        self.assertEqual(environment["PUBLIC_IP6_ADDR"], "2600:1900:4000::5")

    def test_ec2_tells_both_addresses_for_a_token(self):
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="aws_ec2_metadata")
        self.assertEqual(environment["PUBLIC_IP4_ADDR"], "198.51.100.7")
        self.assertEqual(environment["PUBLIC_IP6_ADDR"], "2001:db8::7")

    def test_an_address_that_is_given_is_not_asked_for(self):
        for method in ("gce_metadata", "aws_ec2_metadata"):
            _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD=method,
                                        PUBLIC_IP4_ADDR="192.0.2.1", PUBLIC_IP6_ADDR="2001:db8::1")
            self.assertEqual(environment["PUBLIC_IP4_ADDR"], "192.0.2.1")
            self.assertEqual(environment["PUBLIC_IP6_ADDR"], "2001:db8::1")
        self.assertEqual(self.server.asked, [])

    def test_an_empty_variable_is_one_that_is_not_given(self):
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata",
                                    PUBLIC_IP4_ADDR="", PUBLIC_IP6_ADDR="")
        self.assertEqual(environment["PUBLIC_IP4_ADDR"], "203.0.113.5")
        self.assertEqual(self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="")[0], "I am fairlead-relay ")

    def test_a_host_of_one_family_has_one_address(self):
        del self.server.answers["/gce/instance/network-interfaces/0/ipv6s"]
        self.server.answers["/ec2/meta-data/public-ipv4"] = ""
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata")
        self.assertEqual(environment["PUBLIC_IP4_ADDR"], "203.0.113.5")
        self.assertFalse(environment.get("PUBLIC_IP6_ADDR"))
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="aws_ec2_metadata")
        self.assertFalse(environment.get("PUBLIC_IP4_ADDR"))
        self.assertEqual(environment["PUBLIC_IP6_ADDR"], "2001:db8::7")

    def test_a_service_that_does_not_answer_yet_is_asked_again(self):
        self.server.failures = 1
        _, environment = self.enter(LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata")
        self.assertEqual(environment["PUBLIC_IP4_ADDR"], "203.0.113.5")

    def test_without_any_address_no_relay_is_started(self):
        self.server.answers = {}
        self.refuse("gce_metadata tells no public address",
                    LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata")
        self.refuse("aws_ec2_metadata tells no public address",
                    LISTEN_ADDRESS_DISCOVERY_METHOD="aws_ec2_metadata")
        self.refuse("tells no public address", LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata",
                    FAIRLEAD_GCE_METADATA_URL="http://127.0.0.1:1", FAIRLEAD_METADATA_SECONDS="1")

    def test_a_page_in_place_of_an_address_is_none(self):
        for answer in ("<html>203.0.113.5</html>", "203.0.113.5; reboot", "x" * 100000,
                       "$(reboot)", "\n\n203.0.113.5"):
            self.server.answers = {path: answer for path in GCE}
            self.refuse("tells no public address", LISTEN_ADDRESS_DISCOVERY_METHOD="gce_metadata")

    def test_an_unknown_method_is_named(self):
        self.refuse("not 'azure'", LISTEN_ADDRESS_DISCOVERY_METHOD="azure")
        self.refuse("not 'azure'", OTEL_METADATA_DISCOVERY_METHOD="azure")

    def test_what_telemetry_says_of_the_instance(self):
        _, environment = self.enter(OTEL_METADATA_DISCOVERY_METHOD="gce_metadata")
        found = ("service.instance.id=4711,gcp.gce.instance.name=relay-a1b2,"
                 "cloud.region=us-east1-b")
        self.assertEqual(environment["OTEL_RESOURCE_ATTRIBUTES"], found)
        _, environment = self.enter(OTEL_METADATA_DISCOVERY_METHOD="gce_metadata",
                                    OTEL_RESOURCE_ATTRIBUTES="a=b,c=d")
        self.assertEqual(environment["OTEL_RESOURCE_ATTRIBUTES"], found + ",a=b,c=d")

    def test_the_relay_starts_without_what_telemetry_would_say(self):
        self.server.answers = {}
        _, environment = self.enter(OTEL_METADATA_DISCOVERY_METHOD="gce_metadata",
                                    OTEL_RESOURCE_ATTRIBUTES="a=b")
        self.assertEqual(environment["OTEL_RESOURCE_ATTRIBUTES"], "a=b")

    def test_a_token_or_the_file_that_has_it(self):
        self.assertEqual(self.enter(FIREZONE_TOKEN=".SFMyNTY.abc")[1]["FIREZONE_TOKEN"],
                         ".SFMyNTY.abc")
        file = self.folder / "token"
        file.write_text(".SFMyNTY.def\n", encoding="ascii")
        self.assertEqual(self.enter(FIREZONE_TOKEN=str(file))[1]["FIREZONE_TOKEN"],
                         ".SFMyNTY.def")

    def test_the_health_check_asks_where_the_relay_answers(self):
        self.server.answers = {"/readyz": "ok"}
        for address in (f"127.0.0.1:{self.port}", f"0.0.0.0:{self.port}", f":{self.port}"):
            run = self.run_script("healthcheck.sh", HEALTH_CHECK_ADDR=address)
            self.assertEqual((run.returncode, run.stdout), (0, ""), run.stderr)
        self.assertEqual(self.server.asked, ["/readyz"] * 3)
        self.server.failures = 1
        self.assertNotEqual(self.run_script("healthcheck.sh", HEALTH_CHECK_ADDR=address)
                            .returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
