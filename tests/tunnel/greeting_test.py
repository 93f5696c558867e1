#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay says to a server that comes, byte by byte, and the original's command line."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

import tunnel
from tunnel import Control, answers_nobody, better, keys, listening_ports, original_command
from sandbox import PATIENCE_S, wait_until


class Greeting(tunnel.TunnelCase):
    def greeting(self, relay):
        control = self.own(Control(relay))
        return control, control.line() + control.line()

    def full(self, relay):
        """That a server finds no pair, and what it is told."""
        control = self.own(Control(relay))
        self.assertEqual(control.read_to_end(), b"no_available_listeners\r\n")

    def test_two_lines_the_public_address_first(self):
        relay = self.relay(pairs=2)
        for pair in (0, 1):
            control, greeting = self.greeting(relay)
            self.assertEqual(greeting, f"public_listener 127.0.0.1:{relay.port + 3 + pair}\r\n"
                             f"reverse_listener 127.0.0.1:{relay.port + 1 + pair}\r\n".encode())
            control.expect_silence()

    def test_both_lines_come_at_once(self):
        control = self.own(Control(self.relay()))
        self.assertEqual(control.tls.recv(1000).count(b"\r\n"), 2)

    def test_the_newest_and_the_oldest_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.control(self.relay(), version=version).tls.version(),
                             version.name.replace("_", "."))

    def test_without_alpn_and_without_a_server_name_none_is_said(self):
        self.assertIsNone(self.control(self.relay()).tls.selected_alpn_protocol())

    def test_the_defaults_are_the_originals(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        shutil.copytree(keys().relay, f"{folder.name}/relay_server_certs")
        relay = subprocess.Popen(original_command(), cwd=folder.name, env=tunnel.ENVIRONMENT,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        wait_until(lambda: listening_ports().issuperset(range(12000, 12201)))
        self.assertNotIn(12201, listening_ports())
        relay.port = 12000
        _, greeting = self.greeting(relay)
        self.assertEqual(greeting, b"public_listener 127.0.0.1:12101\r\n"
                                   b"reverse_listener 127.0.0.1:12001\r\n")

    def test_my_host_is_told_as_it_is_given(self):
        for host in ("relay.example.org", "192.0.2.1", "2001:db8::1", "any/text%"):
            relay = self.relay("--myhost", host)
            _, greeting = self.greeting(relay)
            self.assertEqual(greeting, f"public_listener {host}:{relay.public(0)}\r\n"
                                       f"reverse_listener {host}:{relay.reverse(0)}\r\n".encode())

    def test_when_all_pairs_are_taken_it_says_so_and_closes(self):
        relay = self.relay(pairs=2, announced=[tunnel.FULL])
        servers = [self.control(relay) for _ in range(2)]
        for _ in range(3):
            self.full(relay)
        self.assert_talk(*self.session(servers[0]))

    def test_without_pairs_it_listens_for_control_only(self):
        relay = self.relay(pairs=0, announced=[tunnel.FULL])
        self.full(relay)
        self.assertEqual(listening_ports() & set(range(relay.port, relay.port + 5)), {relay.port})

    def test_pairs_are_reused_the_one_first_that_was_released_first(self):
        relay = self.relay(pairs=3)
        servers = [self.control(relay) for _ in range(3)]
        for pair in (1, 2, 0):
            servers[pair].close()
            wait_until(lambda pair=pair: answers_nobody(relay, pair))
        for pair in (1, 2, 0):
            self.assertEqual(self.control(relay).public_port, relay.public(pair))

    def test_pairs_that_never_served_come_before_those_that_did(self):
        relay = self.relay(pairs=3)
        for pair in (0, 1, 2, 0, 1):
            control = self.control(relay)
            self.assertEqual(control.public_port, relay.public(pair))
            control.close()
            wait_until(lambda pair=pair: answers_nobody(relay, pair))

    def test_one_pair_can_be_had_again_at_once(self):
        relay = self.relay(pairs=1)
        for _ in range(20):
            control = self.control(relay)
            self.assertEqual(control.public_port, relay.public(0))
            control.close()
            wait_until(lambda: answers_nobody(relay, 0))


class CommandLine(tunnel.TunnelCase):
    def run_relay(self, *options, code, cwd="/"):
        """Runs one that cannot start, and returns what it says of it."""
        run = subprocess.run([*original_command(), *(str(one) for one in options)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                             check=False, cwd=cwd, env=tunnel.ENVIRONMENT)
        self.assertEqual(run.returncode, code, run)
        return run.stdout

    def copy_keys(self, *without):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        shutil.copytree(keys().relay, folder.name, dirs_exist_ok=True)
        for name in without:
            os.remove(f"{folder.name}/{name}")
        return folder.name

    def test_a_count_of_ports_that_is_odd(self):
        said = self.run_relay("--port-count", 3, "-k", keys().relay, code=2)
        self.assertIn("tx_tlsrelay: error: argument --port-count: invalid even_int value: '3'\n",
                      said)

    def test_the_originals_names_of_options(self):
        port = tunnel.daemon.free_tcp_port()
        for options in ([port, "--port-count=0", "--myhost=h", f"--keys={keys().relay}"],
                        ["--port-count", 0, "--keys", keys().relay, port],
                        ["-k", keys().relay, "--port-count", 0, "--myhost", "h", port],
                        ["--port-count", "-2", "-k", keys().relay, port],
                        [f"-k{keys().relay}", port, "--port-count", 0]):
            relay = subprocess.Popen([*original_command(), *(str(one) for one in options)],
                                     stdout=subprocess.DEVNULL, env=tunnel.ENVIRONMENT, cwd="/")
            try:
                wait_until(lambda: port in listening_ports())
            finally:
                relay.send_signal(signal.SIGINT)
                self.assertEqual(relay.wait(PATIENCE_S), 0)

    def test_help(self):
        run = subprocess.run([*original_command(), "-h"], capture_output=True, check=True,
                             text=True, timeout=20, env=tunnel.ENVIRONMENT)
        for word in ("--port-count", "--myhost", "--keys", "12000"):
            self.assertIn(word, run.stdout)

    def test_a_folder_of_keys_that_is_missing(self):
        said = self.run_relay("-k", "/nonexistent", code=1)
        self.assertIn("/nonexistent", said)

    def test_a_file_of_keys_that_is_missing(self):
        for name in ("ca.crt.pem", "server.crt.pem", "server.key.pem"):
            said = self.run_relay("-k", self.copy_keys(name), "--port-count", 0, code=1)
            self.assertIn(name, said)

    def test_the_clients_files_are_not_needed(self):
        relay = self.relay(folder=self.copy_keys("client.crt.pem", "client.key.pem"),
                           announced=["the certificates cannot be read again"])
        self.assert_talk(*self.session(self.control(relay)))

    @better
    def test_files_that_hold_no_key(self):
        folder = self.copy_keys()
        with open(f"{folder}/server.key.pem", "w", encoding="ascii") as file:
            file.write("no key\n")
        said = self.run_relay("-k", folder, "--port-count", 0, code=1)
        self.assertIn("server.key.pem", said)
        self.assertNotIn("Traceback", said)

    @better
    def test_a_key_that_is_not_the_certificates(self):
        folder = self.copy_keys()
        shutil.copy(f"{keys().stranger}/server.key.pem", folder)
        said = self.run_relay("-k", folder, "--port-count", 0, code=1)
        self.assertIn("server.key.pem", said)
        self.assertNotIn("Traceback", said)

    def test_a_port_of_a_pair_that_is_taken(self):
        first = tunnel.daemon.free_ports(5, socket.SOCK_STREAM)
        for taken in range(first + 1, first + 5):
            with socket.create_server(("0.0.0.0", taken)):
                said = self.run_relay(first, "--port-count", 4, "-k", keys().relay, code=1)
                self.assertIn(str(taken), said)

    @better
    def test_a_control_port_that_is_taken(self):
        first = tunnel.daemon.free_ports(3, socket.SOCK_STREAM)
        with socket.create_server(("0.0.0.0", first)):
            try:
                said = self.run_relay(first, "--port-count", 2, "-k", keys().relay, code=1)
            except subprocess.TimeoutExpired:
                self.fail("it lives on without its control port")
            self.assertIn(str(first), said)

    @better
    def test_ports_that_do_not_exist(self):
        for options in ((65535, "--port-count", 2), (65536, "--port-count", 0), (65436,), (0,)):
            said = self.run_relay(*options, "-k", keys().relay, code=2)
            self.assertNotIn("Traceback", said)

    def test_it_ends_on_both_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            relay = self.relay()
            client, reverse = self.session(self.control(relay))
            relay.stop(number)
            for one in (client, reverse):
                self.assertEqual(tunnel.read_until_over(one), b"")

    def test_it_can_be_started_again_at_once(self):
        relay = self.relay()
        client, reverse = self.session(self.control(relay))
        relay.stop()
        client.close()
        reverse.close()
        again = self.relay(port=relay.port)
        self.assert_talk(*self.session(self.control(again)))


if __name__ == "__main__":
    tunnel.main()
