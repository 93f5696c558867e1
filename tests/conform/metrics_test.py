#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay says of a session while it lasts, to Prometheus: as a live scrape."""
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import case
from client import ARRIVAL_S
from daemon import free_tcp_port
from hanging import hang
from sandbox import PATIENCE_S


def load_tool():
    """tools/metrics, whose name has no ending."""
    path = os.path.join(HERE, "..", "..", "tools", "metrics")
    loader = importlib.machinery.SourceFileLoader("metrics", path)
    loader.path_stats = lambda _: (_ for _ in ()).throw(OSError)  # no cache beside it
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("metrics", loader))
    loader.exec_module(module)
    return module


class Metrics(case.Case):
    def setUp(self):
        super().setUp()
        port = free_tcp_port()
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.one = self.relay("--metrics-addr", f"127.0.0.1:{port}",
                              "--allow-peer", "127.0.0.1")

    def scrape(self):
        with urllib.request.urlopen(self.url, timeout=PATIENCE_S) as response:
            self.assertEqual(response.headers["Content-Type"],
                             "text/plain; version=0.0.4; charset=utf-8")
            return response.read().decode()

    def values(self):
        """Of a scrape that all workers have answered in time: others have old numbers."""
        scrapes = iter(self.hasty_values, None)
        return next(found for found in scrapes if found["relay_late_workers"] == 0)

    def hasty_values(self):
        """By the text before it, each number of a scrape."""
        lines = [line for line in self.scrape().splitlines() if not line.startswith("#")]
        return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}

    def test_counts_while_a_session_lasts(self):
        client, peer = self.client(self.one, try_s=ARRIVAL_S), self.peer()
        before = self.values()
        client.allocate().permit("127.0.0.1")
        client.send(b"to whom nothing is permitted", ("127.0.0.2", 9))
        for _ in range(3):
            client.send(b"x" * 150, peer.getsockname())
            peer.recv(2000)
        peer.sendto(b"y" * 1200, client.relayed)
        client.receive()
        now = self.values()
        datapath = 'relay_datapath="userspace"'
        for name, number in {
                'relay_active_allocations': 1,
                'relay_active_permissions': 1,
                'relay_active_users': 1,
                'relay_allocations_created_total': 1,
                'relay_responses_total{message_type="allocate",response_class="success"}': 1,
                'relay_responses_total{message_type="allocate",response_class="error",'
                'error_code="401"}': 1,
                f'relay_relayed_packets_total{{{datapath},direction="to_peer"}}': 3,
                f'relay_relayed_bytes_total{{{datapath},direction="to_peer"}}': 450,
                f'relay_relayed_packets_total{{{datapath},direction="to_client"}}': 1,
                f'relay_packet_size_bytes_bucket{{{datapath},le="100"}}': 0,
                f'relay_packet_size_bytes_bucket{{{datapath},le="200"}}': 3,
                f'relay_packet_size_bytes_bucket{{{datapath},le="1200"}}': 4,
                f'relay_packet_size_bytes_sum{{{datapath}}}': 1650,
                'relay_packet_latency_seconds_count': 4,
                'turn_total_allocations{type="UDP"}': 1,
                'turn_traffic_rcvp': 3,
                'turn_traffic_rcvb': 450,
                'turn_total_traffic_sentp': 1,
                'turn_total_traffic_peer_rcvb': 1200,
                'turn_auth_credential_failures': 0,
                'turn_packet_dropped': 1,
                f'relay_dropped_packets_total{{{datapath},reason="no_permission"}}': 1}.items():
            self.assertEqual(now[name], number, name)
        # A challenge, an Allocate, a CreatePermission, and four packets.
        self.assertEqual(now["turn_packet_processed"] - before["turn_packet_processed"], 7)
        client.free()
        later = self.values()
        self.assertEqual(later['relay_active_allocations'], 0)
        self.assertEqual(later['relay_allocations_ended_total{reason="deleted"}'], 1)
        self.assertEqual(later['turn_traffic_rcvp'], 3)

    def test_tells_of_the_process(self):
        now = self.values()
        self.assertAlmostEqual(now["process_start_time_seconds"], time.time(), delta=60)
        self.assertAlmostEqual(now["process_open_fds"], self.one.descriptor_count(), delta=8)
        self.assertAlmostEqual(now["process_resident_memory_bytes"] / 1024, self.one.rss_kib(),
                               delta=8192)
        self.assertGreater(now["process_cpu_seconds_total"], 0)
        self.assertGreater(now["relay_capacity{resource=\"allocations\"}"], 0)

    def test_the_capacity_is_what_descriptors_allow(self):
        port = free_tcp_port()
        self.url = f"http://127.0.0.1:{port}/metrics"
        one = self.relay("--num-worker-threads=1", "--metrics-addr", f"127.0.0.1:{port}",
                         prefix=("prlimit", "--nofile=250"),
                         announced=["^the limit of descriptors "])
        logged = int(one.wait_for_log("INFO capacity allocations=([0-9]+) ports=200 ")[1])
        self.assertLess(logged, 200)
        self.assertEqual(self.values()['relay_capacity{resource="allocations"}'], logged)

    def test_a_worker_that_hangs_delays_one_scrape(self):
        case.needs_root()
        self.values()
        tracer = hang(self, self.one.process.pid)
        took = []
        for _ in range(20):
            start = time.monotonic()
            self.assertEqual(self.hasty_values()["relay_late_workers"], 1)
            took.append(time.monotonic() - start)
        self.assertGreater(took[0], 0.2)
        self.assertLess(min(took[1:]), 0.2)  # each of them would take longer, if it waited too
        tracer.kill()
        self.values()

    def test_is_as_prometheus_wants_it_and_as_the_dashboard_does(self):
        text = self.scrape()
        run = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual((run.returncode, run.stdout), (0, ""))
        tool = load_tool()
        series = tool.series_of(text)
        self.assertEqual(tool.check_app("relay", series), [])

    def test_nothing_of_strangers_becomes_a_series(self):
        before = set(self.values())
        self.one.announced.append(case.UNPROVEN)
        for i in range(20):
            with self.one.client(user=f"nobody{i}", password="guess", try_s=ARRIVAL_S) as client:
                client.ask(code=401)
        now = self.values()
        self.assertEqual(set(now), before)
        self.assertEqual(now["turn_auth_credential_failures"], 20)
        self.assertEqual(now["turn_unauthenticated_401_responses"], 40)


if __name__ == "__main__":
    case.main("promtool")
