# SPDX-License-Identifier: Apache-2.0
"""A portal of Firezone, as far as a relay sees it: it checks all that a relay sends, byte by byte,
and misbehaves on command.

Each connection is met as the next of `manners` says, or else well. A manner is a function that is
given the Connection, before the upgrade; GOOD is the last resort. What breaks the protocol is kept
in `wrongs`, which a test expects to be empty.

    portal = Portal([refuse(503, {"Retry-After": "1"}), GOOD])
    ... --api-url portal.url ...
    portal.wait_for("join", 2)
"""
import base64
import collections
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from sandbox import PATIENCE_S

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TOKEN = ".SFMyNTY.g2gDaANtAAAAA25pbG0AAAAkZm9vYmFy.dGVzdA"
# What their portal takes apart: system/version, relay/version, architecture and kernel.
AGENT = re.compile(r"[!-~]+/[!-~]+ relay/\d+\.\d+\.\d+ \([!-~]+; [!-~]+\)")
TIMEOUT_S = 30

Event = collections.namedtuple("Event", "kind time_s connection detail")


class Over(Exception):
    """The connection has ended, or is to be."""


class Connection:
    def __init__(self, portal, sock, number):
        self.portal, self.sock, self.number = portal, sock, number
        self.buffer = b""
        self.is_joined = False
        self.next_ref = 0
        self.secret = None
        self.headers = {}
        self.lock = threading.Lock()

    # --- bytes

    def read(self, length):
        while len(self.buffer) < length:
            self.fill()
        done, self.buffer = self.buffer[:length], self.buffer[length:]
        return done

    def fill(self):
        try:
            part = self.sock.recv(65536)
        except OSError:
            raise Over from None
        if not part:
            raise Over
        self.buffer += part

    def write(self, data):
        try:
            with self.lock:
                self.sock.sendall(data)
        except OSError:
            raise Over from None

    def note(self, kind, detail=None):
        self.portal.note(kind, self.number, detail)

    def expect(self, is_right, what):
        if not is_right:
            self.portal.wrongs.append(f"connection {self.number}: {what}")

    # --- HTTP

    def read_request(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("ascii").split("\r\n")
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.expect(name.lower() not in self.headers, f"header {name} twice")
            self.headers[name.lower()] = value
        self.note("request", lines[0])
        self.check_request(lines[0])

    def check_request(self, line):
        method, target, version = line.split(" ")
        self.expect((method, version) == ("GET", "HTTP/1.1"), line)
        self.expect(target == self.portal.target, f"{target}, not {self.portal.target}")
        get = self.headers.get
        self.expect(get("host") == self.portal.host, f"Host: {get('host')}")
        self.expect(get("upgrade", "").lower() == "websocket", f"Upgrade: {get('upgrade')}")
        self.expect(get("connection", "").lower() == "upgrade", f"Connection: {get('connection')}")
        self.expect(get("sec-websocket-version") == "13", "Sec-WebSocket-Version")
        key = get("sec-websocket-key", "")
        self.expect(len(base64.b64decode(key)) == 16, f"Sec-WebSocket-Key: {key}")
        self.expect(get("x-authorization") == f"Bearer {self.portal.token}",
                    f"X-Authorization: {get('x-authorization')}")
        self.expect(AGENT.fullmatch(get("user-agent", "")), f"User-Agent: {get('user-agent')}")
        known = {"host", "upgrade", "connection", "sec-websocket-version", "sec-websocket-key",
                 "x-authorization", "user-agent", "pragma", "cache-control"}
        self.expect(set(self.headers) <= known, f"{set(self.headers) - known}")

    def respond(self, status, headers=None, body=b""):
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        lines = [f"HTTP/1.1 {status} Because", *(f"{name}: {value}" for name, value in
                                                  fields.items())]
        self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def accept(self):
        digest = hashlib.sha1((self.headers["sec-websocket-key"] + GUID).encode()).digest()
        self.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + base64.b64encode(digest) +
                   b"\r\n\r\n")
        self.note("accepted")

    # --- WebSocket

    def read_frame(self):
        first, second = self.read(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.read(8))[0]
        self.expect(second & 0x80, "a frame without a mask")
        self.expect(first & 0xF0 == 0x80, f"a frame that begins with {first:#x}")
        self.expect(length <= 1024, f"a frame of {length} bytes")
        mask = self.read(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.read(length)))
        return first & 0xF, data

    def write_frame(self, data, opcode=TEXT, is_final=True):
        head = bytes([(0x80 if is_final else 0) | opcode])
        if len(data) < 126:
            head += bytes([len(data)])
        elif len(data) < 65536:
            head += b"\x7e" + struct.pack("!H", len(data))
        else:
            head += b"\x7f" + struct.pack("!Q", len(data))
        self.write(head + data)

    def say(self, topic, event, payload, ref=None, **more):
        message = {"event": event, "payload": payload, "ref": ref, "topic": topic, **more}
        self.write_frame(json.dumps(message, separators=(",", ":")).encode())

    def reply(self, topic, ref, status="ok", response=None):
        self.say(topic, "phx_reply", {"status": status, "response": response or {}}, ref)

    # --- Phoenix

    def read_message(self):
        """The next message of the relay, or None for another frame. Checks it to the byte."""
        opcode, data = self.read_frame()
        if opcode == CLOSE:
            self.note("close", data)
            try:
                self.write_frame(data, CLOSE)
            finally:
                raise Over
        if opcode == PONG:
            self.note("pong", data)
            return None
        self.expect(opcode == TEXT, f"a frame of type {opcode}")
        message = json.loads(data)
        ref, event = message["ref"], message["event"]
        self.expect(ref == self.next_ref, f"ref {ref}, not {self.next_ref}")
        self.next_ref += 1
        forms = {"phx_join": ("relay", {"stamp_secret": message["payload"].get("stamp_secret")}),
                 "heartbeat": ("phoenix", {}), "phx_leave": ("relay", {})}
        topic, payload = forms.get(event, (None, None))
        wanted = json.dumps({"topic": topic, "event": event, "payload": payload, "ref": ref},
                            separators=(",", ":"))
        self.expect(data.decode() == wanted, f"{data}, not {wanted}")
        self.expect(self.is_joined or event == "phx_join", f"{event} before it has joined")
        return message

    def take_join(self, message):
        self.secret = message["payload"]["stamp_secret"]
        self.expect(re.fullmatch("[0-9a-f]{64}", self.secret), f"the secret {self.secret!r}")
        self.portal.secrets.append(self.secret)
        self.note("join", message["ref"])

    def welcome(self, message):
        self.take_join(message)
        self.reply("relay", message["ref"])
        self.say("relay", "init", {})
        self.is_joined = True
        self.note("joined")

    def serve(self):
        """As it should be, until the relay leaves."""
        while True:
            message = self.read_message()
            if message is None:
                continue
            if message["event"] == "phx_join":
                self.welcome(message)
            elif message["event"] == "heartbeat":
                self.note("heartbeat", message["ref"])
                self.reply("phoenix", message["ref"])
            elif message["event"] == "phx_leave":
                self.note("leave")
                self.reply("relay", message["ref"])
                self.say("relay", "phx_close", {}, message["ref"])

    def wait_until_it_hangs_up(self):
        while True:
            try:
                self.read_frame()
            except Over:
                self.note("hung up")
                raise


# --- manners

def GOOD(connection):
    connection.accept()
    connection.serve()


def refuse(status, headers=None, body=b""):
    def manner(connection):
        connection.respond(status, headers, body)
    return manner


def after_join(act):
    """Welcomes the relay and then acts; goes on serving unless acting ends it."""
    def manner(connection):
        connection.accept()
        connection.welcome(connection.read_message())
        act(connection)
        connection.serve()
    return manner


def instead_of_reply(act):
    """Has the join come and acts; goes on serving unless acting ends it."""
    def manner(connection):
        connection.accept()
        message = connection.read_message()
        connection.take_join(message)
        act(connection, message)
        connection.serve()
    return manner


def end(connection, *_):
    raise Over


def silence(connection, *_):
    """Says nothing any more, until the relay hangs up."""
    connection.wait_until_it_hangs_up()


class Portal:
    def __init__(self, manners=(), host="127.0.0.1", name=None, scheme="ws", base="",
                 token=TOKEN, certificate=None, port=0):
        self.manners = collections.deque(manners)
        self.token, self.query = token, None
        self.events, self.wrongs, self.secrets = [], [], []
        self.changed = threading.Condition()
        self.listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.host = name or host
        self.base = base
        self.url = f"{scheme}://{self.host}:{self.port}{base}"
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.connections, self.count, self.is_over = [], 0, False
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    @property
    def target(self):
        return f"{self.base.rstrip('/')}/relay/websocket?{self.query}"

    def expect_relay(self, port, name=None, ip4="127.0.0.1", ip6=None):
        """What the query of its requests is to be."""
        pairs = [("name", name), ("ipv4", ip4), ("ipv6", ip6), ("port", port)]
        self.query = urllib.parse.urlencode([(key, value) for key, value in pairs if value])

    def listen(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.meet, args=(sock, self.count), daemon=True).start()

    def meet(self, sock, number):
        try:
            sock.settimeout(TIMEOUT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.note("tcp", number)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            connection = Connection(self, sock, number)
            self.connections.append(connection)
            connection.read_request()
            manner = self.manners.popleft() if self.manners else GOOD
            manner(connection)
        except (Over, OSError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.wrongs.append(f"connection {number}: {error!r}")
        finally:
            sock.close()
            self.note("end", number)

    # --- what has happened

    def note(self, kind, connection, detail=None):
        with self.changed:
            self.events.append(Event(kind, time.monotonic(), connection, detail))
            self.changed.notify_all()

    def find(self, kind):
        return [event for event in self.events if event.kind == kind]

    def wait_for(self, kind, count=1, timeout_s=2 * PATIENCE_S):
        """The count-th event of the kind."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.find(kind)) >= count, timeout_s):
                raise AssertionError(f"no {kind} number {count}: {self.events}")
            return self.find(kind)[count - 1]

    def close(self):
        for sock in (self.listener, *(connection.sock for connection in self.connections)):
            try:
                sock.shutdown(socket.SHUT_RDWR)  # whoever waits for it is woken
            except OSError:
                pass
        self.listener.close()
