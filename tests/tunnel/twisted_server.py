# SPDX-License-Identifier: Apache-2.0
"""A server behind a relay, in the manner of the original's relayed_echoserver and -httpserver.

Its first line tells its public address. TLS is spoken from end to end: it dials the relay, and on
that connection it is the server.
"""
import argparse
import sys

from twisted.internet import endpoints, protocol, reactor
from twisted.protocols import basic, tls

from twisted_keys import options_of


class Control(basic.LineReceiver):
    is_refused = False

    def __init__(self, service):
        self.service = service
        self.addresses = {}

    def lineReceived(self, line):
        verb, _, rest = line.decode().partition(" ")
        if verb in ("public_listener", "reverse_listener"):
            host, _, port = rest.rpartition(":")
            self.addresses[verb] = host, int(port)
            if len(self.addresses) == 2:
                print("%s:%d" % self.addresses["public_listener"], flush=True)
        elif verb == "new_connection":
            reactor.connectTCP(*self.addresses["reverse_listener"], ClientOf(self.service),
                               timeout=30)
        elif verb == "no_available_listeners":
            print("the relay is full", file=sys.stderr, flush=True)
            self.is_refused = True
            self.transport.loseConnection()
        else:
            print(f"unknown message: {line}", file=sys.stderr, flush=True)

    def connectionLost(self, reason=protocol.connectionDone):
        if reactor.running:
            reactor.stop()


class ClientOf(protocol.ClientFactory):
    """Lets a factory of servers have the connections that we dial. A failed dial is dropped."""
    noisy = False

    def __init__(self, service):
        self.service = service

    def buildProtocol(self, addr):
        return self.service.buildProtocol(addr)


def main(service):
    """Serves by that factory until the control connection ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("-a", default="./application_certs")
    parser.add_argument("-c", default="./relay_client_certs")
    args = parser.parse_args()
    secured = tls.TLSMemoryBIOFactory(options_of(args.a, "server"), False, service)
    secured.noisy = service.noisy = False
    control = Control(secured)
    relay = endpoints.wrapClientTLS(options_of(args.c, "client"), endpoints.TCP4ClientEndpoint(
        reactor, args.host, args.port))
    connected = endpoints.connectProtocol(relay, control)
    connected.addErrback(lambda why: (print(why.value, file=sys.stderr), reactor.stop()))
    reactor.run()
    sys.exit(control.is_refused or not control.addresses)
