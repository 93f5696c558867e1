#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What servers of a relay have in common: where things are, what they say when it is not so, and
relays of other people. Tried with `fairlead-tunnel expose`.
"""
import socket
import ssl
import tempfile
import threading

import tunnel
from certificates import Authority, openssl
from sandbox import wait_until
from tools import Service, Tool, ToolCase
from tunnel import keys, read_to_end


class FakeRelay(Service):
    """Whatever a relay may say."""

    def accept(self, folder=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = folder or keys().relay
        context.load_cert_chain(f"{folder}/server.crt.pem", f"{folder}/server.key.pem")
        context.load_verify_locations(f"{folder}/ca.crt.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context.wrap_socket(super().accept(), server_side=True, suppress_ragged_eofs=False)


class ExposeCase(ToolCase):
    def expose(self, relay_port, target, *options, folder=None):
        return self.own(Tool(tunnel.program(), "expose", target, "--relay",
                             f"127.0.0.1:{relay_port}", "-k", folder or keys().relay, *options))

    def await_words(self, tool, *words):
        wait_until(lambda: all(word in tool.errors() for word in words))


class Places(ExposeCase):
    """Hosts and ports as people write them."""

    def test_an_address_in_brackets(self):
        service = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.addCleanup(service.close)
        relay = self.relay(pairs=1)
        tool = self.expose(relay.port, f"[::1]:{service.getsockname()[1]}")
        self.assertEqual(tool.line(), f"127.0.0.1:{relay.public(0)}\n".encode())
        client = self.dial(relay.public(0))
        self.assert_talk(client, self.own(service.accept()[0]))

    def test_names_and_a_port_of_this_host(self):
        service = self.own(Service())
        for target in (f"localhost:{service.port}", service.port):
            relay = self.relay(pairs=1)
            tool = self.own(Tool(tunnel.program(), "expose", target, "--relay",
                                 f"localhost:{relay.port}", "-k", keys().relay))
            tool.line()
            client = self.dial(relay.public(0))
            self.assert_talk(client, self.own(service.accept()))


class Failures(ExposeCase):
    def test_a_name_that_nobody_can_have(self):
        name = "x" * 70  # which no name server has to be asked for
        tool = self.own(Tool(tunnel.program(), "expose", 9, "--relay", name, "-k", keys().relay))
        self.assert_fails(tool, f"{name}:12000", "name")

    def expired(self, role):
        """A folder of keys, one of whose certificates was good until yesterday."""
        folder = self.own_folder()
        authority = Authority("CA", f"{folder}/ca")
        for name in ("server", "client"):
            authority.issue(name, f"{folder}/{name}")
        openssl("req", "-new", "-key", f"{folder}/{role}.key.pem", "-subj", f"/CN={role}", "-out",
                f"{folder}/request")
        openssl("x509", "-req", "-in", f"{folder}/request", "-CA", authority.certificate, "-CAkey",
                authority.key, "-days", "-1", "-out", f"{folder}/{role}.crt.pem")
        return folder

    def own_folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_a_relay_whose_certificate_has_expired(self):
        folder = self.expired("server")
        fake = self.own(FakeRelay())
        tool = self.expose(fake.port, 9, folder=folder)
        with self.assertRaises(ssl.SSLError):
            fake.accept(folder)
        self.assert_fails(tool, "certificate", "renewed")

    def test_a_certificate_of_ours_that_has_expired(self):
        folder = self.expired("client")
        fake = self.own(FakeRelay())
        tool = self.expose(fake.port, 9, folder=folder)
        with self.assertRaises(ssl.SSLError):
            fake.accept(folder)
        self.assert_fails(tool, f"{folder}/client.crt.pem", "be valid now")

    def test_something_that_speaks_no_tls(self):
        other = self.own(Service())
        tool = self.expose(other.port, 9)
        with other.accept() as tcp:
            tcp.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.assert_fails(tool, "TLS", "SSH-2.0")

    def test_something_that_hangs_up(self):
        other = self.own(Service())
        tool = self.expose(other.port, 9)
        other.accept().close()
        self.assert_fails(tool, str(other.port))

    def test_no_keys(self):
        self.assert_fails(self.expose(9, 9, folder="/nonexistent"), "/nonexistent",
                          "fairlead-tunnel keys")

    def test_options_that_are_wrong(self):
        for words, about in (((), "target"), (("9",), "relay"),
                             (("9", "--relay", "h", "--retry", "often"), "retry"),
                             (("9", "--relay", "h", "--max-sessions", "0"), "max-sessions"),
                             (("host", "--relay", "h"), "HOST:PORT"),
                             (("9", "--relay", "h:0"), "HOST:PORT")):
            tool = self.own(Tool(tunnel.program(), "expose", *words))
            self.assert_fails(tool, about, code=2)


class Relays(ExposeCase):
    """Other people's relays."""

    def setUp(self):
        super().setUp()
        self.fake = self.own(FakeRelay())
        self.service = self.own(Service())

    @staticmethod
    def dialled(port):
        """Connections to there that are not answered yet."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            words = [line.split() for line in file.readlines()[1:]]
        return [one for one in words if one[2].endswith(f":{port:04X}") and one[3] == "02"]

    def greet(self, *parts):
        tool = self.expose(self.fake.port, self.service.port)
        tls = self.own(self.fake.accept())
        for part in parts:
            tls.sendall(part)
        return tool, tls

    def test_one_that_greets_in_pieces_and_says_more_than_we_know(self):
        reverse = self.own(Service())
        text = (f"hello there\r\nreverse_listener 127.0.0.1:{reverse.port}\r\n"
                "public_listener 2001:db8::1:5003\r\nnew_connection\r\n")
        tool, _ = self.greet(*(bytes([byte]) for byte in text.encode()))
        self.assertEqual(tool.line(), b"2001:db8::1:5003\n")
        self.assert_talk(self.own(reverse.accept()), self.own(self.service.accept()))

    def test_one_whose_reverse_port_is_not_there(self):
        port = tunnel.daemon.free_tcp_port()
        text = f"public_listener h:1\r\nreverse_listener 127.0.0.1:{port}\r\nnew_connection\r\n"
        tool, tls = self.greet(text.encode())
        self.assertEqual(tool.line(), b"h:1\n")
        self.await_words(tool, "reverse port", str(port), "refused")
        reverse = self.own(Service(port))
        tls.sendall(b"new_connection\r\n")
        self.assert_talk(self.own(reverse.accept()), self.own(self.service.accept()))

    def test_one_that_makes_no_sense(self):
        for text in (b"hello\r\npublic_listener nowhere\r\n", b"x" * 5000,
                     b"public_listener 1.2.3.4:5\r\nreverse_listener 1.2.3.4:99999\r\n"):
            tool, tls = self.greet(text)
            threading.Thread(target=read_to_end, args=[tls], daemon=True).start()
            self.assert_fails(tool, "relay")

    def test_dials_for_a_lost_control_connection_are_given_up(self):
        reverse = self.own(socket.socket())
        reverse.bind(("127.0.0.1", 0))  # nobody accepts: it fills
        reverse.listen(0)
        port = reverse.getsockname()[1]
        self.dial(port)
        text = f"public_listener h:1\r\nreverse_listener 127.0.0.1:{port}\r\n"
        tool, tls = self.greet(text.encode() + 3 * b"new_connection\r\n")
        self.assertEqual(tool.line(), b"h:1\n")
        wait_until(lambda: self.dialled(port))
        tls.close()
        wait_until(lambda: not self.dialled(port))
        self.assertIn("trying again", tool.errors())


if __name__ == "__main__":
    tunnel.main()
