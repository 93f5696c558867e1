#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common, and the file with the options of expose."""
import os
import signal
import subprocess
import tempfile

import tools
import tunnel
from tunnel import keys, read

COMMANDS = ["relay", "expose", "connect", "echo", "http", "status", "why", "top", "reload", "keys",
            "token"]
LINKS = ["tx_tlsrelay", "relayed_echoserver", "relayed_httpserver", "tls_netcat"]


class Commands(tunnel.TunnelCase):
    def run_one(self, *words, code=0):
        run = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                             timeout=30, check=False, env=tunnel.ENVIRONMENT, cwd="/")
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout

    def test_each_tells_its_version(self):
        for option in ("--version", "-V"):
            for word in COMMANDS:
                said = self.run_one(tunnel.program(), word, option)
                self.assertRegex(said, r"\Afairlead-tunnel \S+ \d+\.\d+\.\d+\n\Z")
            for name in LINKS:
                self.assertRegex(self.run_one(tunnel.link(name), option), r" \d+\.\d+\.\d+\n\Z")
            self.assertRegex(self.run_one(tunnel.program(), option), r" \d+\.\d+\.\d+\n\Z")

    def test_each_tells_its_options(self):
        for word in COMMANDS:
            said = self.run_one(tunnel.program(), word, "--help")
            self.assertIn("\nUsage: ", said)
            self.assertIn("--version", said)
            self.assertIn(f"\n  {word} ", self.run_one(tunnel.program()))
            self.assertIn(f"\nUsage: fairlead-tunnel {word} [OPTIONS]", said)
        for name in LINKS:
            said = self.run_one(tunnel.link(name), "--help")
            self.assertIn(f"\nUsage: {name} [OPTIONS]", said)

    def wrong(self, *words):
        run = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                             timeout=30, check=False, env=tunnel.ENVIRONMENT, cwd="/")
        self.assertEqual(run.returncode, 2, run.stdout + run.stderr)
        return run.stderr

    def test_each_says_by_its_name_what_is_wrong(self):
        for word in COMMANDS:
            said = self.wrong(tunnel.program(), word, "--helq")
            self.assertIn(f"fairlead-tunnel {word}: unknown option '--helq'; did you mean '--help'?",
                          said)
        for name in LINKS:
            self.assertIn(f"{name}: ", self.wrong(tunnel.link(name), "--helq"))
        self.assertIn("there is no command 'expos'; did you mean 'expose'?",
                      self.wrong(tunnel.program(), "expos"))
        said = self.wrong(tunnel.program(), "flt1.secret")
        self.assertIn("--help lists all", said)
        self.assertNotIn("secret", said)
        self.assertIn("TARGET: must be given", self.wrong(tunnel.program(), "expose"))


class ExposeFile(tools.ToolCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/expose.conf"

    def configure(self, **values):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("# a service\n")
            file.writelines(f"{name} = {value}\n" for name, value in values.items())

    def expose(self, *words, **more):
        return self.own(tools.Tool(tunnel.program(), "expose", *words, **more))

    def test_all_that_it_needs_may_stand_in_a_file(self):
        relay = self.relay(pairs=1)
        service = self.own(tools.Service())
        self.configure(target=service.port, relay=f"127.0.0.1:{relay.port}", keys=keys().relay,
                       retry="always")
        for words, environment in ((("--config", self.path), None),
                                   ((), {"FAIRLEAD_TUNNEL_EXPOSE_CONFIG": self.path})):
            expose = self.expose(*words, environment=environment)
            self.assertEqual(expose.line(), f"127.0.0.1:{relay.public(0)}\n".encode())
            client = self.dial(relay.public(0))
            inner = self.own(service.accept())
            client.sendall(b"hello")
            self.assertEqual(read(inner, 5), b"hello")
            expose.signal(signal.SIGTERM)
            self.assertEqual(expose.wait(), 0, expose.story())

    def test_the_command_line_stands_above_it(self):
        relay = self.relay(pairs=1)
        service = self.own(tools.Service())
        self.configure(target=1, relay="127.0.0.1:1", keys="/nowhere")
        expose = self.expose(service.port, "--config", self.path, "--relay",
                             f"127.0.0.1:{relay.port}", "-k", keys().relay)
        self.assertEqual(expose.line(), f"127.0.0.1:{relay.public(0)}\n".encode())
        self.dial(relay.public(0))
        self.own(service.accept())

    def test_what_is_wrong_in_it_is_told_with_its_line(self):
        self.configure(target="127.0.0.1:8080", relai="127.0.0.1")
        self.assert_fails(self.expose("--config", self.path), "expose.conf", "line 3", code=2)
        self.configure(target="127.0.0.1:8080", relay="127.0.0.1", keys="/nowhere")
        checked = self.expose("--config", self.path, "--check-config")
        self.assertEqual(checked.wait(), 0, checked.story())

    def test_a_token_in_it_is_no_mistake(self):
        self.configure(target="127.0.0.1:8080", relay="127.0.0.1", token="flt1.nonsense")
        self.assert_fails(self.expose("--config", self.path), "token", code=2)
        os.remove(self.path)
        self.assert_fails(self.expose("--config", self.path), "cannot be read", code=2)


if __name__ == "__main__":
    tunnel.main()
