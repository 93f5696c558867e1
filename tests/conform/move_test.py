#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A deployment of Firezone's relay whose program is exchanged, and nothing else: it starts and serves.

docs/migrate-from-firezone.md says what each option and variable does here.
"""
import http.client
import pathlib
import re
import subprocess

import case
import relay

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "migrate-from-firezone.md"
TOKEN = ".SFMyNTY.g2gDaANtAAAAA2FiY20AAAAA"
# All that Firezone's relay knows: option (None: a variable alone), variable, a value it takes.
OPTIONS = [
    ("--public-ip4-addr", "PUBLIC_IP4_ADDR", "203.0.113.5"),
    ("--public-ip6-addr", "PUBLIC_IP6_ADDR", "2001:db8::5"),
    ("--bind-ip4-addr", "BIND_IP4_ADDR", "0.0.0.0"),
    ("--bind-ip6-addr", "BIND_IP6_ADDR", "::"),
    ("--listen-port", "LISTEN_PORT", "3478"),
    ("--lowest-port", "LOWEST_PORT", "49152"),
    ("--highest-port", "HIGHEST_PORT", "65535"),
    ("--api-url", "FIREZONE_API_URL", "ws://127.0.0.1:8081"),
    ("--rng-seed", "RNG_SEED", "0"),
    ("--log-format", "LOG_FORMAT", "json"),
    ("--otlp-grpc-endpoint", "OTLP_GRPC_ENDPOINT", "127.0.0.1:4317"),
    ("--ebpf-offloading", "EBPF_OFFLOADING", "lo"),
    ("--ebpf-attach-mode", "EBPF_ATTACH_MODE", "generic"),
    ("--ebpf-int4-addr", "EBPF_INT4_ADDR", "10.0.0.5"),
    ("--ebpf-int6-addr", "EBPF_INT6_ADDR", "fd00::5"),
    ("--health-check-addr", "HEALTH_CHECK_ADDR", "0.0.0.0:8080"),
    ("--control-endpoint", "CONTROL_ENDPOINT", "127.0.0.1:9999"),
    ("--num-worker-threads", "NUM_WORKER_THREADS", "2"),
    ("--telemetry", "TELEMETRY", "false"),
    (None, "FIREZONE_TOKEN", TOKEN),
    (None, "FIREZONE_NAME", "relay-1"),
    (None, "RUST_LOG", "info,relay=debug"),
    (None, "RUST_BACKTRACE", "1"),
]
# Of the container's entry script, and of versions that are gone.
SCRIPT = ["LISTEN_ADDRESS_DISCOVERY_METHOD", "OTEL_METADATA_DISCOVERY_METHOD"]
GONE = {"LISTEN_IP4_ADDR": "127.0.0.1", "LISTEN_IP6_ADDR": "::1", "PORTAL_WS_URL": "ws://x",
        "PORTAL_TOKEN": "x", "ALLOW_INSECURE_WS": "true", "METRICS_ADDR": "127.0.0.1:9090",
        "JSON_LOG": "true", "TRACE_COLLECTOR": "otlp", "GOOGLE_CLOUD_PROJECT_ID": "x",
        "FIREZONE_TELEMETRY": "true"}
ENVIRONMENT = {variable: value for _, variable, value in OPTIONS}
# Nobody plays the portal or the collector here, and the addresses are not this host's.
ANNOUNCED = ["portal", "telemetry", "OTLP", "inner address", "default route", "limit of descriptors"]


def ask(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


class Move(case.Case):
    def serve(self, *words, environment, hosts=("127.0.0.1", "::1")):
        """It answers, whatever else is not there."""
        return self.relay(*words, is_bare=True, port=3478, hosts=hosts, announced=ANNOUNCED, environment=environment)

    def test_by_its_environment(self):
        one = self.serve(environment=ENVIRONMENT | GONE)
        one.wait_for_log("203.0.113.5:3478")
        one.wait_for_log("has no effect here")

    def test_by_its_arguments(self):
        words = [word for option, _, value in OPTIONS if option and option != "--telemetry"
                 for word in (option, value)]
        one = self.serve(*words, TOKEN, "relay-1", environment={})
        one.wait_for_log("203.0.113.5:3478")

    def test_health_and_control_are_where_firezones_are(self):
        one = self.serve(environment={"FIREZONE_TOKEN": TOKEN, "PUBLIC_IP4_ADDR": "203.0.113.5",
                                      "FIREZONE_API_URL": "ws://127.0.0.1:8081"},
                         hosts=("127.0.0.1",))
        self.assertEqual(ask(8080, "GET", "/healthz"), 200)
        self.assertEqual(ask(8080, "GET", "/readyz"), 503)  # the portal does not know it
        self.assertEqual(ask(9999, "POST", "/log_filter?directives=debug"), 200)
        one.stop()
        self.serve(environment={"FAIRLEAD_USER": "alice:wonder"}, hosts=("127.0.0.1",))
        for port in (8080, 9999):
            with self.assertRaises(ConnectionRefusedError):
                ask(port, "GET", "/healthz")

    def test_each_option_and_variable_is_understood_alone(self):
        """Beside a token, without which there is no portal to speak of."""
        base = {"FIREZONE_TOKEN": TOKEN, "FIREZONE_API_URL": "ws://127.0.0.1:8081"}
        for option, variable, value in OPTIONS:
            with self.subTest(variable):
                ways = [((), base | {variable: value})]
                if option:
                    others = {name: base[name] for name in base if name != variable}
                    ways.append(((f"{option}={value}",), others))
                for words, environment in ways:
                    run = subprocess.run([relay.program(), *words, "--check-config"], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         timeout=20, check=False,
                                         env=relay.ENVIRONMENT | environment)
                    self.assertEqual((run.returncode, run.stdout),
                                     (0, "fairlead-relay: the configuration is good\n"))

    def test_each_is_on_the_page(self):
        told = set(re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))
        wanted = {one for option, variable, _ in OPTIONS for one in (option, variable) if one}
        self.assertEqual((wanted | set(SCRIPT) | set(GONE)) - told, set())


if __name__ == "__main__":
    case.main()
