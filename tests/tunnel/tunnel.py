# SPDX-License-Identifier: Apache-2.0
"""The reverse relay as a process, its keys, and a case whose servers and clients end with it.

The words are the original's: a *server* has a control connection to the relay, where it is told of
each *client*; for each it dials a *reverse* connection. Here all of them are plain sockets, so that
every byte is seen; the relay does not care what passes.

FAIRLEAD_TUNNEL is our program, or twisted_relay.py, which does as the original did. What is better
than the original is marked with @better, and must fail against that one.
"""
import functools
import os
import shutil
import socket
import ssl
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conform"))
# pylint: disable=wrong-import-position
import case
import daemon
from certificates import Authority
from sandbox import PATIENCE_S

SILENCE_S = 0.15  # in which nothing comes that was not to come
NO_CONTROLLER = b"no controller linked"
LISTEN = 0x0A  # of /proc/net/tcp's states
HANDSHAKES = "FAIRLEAD_TUNNEL_MAX_HANDSHAKES_PER_SECOND"
# It is ended with its sessions; and others of this host may have the default port for metrics.
# Servers come as fast as a test has them come, unless it says what the limit is.
ENVIRONMENT = daemon.ENVIRONMENT | {"FAIRLEAD_TUNNEL_DRAIN_TIMEOUT": "0",
                                    "FAIRLEAD_TUNNEL_METRICS_ADDR": "off",
                                    "FAIRLEAD_TUNNEL_CONTROL_SOCKET": "none",
                                    HANDSHAKES: "0"}
# What the relay says of what some tests provoke.
FULL = "a server was turned away: all pairs of ports are taken "
LIMITED = "a client was refused "
EXHAUSTED = "connections wait, since the system has no room for them "
AGAIN = "clients wait for long, and are announced once more "
TIMED_OUT = "a client was closed: no reverse connection came for it "
FOREIGN = "a reverse connection was refused: it comes from elsewhere than its server "
OTHER_FAMILY = "a reverse connection came by the other family than its server's control connection"
TWISTED_RELAY = os.path.join(HERE, "twisted_relay.py")


def program():
    return os.environ["FAIRLEAD_TUNNEL"]


def is_original():
    return program() == TWISTED_RELAY


@functools.cache
def is_sanitized():
    with open(program(), "rb") as file:
        return b"__asan_init" in file.read()


# Until what must arrive is given up; a busy machine needs time, the original fails on purpose.
def arrival_s():
    return 1 if is_original() else PATIENCE_S


def better(test):
    """Where the original does worse, and the test must see that."""
    @functools.wraps(test)
    def run(self):
        if not is_original():
            test(self)
            return
        try:
            test(self)
        except (AssertionError, OSError) as error:
            print(f"the original: {str(error).splitlines()[0]}", file=sys.stderr)
            for relay in self.relays:
                relay.is_judged = True
            return
        self.fail("the original passes too")
    return run


class Keys:
    """Folders as the original has them: ca, server and client, each with .crt.pem and .key.pem.

    `relay` is the relay's and its servers', `application` what server and client show one another
    through it, `stranger` has the relay's CA, but is certified by somebody else.
    """

    def __init__(self, folder):
        self.folder = folder
        os.chmod(folder, 0o755)
        self.relay, self.application, self.stranger = (
            self.make(name) for name in ("relay", "application", "stranger"))
        shutil.copy(f"{self.relay}/ca.crt.pem", f"{self.stranger}/ca.crt.pem")

    def make(self, name):
        folder = f"{self.folder}/{name}"
        os.mkdir(folder)
        authority = Authority(f"{name} CA", f"{folder}/ca")
        for role in ("server", "client"):
            authority.issue(f"{name} {role}", f"{folder}/{role}")
        if os.geteuid() == 0:  # for the relay that reads it again when it is root no more
            shutil.chown(f"{folder}/server.key.pem", "nobody")
        os.remove(authority.key)
        return folder


@functools.cache
def keys():
    """Of this file of tests."""
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    return Keys(folder.name)


def listening_ports(process="self"):
    """The TCP ports where somebody listens, of the host of a process."""
    ports = set()
    for name in ("tcp", "tcp6"):
        path = f"/proc/{process}/net/{name}"
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                for words in (line.split() for line in file.readlines()[1:]):
                    if int(words[3], 16) == LISTEN:
                        ports.add(int(words[1].rpartition(":")[2], 16))
    return ports


class TunnelRelay(daemon.Daemon):
    """Ready when it listens at its control port and at both ports of each pair."""

    def __init__(self, *options, pairs=2, announced=(), prefix=(), port=None, environment=None,
                 folder=None, executable=None):
        self.pairs = pairs
        self.port = port or daemon.free_ports(1 + 2 * pairs, socket.SOCK_STREAM)
        command = [*prefix, *relay_command(executable), self.port, "--port-count", 2 * pairs,
                   "-k", folder or keys().relay, *options]
        environment = ENVIRONMENT | (environment or {})
        super().__init__(command, {name: value for name, value in environment.items()
                                   if value is not None}, announced)

    def reverse(self, pair):
        return self.port + 1 + pair

    def public(self, pair):
        return self.port + 1 + self.pairs + pair

    def is_ready(self):
        ports = range(self.port, self.port + 1 + 2 * self.pairs)
        return listening_ports(self.process.pid).issuperset(ports)


def relay_command(executable=None):
    """What starts a relay, without any options: the original's is a program by itself."""
    executable = executable or program()
    return [executable] if executable == TWISTED_RELAY else [executable, "relay"]


def link(name):
    """Our program by one of the original's names."""
    path = f"{keys().folder}/{name}"
    if not os.path.lexists(path):
        os.symlink(program(), path)
    return path


def original_command():
    """A relay with the original's name and command line."""
    return [program() if is_original() else link("tx_tlsrelay")]


def dial(port, host="127.0.0.1", source=None, buffer_len=None):
    """A TCP connection. `buffer_len` bounds what the kernel takes from it and for it."""
    tcp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if buffer_len is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_len)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_len)
        if source is not None:
            tcp.bind((source, 0))
        tcp.settimeout(arrival_s())
        tcp.connect((host, port))
    except BaseException:
        tcp.close()
        raise
    return tcp


def read(tcp, length):
    """So many bytes, not fewer."""
    data = bytearray()
    while len(data) < length:
        part = tcp.recv(min(length - len(data), 1 << 18))
        if not part:
            raise AssertionError(f"ended after {bytes(data)!r}")
        data += part
    return bytes(data)


def read_to_end(tcp):
    """All until the other side has closed its direction."""
    data = bytearray()
    while part := tcp.recv(1 << 16):
        data += part
    return bytes(data)


def read_until_over(tcp, most=1 << 30):
    """All until it is over, be it by a reset, or so many bytes."""
    data = bytearray()
    try:
        while part := tcp.recv(min(most - len(data), 1 << 16)):
            data += part
    except ConnectionResetError:
        pass
    return bytes(data)


def knock(port, **options):
    """All that somebody gets there who says nothing, until it is over, if only by a reset."""
    try:
        with dial(port, **options) as stranger:
            return read_until_over(stranger)
    except ConnectionResetError:  # before it was there
        return b""


def answers_nobody(relay, pair):
    """That a pair has no server. Asked at its reverse port, where one too many does nothing."""
    return knock(relay.reverse(pair)) == NO_CONTROLLER


def reset(tcp):
    """Ends it by RST."""
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    tcp.close()


def tls_context(folder, role="client", version=None):
    """Of a client without a check of names, as the original's. role None: shows no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(f"{folder}/ca.crt.pem")
    if role is not None:
        context.load_cert_chain(f"{folder}/{role}.crt.pem", f"{folder}/{role}.key.pem")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def client_hello():
    """What a client of TLS says first."""
    tls = tls_context(keys().relay).wrap_bio(ssl.MemoryBIO(), sent := ssl.MemoryBIO())
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("no handshake is over after its first word")


class Control:
    """A server's control connection, and what the relay says there, as bytes."""

    def __init__(self, relay, folder=None, role="client", version=None, **options):
        context = tls_context(folder or keys().relay, role, version)
        tcp = dial(relay.port, **options)
        try:
            self.tls = context.wrap_socket(tcp, suppress_ragged_eofs=False)
        except BaseException:
            tcp.close()
            raise
        self.buffer = b""
        self.public_port = self.reverse_port = None

    def close(self):
        self.tls.close()

    def line(self):
        """The next line, with its end."""
        while b"\r\n" not in self.buffer:
            part = self.tls.recv(65536)
            if not part:
                raise AssertionError(f"the control connection ended after {self.buffer!r}")
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line + b"\r\n"

    def greet(self):
        """Takes its two ports from what it is told first."""
        for name in ("public", "reverse"):
            line = self.line()
            if not line.startswith(f"{name}_listener ".encode()):
                raise AssertionError(f"{name}_listener expected, got {line}")
            setattr(self, f"{name}_port", int(line.rpartition(b":")[2]))
        return self

    def expect(self, count=1):
        """So many announcements of clients."""
        for _ in range(count):
            line = self.line()
            if line != b"new_connection\r\n":
                raise AssertionError(f"new_connection expected, got {line}")

    def expect_silence(self, seconds=SILENCE_S):
        if self.buffer:
            raise AssertionError(f"silence expected, got {self.buffer}")
        expect_silence(self.tls, seconds)

    def read_to_end(self):
        """All until the relay closes it cleanly; ssl.SSLError if it does not."""
        data, self.buffer = self.buffer + read_to_end(self.tls), b""
        return data


def expect_silence(tcp, seconds=SILENCE_S):
    """Neither bytes nor an end."""
    tcp.settimeout(seconds)
    try:
        data = tcp.recv(100)
    except TimeoutError:
        tcp.settimeout(arrival_s())
        return
    raise AssertionError(f"silence expected, got {data!r}")


class TunnelCase(case.Case):
    daemon_type = TunnelRelay

    def own(self, one):
        self.addCleanup(one.close)
        return one

    def dial(self, port, **options):
        return self.own(dial(port, **options))

    def control(self, relay, **options):
        """A control connection that has its pair."""
        return self.own(Control(relay, **options)).greet()

    def client(self, control, **options):
        """A client that is announced."""
        client = self.dial(control.public_port, **options)
        control.expect()
        return client

    def serve(self, control, **options):
        """The server's end of what the client that is next gets."""
        return self.dial(control.reverse_port, **options)

    def session(self, control):
        """A client and a reverse connection that are joined."""
        client = self.client(control)
        reverse = self.serve(control)
        client.sendall(b"?")
        self.assertEqual(read(reverse, 1), b"?")
        return client, reverse

    def assert_talk(self, client, reverse):
        """That bytes go both ways."""
        for one, other, data in ((client, reverse, b"question"), (reverse, client, b"an answer")):
            one.sendall(data)
            self.assertEqual(read(other, len(data)), data)


def main(*tools, **options):
    case.main("openssl", *tools, variable="FAIRLEAD_TUNNEL", **options)
