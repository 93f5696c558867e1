#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay in the manner of tx_tlsrelay, mistakes included: what our tests are tested against.

It takes the same command line and does the same on the wire. What it does badly it does on purpose
and as the original: it gives a pair away before TLS has begun, buffers without limit, knows no
half-close, and lives on without its control port.
"""
import argparse
import collections
import os

from twisted.internet import endpoints, protocol, reactor
from twisted.protocols import basic

from twisted_keys import options_of

NO_CONTROLLER = b"no controller linked"


class Pair:
    def __init__(self, reverse_port, public_port):
        self.reverse_port, self.public_port = reverse_port, public_port
        self.controller = None
        self.waiting = collections.deque()
        self.connections = set()

    def release(self):
        self.controller = None
        self.waiting.clear()
        for connection in set(self.connections):
            connection.transport.loseConnection()


class Data(protocol.Protocol):
    """One end of a session, from either side."""

    def __init__(self, pair):
        self.pair = pair
        self.other, self.early, self.is_over = None, [], False

    def connectionMade(self):
        if self.pair.controller is None:
            self.transport.write(NO_CONTROLLER)
            self.transport.loseConnection()
            return
        self.transport.setTcpKeepAlive(True)
        self.pair.connections.add(self)
        self.meet()

    def dataReceived(self, data):
        if self.other is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    def connectionLost(self, reason=protocol.connectionDone):
        self.is_over = True
        self.pair.connections.discard(self)
        if self.other is not None:
            self.other.transport.loseConnection()


class Client(Data):
    def meet(self):
        self.pair.waiting.append(self)
        self.pair.controller.sendLine(b"new_connection")


class Reverse(Data):
    def meet(self):
        if not self.pair.waiting:
            self.transport.loseConnection()
            return
        client = self.pair.waiting.popleft()
        client.other, self.other = self, client
        self.transport.write(b"".join(client.early))
        client.early = []
        if client.is_over:
            self.transport.loseConnection()


class Control(basic.LineReceiver):
    MAX_LENGTH = 16384

    def __init__(self, free, host):
        self.free, self.host = free, host
        self.pair = None

    def connectionMade(self):
        if not self.free:
            self.sendLine(b"no_available_listeners")
            self.transport.loseConnection()
            return
        self.pair = self.free.popleft()
        self.pair.controller = self
        self.transport.writeSequence([
            f"public_listener {self.host}:{self.pair.public_port}\r\n".encode(),
            f"reverse_listener {self.host}:{self.pair.reverse_port}\r\n".encode()])

    def lineReceived(self, line):
        self.transport.abortConnection()  # as its NotImplementedError does

    def connectionLost(self, reason=protocol.connectionDone):
        if self.pair is not None:
            self.pair.release()
            self.free.append(self.pair)


def factory(build):
    made = protocol.Factory()
    made.noisy = False
    made.buildProtocol = lambda _: build()
    return made


def even_int(text):
    number = int(text)
    if number % 2:
        raise ValueError
    return number


def main():
    parser = argparse.ArgumentParser(prog="tx_tlsrelay")
    parser.add_argument("port", nargs="?", type=int, default=12000, help="default: %(default)s")
    parser.add_argument("--port-count", type=even_int, default=200)
    parser.add_argument("--myhost", default="127.0.0.1")
    parser.add_argument("-k", "--keys", default="./relay_server_certs")
    args = parser.parse_args()
    os.listdir(args.keys)
    count = max(args.port_count // 2, 0)
    free = collections.deque()
    for number in range(count):
        pair = Pair(args.port + 1 + number, args.port + 1 + count + number)
        free.append(pair)
        reactor.listenTCP(pair.reverse_port, factory(lambda pair=pair: Reverse(pair)))
        reactor.listenTCP(pair.public_port, factory(lambda pair=pair: Client(pair)))
    control = endpoints.SSL4ServerEndpoint(reactor, args.port, options_of(args.keys, "server"))
    listening = control.listen(factory(lambda: Control(free, args.myhost)))
    listening.addErrback(lambda _: None)
    reactor.run()


if __name__ == "__main__":
    main()
