#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay for which nobody has made anything, and the tokens that are made for it."""
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import tunnel
from second import Agent, Token
from sandbox import wait_until
from tools import Tool

# Where tests run without a network.
LOOPBACK = "the first agent's command has an address of this host alone"


class Relay(tunnel.TunnelRelay):
    """What it needs it makes in `state`, or in the current directory."""

    def __init__(self, *options, port=None, announced=(), **more):
        self.tunnels = 2
        port = port or tunnel.daemon.free_ports(1 + self.tunnels, socket.SOCK_STREAM)
        daemon = tunnel.daemon.Daemon
        self.pairs, self.port = 0, port
        command = [*tunnel.relay_command(), port, "--port-count", 0, "--tunnel-port-count",
                   self.tunnels, *options]
        daemon.__init__(self, command, tunnel.ENVIRONMENT | more.pop("environment", {}),
                        [LOOPBACK, *announced], **more)

    def is_ready(self):
        return "serving\n" in self.log()


class First(tunnel.TunnelCase):
    daemon_type = Relay

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        super().setUp()  # whose relays end before the folder does
        os.chmod(folder.name, 0o755)
        self.folder = folder.name
        self.state = f"{self.folder}/state"

    def token_in(self, text):
        """The token of the command that is in a text."""
        found = re.search(r"fairlead-tunnel expose 127\.0\.0\.1:8080 --relay (\S+) --token (\S+)\n",
                          text)
        self.assertIsNotNone(found, text)
        return found[1], Token.read(found[2])

    def agent(self, relay, token):
        return self.own(Agent(relay.port, token, folder=f"{self.state}/relay_server_certs"))

    def token_command(self, *words):
        done = subprocess.run([tunnel.program(), "token", *words, "--state", self.state],
                              capture_output=True, text=True, check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def test_it_prints_what_to_type(self):
        relay = self.relay("--state", self.state, "--myhost", "127.0.0.1")
        host, token = self.token_in(relay.log())
        self.assertEqual(host, f"127.0.0.1:{relay.port}")
        self.assertIn(self.agent(relay, token).bind(), (relay.port + 1, relay.port + 2))
        with open(f"{self.state}/first-agent", encoding="ascii") as file:
            self.assertEqual(self.token_in(file.read()), (host, token))

    def test_the_token_says_which_key_the_relay_has(self):
        _, token = self.token_in(self.relay("--state", self.state).log())
        certificate = f"{self.state}/relay_server_certs/server.crt.pem"
        public = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"],
                                check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public,
                             check=True, capture_output=True).stdout
        self.assertEqual(token.pin, hashlib.sha256(der).digest())

    def test_its_own_program_serves_by_that_command(self):
        relay = self.relay("--state", self.state, "--myhost", "127.0.0.1")
        words = re.search(r"fairlead-tunnel (expose .*)\n", relay.log())[1].split()
        service = self.own(socket.create_server(("127.0.0.1", 0)))
        service.settimeout(20)
        words[1] = f"127.0.0.1:{service.getsockname()[1]}"
        tool = self.own(Tool(tunnel.program(), *words))
        place = tool.line().decode().strip()
        client = self.dial(int(place.rpartition(":")[2]))
        server = self.own(service.accept()[0])
        server.settimeout(20)
        self.assert_talk(client, server)

    def test_others_can_read_none_of_it(self):
        self.relay("--state", self.state)
        wait_until(lambda: os.path.exists(f"{self.state}/leases"), 20)
        secret = {"access", "first-agent", "leases", "relay_server_certs/server.key.pem"}
        found = set()
        for path, folders, files in os.walk(self.state):
            for name in folders:
                self.assertEqual(os.stat(f"{path}/{name}").st_mode & 0o077, 0, name)
            for name in files:
                one = os.path.relpath(f"{path}/{name}", self.state)
                if os.stat(f"{path}/{name}").st_mode & 0o077 == 0:
                    found.add(one)
                self.assertNotIn("ca.key", one)  # what could make more is not kept
        self.assertEqual(os.stat(self.state).st_mode & 0o077, 0)
        self.assertEqual(found, secret)

    def test_the_next_start_makes_nothing_anew(self):
        relay = self.relay("--state", self.state)
        _, token = self.token_in(relay.log())
        port = self.agent(relay, token).bind()
        relay.stop()
        relay = self.relay("--state", self.state, port=relay.port)
        self.assertNotIn("--token", relay.log())
        agent = self.agent(relay, token)
        agent.bind("other")
        self.assertEqual(agent.bind(), port)

    def first_agent(self):
        with open(f"{self.state}/first-agent", encoding="ascii") as file:
            return self.token_in(file.read())

    def test_another_host_or_port_is_in_the_first_agents_command(self):
        relay = self.relay("--state", self.state, "--myhost", "old.test")
        host, token = self.token_in(relay.log())
        self.assertEqual(host, f"old.test:{relay.port}")
        relay.stop()
        relay = self.relay("--state", self.state, "--myhost", "new.test")
        self.assertEqual(self.first_agent(), (f"new.test:{relay.port}", token))
        self.assertEqual(self.token_in(relay.log()), self.first_agent())
        self.assertEqual(os.stat(f"{self.state}/first-agent").st_mode & 0o077, 0)
        self.agent(relay, token)

    def test_the_address_at_which_it_listens_is_in_the_command(self):
        relay = self.relay("--state", self.state, "--bind-addr", "127.0.0.1")
        self.assertEqual(self.first_agent()[0], f"127.0.0.1:{relay.port}")
        self.assertIn(LOOPBACK, relay.log())

    def test_a_first_agent_that_is_off_the_list_gets_no_command(self):
        relay = self.relay("--state", self.state, "--myhost", "old.test")
        host, token = self.first_agent()
        relay.stop()
        with open(f"{self.state}/access", "w", encoding="ascii") as file:
            file.write("cert any ports=*\n")
        self.assertNotIn("flt1.", self.relay("--state", self.state, "--myhost", "new.test").log())
        self.assertEqual(self.first_agent(), (host, token))

    def test_a_first_start_at_a_port_that_is_taken_leaves_nothing_wrong(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = subprocess.run([tunnel.program(), "relay", str(port), "--port-count", "0",
                                   "--tunnel-port-count", "2", "--state", self.state, "--myhost",
                                   "127.0.0.1", "--bind-addr", "127.0.0.1"], capture_output=True,
                                  text=True, check=False, timeout=60, env=tunnel.ENVIRONMENT)
        self.assertEqual(done.returncode, 1, done.stdout)
        relay = self.relay("--state", self.state, "--myhost", "127.0.0.1")
        host, token = self.token_in(relay.log())
        self.assertEqual(host, f"127.0.0.1:{relay.port}")
        self.assertEqual(self.first_agent(), (host, token))
        self.agent(relay, token)

    def test_a_journal_has_no_token(self):
        relay = self.relay("--state", self.state, environment={"JOURNAL_STREAM": "8:1"})
        self.assertNotIn("flt1.", relay.log())
        with open(f"{self.state}/first-agent", encoding="ascii") as file:
            self.agent(relay, self.token_in(file.read())[1])

    def test_without_any_options_it_is_in_the_current_directory(self):
        program = f"{self.folder}/fairlead-tunnel"
        os.symlink(tunnel.program(), program)
        port = tunnel.daemon.free_ports(3, socket.SOCK_STREAM)
        tool = self.own(Tool(program, "relay", port, "--port-count", 0, "--tunnel-port-count", 2,
                             cwd=self.folder))
        text = ""
        while "serving\n" not in text:
            text += tool.line().decode()
        self.state = f"{self.folder}/relay_state"
        token = self.token_in(text)[1]
        agent = self.own(Agent(port, token, folder=f"{self.state}/relay_server_certs"))
        agent.bind()
        tool.signal(signal.SIGHUP)  # which finds its list there again
        while "are reloaded\n" not in text:
            self.assertNotIn("ERROR", text)
            text += tool.line().decode()
        agent.bind("again")

    def test_who_has_certificates_gets_nothing(self):
        folder = f"{self.folder}/here"
        shutil.copytree(tunnel.keys().relay, f"{folder}/relay_server_certs")
        tool = self.own(Tool(tunnel.program(), "relay",
                             tunnel.daemon.free_ports(3, socket.SOCK_STREAM), "--port-count", 2,
                             cwd=folder))
        text = ""
        while "serving\n" not in text:
            text += tool.line().decode()
        self.assertNotIn("flt1.", text)
        self.assertEqual(os.listdir(folder), ["relay_server_certs"])

    def test_an_agent_is_told_how_often_to_give_a_sign_of_life(self):
        for words, told in ((), ("15", "45")), (("--ping", 7), ("7", "21")):
            relay = self.relay("--state", self.state, *words)
            with open(f"{self.state}/first-agent", encoding="ascii") as file:
                welcome = self.agent(relay, self.token_in(file.read())[1]).welcome
            self.assertEqual((welcome["ping"], welcome["dead"]), told)
            relay.stop()

    def test_certificates_that_come_beside_agents_are_told(self):
        folder = f"{self.folder}/both"
        shutil.copytree(tunnel.keys().relay, f"{folder}/relay_server_certs")
        os.mkdir(f"{folder}/relay_state")
        with open(f"{folder}/relay_state/access", "w", encoding="ascii") as file:
            file.write("cert any ports=*\n")
        tool = self.own(Tool(tunnel.program(), "relay",
                             tunnel.daemon.free_ports(3, socket.SOCK_STREAM), "--port-count", 2,
                             cwd=folder))
        text = ""
        while "serving\n" not in text:
            text += tool.line().decode()
        self.assertIn("give --state ./relay_state", text)

    # --- further tokens

    def test_another_token_is_known_after_a_reload(self):
        relay = self.relay("--state", self.state)
        code, text, wrong = self.token_command("laptop")
        self.assertEqual(code, 0)
        self.assertIn("knows it after fairlead-tunnel reload", wrong)
        token = Token.read(text.strip())
        self.assertEqual((token.name, token.pin), ("laptop", self.token_in(relay.log())[1].pin))
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("are reloaded", 20)
        self.agent(relay, token).bind()

    def test_what_a_token_may_have_is_in_its_line(self):
        self.relay("--state", self.state)
        self.assertEqual(self.token_command("shop", "--sni", "shop.test,*.shop.test", "--ports",
                                            "none", "--tunnels", "2", "--names", "web")[0], 0)
        with open(f"{self.state}/access", encoding="ascii") as file:
            line = file.read().splitlines()[-1]
        self.assertRegex(line, r"^token shop [0-9a-f]{64} "
                               r"sni=shop\.test,\*\.shop\.test names=web tunnels=2$")

    def test_what_cannot_be_changes_nothing(self):
        self.relay("--state", self.state)
        with open(f"{self.state}/access", encoding="ascii") as file:
            former = file.read()
        for words, code, why in (
                (["first"], 1, "there is an agent first already"), (["Laptop"], 2, "hyphens"), ([], 2, "NAME"),
                (["a", "--ports", "x"], 1, "'ports=x' has a value that cannot be"),
                (["a", "--sni", "b c"], 1, "is not known here"),
                (["a", "--access", "/nowhere/at/all"], 1, "/nowhere/at/all"),
                (["a", "--keys", "/nowhere"], 1, "/nowhere/server.crt.pem")):
            done, text, wrong = self.token_command(*words)
            self.assertEqual((done, text), (code, ""), wrong)
            self.assertIn(why, wrong)
        with open(f"{self.state}/access", encoding="ascii") as file:
            self.assertEqual(file.read(), former)

    def test_those_that_are_made_are_told_and_taken_off(self):
        relay = self.relay("--state", self.state)
        _, text, _ = self.token_command("laptop", "--ports", "none")
        token = Token.read(text.strip())
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("are reloaded", 20)
        agent = self.agent(relay, token)
        code, text, wrong = self.token_command("--list")
        self.assertEqual((code, text.splitlines(), wrong), (
            0, ["token first ports=* sni=none names=* tunnels=16 hosts=256",
                "token laptop ports=none sni=none names=* tunnels=16 hosts=256"], ""))
        former = os.stat(f"{self.state}/access")
        code, text, wrong = self.token_command("--revoke", "laptop")
        self.assertEqual((code, text), (0, ""), wrong)
        self.assertIn("knows it after fairlead-tunnel reload", wrong)
        now = os.stat(f"{self.state}/access")
        self.assertEqual((now.st_mode, now.st_uid), (former.st_mode, former.st_uid))
        relay.process.send_signal(signal.SIGHUP)  # which can still read it
        agent.expect_end("revoked")
        for words, code, why in ((["--revoke", "laptop"], 1, "there is no agent laptop"),
                                 (["--revoke"], 2, "NAME"), (["--list", "laptop"], 2, "--list"),
                                 (["--list", "--access", "/nowhere/at/all"], 1, "/nowhere/at/all")):
            done, text, wrong = self.token_command(*words)
            self.assertEqual((done, text), (code, ""), wrong)
            self.assertIn(why, wrong)

    def test_a_token_that_nobody_has_seen_is_told(self):
        access = f"{self.folder}/access"
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([tunnel.program(), "token", "laptop", "--no-pin", "--access",
                                   access], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"take the line of laptop out of {access}", done.stderr)
        with open(access, encoding="ascii") as file:
            self.assertTrue(file.read().startswith("token laptop "))

    def test_without_a_list_the_line_is_printed(self):
        if os.path.exists("/var/lib/fairlead-tunnel"):
            return  # a relay of this machine has a list, which is none of our business
        done = subprocess.run([tunnel.program(), "token", "laptop", "--no-pin", "--connections",
                               "9"], capture_output=True, text=True, check=True, cwd=self.folder)
        token, line = done.stdout.splitlines()
        self.assertEqual(Token.read(token).pin, bytes(32))
        self.assertEqual(line + "\n", Token.read(token).line("ports=* connections=9"))


if __name__ == "__main__":
    tunnel.main()
