#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay as an operator runs it: its end, its reload, its numbers, its rights, and its keys."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import tunnel
from hanging import hang
from sandbox import PATIENCE_S, wait_until
from traffic import send_aside
from tunnel import Control, dial, keys, read_to_end, read_until_over

DRAINING = {"FAIRLEAD_TUNNEL_DRAIN_TIMEOUT": "1000"}  # longer than any test waits for its end
RELOADED = "INFO the configuration and the certificates are reloaded"
KEPT = "nothing was reloaded; all is as it was"


def get(port, path):
    """Status and text of an answer over HTTP."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Drain(tunnel.TunnelCase):
    def drain(self, one):
        one.process.send_signal(signal.SIGTERM)
        one.wait_for_log("INFO draining: ")

    def test_without_a_session_it_ends_at_once(self):
        one = self.relay(environment=DRAINING)
        client, reverse = self.session(self.control(one))
        for end in (client, reverse):
            end.close()
        one.wait_for_log("INFO session ended")
        one.stop()

    def test_a_session_goes_on_and_new_ones_are_refused(self):
        one = self.relay(pairs=2, environment=DRAINING)
        server = self.control(one)
        session = self.session(server)
        self.drain(one)
        for port in (one.port, one.public(0), one.public(1)):
            with self.assertRaises(ConnectionRefusedError):
                dial(port)
        self.assert_talk(*session)
        time.sleep(0.3)
        self.assert_talk(*session)
        self.assertIsNone(one.process.poll())
        for end in session:
            end.close()
        self.assertEqual(one.process.wait(PATIENCE_S), 0)
        self.assertIn("INFO ending, since the last session has ended", one.log())

    def test_who_waits_is_served_still(self):
        one = self.relay(pairs=1, environment=DRAINING)
        server = self.control(one)
        client = self.client(server)
        self.drain(one)
        self.assert_talk(client, self.dial(server.reverse_port))

    def test_the_second_signal_ends_it(self):
        one = self.relay(environment=DRAINING)
        session = self.session(self.control(one))
        self.drain(one)
        self.assert_talk(*session)
        one.stop(signal.SIGINT)
        for end in session:
            self.assertEqual(read_until_over(end), b"")

    def test_the_timeout_ends_it(self):
        one = self.relay("--drain-timeout", 1)
        session = self.session(self.control(one))
        start = time.monotonic()
        self.drain(one)
        self.assert_talk(*session)
        self.assertEqual(one.process.wait(PATIENCE_S), 0)
        self.assertGreaterEqual(time.monotonic() - start, 1)
        self.assertIn("INFO ending, since --drain-timeout is over sessions=1", one.log())

    def test_a_worker_that_hangs_does_not_hold_it_up(self):
        tunnel.case.needs_root()
        one = self.relay("--num-worker-threads", 2, pairs=1)
        self.session(self.control(one))
        hang(self, one.process.pid, "worker-1")
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.process.wait(PATIENCE_S), 1)
        self.assertEqual(one.errors(), "fairlead-tunnel: a thread does not stop; "
                                       "ending without waiting for it\n")
        one.is_judged = True


class Reload(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
        self.file = f"{self.folder}/tunnel.conf"
        self.certify(keys().relay)
        self.write("")

    def certify(self, folder):
        """The relay reads them again when it is root no more."""
        for name in ("ca.crt.pem", "server.crt.pem", "server.key.pem"):
            shutil.copy(f"{folder}/{name}", self.folder)
        if os.geteuid() == 0:
            shutil.chown(f"{self.folder}/server.key.pem", "nobody")

    def write(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, **more):
        return self.relay("--config", self.file, folder=self.folder, **more)

    def reload(self, one, outcome=RELOADED):
        before = one.log().count(outcome)
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log(f"(?s)({outcome}.*){{{before + 1}}}")

    def test_sessions_and_control_connections_go_on(self):
        one = self.start()
        server = self.control(one)
        session, waiting = self.session(server), self.client(server)
        for _ in range(5):
            self.reload(one)
            self.assert_talk(*session)
        self.assert_talk(waiting, self.dial(server.reverse_port))
        self.assert_talk(*self.session(server))

    def test_new_certificates_are_for_new_connections(self):
        one = self.start()
        server = self.control(one)
        self.certify(keys().application)
        self.reload(one)
        other = self.control(one, folder=keys().application)
        with self.assertRaises(ssl.SSLError):
            self.own(Control(one, folder=keys().relay)).line()
        for control in (server, other):
            self.assert_talk(*self.session(control))

    def test_certificates_that_are_bad_change_nothing(self):
        one = self.start(announced=["the certificates cannot be used ", KEPT])
        server = self.control(one)
        with open(f"{self.folder}/server.key.pem", "w", encoding="ascii") as file:
            file.write("no key\n")
        self.reload(one, KEPT)
        self.assert_talk(*self.session(server))
        self.assert_talk(*self.session(self.control(one)))

    def test_a_configuration_that_is_bad_changes_nothing(self):
        one = self.start(announced=["", KEPT])
        self.write("reverse-policy = nonsense\nmyhost = elsewhere\n")
        self.reload(one, KEPT)
        self.assertIn(b"127.0.0.1", self.own(Control(one)).line())

    def test_what_can_change(self):
        one = self.start(announced=[tunnel.FOREIGN])
        server = self.control(one)
        client = self.client(server)
        self.assertEqual(tunnel.knock(server.reverse_port, source="127.0.0.2"), b"")
        self.write("reverse-policy = any\nmyhost = elsewhere\n")
        self.reload(one)
        self.assert_talk(client, self.dial(server.reverse_port, source="127.0.0.2"))
        self.assertEqual(self.own(Control(one)).line(),
                         f"public_listener elsewhere:{one.public(1)}\r\n".encode())


FIRST_SESSIONS, FIRST_WAITING = (f'tunnel_{what}{{protocol="1"}}'
                                 for what in ("sessions", "clients_waiting"))


class Numbers(tunnel.TunnelCase):
    def start(self, *options, **more):
        self.port = tunnel.daemon.free_tcp_port()
        return self.relay("--metrics-addr", f"127.0.0.1:{self.port}", *options, **more)

    def number(self, series):
        """As it is now: what it tells may be a tenth of a second old."""
        code, text = get(self.port, "/metrics")
        self.assertEqual(code, 200)
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
        self.assertIsNotNone(found, f"{series}\n{text}")
        return float(found[1])

    def assert_numbers(self, **numbers):
        for series, number in numbers.items():
            with self.subTest(series=series):
                wait_until(lambda series=series, number=number: self.number(series) == number)

    def test_what_there_is(self):
        one = self.start(pairs=3)
        servers = [self.control(one) for _ in range(2)]
        sessions = [self.session(servers[0]) for _ in range(4)]
        for _ in range(3):
            self.client(servers[1])
        self.assert_numbers(tunnel_servers=2, tunnel_pairs=3, tunnel_pairs_free=1,
                            **{FIRST_SESSIONS: 4, FIRST_WAITING: 3})
        for end in sessions[0]:
            end.close()
        servers[1].close()
        self.assert_numbers(tunnel_servers=1, tunnel_pairs_free=2, tunnel_sessions_ended_total=1,
                            **{FIRST_SESSIONS: 3, FIRST_WAITING: 0})

    def test_what_has_happened(self):
        one = self.start(pairs=2, announced=[tunnel.FOREIGN])
        server = self.control(one)
        client, reverse = self.session(server)
        client.sendall(bytes(9999))
        self.assertEqual(tunnel.read(reverse, 9999), bytes(9999))
        self.client(server)
        tunnel.knock(server.reverse_port, source="127.0.0.2")
        tunnel.knock(one.reverse(1))
        tunnel.knock(one.public(1))
        stranger = Control(one, folder=keys().stranger)
        with self.assertRaises(ssl.SSLError):
            stranger.line()
        stranger.close()
        self.assert_numbers(**{
            'tunnel_controls_total{outcome="linked"}': 1,
            'tunnel_handshakes_refused_total{reason="unknown_ca"}': 1,
            'tunnel_clients_total{outcome="announced"}': 2,
            'tunnel_clients_total{outcome="unlinked"}': 1,
            'tunnel_reverses_total{outcome="joined"}': 1,
            'tunnel_reverses_total{outcome="foreign"}': 1,
            'tunnel_reverses_total{outcome="unlinked"}': 1,
            'tunnel_announcements_total{kind="first"}': 2,
            'tunnel_carried_bytes_total{way="copied"}': 10000})

    def test_bulk_is_spliced(self):
        one = self.start(pairs=1)
        client, reverse = self.session(self.control(one))
        sender = send_aside(client, bytes(32 << 20))
        self.assertEqual(tunnel.read(reverse, 32 << 20), bytes(32 << 20))
        sender.join()
        wait_until(lambda: self.number('tunnel_carried_bytes_total{way="spliced"}') > 16 << 20)
        self.assert_numbers(tunnel_pipes=0)

    def test_whether_it_is_well(self):
        port = tunnel.daemon.free_tcp_port()
        one = self.relay("--health-check-addr", f"127.0.0.1:{port}", environment=DRAINING)
        session = self.session(self.control(one))
        self.assertEqual(get(port, "/healthz")[0], 200)
        self.assertEqual(get(port, "/readyz")[0], 200)
        one.process.send_signal(signal.SIGTERM)
        one.wait_for_log("INFO draining: ")
        self.assertEqual(get(port, "/healthz")[0], 200)
        self.assertEqual(get(port, "/readyz"), (503, "the relay drains\n"))
        self.assert_talk(*session)
        one.process.send_signal(signal.SIGTERM)
        one.process.wait(PATIENCE_S)


class Running(tunnel.TunnelCase):
    def test_it_gives_up_root(self):
        one = self.relay()
        if os.geteuid() == 0:
            self.assertNotIn("0", one.status()["Uid"].split())
            self.assertNotIn("0", one.status()["Gid"].split())
        self.assert_talk(*self.session(self.control(one)))

    def test_each_worker_has_its_share(self):
        one = self.relay("--num-worker-threads", 4, pairs=1)
        server = self.control(one)
        sessions = [self.session(server) for _ in range(16)]
        for client, reverse in sessions:
            self.assert_talk(client, reverse)
        names = []
        for task in os.listdir(f"/proc/{one.process.pid}/task"):
            with open(f"/proc/{one.process.pid}/task/{task}/comm", encoding="ascii") as file:
                names.append(file.read().strip())
        self.assertEqual(sum(name.startswith("worker-") for name in names), 4)

    def test_the_log_in_json(self):
        one = self.relay("--log-format", "json", pairs=1)
        client, reverse = self.session(self.control(one))
        client.sendall(b"to the server")
        self.assertEqual(tunnel.read(reverse, 13), b"to the server")
        client.close()
        self.assertEqual(read_to_end(reverse), b"")
        reverse.close()
        one.wait_for_log("session ended")
        lines = [json.loads(line) for line in one.log().splitlines()]
        ended, = [line for line in lines if line["message"] == "session ended"]
        self.assertEqual(ended["bytes_from_client"], 14)
        self.assertEqual(ended["bytes_to_client"], 0)
        self.assertEqual(ended["reason"], "finished")

    def test_public_ports_at_another_address(self):
        one = self.relay("--public-bind-addr", "127.0.0.2", pairs=1)
        server = self.control(one)
        with self.assertRaises(ConnectionRefusedError):
            dial(server.public_port)
        client = self.client(server, host="127.0.0.2")
        self.assert_talk(client, self.dial(server.reverse_port))

    def test_its_configuration_can_be_checked(self):
        for words, code in ((("--port-count", "4"), 0), (("--port-count", "5"), 2)):
            run = subprocess.run([tunnel.program(), "relay", *words, "--check-config"],
                                 env=tunnel.ENVIRONMENT, capture_output=True, timeout=20,
                                 check=False)
            self.assertEqual(run.returncode, code, run)

    def test_it_serves_with_the_keys_that_it_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            for code in (0, 1):  # the second one would overwrite what is there
                run = subprocess.run([tunnel.program(), "keys", folder, "--host", "127.0.0.1"],
                                     env=tunnel.ENVIRONMENT, capture_output=True, timeout=20,
                                     check=False)
                self.assertEqual(run.returncode, code, run)
            one = self.relay(folder=f"{folder}/relay_server_certs",
                             announced=["the certificates cannot be read again"])
            mine = f"{folder}/relay_client_certs"
            self.assert_talk(*self.session(self.control(one, folder=mine)))
            context = tunnel.tls_context(mine)
            context.check_hostname = True
            with context.wrap_socket(dial(one.port), server_hostname="127.0.0.1") as checked:
                self.assertTrue(checked.recv(100))
            with self.assertRaises(ssl.SSLError):
                self.own(Control(one, folder=keys().stranger)).line()

    def make_keys(self, folder, *words, code):
        run = subprocess.run([tunnel.program(), "keys", folder, *words], env=tunnel.ENVIRONMENT,
                             capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(run.returncode, code, run)
        files = sorted(os.path.relpath(os.path.join(path, name), folder)
                       for path, _, names in os.walk(folder) for name in names)
        return files, run.stderr

    def test_keys_are_made_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            elsewhere, here = f"{folder}/elsewhere", f"{folder}/here"
            whole = self.make_keys(elsewhere, code=0)[0]
            self.assertEqual(len(whole), 8)
            os.mkdir(here)
            shutil.copytree(f"{elsewhere}/relay_client_certs", f"{here}/relay_client_certs")
            former = sorted(name for name in whole if name.startswith("relay_client_certs"))
            files, wrong = self.make_keys(here, code=1)  # of another CA
            self.assertEqual(files, former)
            self.assertIn("nothing is made", wrong)
            self.assertEqual(os.listdir(here), ["relay_client_certs"])
            shutil.rmtree(here)
            self.assertEqual(self.make_keys(here, "--host", "a b", code=1)[0], [])
            self.assertFalse(os.path.exists(here))

    def test_a_ca_signs_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = self.make_keys(folder, code=0)[0]
            with open(f"{folder}/relay_server_certs/server.crt.pem", "rb") as file:
                former = file.read()
            shutil.rmtree(f"{folder}/relay_client_certs")
            self.assertIn("not overwritten", self.make_keys(folder, "--host", "b.test", code=1)[1])
            self.assertFalse(os.path.exists(f"{folder}/relay_client_certs"))
            self.assertEqual(self.make_keys(folder, code=0)[0], whole)
            with open(f"{folder}/relay_server_certs/server.crt.pem", "rb") as file:
                self.assertEqual(file.read(), former)
            os.remove(f"{folder}/relay_client_certs/client.key.pem")
            half = self.make_keys(folder, code=1)[0]
            self.assertEqual(half, [name for name in whole if not name.endswith("/client.key.pem")])

    def test_it_makes_keys_for_applications_too(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([tunnel.program(), "keys", folder, "--application"], check=True,
                           env=tunnel.ENVIRONMENT, capture_output=True, timeout=20)
            self.assertEqual(sorted(os.listdir(folder)), ["application_ca", "application_certs"])
            certificates = f"{folder}/application_certs"
            server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.verify_mode = ssl.CERT_REQUIRED
            server.load_verify_locations(f"{certificates}/ca.crt.pem")
            server.load_cert_chain(f"{certificates}/server.crt.pem",
                                   f"{certificates}/server.key.pem")
            inner, outer = socket.socketpair()
            client = tunnel.tls_context(certificates)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                serving = pool.submit(lambda: server.wrap_socket(inner, server_side=True))
                with client.wrap_socket(outer) as mine, serving.result() as theirs:
                    theirs.sendall(b"known")
                    self.assertEqual(mine.recv(10), b"known")


if __name__ == "__main__":
    tunnel.main()
