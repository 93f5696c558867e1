#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The little programs by the original's names and with its command lines: an echo, the files of a
folder, and a terminal for TLS."""
import os
import shutil
import ssl
import tempfile

import tunnel
from sandbox import wait_until
from tools import OurTools, ToolCase, TwistedTools, netcat, serve
from tunnel import better, keys


def tools():
    return TwistedTools if tunnel.is_original() else OurTools


class Programs(ToolCase):
    def start(self, name, *words, **options):
        return self.own(tools().start(name, *words, **options))

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def visit(self, relay, role="client"):
        """A client of the application."""
        context = tunnel.tls_context(keys().application, role)
        return self.own(context.wrap_socket(self.dial(relay.public(0)),
                                            suppress_ragged_eofs=False))


class Servers(Programs):
    def serve(self, name="relayed_echoserver", **options):
        self.one = self.relay(pairs=1)
        server = self.own(serve(tools(), name, self.one, **options))
        self.assertEqual(server.line(), f"127.0.0.1:{self.one.public(0)}\n".encode())
        return server

    def test_their_folders_of_keys_have_names(self):
        folder = self.folder()
        shutil.copytree(keys().application, f"{folder}/application_certs")
        shutil.copytree(keys().relay, f"{folder}/relay_client_certs")
        relay = self.relay(pairs=1)
        for name in ("relayed_echoserver", "relayed_httpserver"):
            server = self.start(name, "127.0.0.1", relay.port, cwd=folder)
            self.assertEqual(server.line(), f"127.0.0.1:{relay.public(0)}\n".encode())
            self.visit(relay)
            server.close()
            wait_until(lambda: tunnel.answers_nobody(relay, 0))

    def test_an_echo_of_much(self):
        """By one thread: two may not use a connection of ssl at the same time."""
        self.serve()
        visitors = [self.visit(self.one) for _ in range(3)]
        for _ in range(32):
            blocks = [os.urandom(1 << 16) for _ in visitors]
            for visitor, block in zip(visitors, blocks):
                visitor.sendall(block)
            for visitor, block in zip(visitors, blocks):
                self.assertEqual(tunnel.read(visitor, len(block)), block)

    def test_tls_of_1_2_will_do_too(self):
        self.serve()
        context = tunnel.tls_context(keys().application, version=ssl.TLSVersion.TLSv1_2)
        with context.wrap_socket(tunnel.dial(self.one.public(0))) as visitor:
            visitor.sendall(b"hello")
            self.assertEqual(tunnel.read(visitor, 5), b"hello")

    def test_who_shows_no_certificate_gets_nothing(self):
        self.serve()
        for role, folder in ((None, keys().application), ("client", keys().stranger)):
            context = tunnel.tls_context(folder, role)
            context.load_verify_locations(f"{keys().application}/ca.crt.pem")
            with self.assertRaises(ssl.SSLError):
                with context.wrap_socket(tunnel.dial(self.one.public(0))) as stranger:
                    stranger.sendall(b"hello")
                    stranger.recv(100)
        self.visit(self.one)

    def test_who_speaks_no_tls_gets_nothing(self):
        self.serve()
        stranger = self.dial(self.one.public(0))
        stranger.sendall(b"hello\r\n\r\n")
        self.assertNotIn(b"hello", tunnel.read_until_over(stranger))
        self.visit(self.one)

    def get(self, path, method="GET"):
        visitor = self.visit(self.one)
        visitor.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode()
                        + b"Connection: close\r\n\r\n")
        head, _, body = tunnel.read_to_end(visitor).partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def test_the_files_of_a_folder(self):
        folder = self.folder()
        os.makedirs(f"{folder}/open/deeper")
        content = os.urandom(1 << 20)
        for path, data in (("secret", b"secret"), ("open/hello.txt", b"hello\n"),
                           ("open/deeper/much", content), ("open/with space", b"found\n")):
            with open(f"{folder}/{path}", "wb") as file:
                file.write(data)
        self.serve("relayed_httpserver", cwd=f"{folder}/open")
        self.assertEqual(self.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(self.get("/hello.txt", "HEAD"), (200, b""))
        self.assertEqual(self.get("/deeper/much"), (200, content))
        self.assertEqual(self.get("/with%20space"), (200, b"found\n"))
        code, listing = self.get("/")
        self.assertEqual(code, 200)
        for name in (b"hello.txt", b"deeper"):
            self.assertIn(name, listing)
        for path in ("/missing", "/../secret", "/%2e%2e/secret", "/deeper/../../secret",
                     "/..%2fsecret", "/%2e%2e%2fsecret"):
            code, body = self.get(path)
            self.assertIn(code, (400, 403, 404), path)
            self.assertNotIn(b"secret", body.replace(path.encode(), b""))

    @better
    def test_directories(self):
        folder = self.folder()
        os.makedirs(f"{folder}/a b")
        os.makedirs(f"{folder}/site")
        os.symlink("/etc", f"{folder}/out")
        for path in ("a b/<x>", "site/index.html"):
            with open(f"{folder}/{path}", "w", encoding="ascii") as file:
                file.write(path)
        self.serve("relayed_httpserver", cwd=folder)
        self.assertIn(b'"./%3Cx%3E">&lt;x&gt;<', self.get("/a%20b/")[1])
        self.assertEqual(self.get("/site/?x"), (200, b"site/index.html"))
        self.assertEqual(self.get("/site")[0], 301)
        for path in ("/out/passwd", "/out"):
            self.assertEqual(self.get(path)[0], 403)
        self.assertEqual(self.get("/site/", "POST")[0], 405)
        self.assertEqual(self.get("/%zz")[0], 400)

    @better
    def test_what_is_no_request(self):
        self.serve("relayed_httpserver")
        for text in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"):
            visitor = self.visit(self.one)
            visitor.sendall(text)
            self.assertIn(b"HTTP/1.1 400 ", tunnel.read_to_end(visitor))

    @better
    def test_no_relay_is_there(self):
        port = tunnel.daemon.free_tcp_port()
        self.assert_fails(self.start("relayed_echoserver", "127.0.0.1", port, "-a",
                                     keys().application, "-c", keys().relay),
                          "127.0.0.1", str(port), "refused")

    @better
    def test_the_relay_does_not_know_the_server(self):
        relay = self.relay(pairs=1)
        self.assert_fails(self.start("relayed_echoserver", "127.0.0.1", relay.port, "-a",
                                     keys().application, "-c", keys().stranger), "certificate")

    @better
    def test_the_server_does_not_know_the_relay(self):
        relay = self.relay(pairs=1)
        self.assert_fails(self.start("relayed_echoserver", "127.0.0.1", relay.port, "-a",
                                     keys().application, "-c", keys().application), "certificate")

    @better
    def test_keys_that_are_missing(self):
        for words in (("-a", "/nonexistent", "-c", keys().relay),
                      ("-a", keys().application, "-c", "/nonexistent")):
            self.assert_fails(self.start("relayed_echoserver", "127.0.0.1", 1, *words),
                              "/nonexistent")


class Netcat(Programs):
    def setUp(self):
        super().setUp()
        self.one = self.relay(pairs=1)

    def serve(self):
        server = self.own(serve(tools(), "relayed_echoserver", self.one))
        server.line()

    @better
    def test_what_was_said_before_the_end_of_input_is_answered(self):
        self.serve()
        client = self.own(netcat(tools(), self.one.public(0)))
        client.write(b"hello\n")
        client.finish()
        self.assertEqual(client.read(100), b"hello\n")
        self.assertEqual(client.wait(), 0)

    @better
    def test_files_instead_of_pipes(self):
        self.serve()
        data = os.urandom(1 << 20)
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            source.write(data)
            source.seek(0)
            client = self.own(netcat(tools(), self.one.public(0), source=source, target=target))
            self.assertEqual(client.wait(), 0)
            target.seek(0)
            self.assertEqual(target.read(), data)

    def test_input_that_cannot_be_read_is_no_end_of_it(self):
        """A server that is told of an end takes what it has for the whole."""
        if tunnel.is_original():
            self.skipTest("what the original does then is not known")
        self.serve()
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        client = self.own(netcat(tools(), self.one.public(0), source=folder))
        self.assert_fails(client, "its standard input cannot be read")

    @better
    def test_the_servers_end_is_the_end_of_output(self):
        """And what is still said is sent."""
        server = self.control(self.one)
        client = self.own(netcat(tools(), self.one.public(0)))
        server.expect()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{keys().application}/server.crt.pem",
                                f"{keys().application}/server.key.pem")
        tls = context.wrap_bio(coming := ssl.MemoryBIO(), going := ssl.MemoryBIO(), True)
        reverse = self.dial(server.reverse_port)

        def until(done):
            while True:
                try:
                    return done()
                except ssl.SSLWantReadError:
                    reverse.sendall(going.read())
                    coming.write(reverse.recv(65536))

        until(tls.do_handshake)
        tls.write(b"goodbye")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.unwrap()  # the first half
        reverse.sendall(going.read())
        self.assertEqual(client.read(100), b"goodbye")
        client.write(b"and good luck")
        client.finish()
        self.assertEqual(until(lambda: tls.read(100)), b"and good luck")
        self.assertEqual(client.wait(), 0)

    def test_much_through_both_pipes(self):
        self.serve()
        client = self.own(netcat(tools(), self.one.public(0)))
        data = os.urandom(1 << 20)
        for start in range(0, len(data), 32768):
            client.write(data[start:start + 32768])
            self.assertEqual(client.read(32768), data[start:start + 32768])
        client.finish()
        client.wait()

    @better
    def test_without_a_server_it_says_what_the_relay_said(self):
        self.assert_fails(self.own(netcat(tools(), self.one.public(0))), "no controller linked")

    @better
    def test_nobody_listens(self):
        port = tunnel.daemon.free_tcp_port()
        self.assert_fails(self.own(netcat(tools(), port)), "refused")

    @better
    def test_a_server_that_somebody_else_certified(self):
        self.serve()
        self.assert_fails(self.own(netcat(tools(), self.one.public(0), keys().relay)),
                          "certificate")


if __name__ == "__main__":
    tunnel.main()
