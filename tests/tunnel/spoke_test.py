#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`fairlead-tunnel expose` by version 2: a service of this host, reached through a relay of ours.

    client --> relay <-- expose --> service

Where a test is to cut single connections to the relay, a Way lies in between.
"""
import base64
import functools
import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

import halves_test
import pressure_test
import tunnel
from certificates import Authority
from expose_test import Exposed
from sandbox import wait_until
from second import Token
from tools import Service, Tool, ToolCase
from traffic import Receiver, Sender
from tunnel import keys, read, read_to_end, read_until_over, reset

LONG_S = 30  # for what needs a wait between two attempts
REPLACED = 3
MUCH = 64 << 20  # bytes, more than all buffers on the way have room for
FORGED = "a data connection was reset: its preface is of no agent that is here "


@functools.cache
def pin(folder):
    """Of the relay that has these keys."""
    public = subprocess.run(["openssl", "x509", "-in", f"{folder}/server.crt.pem", "-noout",
                             "-pubkey"], check=True, capture_output=True).stdout
    return hashlib.sha256(subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"],
                                         check=True, input=public, capture_output=True).stdout
                          ).digest()


def word(token):
    """What a person is given."""
    body = token.secret + token.pin
    check = hashlib.sha256(f"flt1.{token.name}.".encode() + body).digest()[:4]
    return f"flt1.{token.name}.{base64.urlsafe_b64encode(body + check).decode()}"


class Relay(tunnel.TunnelRelay):
    """With an access list, and tunnels' ports behind those of its pair."""

    def __init__(self, *options, access, tunnels=3, port=None, **more):
        port = port or tunnel.daemon.free_ports(3 + tunnels, socket.SOCK_STREAM)
        super().__init__("--access", access, "--tunnel-port-count", tunnels, *options,
                         **{"pairs": 1} | more, port=port)

    @property
    def first(self):
        return self.port + 3

    def is_ready(self):
        return super().is_ready() and "serving " in self.log()


class Spoke(Exposed):
    """A service, and the program that exposes it by version 2."""

    # pylint: disable=super-init-not-called
    def __init__(self, port, *options, token=None, retry="always", environment=None):
        Service.__init__(self)
        self.tool = Tool(tunnel.program(), "expose", f"127.0.0.1:{self.port}", "--relay",
                         f"127.0.0.1:{port}", "--retry", retry, *options,
                         environment=({"FAIRLEAD_TOKEN": token} if token else {})
                         | (environment or {}))
        self.public_port = None


class Way:
    """A port that leads to another, with connections that can be cut one by one."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    reset(near)
                    continue
                self.pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(one, other), daemon=True).start()
        except OSError:
            pass  # it is closed

    def carry(self, one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            self.end(one)
            self.end(other)

    def cut(self, number):
        """The connection that was made as the n-th, from 0."""
        for end in self.pairs[number]:
            self.end(end)

    @staticmethod
    def end(tcp):
        try:
            tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def close(self):
        self.listener.close()
        for pair in self.pairs:
            for end in pair:
                end.close()


class SpokeCase(ToolCase):
    daemon_type = Relay

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.access = f"{folder.name}/access"
        self.folder = folder.name
        self.token = Token("laptop", pin=pin(keys().relay))
        self.write_access(self.token.line("ports=* sni=*"))
        super().setUp()

    def write_access(self, *lines):
        with open(self.access, "w", encoding="ascii") as file:
            file.writelines(lines)

    def relay(self, *options, announced=(), **more):
        """A data connection may come when its control connection has just gone."""
        return super().relay(*options, access=self.access, announced=[FORGED, *announced], **more)

    def expose(self, relay, *options, token=None, **more):
        """Which may fail."""
        return self.own(Spoke(relay.port, *options, token=word(token or self.token), **more))

    def control(self, relay, *options, **more):
        return self.expose(relay, *options, **more).publish()

    def serve(self, control, **_):
        return self.own(control.accept())


class Halves(SpokeCase, halves_test.Halves):
    pass


class Transfers(SpokeCase, pressure_test.Transfers):
    pass


class Serving(SpokeCase):
    def test_many_clients_at_once(self):
        relay = self.relay()
        for pool in (0, 1, 64):
            exposed = self.control(relay, "--pool", pool)
            clients = [self.dial(exposed.public_port) for _ in range(40)]
            services = [self.serve(exposed) for _ in clients]
            for number, client in enumerate(clients):
                client.sendall(b"%02d" % number)
            met = {int(read(service, 2)): service for service in services}
            for number, client in enumerate(clients):
                self.assert_talk(client, met[number])
            for end in clients + services:
                end.close()
            exposed.tool.signal(signal.SIGTERM)
            self.assertEqual(exposed.tool.wait(), 0)

    def visit(self, exposed):
        client = self.dial(exposed.public_port)
        client.sendall(b"?")
        return client, self.serve(exposed)

    def test_a_service_is_told_its_clients_address(self):
        relay = self.relay()
        for pool in (0, 2):
            exposed = self.control(relay, "--proxy-protocol", "v1", "--pool", pool)
            for _ in range(4):
                client, service = self.visit(exposed)
                wanted = b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n?" % (
                    client.getsockname()[1], exposed.public_port)
                self.assertEqual(read(service, len(wanted)), wanted)
                self.assert_talk(client, service)
            exposed.close()

    def test_a_service_is_told_its_clients_address_in_bytes(self):
        relay = self.relay()
        for pool in (0, 2):
            exposed = self.control(relay, "--proxy-protocol", "v2", "--pool", pool)
            for _ in range(4):
                client, service = self.visit(exposed)
                wanted = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1" +
                          client.getsockname()[1].to_bytes(2, "big") +
                          exposed.public_port.to_bytes(2, "big") + b"?")
                self.assertEqual(read(service, len(wanted)), wanted)
                self.assert_talk(client, service)
            exposed.close()

    def test_a_service_that_is_not_there_resets_its_clients(self):
        relay = self.relay()
        for pool in (0, 2):
            exposed = self.control(relay, "--pool", pool)
            exposed.listener.close()
            for _ in range(3):
                with self.assertRaises(ConnectionResetError):
                    self.dial(exposed.public_port).recv(100)
            wait_until(lambda: "refused" in exposed.tool.errors(), LONG_S)
            exposed.listener = socket.create_server(("127.0.0.1", exposed.port))
            exposed.listener.settimeout(tunnel.arrival_s())
            self.assert_talk(*self.session(exposed))
            exposed.close()

    def test_it_ends_when_it_is_told_and_its_port_is_closed(self):
        relay = self.relay()
        for number in (signal.SIGTERM, signal.SIGINT):
            exposed = self.control(relay)
            client, service = self.session(exposed)
            exposed.tool.signal(number)
            wait_until(lambda tool=exposed.tool: "draining: " in tool.errors(), LONG_S)
            wait_until(lambda port=exposed.public_port: self.is_closed(port), LONG_S)
            self.assert_talk(client, service)
            self.assertIsNone(exposed.tool.process.poll(), exposed.tool.story())
            client.close()
            self.assertEqual(read_to_end(service), b"")
            service.close()
            self.assertEqual(exposed.tool.wait(), 0)
            self.assertNotIn("cut off", exposed.tool.errors())

    def is_closed(self, port):
        try:
            with self.dial(port) as client:
                return client.recv(1) == b""
        except (ConnectionResetError, ConnectionRefusedError):
            return True

    def assert_cut(self, exposed, ends):
        """Nobody takes what has come for the whole."""
        for end in ends:
            with self.assertRaises(ConnectionResetError):
                read_to_end(end)
        self.assertEqual(exposed.tool.wait(), 0)
        self.assertIn("still there (1) are cut off", exposed.tool.errors())

    def test_a_second_signal_cuts_clients_by_resets(self):
        relay = self.relay()
        for pool in (0, 2):
            exposed = self.control(relay, "--pool", pool)
            ends = self.session(exposed)
            exposed.tool.signal(signal.SIGTERM)
            wait_until(lambda tool=exposed.tool: "draining: " in tool.errors(), LONG_S)
            exposed.tool.signal(signal.SIGTERM)
            self.assert_cut(exposed, ends)

    def test_it_cuts_clients_by_resets_when_they_take_too_long(self):
        relay = self.relay()
        for seconds in (0, 1):
            exposed = self.control(relay, "--drain-timeout", seconds)
            ends = self.session(exposed)
            exposed.tool.signal(signal.SIGTERM)
            self.assert_cut(exposed, ends)

    def test_a_token_in_a_file(self):
        path = f"{self.folder}/token"
        with open(path, "w", encoding="ascii") as file:
            file.write(word(self.token) + "\n# of my laptop\n")
        relay = self.relay()
        exposed = self.own(Spoke(relay.port, "--token-file", path)).publish()
        self.assert_talk(*self.session(exposed))

    def test_a_token_on_the_command_line_is_not_seen_there(self):
        relay = self.relay()
        exposed = self.own(Spoke(relay.port, "--token", word(self.token))).publish()
        with open(f"/proc/{exposed.tool.process.pid}/cmdline", "rb") as file:
            self.assertNotIn(b"flt1.laptop", file.read())

    def test_a_certificate_in_place_of_a_token(self):
        self.write_access("cert any ports=*\n")
        authority = Authority("a CA", f"{self.folder}/ca")
        authority.issue("relay", f"{self.folder}/server", "-addext",
                        "subjectAltName=IP:127.0.0.1")
        authority.issue("agent", f"{self.folder}/client")
        if os.geteuid() == 0:  # for the relay, which is root no more
            shutil.chown(f"{self.folder}/server.key.pem", "nobody")
        relay = self.relay(folder=self.folder)
        options = ("--cert", f"{self.folder}/client.crt.pem", "--key",
                   f"{self.folder}/client.key.pem", "--ca", f"{self.folder}/ca.crt.pem")
        self.assert_talk(*self.session(self.own(Spoke(relay.port, *options)).publish()))
        wrong = self.own(Spoke(relay.port, *options, "--relay-name", "other.test", retry="lost"))
        self.assert_fails(wrong.tool, "other.test")


class Losses(SpokeCase):
    """What is lost, and what is not."""

    def test_a_transfer_outlives_its_control_connection(self):
        relay = self.relay()
        for pool in (0, 1):
            way = self.own(Way(relay.port))
            exposed = self.control(way, "--pool", pool)
            client, service = self.session(exposed)
            sender = Sender(client, MUCH)
            wait_until(lambda: sender.length > 1 << 20, LONG_S)
            way.cut(0)
            wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)
            self.assert_talk(*self.session(exposed))
            receiver = Receiver(service)
            self.assertEqual(sender.result(), receiver.result())
            exposed.close()

    def test_it_comes_again_when_the_relay_does(self):
        relay = self.relay()
        exposed = self.control(relay)
        client, service = self.session(exposed)
        relay.stop()
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
        self.relay(port=relay.port)
        wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)
        self.assert_talk(*self.session(exposed))

    def test_the_relay_is_killed(self):
        relay = self.relay()
        exposed = self.control(relay)
        client, service = self.session(exposed)
        relay.kill()
        relay.is_judged = True
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
        self.relay(port=relay.port)
        wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)
        self.assert_talk(*self.session(exposed))

    def test_it_is_killed_and_its_name_keeps_its_port(self):
        relay = self.relay()
        exposed = self.control(relay)
        client, service = self.session(exposed)
        exposed.tool.signal(signal.SIGKILL)
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
        other = self.control(relay, "--name", "other")
        again = self.control(relay, "--name", f"port-{exposed.port}")
        self.assertEqual(again.public_port, exposed.public_port)
        self.assertNotEqual(again.public_port, other.public_port)
        self.assert_talk(*self.session(again))

    def test_clients_wait_until_it_is_back(self):
        relay = self.relay()
        way = self.own(Way(relay.port))
        exposed = self.control(way)
        way.cut(0)
        client = self.dial(exposed.public_port)
        client.sendall(b"?")
        service = self.serve(exposed)
        self.assertEqual(read(service, 1), b"?")
        self.assert_talk(client, service)

    def test_it_waits_for_a_relay_from_the_start(self):
        relay = self.relay()
        relay.stop()
        exposed = self.expose(relay)
        wait_until(lambda: "refused" in exposed.tool.errors(), LONG_S)
        self.relay(port=relay.port)
        self.assert_talk(*self.session(exposed.publish()))

    def test_a_token_is_revoked(self):
        relay = self.relay()
        exposed = self.control(relay, retry="lost")
        client, service = self.session(exposed)
        self.write_access(Token("other").line())
        relay.process.send_signal(signal.SIGHUP)
        for end in (client, service):
            self.assertEqual(read_until_over(end), b"")
            end.close()
        self.assertEqual(exposed.tool.wait(), 1)
        self.assertIn("access list", exposed.tool.errors())

    def test_a_relay_that_drains_is_left_and_its_clients_stay(self):
        relay = self.relay("--drain-timeout", LONG_S, announced=["the relay is full", "drain"])
        exposed = self.control(relay)
        client, service = self.session(exposed)
        relay.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "is going to end" in exposed.tool.errors(), LONG_S)
        self.assert_talk(client, service)
        client.close()
        service.close()
        self.assertEqual(relay.process.wait(LONG_S), 0)
        self.relay(port=relay.port)
        wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)
        self.assert_talk(*self.session(exposed))

    def test_names_keep_their_ports_when_the_relay_comes_again(self):
        os.chmod(self.folder, 0o777)  # for the relay, which may be root no more
        options = ("--leases", f"{self.folder}/leases")
        relay = self.relay(*options)
        exposed = [self.control(relay, "--name", name) for name in ("a", "b", "c")]
        ports = [one.public_port for one in exposed]
        self.assertEqual(len(set(ports)), 3)
        for one in exposed[:2]:
            one.close()
        relay.stop()
        self.relay(*options, port=relay.port)
        wait_until(lambda: " again\n" in exposed[2].tool.errors(), LONG_S)
        for number, name in ((1, "b"), (0, "a")):
            again = self.control(relay, "--name", name)
            self.assertEqual(again.public_port, ports[number])
            self.assert_talk(*self.session(again))


class Names(SpokeCase):
    def test_two_processes_do_not_fight_for_one(self):
        relay = self.relay()
        first = self.control(relay, "--name", "web")
        second = self.expose(relay, "--name", "web", retry="lost")
        self.assert_fails(second.tool, "another process", "--take")
        self.assert_talk(*self.session(first))

    def test_one_takes_it_and_the_other_ends_with_its_clients(self):
        relay = self.relay()
        first = self.control(relay, "--name", "web")
        client, service = self.session(first)
        second = self.control(relay, "--name", "web", "--take")
        self.assertEqual(first.public_port, second.public_port)
        wait_until(lambda: "taken it over" in first.tool.errors(), LONG_S)
        self.assert_talk(*self.session(second))
        self.assert_talk(client, service)
        client.close()
        service.close()
        self.assertEqual(first.tool.wait(), REPLACED)
        self.assert_talk(*self.session(second))

    def test_a_port_is_wished_for(self):
        relay = self.relay()
        first = self.control(relay, "--port", relay.first + 2, "--name", "a")
        self.assertEqual(first.public_port, relay.first + 2)
        taken = self.expose(relay, "--port", relay.first + 2, "--name", "b", retry="lost")
        self.assert_fails(taken.tool, "port")


class Hosts(SpokeCase):
    """TLS services that share a port, and keep their keys."""

    def ask(self, port, host, folder):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(f"{folder}/ca.crt.pem")
        tls = self.own(context.wrap_socket(self.dial(port), server_hostname=host))
        tls.sendall(b"?")
        return read(tls, 3)

    @staticmethod
    def answer(exposed, folder, text):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/server.crt.pem", f"{folder}/server.key.pem")

        def run():
            while True:
                try:
                    with context.wrap_socket(exposed.listener.accept()[0],
                                             server_side=True) as tls:
                        read(tls, 1)
                        tls.sendall(text)
                except OSError:
                    if exposed.listener.fileno() < 0:
                        return
        threading.Thread(target=run, daemon=True).start()

    def test_two_services_at_one_port(self):
        shared = tunnel.daemon.free_ports(1, socket.SOCK_STREAM)
        relay = self.relay("--tls-port", shared)
        services = []
        for name, folder, text, pool in (("shop", keys().relay, b"one", 0),
                                         ("blog", keys().application, b"two", 2)):
            exposed = self.expose(relay, "--host", f"{name}.test", "--name", name, "--pool", pool)
            self.assertEqual(exposed.tool.line(), b"%s.test:%d\n" % (name.encode(), shared))
            self.answer(exposed, folder, text)
            services.append((name, folder, text))
        for _ in range(3):
            for name, folder, text in services:
                self.assertEqual(self.ask(shared, f"{name}.test", folder), text)
        with self.assertRaises(ssl.SSLError):
            self.ask(shared, "shop.test", keys().application)  # which knows the other's CA

    def test_a_host_is_somebody_elses(self):
        shared = tunnel.daemon.free_ports(1, socket.SOCK_STREAM)
        relay = self.relay("--tls-port", shared)
        self.expose(relay, "--host", "*.a.test", "--name", "one").tool.line()
        other = self.expose(relay, "--host", "b.test", "--host", "*.a.test", "--name", "two",
                            retry="lost")
        self.assert_fails(other.tool, "--host")

    def test_a_relay_without_a_shared_port(self):
        exposed = self.expose(self.relay(), "--host", "a.test", retry="lost")
        self.assert_fails(exposed.tool, "no port that services share")


class Refusals(SpokeCase):
    """With a few words that are no riddle."""

    def assert_refused(self, relay, *words, options=(), token=None, code=1):
        exposed = self.expose(relay, *options, token=token, retry="lost")
        self.assert_fails(exposed.tool, *words, code=code)

    def test_a_token_that_is_not_on_the_list(self):
        relay = self.relay()
        self.assert_refused(relay, "'laptop'", "access list",
                            token=Token("laptop", pin=self.token.pin))
        self.assert_refused(relay, "'desktop'", "access list",
                            token=Token("desktop", pin=self.token.pin))

    def test_what_the_list_does_not_allow_is_named(self):
        self.write_access(self.token.line("ports=1 names=web sni=a.test"))
        port = tunnel.daemon.free_ports(7, socket.SOCK_STREAM)
        relay = self.relay("--tls-port", port + 6, port=port)
        for options, words in (
                (("--name", "api"), ("(--name)", "may not have the name api")),
                (("--name", "web", "--port", relay.first),
                 ("(--port)", f"may not have the port {relay.first}")),
                (("--name", "web", "--host", "a.test", "--host", "b.test"),
                 ("(--host)", "may not have the host b.test"))):
            self.assert_refused(relay, *words, options=options)
            relay.wait_for_log(f"a name was refused .*owner=laptop .*code=denied .*{words[1]}", 20)

    def test_a_relay_with_another_key(self):
        self.assert_refused(self.relay(), "another key than the token says",
                            token=Token("laptop", self.token.secret, bytes(31) + b"\1"))

    def test_a_token_without_a_pin_needs_a_ca_and_a_name(self):
        relay = self.relay()
        token = Token("laptop", self.token.secret)
        self.assert_refused(relay, "not good", "--ca", token=token)
        self.assert_refused(relay, "--relay-name", token=token,
                            options=("--ca", f"{keys().relay}/ca.crt.pem"))

    def test_a_relay_of_version_1(self):
        old = self.own(tunnel.TunnelRelay(pairs=1))
        self.assert_refused(old, "version 1", "--keys")

    def test_no_relay(self):
        relay = self.relay()
        relay.stop()
        self.assert_refused(relay, "refused the connection")

    def test_something_else(self):
        service = self.own(Spoke(1, token=word(self.token), retry="never"))
        exposed = self.expose(service, retry="lost")
        with service.accept() as tcp:
            tcp.sendall(b"SSH-2.0-something\r\n" * 3)
            self.assert_fails(exposed.tool, "no relay")

    def test_slips_in_a_token(self):
        text = word(self.token)
        for bad, said in ((text[:-1], "slip"), (text[:30] + "x" + text[31:], "slip"),
                          ("secret", "no token"), (text.replace("laptop", "lapdog"), "slip")):
            exposed = self.own(Spoke(1, "--token", bad))
            self.assert_fails(exposed.tool, "--token", said, code=2)
            self.assertNotIn(bad, exposed.tool.errors())

    def test_what_the_list_does_not_allow(self):
        self.write_access(self.token.line("ports=1 names=web"))
        relay = self.relay()
        self.assert_refused(relay, "access list", options=("--name", "other"))
        self.assert_refused(relay, "access list", options=("--name", "web", "--port", "80"))

    def test_options_that_do_not_go_together(self):
        for options, said in ((("--keys", "/tmp"), "--keys"),
                              (("--port", "80", "--host", "a.test"), "--port"),
                              (("--name", "A"), "--name"), (("--host", "a b"), "--host"),
                              (("--proxy-protocol", "3"), "--proxy-protocol"),
                              (("--pool", "65"), "--pool")):
            exposed = self.own(Spoke(1, *options, token=word(self.token)))
            self.assert_fails(exposed.tool, said, code=2)
        self.assert_fails(self.own(Spoke(1, "--name", "web")).tool, "--token", code=2)


if __name__ == "__main__":
    tunnel.main()
