# SPDX-License-Identifier: Apache-2.0
"""The little programs that come with a relay, ours or in Twisted, with pipes; and services."""
import os
import selectors
import signal
import socket
import subprocess
import tempfile
import time

import tunnel
from sandbox import PATIENCE_S
from tunnel import HERE, keys


class Tool:
    """A program whose standard input and output are ours, or files."""

    def __init__(self, *command, cwd="/", environment=None, source=None, target=None):
        self.command = [str(word) for word in command]
        self.error_file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdin=source or subprocess.PIPE,
                                        stdout=target or subprocess.PIPE, stderr=self.error_file,
                                        env=tunnel.ENVIRONMENT | (environment or {}), cwd=cwd,
                                        preexec_fn=tunnel.daemon.end_with_parent)

    def errors(self):
        return tunnel.daemon.written(self.error_file)

    def story(self):
        return (f"--- {' '.join(self.command)}\n--- exit code {self.process.poll()}, "
                f"standard error:\n{self.errors()}---")

    def write(self, data):
        os.write(self.process.stdin.fileno(), data)

    def finish(self):
        """The end of its standard input."""
        self.process.stdin.close()

    def read(self, length, timeout_s=PATIENCE_S):
        """So many bytes of its output, or fewer if it ends."""
        end, data = time.monotonic() + timeout_s, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while len(data) < length:
                if not selector.select(max(end - time.monotonic(), 0)):
                    raise AssertionError(f"only {data!r} in {timeout_s} s\n{self.story()}")
                part = os.read(self.process.stdout.fileno(), length - len(data))
                if not part:
                    break
                data += part
        return data

    def line(self):
        data = b""
        while not data.endswith(b"\n"):
            part = self.read(1)
            if not part:
                raise AssertionError(f"ended after {data!r}\n{self.story()}")
            data += part
        return data

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Its exit code."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end\n{self.story()}") from None

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.error_file):
            if file is not None:
                file.close()


class Service:
    """A TCP server of this host, whose connections the test serves."""

    def __init__(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(tunnel.arrival_s())
        self.port = self.listener.getsockname()[1]

    def accept(self):
        tcp, _ = self.listener.accept()
        tcp.settimeout(tunnel.arrival_s())
        return tcp

    def close(self):
        self.listener.close()


class ToolCase(tunnel.TunnelCase):
    def assert_fails(self, tool, *words, code=1):
        """With a few words that are no riddle."""
        self.assertEqual(tool.wait(), code, tool.story())
        self.assertEqual(tool.read(100), b"")
        said = tool.errors()
        for word in words:
            self.assertIn(word, said)
        self.assertLess(len(said.splitlines()), 4, said)


class TwistedTools:
    @staticmethod
    def start(name, *words, **options):
        """By the name that the original has for it."""
        return Tool(f"{HERE}/{name.replace('relayed', 'twisted').replace('tls', 'twisted')}.py",
                    *words, **options)


class OurTools:
    @staticmethod
    def start(name, *words, **options):
        return Tool(tunnel.link(name), *words, **options)


def serve(tools, name, relay, **options):
    """relayed_echoserver or relayed_httpserver."""
    return tools.start(name, "127.0.0.1", relay.port, "-a", keys().application, "-c", keys().relay,
                       **options)


def netcat(tools, port, folder=None, **options):
    return tools.start("tls_netcat", "127.0.0.1", port, "-k", folder or keys().application,
                       **options)
