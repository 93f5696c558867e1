#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay tells collectors of OpenTelemetry, and that no collector can hurt it."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

import grpc

import case
import relay
import sandbox
from certificates import certify
from client import ARRIVAL_S
from daemon import LEAN
from otlp import CUMULATIVE, DELTA, GrpcCollector, HttpCollector, attributes, wait_for

FAST = {"OTEL_METRIC_EXPORT_INTERVAL": "150", "OTEL_TRACES_SAMPLER": "always_off"}
TIMED = {"OTEL_EXPORTER_OTLP_TIMEOUT": "150"}
SLOW = {"OTEL_EXPORTER_OTLP_TIMEOUT": "60000"}  # longer than the tests wait for its end
CREATED = "relay.allocations.created"
NOT_TAKEN = "^telemetry was not taken "
INSTRUMENTS = {  # Firezone's: unit, kind, temporality
    "relay.active_allocations": ("{allocation}", "sum", CUMULATIVE),
    "relay.responses": ("{response}", "sum", DELTA),
    "relay.packet.size": ("By", "histogram", DELTA),
    "eventloop.poll.duration": ("s", "histogram", DELTA),
}
BOUNDS = {
    "relay.packet.size": list(range(100, 1600, 100)),
    "eventloop.poll.duration": [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3,
                                1e-2],
}


class Otlp(case.Case):
    def setUp(self):
        self.collectors = []
        self.addCleanup(self.close_collectors)  # after the relays, which tell them how it ended
        super().setUp()

    def close_collectors(self):
        for collector in self.collectors:
            collector.close()

    def grpc(self, *arguments, **options):
        self.collectors.append(GrpcCollector(*arguments, **options))
        return self.collectors[-1]

    def http(self, *arguments, **options):
        self.collectors.append(HttpCollector(*arguments, **options))
        return self.collectors[-1]

    def telling(self, collector, environment=None, **options):
        """A relay that tells a collector, or whoever is at a port, by gRPC."""
        port = getattr(collector, "port", collector)
        return self.relay("--allow-peer", "127.0.0.0/8", "--otlp-grpc-endpoint", f"127.0.0.1:{port}",
                          environment=FAST | (environment or {}), **options)

    def serves(self, one):
        """It does what it is there for."""
        client = self.client(one).allocate()
        client.free()


class Metrics(Otlp):
    def traffic(self, one):
        """One allocation with a channel, of which ten packets of 200 bytes come and go."""
        peer = self.peer()
        client = self.client(one, try_s=ARRIVAL_S).allocate()  # responses are counted
        client.bind(0x4000, peer.getsockname())
        for _ in range(10):
            client.send_channel(0x4000, bytes(200))
            _, source = peer.recvfrom(2048)
            peer.sendto(bytes(200), source)
            client.receive()
        return client

    def test_firezones_instruments_by_grpc(self):
        collector = self.grpc()
        one = self.telling(collector)
        client = self.traffic(one)
        wait_for("an allocation", lambda: collector.found("relay.active_allocations") and
                 collector.last("relay.active_allocations") == 1)
        client.free()
        wait_for("its end", lambda: collector.last("relay.active_allocations") == 0)
        wait_for("responses", lambda: collector.total(
            "relay.responses", message_type="refresh", response_class="success") == 1)
        self.assertEqual(collector.total("relay.responses", message_type="allocate",
                                         response_class="error", error_code=401), 1)
        self.assertEqual(collector.total("relay.responses", message_type="allocate",
                                         response_class="success"), 1)
        self.assertEqual(collector.total("relay.responses", message_type="channelbind"), 1)
        self.assertGreaterEqual(collector.total("relay.responses", message_type="binding"), 1)
        self.assertEqual(collector.total("relay.packet.size",
                                         **{"relay.datapath": "userspace"}), 20)
        self.assertGreater(collector.total("eventloop.poll.duration",
                                           **{"eventloop.name": "relay"}), 20)
        for name, (unit, kind, temporality) in INSTRUMENTS.items():
            for scope, metric in collector.found(name):
                data = getattr(metric, kind)
                self.assertEqual((name, metric.unit, data.aggregation_temporality),
                                 (name, unit, temporality))
                self.assertEqual(scope, "connlib" if name.startswith("eventloop") else "relay")
                self.assertEqual(getattr(data, "is_monotonic", None),
                                 {"relay.responses": True, "relay.active_allocations": False}.get(name))
                for point in data.data_points:
                    if name in BOUNDS:
                        self.assertEqual(list(point.explicit_bounds), BOUNDS[name])
                        self.assertEqual(len(point.bucket_counts), len(BOUNDS[name]) + 1)
                        self.assertEqual(sum(point.bucket_counts), point.count)
        sizes = sum(point.sum for _, metric in collector.found("relay.packet.size")
                    for point in metric.histogram.data_points)
        self.assertEqual(sizes, 4000)

    def test_windows_follow_one_another(self):
        collector = self.grpc()
        one = self.telling(collector)
        for count in range(1, 6):
            self.client(one).allocate()
            wait_for("the allocation", lambda count=count: collector.total(CREATED) == count)
        windows = [(point.start_time_unix_nano, point.time_unix_nano)
                   for _, metric in collector.found(CREATED)
                   for point in metric.sum.data_points]
        self.assertGreaterEqual(len(windows), 5)
        for (start, end), (following, _) in zip(windows, windows[1:] + [(time.time_ns(), 0)]):
            self.assertLess(start, end)
            self.assertLessEqual(end, following)
        self.assertLess(time.time_ns() - windows[0][0], 60e9)

    def test_the_resource_is_that_of_the_environment(self):
        collector = self.grpc()
        self.telling(collector)
        wait_for("a request", collector.resources)
        first = collector.resources()[0]
        version = first.pop("service.version")
        self.assertRegex(version, r"^\d+\.\d+\.\d+")
        self.assertEqual(first, {
            "service.name": "relay", "service.namespace": "firezone", "telemetry.sdk.name": "fairlead",
            "telemetry.sdk.language": "c", "telemetry.sdk.version": version})
        other = self.grpc()
        self.telling(other, {
            "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=a%2Cb,cloud.region=%E2%82%AC,"
                                        "service.name=no,service.namespace=mine",
            "OTEL_SERVICE_NAME": "my relay"})
        wait_for("a request", other.resources)
        got = other.resources()[0]
        self.assertEqual((got["service.name"], got["service.namespace"]), ("my relay", "mine"))
        self.assertEqual((got["service.instance.id"], got["cloud.region"]), ("a,b", "€"))

    def test_compressed_and_past_proxies(self):
        for collector, protocol, proxy in (
                (self.grpc(), "grpc", {"http_proxy": "http://127.0.0.1:1"}),
                (self.http(), "http/protobuf", {})):
            one = self.relay(environment=FAST | proxy | {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
            self.client(one).allocate()
            wait_for("the allocation", lambda at=collector: at.total(CREATED) == 1)
        # Of gRPC the library keeps that for itself.
        self.assertEqual(collector.headers["Content-Encoding"], "gzip")

    def test_what_is_left_is_sent_at_the_end(self):
        def end_after_an_allocation():
            collector = self.grpc()
            one = self.telling(collector, {"OTEL_METRIC_EXPORT_INTERVAL": "3600000"},
                               announced=[NOT_TAKEN])
            self.client(one).allocate()
            self.assertEqual(collector.count, 0)
            one.stop()
            self.assertEqual(collector.total(CREATED), 1)
        case.once(end_after_an_allocation)  # for which it has two seconds

    def test_cumulative_if_it_is_preferred(self):
        collector = self.grpc()
        one = self.telling(
            collector, {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative"})
        self.client(one).allocate()
        wait_for("three requests", lambda: len(collector.found(CREATED)) >= 3)
        for _, metric in collector.found(CREATED):
            self.assertEqual(metric.sum.aggregation_temporality, CUMULATIVE)
        starts = {point.start_time_unix_nano for _, metric in collector.found(CREATED)
                  for point in metric.sum.data_points}
        self.assertEqual(len(starts), 1)

    def test_nothing_is_sent_when_it_is_disabled(self):
        collector = self.grpc()
        one = self.telling(collector, {"OTEL_SDK_DISABLED": "true"})
        time.sleep(0.5)
        one.stop()
        self.assertEqual(collector.count, 0)


class Http(Otlp):
    def test_metrics_and_traces_with_headers(self):
        collector = self.http()
        one = self.relay(environment=FAST | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}/base/",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=hush%20hush", "OTEL_TRACES_SAMPLER": "always_on"})
        self.client(one).allocate()
        wait_for("both", lambda: collector.metrics and collector.traces)
        self.assertIn(collector.path, ("/base/v1/metrics", "/base/v1/traces"))
        self.assertEqual(collector.headers["x-key"], "hush hush")
        self.assertEqual(collector.headers["Content-Type"], "application/x-protobuf")
        wait_for("the allocation", lambda: collector.total(CREATED) == 1)
        with open(f"/proc/{one.process.pid}/environ", "rb") as environment:
            self.assertNotIn(b"hush", environment.read())

    def test_a_reload_leaves_it_as_it_is(self):
        collector = self.http()
        one = self.relay("--otlp-headers", "x-key=hush", environment=FAST | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"})
        wait_for("a request", lambda: collector.metrics)
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log("(?i)reload|configuration")
        count = collector.count
        wait_for("more requests", lambda: collector.count > count + 2)
        self.assertEqual(collector.headers["x-key"], "hush")

    def test_an_endpoint_of_their_own_is_taken_as_it_is(self):
        collector, traces = self.http(), self.grpc()
        one = self.relay("--otlp-metrics-endpoint", f"http://127.0.0.1:{collector.port}/m",
                         "--otlp-grpc-endpoint", f"http://127.0.0.1:{traces.port}",
                         "--otlp-traces-sampler", "always_on", environment=FAST)
        self.client(one).allocate()
        wait_for("both", lambda: collector.metrics and traces.traces)
        self.assertEqual((collector.path, traces.metrics, collector.traces), ("/m", [], []))

    def test_one_signal_may_be_sent_otherwise(self):
        metrics, traces = self.http(), self.http()
        one = self.relay(environment=FAST | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{metrics.port}",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=both", "OTEL_TRACES_SAMPLER": "always_on",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{traces.port}/traces",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-key=hush4711",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip"})
        self.client(one).allocate()
        wait_for("both", lambda: metrics.metrics and traces.traces)
        self.assertEqual((metrics.headers["x-key"], traces.headers["x-key"]), ("both", "hush4711"))
        self.assertEqual((metrics.headers.get("Content-Encoding"),
                          traces.headers["Content-Encoding"]), (None, "gzip"))
        with open(f"/proc/{one.process.pid}/environ", "rb") as environment:
            self.assertNotIn(b"hush4711", environment.read())

    def test_a_busy_collector_is_asked_again_when_it_wants(self):
        collector = self.http()
        times = []

        def act(_):
            times.append(time.monotonic())
            return (429, {"Retry-After": "1"}) if len(times) == 1 else None

        collector.act = act
        one = self.relay("--otlp-endpoint", f"http://127.0.0.1:{collector.port}",
                         environment=FAST, announced=[NOT_TAKEN])
        self.client(one).allocate()
        wait_for("the allocation", lambda: collector.total(CREATED) == 1)
        self.assertGreater(times[1] - times[0], 0.9)
        one.wait_for_log('telemetry was not taken .* why="HTTP status 429"')
        one.wait_for_log("telemetry is taken again ")


class Tls(Otlp):
    def setUp(self):
        super().setUp()
        case.needs_tool("openssl")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.files = [os.path.join(folder.name, name) for name in ("key.pem", "certificate.pem")]
        certify("localhost", self.files[1], self.files[0],
                "-addext", "subjectAltName=IP:127.0.0.1")
        os.chmod(self.files[1], 0o644)

    def secure(self):
        with open(self.files[0], "rb") as key, open(self.files[1], "rb") as certificate:
            return self.grpc(key=key.read(), certificate=certificate.read())

    def test_grpc_and_http_of_a_certificate_that_is_trusted(self):
        for collector, protocol in ((self.secure(), "grpc"),
                                    (self.http(files=self.files), "http/protobuf")):
            one = self.relay(environment=FAST | {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://127.0.0.1:{collector.port}",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_CERTIFICATE": self.files[1]})
            wait_for("three requests", lambda: len(collector.metrics) >= 3)
            one.stop()

    def test_nothing_goes_to_whom_the_system_does_not_trust(self):
        collector = self.secure()
        one = self.relay("--otlp-grpc-endpoint", f"https://127.0.0.1:{collector.port}",
                         environment=FAST, announced=[NOT_TAKEN])
        one.wait_for_log("telemetry was not taken .* why=.*certificate")
        one.stop()
        self.assertEqual(collector.count, 0)


class Traces(Otlp):
    def traces(self, collector, *arguments, **options):
        return self.telling(collector, {"OTEL_TRACES_SAMPLER": "always_on"}, *arguments, **options)

    def test_a_request_is_a_span_that_does_not_say_whose(self):
        collector = self.grpc()
        one = self.traces(collector)
        client = self.client(one, try_s=ARRIVAL_S)
        begun = time.time_ns()
        client.allocate()
        client.permit("127.0.0.1")
        client.bind(0x4000, ("127.0.0.1", 9))
        client.bind(0x1234, ("127.0.0.1", 9), code=400)
        client.free()
        wait_for("six spans", lambda: len(collector.spans()) >= 6)
        ended = time.time_ns()
        seen = [(span.name, attributes(span.attributes)) for span in collector.spans()]
        udp = {"network.transport": "udp", "network.type": "ipv4"}
        self.assertEqual(seen, [
            ("Allocate", udp | {"message_type": "allocate", "response_class": "error",
                                "error_code": 401}),
            ("Allocate", udp | {"message_type": "allocate", "response_class": "success"}),
            ("CreatePermission", udp | {"message_type": "createpermission",
                                        "response_class": "success"}),
            ("ChannelBind", udp | {"message_type": "channelbind", "response_class": "success"}),
            ("ChannelBind", udp | {"message_type": "channelbind", "response_class": "error",
                                   "error_code": 400}),
            ("Refresh", udp | {"message_type": "refresh", "response_class": "success"})])
        for span in collector.spans():
            self.assertEqual((len(span.trace_id), len(span.span_id), span.kind, span.flags),
                             (16, 8, 2, 1))
            self.assertEqual((span.parent_span_id, span.status.code), (b"", 0))
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano)
            self.assertGreater(span.start_time_unix_nano, begun - 1e9)
            self.assertLess(span.end_time_unix_nano, ended + 1e9)
        self.assertEqual(len({span.trace_id for span in collector.spans()}), 6)
        raw = b"".join(request.SerializeToString() for request in collector.traces)
        for secret in (b"alice", b"127.0.0.1", str(client.udp.getsockname()[1]).encode()):
            self.assertNotIn(secret, raw)

    def test_few_requests_are_traced_unless_more_are_asked_for(self):
        collector = self.grpc()
        one = self.telling(collector, {"OTEL_TRACES_SAMPLER": ""})
        for _ in range(300):
            self.client(one).challenge()
        one.stop()
        self.assertLess(len(collector.spans()), 30)  # three are to be expected

    def test_a_collector_without_traces_is_not_asked_again(self):
        collector = self.grpc(signals=("metrics",))
        one = self.traces(collector, announced=[NOT_TAKEN])
        self.client(one).allocate()
        # libcurl may see nothing but the end of the stream, when that comes before the request has
        # been written; the next try tells more.
        one.wait_for_log("the collector takes no traces, so none are sent any more ")
        asked = collector.count
        self.client(one).allocate()
        wait_for("metrics", lambda: collector.total(CREATED) == 2)
        self.assertGreater(collector.count, asked)
        self.assertEqual(collector.spans(), [])


class Trouble(Otlp):
    def test_nothing_is_lost_while_the_collector_is_down(self):
        port = relay.free_ports(2)
        one = self.telling(port, announced=[NOT_TAKEN])
        for _ in range(4):
            self.client(one).allocate()
            time.sleep(0.2)
        one.wait_for_log("telemetry was not taken signal=metrics ")
        collector = self.grpc(port)
        wait_for("all allocations", lambda: collector.total(CREATED) == 4)
        collector.close()
        self.client(one).allocate()
        time.sleep(0.5)  # in which it is told to nobody
        again = self.grpc(port)
        wait_for("the next one", lambda: again.total(CREATED) == 1)
        self.assertEqual(len([line for line in one.log().splitlines()
                              if "telemetry was not taken" in line]), 1)

    def test_a_refusal_is_no_loss(self):
        collector = self.grpc()
        refusals = [(grpc.StatusCode.UNAVAILABLE, "no room\nhere"),
                    (grpc.StatusCode.INVALID_ARGUMENT, "no")]
        collector.act = lambda signal: refusals.pop() if refusals else None
        one = self.telling(collector, announced=[NOT_TAKEN])
        self.client(one).allocate()
        wait_for("the allocation", lambda: collector.total(CREATED) == 1)
        self.assertEqual(refusals, [])
        one.wait_for_log('telemetry was not taken .* why="grpc-status 3: no"')

    def test_what_was_thrown_away_is_said(self):
        collector = self.grpc()
        collector.partial = (7, "too old")
        one = self.telling(collector, announced=["^part of the telemetry was thrown away "])
        one.wait_for_log('part of the telemetry was thrown away .* why="too old" count=7')

    def test_a_slow_collector_holds_up_nobody(self):
        collector = self.grpc()
        is_fast = threading.Event()
        self.addCleanup(is_fast.set)  # before the collector ends
        collector.act = lambda signal: is_fast.wait() and None
        one = self.telling(collector, {"OTEL_EXPORTER_OTLP_TIMEOUT": "2000"},
                           announced=[NOT_TAKEN])

        def bind_meanwhile():
            asked = collector.count
            wait_for("a request", lambda: collector.count > asked)
            begun = time.monotonic()
            self.client(one, try_s=ARRIVAL_S).binding()
            self.assertLess(time.monotonic() - begun, 1)
        case.once(bind_meanwhile)
        one.wait_for_log("telemetry was not taken ")
        is_fast.set()
        created = collector.total(CREATED)
        self.client(one).allocate()
        wait_for("the allocation", lambda: collector.total(CREATED) == created + 1)

    def answers(self, answer, is_endless=False):
        """Whoever connects to the port gets these bytes, perhaps again and again."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve(connection):
            with connection:
                try:
                    connection.sendall(answer)
                    while is_endless:
                        connection.sendall(answer)
                    while connection.recv(65536):
                        pass
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def cost_nothing(self, relays):
        """They have met such a collector, serve nevertheless, and grow no more."""
        for one in relays:
            one.wait_for_log("telemetry was not taken ")
        before = [one.rss_kib() for one in relays]
        time.sleep(0.5)
        for one, kib in zip(relays, before):
            self.serves(one)
            self.assertLess(one.rss_kib() - kib, 1024)

    def test_garbage_costs_nothing(self):
        settings = bytes.fromhex("000000040000000000")
        self.cost_nothing([
            self.telling(self.answers(answer, is_endless), TIMED | LEAN,
                         announced=[NOT_TAKEN])
            for answer, is_endless in (
                (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", False),
                (os.urandom(4096), False), (b"", False),
                (settings + bytes.fromhex("ffffff0105") + bytes(100), False),
                (settings + os.urandom(64), True), (settings, True), (b"A" * 65536, True))])

    def test_http_without_end_costs_nothing(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n"
        self.cost_nothing([
            self.relay("--otlp-endpoint", f"http://127.0.0.1:{self.answers(answer, True)}",
                       environment=FAST | TIMED | LEAN,
                       announced=[NOT_TAKEN])
            for answer in (head, b"X: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\n")])

    def test_the_end_does_not_wait_for_a_collector_that_is_silent(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        one = self.telling(listener.getsockname()[1], SLOW, announced=[NOT_TAKEN])
        connection, _ = listener.accept()
        self.addCleanup(connection.close)
        one.stop()

    def test_nor_for_a_resolver_that_is(self):
        case.needs_root()
        resolver = self.peer(port=53)
        file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(file.close)
        file.write("nameserver 127.0.0.1\noptions timeout:30\n")
        file.flush()
        os.chmod(file.name, 0o644)
        sandbox.run("mount", "--bind", file.name, "/etc/resolv.conf")
        self.addCleanup(sandbox.run, "umount", "/etc/resolv.conf")
        one = self.relay("--otlp-endpoint", "http://collector.test:4318", environment=FAST | SLOW,
                         announced=[NOT_TAKEN])
        self.assertIn(b"collector", resolver.recv(512))
        self.serves(one)
        one.stop()

    def test_a_certificate_that_cannot_be_read_is_named(self):
        run = subprocess.run([relay.program(), "--bind-ip4-addr", "127.0.0.1", "--user", "a:b",
                              "--otlp-grpc-endpoint", "https://127.0.0.1:1", "--otlp-certificate",
                              "/does/not/exist"], text=True, capture_output=True, timeout=20,
                             check=False, env=relay.ENVIRONMENT)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        self.assertIn('ERROR --otlp-certificate cannot be read error="ENOENT: ', run.stdout)


if __name__ == "__main__":
    case.main()
