#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients and servers that do at random what they may: no byte is ever wrong, and nothing stays.

Each end of a session sends, reads, finishes, closes or is reset at any time, servers sometimes do
not dial, and now and then a control connection is lost, or the relay reloads. What arrives is the
beginning of what the other end has sent; and unless somebody tore the session, it ends only where
the other end finished.
"""
import os
import random
import signal
import socket
import time

import tunnel
from sandbox import wait_until
from tunnel import NO_CONTROLLER, Control, better, dial, reset

SEED = int(os.environ.get("FAIRLEAD_SEED") or str(random.randrange(2**32)), 0)
STORM_S = 4  # at least
MOST_S = 60  # to have met all that is to be met, and to calm down
SESSIONS = 50  # at a time
NUMBER_LEN = 4
LENGTHS = (1, 100, 3000, 70000, 250000)
BLOCK = random.Random(1).randbytes(1 << 18)


def content(session, direction, at, length):
    """What an end of this session has at this place of all that it sends."""
    start, data = session * 7919 + direction * 104729 + at, b""
    while len(data) < length:
        here = (start + len(data)) % len(BLOCK)
        data += BLOCK[here:here + length - len(data)]
    return data


class End:
    """One end of a session: what it has sent and read, and how far it has come."""

    def __init__(self, session, direction, tcp):
        self.session, self.direction, self.tcp = session, direction, tcp
        self.sent = self.arrived = 0
        self.is_finished = self.is_closed = self.has_seen_end = False
        tcp.setblocking(False)

    def send(self, length):
        data = content(self.session.number, self.direction, self.sent, length)
        try:
            self.sent += self.tcp.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.meet_end("a reset")

    def read(self, length):
        try:
            data = self.tcp.recv(length)
        except BlockingIOError:
            return
        except OSError:
            self.meet_end("a reset")
            return
        if self.session.is_late(data):
            data = b""
        if data != content(self.session.number, 1 - self.direction, self.arrived, len(data)):
            raise AssertionError(f"{self.session}: wrong bytes behind {self.arrived}: {data[:40]}")
        self.arrived += len(data)
        if not data:
            self.meet_end("an end")

    def meet_end(self, what):
        self.has_seen_end = True
        other = self.session.other_of(self)
        if self.session.is_torn:
            return
        if what != "an end" or other is None or not other.is_finished \
                or other.sent != self.arrived:
            raise AssertionError(f"{self.session}: {what} behind {self.arrived} bytes")

    def finish(self):
        self.is_finished = True
        try:
            self.tcp.shutdown(socket.SHUT_WR)
        except OSError:
            self.meet_end("a reset")

    def close(self, how=socket.socket.close):
        if not self.is_closed:
            self.is_closed = True
            how(self.tcp)

    def act(self, dice, length):
        """Whatever it may."""
        if self.is_closed:
            return
        if dice < 0.45 and not self.is_finished:
            self.send(length)
        elif dice < 0.975 and not self.has_seen_end:
            self.read(length)
        elif 0.975 < dice < 0.99 and not self.is_finished:
            self.finish()
        elif dice > 0.996:
            self.session.is_torn = True
            self.close(reset if dice > 0.998 else socket.socket.close)

    def __str__(self):
        return f"sent {self.sent}, got {self.arrived}"


class Session:
    def __init__(self, number, server):
        self.number, self.server = number, server
        self.is_torn = False
        self.ends = [End(self, 0, dial(server.public_port))]
        self.ends[0].tcp.send(number.to_bytes(NUMBER_LEN, "big"))

    def other_of(self, end):
        return self.ends[1 - end.direction] if len(self.ends) == 2 else None

    def is_late(self, data):
        """It was accepted when its server was lost already."""
        is_alone = self.is_torn and len(self.ends) == 1
        return is_alone and data != b"" and NO_CONTROLLER.startswith(data)

    def is_over(self):
        if self.is_torn:
            return all(end.is_closed or end.has_seen_end for end in self.ends)
        return all(end.is_finished and end.has_seen_end for end in self.ends)

    def close(self):
        for end in self.ends:
            end.close()

    def __str__(self):
        return f"session {self.number} ({'; '.join(str(end) for end in self.ends)})"


class Server:
    """With a control connection."""

    def __init__(self, relay):
        self.control = Control(relay).greet()
        self.control.tls.setblocking(False)
        self.public_port = self.control.public_port

    def hear(self):
        """How many clients have come."""
        try:
            self.control.buffer += self.control.tls.recv(65536)
        except OSError:
            return 0
        *lines, self.control.buffer = self.control.buffer.split(b"\r\n")
        if any(line != b"new_connection" for line in lines):
            raise AssertionError(lines)
        return len(lines)

    def connections(self, chance):
        """New ones by which clients come. Some of them are forgotten to be dialled."""
        return [dial(self.control.reverse_port) for _ in range(self.hear()) if chance() < 0.98]

    def close(self):
        self.control.close()


class Storm(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        print(f"FAIRLEAD_SEED={SEED:#x}", flush=True)
        self.random = random.Random(SEED)
        options = [] if tunnel.is_original() else [
            "--num-worker-threads", 3, "--max-waiting-per-address", 1000]
        self.one = self.relay(*options, pairs=2, announced=["."])
        self.base = self.one.socket_count()
        self.servers = [self.server() for _ in range(2)]
        self.sessions = {}
        self.reverses = []  # that do not know yet whom they serve
        self.count = self.whole_count = self.torn_count = 0
        self.addCleanup(self.close)

    def server(self):
        return Server(self.one)

    def close(self):
        for one in (*self.sessions.values(), *self.servers, *self.reverses):
            one.close()

    def serve(self):
        """Connects with those who have come, and finds out who they are."""
        for server in self.servers:
            for tcp in server.connections(self.random.random):
                tcp.setblocking(False)
                self.reverses.append(tcp)
        for tcp in list(self.reverses):
            try:
                number = int.from_bytes(tcp.recv(NUMBER_LEN), "big")
            except BlockingIOError:
                continue
            except OSError:
                number = 0
            self.reverses.remove(tcp)
            session = self.sessions.get(number)
            if session is None or session.is_torn:
                tcp.close()
            else:
                session.ends.append(End(session, 1, tcp))

    def judge(self):
        for session in [one for one in self.sessions.values() if one.is_over()]:
            session.close()
            del self.sessions[session.number]
            self.torn_count += session.is_torn
            self.whole_count += not session.is_torn

    def lose_control(self):
        index = self.random.randrange(len(self.servers))
        server = self.servers[index]
        for session in self.sessions.values():
            session.is_torn |= session.server is server
        server.close()
        pair = server.public_port - self.one.public(0)
        wait_until(lambda: tunnel.answers_nobody(self.one, pair))
        self.servers[index] = self.server()

    def storm(self):
        while len(self.sessions) < SESSIONS and self.random.random() < 0.3:
            self.count += 1
            self.sessions[self.count] = Session(self.count, self.random.choice(self.servers))
        if self.random.random() < 0.001:
            self.lose_control()
        if self.random.random() < 0.001:
            self.one.process.send_signal(signal.SIGHUP)
        for session in self.random.choices(list(self.sessions.values()) or [None], k=10):
            if session is not None:
                end = self.random.choice(session.ends)
                end.act(self.random.random(), self.random.choice(LENGTHS))

    def calm(self):
        """All finish and read; who was never served has waited for nothing."""
        for session in self.sessions.values():
            if len(session.ends) == 1:
                session.is_torn = True
                session.ends[0].close()
            for end in session.ends:
                if not end.is_finished and not end.is_closed:
                    end.finish()
                if not end.has_seen_end and not end.is_closed:
                    end.read(1 << 20)

    def has_met_all(self):
        return min(self.whole_count, self.torn_count) > 10 and "are reloaded" in self.one.log()

    @better
    def test_no_byte_is_wrong_and_nothing_stays(self):
        start_s = time.monotonic()
        while (now_s := time.monotonic()) < start_s + STORM_S or not self.has_met_all():
            self.assertLess(now_s, start_s + MOST_S)
            self.serve()
            self.storm()
            self.judge()
        end_s = time.monotonic() + MOST_S
        while self.sessions:
            self.serve()
            self.calm()
            self.judge()
            self.assertLess(time.monotonic(), end_s, [str(one) for one in self.sessions.values()])
        print(f"{self.whole_count} sessions whole, {self.torn_count} torn")
        self.close()
        wait_until(lambda: self.one.socket_count() <= self.base)


if __name__ == "__main__":
    tunnel.main()
