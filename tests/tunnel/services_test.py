#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`fairlead-tunnel expose` with several services in one process: as arguments, and as sections of its
file."""
import os
import signal
import socket
import subprocess

import spoke_test
import tunnel
from sandbox import wait_until
from spoke_test import LONG_S, word
from tools import Service, Tool
from tunnel import read, read_to_end


class SeveralCase(spoke_test.SpokeCase):
    def setUp(self):
        super().setUp()
        self.path = f"{self.folder}/expose.conf"
        with open(f"{self.folder}/token", "w", encoding="ascii") as file:
            file.write(word(self.token) + "\n")

    def start(self, relay, *words):
        return self.own(Tool(tunnel.program(), "expose", *words, "--relay",
                             f"127.0.0.1:{relay.port}", "--retry", "always", "--token-file",
                             f"{self.folder}/token"))

    def configure(self, text):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text)

    @staticmethod
    def places(tool, count):
        """By name, where clients find so many services."""
        lines = (tool.line().decode().split() for _ in range(count))
        return {name: int(place.rpartition(":")[2]) for name, place in lines}

    def assert_leads(self, port, service, is_told=False):
        client = self.dial(port)
        inner = self.own(service.accept())
        if is_told:  # by the PROXY protocol, version 1
            own = client.getsockname()[1]
            head = f"PROXY TCP4 127.0.0.1 127.0.0.1 {own} {port}\r\n".encode()
            self.assertEqual(read(inner, len(head)), head)
        self.assert_talk(client, inner)
        client.close()
        inner.close()


class Several(SeveralCase):
    def test_each_argument_is_a_service(self):
        relay = self.relay()
        services = {name: self.own(Service()) for name in ("web", "ssh", "other")}
        unnamed = services["other"].port
        tool = self.start(relay, f"web={services['web'].port}",
                          f"ssh=127.0.0.1:{services['ssh'].port}", unnamed)
        places = self.places(tool, 3)
        self.assertEqual(set(places), {"web", "ssh", f"port-{unnamed}"})
        self.assertEqual(len(set(places.values())), 3)
        services[f"port-{unnamed}"] = services.pop("other")
        for name, service in services.items():
            self.assert_leads(places[name], service)

    def test_each_section_of_a_file_is_a_service(self):
        relay = self.relay()
        web, ssh = self.own(Service()), self.own(Service())
        self.configure(f"relay = 127.0.0.1:{relay.port}\ntoken-file = {self.folder}/token\n"
                       f"[web]\ntarget = {web.port}\nport = {relay.first + 2}\n"
                       f"proxy-protocol = v1\n\n[ssh]\ntarget = {ssh.port}\n")
        tool = self.own(Tool(tunnel.program(), "expose", "--config", self.path))
        places = self.places(tool, 2)
        self.assertEqual(places["web"], relay.first + 2)
        self.assert_leads(places["ssh"], ssh)
        self.assert_leads(places["web"], web, is_told=True)

    def test_one_that_is_refused_holds_up_no_other(self):
        self.write_access(self.token.line("names=web,ssh ports=*"))
        relay = self.relay()
        web = self.own(Service())
        tool = self.start(relay, "mail=1", f"web={web.port}")
        places = self.places(tool, 1)
        self.assert_leads(places["web"], web)
        wait_until(lambda: "'mail' is not reachable" in tool.errors(), LONG_S)
        self.assertIsNone(tool.process.poll())

    def test_a_service_that_is_not_there_harms_no_other(self):
        relay = self.relay()
        web, gone = self.own(Service()), self.own(socket.socket())
        gone.bind(("127.0.0.1", 0))  # so that nobody listens there
        port = gone.getsockname()[1]
        tool = self.start(relay, f"web={web.port}", f"gone={port}")
        places = self.places(tool, 2)
        try:
            self.assertEqual(read_to_end(self.dial(places["gone"])), b"")
        except ConnectionResetError:
            pass
        wait_until(lambda: f"127.0.0.1:{port} refused" in tool.errors(), LONG_S)
        self.assert_leads(places["web"], web)

    def test_all_come_back_to_their_ports(self):
        os.chmod(self.folder, 0o777)  # for the relay, which may be root no more
        options = ("--leases", f"{self.folder}/leases")
        relay = self.relay(*options)
        services = {name: self.own(Service()) for name in ("web", "ssh")}
        tool = self.start(relay, *(f"{name}={one.port}" for name, one in services.items()))
        places = self.places(tool, 2)
        relay.stop()
        self.relay(*options, port=relay.port)
        wait_until(lambda: tool.errors().count(" again\n") == 2, LONG_S)
        for name, service in services.items():
            self.assert_leads(places[name], service)
        tool.signal(signal.SIGTERM)
        self.assertEqual(tool.wait(), 0, tool.story())


class Mistakes(SeveralCase):
    def check(self, *words):
        """What is wrong, with nobody asked; the last line of it."""
        run = subprocess.run([tunnel.program(), "expose", *words, "--relay", "127.0.0.1:1",
                              "--token-file", f"{self.folder}/token", "--check-config"],
                             capture_output=True, text=True, check=False, timeout=60,
                             env=tunnel.ENVIRONMENT)
        return run.returncode, run.stderr

    def test_arguments_that_cannot_be(self):
        for words, why in ((("web=1", "web=2"), "has the name of another"),
                           (("1", "127.0.0.2:1"), "has the name of another"),
                           (("web=1", "2", "--name", "x"), "is for one service"),
                           (("1", "2", "--port", "9"), "is for one service"),
                           (("1", "2", "--host", "a.test"), "is for one service"),
                           (("web=1", "--name", "y"), "beside a name"),
                           (("=1",), "equals sign"), (("Web=1",), "is no name"),
                           (("web=",), "is not HOST:PORT"),
                           ([str(port) for port in range(1, 34)], "32 services are the most")):
            code, said = self.check(*words)
            self.assertEqual(code, 2, words)
            self.assertIn(why, said)
        for words in (["web=1", "2"], [str(port) for port in range(1, 33)], ["web=1"]):
            self.assertEqual(self.check(*words), (0, ""))

    def test_files_that_cannot_be(self):
        for text, why in (("[a]\nport = 1\n", "[a] lacks its target"),
                          ("[A]\ntarget = 1\n", "[A] is no name"),
                          ("[a]\ntarget = 1\ntarget = 2\n", "[a] has two targets"),
                          ("[a]\ntarget = 1\n[a]\ntarget = 2\n", "[a] is there twice"),
                          ("[a]\ntarget = 1\nretry = never\n", "above the first heading"),
                          ("port = 5\n[a]\ntarget = 1\n", "is for one service"),
                          ("target = 5\n[a]\ntarget = 1\n", "headings are services"),
                          ("[a]\ntarget = 1\nport = 1\nhost = a.test\n", "share a port"),
                          ("[a]\ntarget = b=1\n", "is not HOST:PORT")):
            self.configure(text)
            code, said = self.check("--config", self.path)
            self.assertEqual((code, why in said), (2, True), text + said)
        self.configure("pool = 3\nproxy-protocol = v2\n[a]\ntarget = 1\nhost = a.test\n"
                       "host = b.test\ntake = yes\n[b]\ntarget = h:2\nproxy-protocol = off\n")
        self.assertEqual(self.check("--config", self.path), (0, ""))

    def test_version_1_knows_one_alone(self):
        run = subprocess.run([tunnel.program(), "expose", "1", "2", "--relay", "127.0.0.1:1"],
                             capture_output=True, text=True, check=False, timeout=60,
                             env=tunnel.ENVIRONMENT)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--token: must be given", run.stderr)

    def test_the_example_is_good(self):
        with open(os.path.join(tunnel.HERE, "../../packaging/examples/tunnel/expose.conf"),
                  encoding="ascii") as file:
            text = file.read()
        self.assertIn("token-file = /etc/fairlead/expose.token\n", text)
        self.configure(text.replace("/etc/fairlead/expose.token", f"{self.folder}/token"))
        run = subprocess.run([tunnel.program(), "expose", "--config", self.path, "--check-config"],
                             capture_output=True, text=True, check=False, timeout=60,
                             env=tunnel.ENVIRONMENT)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    tunnel.main()
