#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends back what it is sent."""
from twisted.internet import protocol

import twisted_server


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


twisted_server.main(protocol.Factory.forProtocol(Echo))
