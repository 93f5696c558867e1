#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Floods that cost the relay more than whoever sends them: of handshakes, of new keys, of requests
to shake hands again; and certificates that are too long."""
import os
import re
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request

import tunnel
from sandbox import wait_until
from certificates import openssl
from tunnel import Control, keys, read_until_over

TURNED_AWAY = "control connections are turned away, since too many handshakes are asked for "
FLOOD_S = 40  # until what is waited for, on a machine that has much to do
FLOODER, OTHER, THIRD = "127.7.0.1", "127.8.0.1", "127.9.0.1"  # of three networks


def crowded_count(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        text = page.read().decode()
    return int(re.search(r'handshakes_refused_total\{reason="crowded"\} (\d+)', text)[1])


class Flood(tunnel.TunnelCase):
    def flood(self, relay):
        """Until somebody is turned away."""
        hello, end = tunnel.client_hello(), time.monotonic() + FLOOD_S
        while TURNED_AWAY not in relay.log():
            self.assertLess(time.monotonic(), end, "nobody is turned away")
            try:
                self.dial(relay.port, source=FLOODER).sendall(hello)
            except ConnectionError:
                pass

    def talk(self, server, source):
        """By a session that is made now, whose reverse connection comes from there."""
        client = self.client(server)
        reverse = self.dial(server.reverse_port, source=source)
        self.assert_talk(client, reverse)
        return client, reverse

    def limited(self, *options, **more):
        return self.relay(*options, announced=[TURNED_AWAY], **more)

    def test_one_network_keeps_no_other_out(self):
        relay = self.limited("--max-handshakes-per-second", 4)
        server = self.control(relay, source=OTHER)
        session = self.talk(server, OTHER)
        self.flood(relay)
        self.assert_talk(*session)
        self.talk(server, OTHER)
        self.talk(self.control(relay, source=THIRD), THIRD)

    def test_who_is_turned_away_is_reset_at_once_and_counted(self):
        port = tunnel.daemon.free_tcp_port()
        relay = self.limited("--max-handshakes-per-second", 4, "--metrics-addr",
                             f"127.0.0.1:{port}")
        self.flood(relay)
        end, refused = time.monotonic() + FLOOD_S, False
        while not refused:
            self.assertLess(time.monotonic(), end)
            try:
                stranger = self.dial(relay.port, source=FLOODER)
                stranger.settimeout(0.2)
                refused = read_until_over(stranger) == b""
            except ConnectionResetError:
                refused = True
            except TimeoutError:
                pass
        wait_until(lambda: crowded_count(port) > 0, FLOOD_S)

    def test_a_reload_changes_the_limit(self):
        path = f"{keys().folder}/flood.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write("max-handshakes-per-second = 4\n")
        relay = self.limited("--config", path, pairs=1, environment={tunnel.HANDSHAKES: None})
        self.flood(relay)
        with open(path, "w", encoding="ascii") as file:
            file.write("max-handshakes-per-second = 0\n")
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("are reloaded", FLOOD_S)
        for _ in range(30):
            Control(relay, source=FLOODER).close()

class Restless(tunnel.TunnelCase):
    """Servers with good certificates, by openssl's own client, which does what its input says: K
    asks for new keys of both sides (RFC 8446 section 4.6.3), R for another handshake."""

    def start(self, relay, letter, version):
        output = self.own(tempfile.TemporaryFile())
        folder = keys().relay
        process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{relay.port}", version, "-cert",
             f"{folder}/client.crt.pem", "-key", f"{folder}/client.key.pem"],
            stdin=subprocess.PIPE, stdout=output, stderr=output, env=tunnel.ENVIRONMENT,
            preexec_fn=tunnel.daemon.end_with_parent)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.letter, process.output = letter, output
        self.wait_for_words(process, b"public_listener ")
        return process

    def words(self, process):
        return os.pread(process.output.fileno(), 1 << 24, 0)

    def wait_for_words(self, process, words, count=1):
        wait_until(lambda: self.words(process).count(words) >= count, FLOOD_S)

    def press(self, process):
        """As fast as it takes the letters, one at a time, until it ends."""
        def write():
            try:
                while process.poll() is None:
                    os.write(process.stdin.fileno(), process.letter)
                    time.sleep(0.0002)
            except OSError:
                pass
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        self.addCleanup(thread.join)  # before it is waited for, the process is killed
        self.addCleanup(process.kill)

    def test_new_keys_without_end_hold_nobody_up_and_take_no_memory(self):
        relay = self.relay("--log-filter", "debug", pairs=2)
        session = self.session(server := self.control(relay))
        one = self.start(relay, b"K\n", "-tls1_3")
        self.press(one)
        self.wait_for_words(one, b"KEYUPDATE", 50)
        before_kib = relay.rss_kib()
        self.wait_for_words(one, b"KEYUPDATE", 400)
        self.assert_talk(*session)
        self.assert_talk(*self.session(server))
        self.assertIsNone(one.poll())
        if not tunnel.is_sanitized():  # which keep what is freed
            self.assertLess(relay.rss_kib(), before_kib + 2048)

    def test_nobody_shakes_hands_again(self):
        relay = self.relay(pairs=2)
        session = self.session(server := self.control(relay))
        for _ in range(3):
            one = self.start(relay, b"R\n", "-tls1_2")
            os.write(one.stdin.fileno(), b"R\n")
            wait_until(lambda one=one: one.poll() is not None or
                       b"no renegotiation" in self.words(one), FLOOD_S)
            one.kill()
            one.wait()
        self.assert_talk(*session)
        self.assert_talk(*self.session(server))


class Certificates(tunnel.TunnelCase):
    def issue(self, name, *options):
        """A folder with a certificate of an authority that only its owner knows."""
        folder = f"{keys().folder}/{name}"
        os.mkdir(folder)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=long", "-keyout", f"{folder}/client.key.pem", "-out",
                f"{folder}/client.crt.pem", *options)
        os.symlink(f"{keys().relay}/ca.crt.pem", f"{folder}/ca.crt.pem")
        return folder

    def assert_refused(self, relay, folder, version=None):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            control = Control(relay, folder=folder, version=version)
            try:
                control.line()
            finally:
                control.close()

    def test_one_that_is_too_long_is_refused(self):
        path = f"{keys().folder}/long.cnf"
        with open(path, "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n"
                       "subjectAltName=@names\n[names]\n")
            file.writelines(f"DNS.{number}=host-{number}.{'x' * 40}.example\n"
                            for number in range(1000))
        folder = self.issue("long", "-config", path)
        relay = self.relay(pairs=1)
        session = self.session(server := self.control(relay))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assert_refused(relay, folder, version)
        relay.wait_for_log("a control connection was refused .*a message of the handshake is too long", FLOOD_S)
        self.assert_talk(*session)
        self.assert_talk(*self.session(server))

    def test_many_of_them_are_refused(self):
        folder = self.issue("many")
        with open(f"{folder}/client.crt.pem", encoding="ascii") as file:
            one = file.read()
        with open(f"{folder}/client.crt.pem", "w", encoding="ascii") as file:
            file.write(one * 100)
        relay = self.relay(pairs=1)
        self.assert_refused(relay, folder)
        relay.wait_for_log("a control connection was refused .*a message of the handshake is too long", FLOOD_S)
        self.assert_talk(*self.session(self.control(relay)))


if __name__ == "__main__":
    tunnel.main()
