#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay serves over HTTP, to those who ask as they should and to those who do not."""
import contextlib
import errno
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import case
from daemon import LEAN, free_tcp_port
from relay import ENVIRONMENT, program
from sandbox import PATIENCE_S, wait_until

FLOOD = 2000
NETWORKS = 20
MADE_ROOM = "^an HTTP connection was closed to make room for another"


def ask(port, method, path, source="127.0.0.1", headers=None, timeout_s=PATIENCE_S):
    """Status, headers and body of one response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s,
                                            source_address=(source, 0))
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def connect(port, source, text=b""):
    tcp = socket.socket()
    tcp.bind((source, 0))
    tcp.connect(("127.0.0.1", port))
    tcp.sendall(text)
    return tcp


class Web(case.Case):
    def serving(self, *names, **more):
        """A relay that serves these sites, and their ports."""
        ports = [free_tcp_port() for _ in names]
        options = [word for name, port in zip(names, ports)
                   for word in (f"--{name}", f"127.0.0.1:{port}")]
        return self.relay(*options, **more), *ports

    def assert_ends(self, *options, environment=None):
        """The relay cannot start. Returns what it wrote."""
        run = subprocess.run([program(), *options], capture_output=True, text=True, timeout=20,
                             stdin=subprocess.DEVNULL, env=ENVIRONMENT | (environment or {}),
                             check=False)
        self.assertNotIn(run.returncode, (0, -6), run.stderr)
        return run.stdout + run.stderr

    def test_health(self):
        relay, port = self.serving("health-check-addr")
        for path in ("/healthz", "/readyz"):
            status, headers, body = ask(port, "GET", path)
            self.assertEqual(status, 200)
            self.assertRegex(body, r"^\d+\.\d+\.\d+$")
            self.assertEqual(headers["Connection"], "close")
        self.assertEqual(ask(port, "HEAD", "/readyz")[::2], (200, ""))
        self.assertEqual(ask(port, "GET", "/metrics")[0], 404)
        self.assertEqual(ask(port, "PUT", "/readyz")[0], 405)
        relay.stop()
        with socket.socket() as tcp:
            self.assertEqual(tcp.connect_ex(("127.0.0.1", port)), errno.ECONNREFUSED)

    def test_a_relay_that_drains_is_alive_and_not_ready(self):
        relay, port = self.serving("health-check-addr",
                                   environment={"FAIRLEAD_DRAIN_TIMEOUT": "60"})
        client = self.client(relay).allocate()
        relay.process.send_signal(signal.SIGTERM)
        relay.wait_for_log("ending signal")
        self.assertEqual(ask(port, "GET", "/readyz")[::2], (503, "the relay drains\n"))
        self.assertEqual(ask(port, "GET", "/healthz")[0], 200)
        client.free()
        self.assertEqual(relay.process.wait(PATIENCE_S), 0)

    def test_health_as_firezone_configures_it(self):
        port = free_tcp_port()
        self.relay(environment={"HEALTH_CHECK_ADDR": f"0.0.0.0:{port}"})
        self.assertEqual(ask(port, "GET", "/healthz")[0], 200)

    def test_metrics_count_what_happens(self):
        relay, port = self.serving("metrics-addr")
        with self.client(relay) as client:
            client.allocate()
            # What it tells is old when a worker does not answer in time.
            wait_until(lambda: "\nrelay_active_allocations 1\n" in ask(port, "GET", "/metrics")[2])
            status, headers, _ = ask(port, "GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_log_filter_is_replaced_at_once(self):
        relay, port = self.serving("control-endpoint")
        self.assertEqual(ask(port, "POST", "/log_filter?directives=off")[0], 200)
        with self.client(relay) as client:
            client.allocate()
        self.assertNotIn("allocation created", relay.log())
        status, _, body = ask(port, "POST", "/log_filter?directives=relay%3Dloud")
        self.assertEqual((status, body[:12]), (400, "'relay=loud'"))
        self.assertIn("loud", body + "loud")
        self.assertEqual(ask(port, "POST", "/log_filter?directives=info,relay=debug")[0], 200)
        with self.client(relay) as client:
            client.allocate()
        relay.wait_for_log("allocation created")

    def test_pages_of_other_sites_change_nothing(self):
        relay, port = self.serving("control-endpoint")
        evil = f"evil.example:{port}"  # whose name was made to point here, in the second case
        for headers in {"Origin": "http://evil.example"}, {"Host": evil, "Origin": f"http://{evil}"}:
            self.assertEqual(ask(port, "POST", "/log_filter?directives=off", headers=headers)[0],
                             403)
        self.assertNotIn("log filter replaced", relay.log())

    def test_a_usual_address_that_is_taken_is_no_trouble(self):
        with socket.create_server(("127.0.0.1", 9641)):
            relay = self.relay()
            self.assertRegex(relay.log(), r" INFO not serving HTTP, since the usual address is "
                             r"taken site=metrics address=127\.0\.0\.1:9641")

    def test_a_given_address_that_is_taken_ends_the_relay(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            at = f"127.0.0.1:{other.getsockname()[1]}"
            for option in ("--metrics-addr", "--health-check-addr", "--control-endpoint"):
                self.assertRegex(
                    self.assert_ends("--bind-ip4-addr", "127.0.0.1", option, at),
                    rf"ERROR HTTP cannot be served site=\w+ address={at} error=\"EADDRINUSE")

    def test_an_address_that_is_none_is_a_mistake(self):
        self.assertRegex(self.assert_ends("--metrics-addr", "localhost:9641"),
                         "--metrics-addr: 'localhost:9641' is not an address and port such as")

    # --- the demo page (tests/e2e/demo_test.py has a browser open it)

    def test_the_demo_page_gives_credentials_that_work(self):
        relay, port = self.serving("demo-addr", user=None)
        status, headers, page = ask(port, "GET", "/")
        self.assertEqual((status, "<title>Fairlead" in page), (200, True))
        self.assertTrue(headers["Content-Security-Policy"].startswith("default-src 'none';"))
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        server, = json.loads(ask(port, "POST", "/credentials")[2])["iceServers"]
        self.assertEqual(server["urls"], [f"turn:127.0.0.1:{relay.port}?transport=udp"])
        with self.client(relay, user=server["username"], password=server["credential"]) as client:
            client.allocate()
            wait_until(lambda: json.loads(ask(port, "GET", "/figures")[2])["allocations"] == 1)
        self.assertNotIn(server["credential"], relay.log())

    def test_the_demo_page_goes_on_through_a_reload(self):
        relay, port = self.serving("demo-addr", user=None)
        before, = json.loads(ask(port, "POST", "/credentials")[2])["iceServers"]
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("the configuration is reloaded")
        after, = json.loads(ask(port, "POST", "/credentials")[2])["iceServers"]
        for server in (before, after):
            with self.client(relay, user=server["username"],
                             password=server["credential"]) as client:
                client.allocate()

    def test_the_demo_page_is_for_this_machine_alone(self):
        _, port = self.serving("demo-addr", user=None)
        for path, method in (("/", "GET"), ("/figures", "GET"), ("/credentials", "POST")):
            for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{port}"},
                            {"Origin": "http://evil.example"}, {"Origin": "null"},
                            {"Origin": f"http://localhost:{port + 1}"}):
                self.assertEqual(ask(port, method, path, headers=headers)[0], 403, headers)
        own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
        self.assertEqual(ask(port, "POST", "/credentials", headers=own)[0], 200)
        self.assertEqual(ask(port, "GET", "/credentials", headers=own)[0], 405)

    # --- those who ask as they should not

    def test_what_is_no_request_is_refused(self):
        _, port = self.serving("health-check-addr")
        for text, status in ((b"\x16\x03\x01\x02\x00", 400), (b"\0\0\0\0", 400), (b"\n\n", 400),
                             (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
                             (b"GET /healthz HTTP/2.0\r\n\r\n", 505),
                             (b"GET /" + b"a" * 20000, 414),
                             (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000, 431),
                             (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n", 413),
                             (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                              501)):
            with connect(port, "127.0.0.1", text) as tcp:
                answer = b"".join(iter(lambda: tcp.recv(4096), b"")).decode()  # pylint: disable=cell-var-from-loop
                self.assertRegex(answer, rf"^HTTP/1\.1 {status} ", text[:40])
        self.assertEqual(ask(port, "GET", "/healthz")[0], 200)

    def test_a_request_that_never_ends_is_given_up(self):
        _, port = self.serving("health-check-addr")
        start = time.monotonic()
        with connect(port, "127.0.0.1", b"GET /hea") as tcp:
            tcp.settimeout(PATIENCE_S)
            self.assertEqual(tcp.recv(1), b"")
        self.assertGreater(time.monotonic() - start, 4.9)

    def test_slow_requests_by_the_thousand(self):
        """They cost little memory, and keep nobody from /healthz or the relay."""
        relay, port = self.serving("health-check-addr", announced=[MADE_ROOM], environment=LEAN)
        slow, took = [], []
        for number in range(FLOOD):
            if number == FLOOD // 4:  # all that there is for connections has been touched
                before = relay.rss_kib()
            slow.append(connect(port, f"127.0.1.{number % NETWORKS + 1}", b"GET /healthz HTTP/1.1\r\n"))
            if number % 100 == 0:
                start = time.monotonic()
                self.assertEqual(ask(port, "GET", "/healthz", source="127.0.0.9")[0], 200)
                took.append(time.monotonic() - start)
        self.assertLess(statistics.median(took), 1)  # whatever else this machine did in between
        self.assertLess(relay.descriptor_count(), 200)
        self.assertLess(relay.rss_kib() - before, 1024)
        with self.client(relay) as client:
            client.allocate()
        for tcp in slow:
            tcp.close()

    def test_it_ends_at_once_whoever_is_connected(self):
        def stop():
            relay, port = self.serving("health-check-addr")
            with contextlib.ExitStack() as slow:
                for _ in range(10):
                    slow.enter_context(connect(port, "127.0.0.1", b"GET /"))
                self.assertLess(relay.stop(), 3)  # they are given up after five
        case.once(stop)


if __name__ == "__main__":
    case.main()
