#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the reverse relay tells collectors of OpenTelemetry."""
import tunnel
from otlp import GrpcCollector, HttpCollector, attributes
from sandbox import wait_until
from tunnel import read, read_to_end

FAST = {"OTEL_METRIC_EXPORT_INTERVAL": "150", "OTEL_TRACES_SAMPLER": "always_on"}
ARRIVAL_S = 20  # of what is told every 150 ms


def points_of(metric):
    return (metric.sum if metric.HasField("sum") else metric.gauge).data_points


class Otlp(tunnel.TunnelCase):
    def setUp(self):
        self.collectors = []
        self.addCleanup(self.close_collectors)  # after the relays, which tell them how it ended
        super().setUp()

    def close_collectors(self):
        for collector in self.collectors:
            collector.close()

    def collect(self, collector):
        self.collectors.append(collector)
        return collector

    def start(self, *options):
        return self.relay(*options, environment=FAST, pairs=3)

    def talk(self, relay):
        """One session, which ends."""
        client, reverse = self.session(self.control(relay))
        reverse.sendall(b"answer")
        self.assertEqual(read(client, 6), b"answer")
        client.close()
        self.assertEqual(read_to_end(reverse), b"")
        reverse.close()
        relay.wait_for_log("session ended", ARRIVAL_S)

    def assert_told(self, collector):
        wait_until(lambda: collector.spans() and collector.total("tunnel.sessions.ended") == 1,
                   ARRIVAL_S)
        scope, metric = collector.found("tunnel.pairs")[-1]
        self.assertEqual(scope, "tunnel")
        point, = points_of(metric)
        self.assertEqual(point.as_int, 3)
        for name in ("agents", "agents.tunnels", "agents.standing", "agents.ports",
                     "agents.ports.free"):
            self.assertTrue(collector.found(f"tunnel.{name}"), name)
        for name in ("sessions", "clients.waiting"):
            _, metric = collector.found(f"tunnel.{name}")[-1]
            self.assertEqual([attributes(point.attributes)["protocol"]
                              for point in points_of(metric)], ["1", "2"])
        resource = collector.resources()[0]
        self.assertEqual((resource["service.name"], resource["service.namespace"]),
                         ("tunnel", "fairlead"))
        span, = collector.spans()
        self.assertEqual(span.name, "session")
        self.assertGreaterEqual(span.end_time_unix_nano, span.start_time_unix_nano)
        told = attributes(span.attributes)
        self.assertEqual((told["reason"], told["bytes_from_client"], told["bytes_to_client"],
                          told["network.type"]), ("finished", 1, 6, "ipv4"))
        self.assertIn("waited_ms", told)

    def test_it_tells_by_grpc(self):
        collector = self.collect(GrpcCollector())
        relay = self.start("--otlp-grpc-endpoint", f"127.0.0.1:{collector.port}")
        self.talk(relay)
        self.assert_told(collector)

    def test_it_tells_by_http_also_at_its_end(self):
        collector = self.collect(HttpCollector())
        relay = self.start("--otlp-endpoint", f"http://127.0.0.1:{collector.port}",
                           "--otlp-interval", "3600000")
        self.talk(relay)
        relay.stop()
        self.assert_told(collector)


if __name__ == "__main__":
    tunnel.main()
