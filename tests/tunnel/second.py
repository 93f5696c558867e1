# SPDX-License-Identifier: Apache-2.0
"""An agent of version 2 (docs/tunnel-protocol.md), in which every byte is the test's to choose.

It is written from that page, and shares nothing with the programs. What both ends have from the TLS
session is worked out of the secret that Python's ssl logs (RFC 8446 section 7).
"""
import base64
import dataclasses
import hashlib
import hmac
import os
import ssl
import tempfile

import tunnel

PROTOCOL = "tlsrelay/2"
DATA_PROTOCOL = "tlsrelay-data/2"
LABEL = "EXPORTER-tlsrelay-2"
ACCEPT, STANDBY = 1, 2


def expand(secret, label, context, length, digest):
    """HKDF-Expand-Label."""
    full = b"tls13 " + label.encode()
    info = (length.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context)
    data, block, number = b"", b"", 0
    while len(data) < length:
        number += 1
        block = hmac.digest(secret, block + info + bytes([number]), digest)
        data += block
    return data[:length]


def exported(keylog, cipher):
    """96 bytes of the only session in a log of keys."""
    digest = "sha384" if cipher.endswith("SHA384") else "sha256"
    secret = next(bytes.fromhex(line.split()[2]) for line in keylog.splitlines()
                  if line.startswith("EXPORTER_SECRET "))
    nothing = hashlib.new(digest, b"").digest()
    derived = expand(secret, LABEL, nothing, len(nothing), digest)
    return expand(derived, "exporter", nothing, 96, digest)


@dataclasses.dataclass
class Token:
    name: str
    secret: bytes = dataclasses.field(default_factory=lambda: os.urandom(18))
    pin: bytes = bytes(32)

    def key(self):
        return hmac.digest(self.secret, f"tlsrelay/2 {self.name}".encode(), "sha256")

    def verifier(self):
        return hashlib.sha256(self.key()).digest()

    def proof(self, exported_key):
        mask = hmac.digest(self.verifier(), exported_key, "sha256")
        return bytes(a ^ b for a, b in zip(self.key(), mask))

    def line(self, terms="ports=*"):
        """Of the access list."""
        return f"token {self.name} {self.verifier().hex()} {terms}\n"

    @staticmethod
    def read(text):
        word, name, data = text.split(".")
        raw = base64.urlsafe_b64decode(data)
        check = hashlib.sha256(f"flt1.{name}.".encode() + raw[:50]).digest()[:4]
        if word != "flt1" or len(raw) != 54 or raw[50:] != check:
            raise AssertionError(f"no token: {text}")
        return Token(name, raw[:18], raw[18:50])


def percent(value):
    return "".join(chr(one) if 0x21 <= one <= 0x7e and one != 0x25 else f"%{one:02x}"
                   for one in str(value).encode())


def unpercent(text):
    data, at = bytearray(), 0
    while at < len(text):
        if text[at] == "%":
            data.append(int(text[at + 1:at + 3], 16))
            at += 3
        else:
            data.append(ord(text[at]))
            at += 1
    return data.decode()


class Line(dict):
    """A line of the relay: its verb, and its fields as a dictionary."""

    def __init__(self, text):
        words = text.decode("ascii").split(" ")
        self.verb = words[0]
        super().__init__((key, unpercent(value)) for key, _, value in
                         (word.partition("=") for word in words[1:]))

    def __repr__(self):
        return f"{self.verb} {super().__repr__()}"


def context(folder=None, role=None, protocols=(PROTOCOL,), version=None):
    one = tunnel.tls_context(folder or tunnel.keys().relay, role, version)
    if protocols:
        one.set_alpn_protocols(list(protocols))
    return one


class Agent:
    """A control connection. `hello` is said, and welcome is heard, unless it is not `token`ed."""

    def __init__(self, port, token=None, *, folder=None, role=None, instance=1, pool=0, caps="",
                 host="127.0.0.1", server_name=None):
        self.port, self.host = port, host
        self.instance = instance
        self.rid = 0
        self.buffer = b""
        self.seen = []  # lines that somebody else has passed over
        tls = context(folder, role)
        with tempfile.NamedTemporaryFile("r") as keylog:
            tls.keylog_filename = keylog.name
            tcp = tunnel.dial(port, host)
            try:
                self.tls = tls.wrap_socket(tcp, suppress_ragged_eofs=False,
                                           server_hostname=server_name)
            except BaseException:
                tcp.close()
                raise
            self.keys = exported(keylog.read(), self.tls.cipher()[0])
        self.sid = None
        if token is not None or role is not None:
            self.hello(token, pool, caps)
            self.welcome = self.expect("welcome")
            self.sid = bytes.fromhex(self.welcome["sid"])

    def close(self):
        self.tls.close()

    def lose(self):
        """As if the way to the relay were cut: without a word of TLS's."""
        tunnel.reset(self.tls)

    # --- lines

    def say(self, verb, **fields):
        words = [verb, *(f"{key}={percent(value)}" for key, value in fields.items())]
        self.tls.sendall((" ".join(words) + "\r\n").encode("ascii"))

    def hello(self, token, pool=0, caps="", **more):
        proof = ({"auth": "token", "id": token.name, "proof": token.proof(self.keys[:32]).hex()}
                 if token is not None else {"auth": "cert"})
        self.say("hello", **(proof | {"instance": self.instance} | ({"pool": pool} if pool else {})
                             | ({"caps": caps} if caps else {}) | more))

    def line(self):
        """The next line, whatever it is."""
        while b"\r\n" not in self.buffer:
            part = self.tls.recv(65536)
            if not part:
                raise AssertionError(f"the relay closed it after {self.buffer!r}")
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return Line(line)

    def next(self):
        """The next line that is not a ping, which is answered."""
        while (line := self.line()).verb == "ping":
            self.say("pong", n=line["n"])
        return line

    def expect(self, verb, **fields):
        """A line of that verb, with these fields at least; standby may come before."""
        line = self.next()
        while line.verb == "standby" and verb != "standby":
            self.seen.append(line)
            line = self.next()
        wanted = {key: str(value) for key, value in fields.items()}
        if line.verb != verb or any(line.get(key) != value for key, value in wanted.items()):
            raise AssertionError(f"{verb} {wanted} expected, got {line}")
        return line

    def expect_end(self, code):
        """bye, and then nothing."""
        self.expect("bye", code=code)
        rest = tunnel.read_until_over(self.tls)
        if rest:
            raise AssertionError(f"an end expected, got {rest!r}")

    def ask(self, verb, name, **fields):
        self.rid += 1
        self.say(verb, rid=self.rid, name=name, **fields)
        return self.rid

    def bind(self, name="web", kind="tcp", **fields):
        """Returns the port that it is bound to."""
        bound = self.expect("bound", rid=self.ask("bind", name, kind=kind, **fields), name=name)
        return int(bound["at"].rpartition(":")[2])

    # --- data connections

    def preface(self, number, kind=ACCEPT, sid=None, key=None):
        head = b"TRD2" + bytes([kind, 0, 0, 0]) + (sid or self.sid) + int(number).to_bytes(8, "big")
        return head + hmac.digest(key or self.keys[32:64], head, "sha256")

    def dial(self, number, kind=ACCEPT):
        """A data connection with its preface."""
        tcp = tunnel.dial(self.port, self.host)
        tcp.sendall(self.preface(number, kind))
        return tcp

    def seal(self, port=None, protocols=(DATA_PROTOCOL,), version=None):
        """A connection in TLS as those for data are, without a word in it."""
        tcp = tunnel.dial(port or self.port, self.host)
        try:
            tls = context(protocols=protocols, version=version).wrap_socket(
                tcp, suppress_ragged_eofs=False)
        except BaseException:
            tcp.close()
            raise
        if tls.selected_alpn_protocol() != DATA_PROTOCOL:
            raise AssertionError(f"{tls.selected_alpn_protocol()} for a data connection")
        return tls

    def dial_sealed(self, number, kind=ACCEPT, **options):
        """A data connection in TLS with its preface."""
        tls = self.seal(**options)
        tls.sendall(self.preface(number, kind))
        return tls

    def read_head(self, tcp, number):
        """The client that a standing connection is given."""
        start = tunnel.read(tcp, 6)
        line = tunnel.read(tcp, int.from_bytes(start[4:], "big"))
        mac = hmac.digest(self.keys[64:], self.preface(number, STANDBY)[:32] + start + line,
                          "sha256")
        if start[:4] != b"TRS2" or tunnel.read(tcp, 32) != mac:
            raise AssertionError(f"no head: {start!r} {line!r}")
        return Line(line)


def finish(tls):
    """Says that nothing more comes (close_notify), and goes on reading."""
    timeout_s = tls.gettimeout()
    tls.setblocking(False)
    try:
        tls.unwrap()
    except ssl.SSLWantReadError:
        pass  # the other side has not said so yet
    tls.settimeout(timeout_s)


def refusal(port, protocols, folder=None, role=None, version=None):
    """The words of the alert that ends the handshake; empty: none does."""
    with tunnel.dial(port) as tcp:
        try:
            with context(folder, role, protocols, version).wrap_socket(tcp) as tls:
                tls.recv(1)
        except ssl.SSLError as error:
            return str(error).lower()
    return ""
