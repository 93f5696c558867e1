# SPDX-License-Identifier: Apache-2.0
"""A relay of version 2 (docs/tunnel-protocol.md), in which every byte is the test's to choose.

It is written from that page, and shares nothing with the programs.
"""
import hmac
import os
import socket
import ssl
import tempfile

import tunnel
from second import ACCEPT, DATA_PROTOCOL, PROTOCOL, STANDBY, Line, exported, percent

CLIENT = {"src": "192.0.2.7:49152", "dst": "198.51.100.2:12101"}


class Hub:
    """Where agents come; the caller takes them one by one."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.port = self.listener.getsockname()[1]

    def close(self):
        self.listener.close()

    def accept(self):
        tcp, _ = self.listener.accept()
        tcp.settimeout(tunnel.arrival_s())
        return tcp

    def link(self, protocols=(PROTOCOL,)):
        return Link(self.accept(), protocols)

    def data(self, link, number, kind=ACCEPT):
        """The next connection, which must be a data connection for an id of that link."""
        tcp = self.accept()
        link.check_preface(tunnel.read(tcp, 64), number, kind)
        return tcp

    def sealed_data(self, link, number, kind=ACCEPT):
        """The same in TLS."""
        tls = server_context((DATA_PROTOCOL,)).wrap_socket(self.accept(), server_side=True,
                                                           suppress_ragged_eofs=False)
        if tls.selected_alpn_protocol() != DATA_PROTOCOL:
            raise AssertionError(f"{tls.selected_alpn_protocol()} for a data connection")
        link.check_preface(tunnel.read(tls, 64), number, kind)
        return tls


def server_context(protocols, folder=None):
    folder = folder or tunnel.keys().relay
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # An end without close_notify is none, which some builds of Python would not tell.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.load_cert_chain(f"{folder}/server.crt.pem", f"{folder}/server.key.pem")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class Link:
    """A control connection."""

    def __init__(self, tcp, protocols):
        context = server_context(protocols)
        self.buffer = b""
        self.sid = os.urandom(16)
        with tempfile.NamedTemporaryFile("r") as keylog:
            context.keylog_filename = keylog.name
            self.tls = context.wrap_socket(tcp, server_side=True, suppress_ragged_eofs=True)
            self.keys = exported(keylog.read(), self.tls.cipher()[0])

    def close(self):
        self.tls.close()

    def say(self, verb, **fields):
        words = [verb, *(f"{key}={percent(value)}" for key, value in fields.items())]
        self.tls.sendall((" ".join(words) + "\r\n").encode("ascii"))

    def line(self):
        while b"\r\n" not in self.buffer:
            part = self.tls.recv(65536)
            if not part:
                raise AssertionError(f"the agent closed it after {self.buffer!r}")
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return Line(line)

    def expect(self, verb, **fields):
        """The next line that is not about pings."""
        while (line := self.line()).verb in ("ping", "pong") and verb != line.verb:
            if line.verb == "ping":
                self.say("pong", n=line["n"])
        wanted = {key: str(value) for key, value in fields.items()}
        if line.verb != verb or any(line.get(key) != value for key, value in wanted.items()):
            raise AssertionError(f"{verb} {wanted} expected, got {line}")
        return line

    def welcome(self, **fields):
        """Hears hello and the first bind before it says anything; returns both."""
        hello = self.expect("hello")
        bind = self.expect("bind")
        self.say("welcome", **{"sid": self.sid.hex(), "you": "127.0.0.1:1", "ping": 15, "dead": 45,
                               "ttl": 15, "grace": 60, "caps": "standby,tls"} | fields)
        return hello, bind

    def bind(self, bind):
        self.say("bound", rid=bind["rid"], name=bind["name"], at="relay.test:12101", lease=60)

    def client(self, number, name, **fields):
        self.say("new_connection", **{"id": number, "name": name} | CLIENT | fields)

    def check_preface(self, preface, number, kind):
        head = b"TRD2" + bytes([kind, 0, 0, 0]) + self.sid + number.to_bytes(8, "big")
        if preface != head + hmac.digest(self.keys[32:64], head, "sha256"):
            raise AssertionError(f"no preface for {number}: {preface.hex()}")

    def head(self, standing, number, name, key=None, verb="new_connection"):
        """What gives a client to a standing connection."""
        fields = {"id": number, "name": name} | CLIENT
        line = " ".join([verb, *(f"{one}={percent(value)}" for one, value in fields.items())])
        preface = b"TRD2" + bytes([STANDBY, 0, 0, 0]) + self.sid + standing.to_bytes(8, "big")
        start = b"TRS2" + len(line).to_bytes(2, "big") + line.encode()
        return start + hmac.digest(key or self.keys[64:], preface + start, "sha256")
