# SPDX-License-Identifier: Apache-2.0
"""Debian's coturn as a process, at loopback: what others' servers do, as a check of what asks them."""
import os
import subprocess
import tempfile
import time

import client
import stun
from daemon import end_with_parent, free_ports
from sandbox import PATIENCE_S


class Coturn:
    """Ready when it answers; users alice and bob, both families, relayed ports from port + 2 on."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.port = port = free_ports(202)
        with open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen(
                ["turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp",
                 "--no-tcp-relay", "--listening-ip", "127.0.0.1", "--listening-ip", "::1",
                 "--relay-ip", "127.0.0.1", "--relay-ip", "::1",
                 "--listening-port", str(port), "--min-port", str(port + 2), "--max-port",
                 str(port + 201), "--lt-cred-mech", "--realm", "north.gov", "--user",
                 "alice:wonder", "--user", "bob:builder", "--log-file", "stdout", "--simple-log",
                 "--userdb", self.path("userdb"), "--pidfile", self.path("pid"), *options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder.name,
                preexec_fn=end_with_parent)
        try:
            self.wait()
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def wait(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with client.Client(("127.0.0.1", self.port), local="127.0.0.1") as asker:
                asker.udp.sendto(stun.write(1, 0), asker.server)
                try:
                    if asker.receive_raw(0.5) is not None:
                        return
                except OSError:  # ECONNREFUSED
                    time.sleep(0.1)
        raise AssertionError("turnserver does not answer")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()
