#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Standard input and output over TLS, in the manner of the original's tls_netcat."""
import argparse

from twisted.internet import endpoints, protocol, reactor, stdio

from twisted_keys import options_of


class Input(protocol.Protocol):
    def __init__(self, peer):
        self.peer = peer

    def dataReceived(self, data):
        self.peer.transport.write(data)

    def connectionLost(self, reason=protocol.connectionDone):
        self.peer.transport.loseConnection()


class Peer(protocol.Protocol):
    def connectionMade(self):
        self.output = stdio.StandardIO(Input(self))

    def dataReceived(self, data):
        self.output.write(data)

    def connectionLost(self, reason=protocol.connectionDone):
        if reactor.running:
            reactor.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("-k", default="./application_certs")
    args = parser.parse_args()
    server = endpoints.wrapClientTLS(options_of(args.k, "client"), endpoints.TCP4ClientEndpoint(
        reactor, args.host, args.port))
    endpoints.connectProtocol(server, Peer()).addErrback(lambda _: reactor.stop())
    reactor.run()


if __name__ == "__main__":
    main()
