# SPDX-License-Identifier: Apache-2.0
"""The relay as a process: started on free ports, ready when it answers."""
import collections
import os
import re
import signal

import client
import daemon
from daemon import free_ports

# It is ended with its clients, unless a test wants to see how it drains; and others of this host
# may have the default control socket.
ENVIRONMENT = daemon.ENVIRONMENT | {"FAIRLEAD_DRAIN_TIMEOUT": "0",
                                    "FAIRLEAD_CONTROL_SOCKET": "none"}
USER = "alice:wonder"


def program():
    return os.environ["FAIRLEAD_RELAY"]


class Relay(daemon.Daemon):
    """It is ready when it answers at each of the hosts, to which it is bound if is_addressed.

    One that is not is_answering is ready when it listens.

    `prefix` is put in front of the command, such as prlimit with its arguments. If is_bare, no
    option is given but those of the caller.
    """

    def __init__(self, *options, hosts=("127.0.0.1",), ports=200, announced=(), prefix=(),
                 environment=None, user=USER, port=None, is_addressed=True, is_bare=False,
                 log_to=None, executable=None, is_answering=True):
        first = free_ports(ports + 2)
        self.port = port or first
        self.lowest = first + 2
        self.highest = self.lowest + ports - 1
        self.is_answering = is_answering
        self.hosts = hosts
        command = [*prefix, executable or program(), *options]
        if not is_bare:
            command += ["--listen-port", self.port, "--lowest-port", self.lowest,
                        "--highest-port", self.highest]
        if user and not is_bare:
            command += ["--user", user]
        if is_addressed and not is_bare:
            for host in hosts:
                command += ["--bind-ip6-addr" if ":" in host else "--bind-ip4-addr", host]
        super().__init__(command, ENVIRONMENT | (environment or {}), announced, log_to)

    def is_ready(self):
        return all(self.answers(host, tries=1) if self.is_answering else "listening" in self.log()
                   for host in self.hosts)

    def answers(self, host, tries=20):
        """Whether it answers a Binding request with the address that asked."""
        with client.Client((host, self.port), local=host) as asker:
            for _ in range(tries):
                asker.udp.sendto(client.stun.write(1, 0), asker.server)
                try:
                    raw = asker.receive_raw(0.5)
                except OSError:  # ECONNREFUSED and the like
                    raw = None
                if raw is not None:
                    mapped = client.stun.Message(raw).address(client.stun.XOR_MAPPED_ADDRESS)
                    return mapped == asker.udp.getsockname()[:2]
        return False

    def counted(self):
        """What it has counted of its traffic, by name, when asked; 0 of what it does not name."""
        before = self.log().count("INFO traffic ")
        self.process.send_signal(signal.SIGUSR1)
        told = self.wait_for_log(r"(?:INFO traffic [\s\S]*){%d}\bINFO traffic (.*)\n" % before)[1]
        return collections.Counter({name: int(count)
                                    for name, count in re.findall(r"(\w+)=(\d+)", told)})

    def client(self, host=None, **options):
        return client.Client((host or self.hosts[0], self.port), **options)
