#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay that is asked: `fairlead-tunnel status`, `why`, `top` and `reload`."""
import json
import os
import re
import ssl
import subprocess
import tempfile

import tunnel
from sandbox import wait_until
from tunnel import keys, knock, read, read_until_over, reset

UNREADABLE = "the certificates cannot be used "
NOTHING = "nothing was reloaded; all is as it was"
RESTART = "what has changed here counts from the next start on "


class Asked(tunnel.TunnelCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        self.folder = folder.name
        self.path = f"{folder.name}/tunnel.sock"

    def start(self, *options, **more):
        return self.relay("--control-socket", self.path, *options, **more)

    def ask(self, *words, code=0):
        run = subprocess.run([tunnel.program(), *(str(word) for word in words), "--control-socket",
                              self.path], text=True, capture_output=True, timeout=30, check=False,
                             env=tunnel.ENVIRONMENT)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def why(self, about, *patterns):
        """That the answer has all of these, sooner or later."""
        def is_told():
            self.told = self.ask("why", about)
            return all(re.search(pattern, self.told) for pattern in patterns)
        try:
            wait_until(is_told, 20)
        except TimeoutError:
            self.fail(f"{patterns} are not all in: {self.told}")
        return self.told


class Status(Asked):
    def test_it_tells_how_the_relay_is(self):
        relay = self.start(pairs=3)
        client, reverse = self.session(self.control(relay))
        text = self.ask("status")
        self.assertRegex(text, r"\Aversion: \d+\.\d+\.\d+\nstate: serving\n")
        for line in ("pairs of ports: 3", "free pairs: 2", "servers: 1", "sessions: 1"):
            self.assertIn(f"\n{line}\n", text)
        told = json.loads(self.ask("status", "--json"))
        self.assertEqual((told["state"], told["pairs_of_ports"], told["free_pairs"]),
                         ("serving", 3, 2))
        self.assert_talk(client, reverse)

    def test_what_makes_no_sense_is_said(self):
        self.start(pairs=1)
        self.assertIn("there is no such command", tunnel_help("stat"))
        self.assertIn("neither a port", self.ask("why", "nobody", code=2))
        self.assertIn("wants a port", self.ask("why", code=2))
        self.assertIn("only why takes it", self.ask("top", 5, code=2))
        self.assertIn("are for top", self.ask("status", "--once", code=2))
        self.assertIn("is for status, why and top", self.ask("reload", "--json", code=2))

    def test_nobody_who_answers(self):
        self.assertIn("no relay answers at", self.ask("status", code=1))


def tunnel_help(word):
    return subprocess.run([tunnel.program(), word], text=True, capture_output=True, timeout=30,
                          check=False, env=tunnel.ENVIRONMENT).stderr


class Why(Asked):
    def test_a_port_that_no_server_has(self):
        relay = self.start(pairs=2)
        text = self.why(relay.public(1), "No server has had it since the relay was started")
        self.assertIn(f"its server dials {relay.reverse(1)}", text)
        self.assertIn("what to do: ", text)
        told = json.loads(self.ask("why", relay.public(1), "--json"))["findings"]
        self.assertIn(f"its server dials {relay.reverse(1)}", told[0]["what"])
        self.assertIn("look at the server", told[1]["what_to_do"])
        self.why(relay.reverse(0), f"clients come to its public port, {relay.public(0)}")
        self.why(relay.port, "is the control port")
        self.why(1, f"no port of a server or an agent: the public ones of servers are {relay.public(0)}")

    def test_a_server_that_was_lost(self):
        relay = self.start(pairs=1)
        server = self.control(relay)
        reset(server.tls)
        self.why(relay.public(0), "had it until .* ago; then its control connection was gone")
        self.why("127.0.0.1", "it was unlinked as a server", f"at public port {relay.public(0)}")

    def test_a_server_with_which_all_is_well(self):
        relay = self.start(pairs=1)
        server = self.control(relay)
        session = self.session(server)
        self.why(relay.public(0), "Nothing is wrong that the relay sees", "1 clients are joined")
        self.why("127.0.0.1", "It is a server, with public port")
        self.assert_talk(*session)

    def test_a_server_that_does_not_dial(self):
        relay = self.start("--pending-timeout", 1, pairs=1, announced=[tunnel.TIMED_OUT])
        client = self.client(self.control(relay))
        read_until_over(client)
        self.why(relay.public(0), "told of clients, and does not dial back", "1 clients were closed")
        self.why("127.0.0.1", "it was closed as a client")

    def test_a_server_that_dials_from_elsewhere(self):
        relay = self.start(pairs=1, announced=[tunnel.FOREIGN])
        server = self.control(relay)
        self.client(server)
        knock(server.reverse_port, source="127.0.0.7")
        self.why(relay.public(0), "1 from elsewhere than the server.*, from 127.0.0.7",
                 "--reverse-policy any")
        self.why("127.0.0.7", "its reverse connection was refused")

    def test_a_server_with_a_certificate_of_somebody_else(self):
        relay = self.start(pairs=1)
        for _ in range(3):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.own(tunnel.Control(relay, folder=keys().stranger,
                                        version=ssl.TLSVersion.TLSv1_2))
        text = self.why("127.0.0.1", "its control connection was refused, 3 times", "why: .*CA")
        self.assertIn("fairlead-tunnel keys", text)
        self.why("192.0.2.1", "Nothing is known of 192.0.2.1")

    def test_a_server_too_much(self):
        relay = self.start(pairs=1, announced=[tunnel.FULL])
        self.control(relay)
        self.own(tunnel.Control(relay, source="127.0.0.9")).read_to_end()
        self.why("127.0.0.9", "all pairs of ports were taken", "--port-count")


class Top(Asked):
    def test_what_each_server_carries(self):
        relay = self.start("--num-worker-threads", 2, pairs=3)
        servers = [self.control(relay, source=f"127.0.0.{number}") for number in (1, 2)]
        client = self.client(servers[0])
        reverse = self.dial(servers[0].reverse_port)
        client.sendall(b"x" * 100000)
        read(reverse, 100000)
        reverse.sendall(b"y" * 5000)
        read(client, 5000)
        told = json.loads(self.ask("top", "--json"))
        self.assertEqual((told["servers"], told["pairs"], told["sessions"]), (2, 3, 1))
        first, second = sorted(told["list"], key=lambda row: row["port"])
        self.assertEqual(first["port"], relay.public(0))
        self.assertRegex(first["server"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual((first["sessions"], first["from_clients"], first["to_clients"]),
                         (1, 100000, 5000))
        self.assertEqual((second["sessions"], second["from_clients"]), (0, 0))
        client.close()
        reverse.close()
        wait_until(lambda: self.first_row()["ended"] == 1, 20)
        self.assertEqual(self.first_row()["from_clients"], 100000)
        table = self.ask("top")  # no terminal: once
        self.assertRegex(table, rf"\n *{relay.public(0)} .* 127\.0\.0\.1:\d+\n")
        self.assertEqual(len(json.loads(self.ask("top", "--json", "--limit", 1))["list"]), 1)

    def first_row(self):
        rows = json.loads(self.ask("top", "--json"))["list"]
        return min(rows, key=lambda row: row["port"])


class Reload(Asked):
    def configure(self, *lines):
        path = f"{self.folder}/tunnel.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
        os.chmod(path, 0o644)
        return path

    def test_what_came_of_it_is_said(self):
        path = self.configure("max-waiting = 10")
        relay = self.start("--config", path, pairs=1,
                           announced=["the configuration is wrong ", NOTHING, RESTART])
        session = self.session(self.control(relay))
        self.assertIn("are reloaded.\n", self.ask("reload"))
        self.configure("max-waiting = 11")
        self.assertIn("--max-waiting has changed, which counts from the next start on",
                      self.ask("reload"))
        self.configure("max-waiting = many")
        said = self.ask("reload", code=1)
        self.assertIn("nothing was reloaded", said)
        self.assertIn("many", said)
        self.assert_talk(*session)

    def test_each_mistake_of_the_access_list_is_said(self):
        access = f"{self.folder}/access"

        def write(text):
            with open(access, "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(access, 0o644)
        write("# nobody\n")
        self.start("--access", access, pairs=1,
                   announced=["nobody is on the access list", "the access list is wrong", NOTHING])
        write("# two mistakes\ntokn laptop\ntoken laptop 0123\n")
        said = self.ask("reload", code=1)
        self.assertIn("nothing was reloaded", said)
        self.assertIn(f"\n{access}: line 2: the line begins with neither token nor cert\n", said)
        self.assertIn(f"\n{access}: line 3: the hash is not 64 hexadecimal digits", said)

    def test_a_pipe_in_place_of_a_certificate_holds_nobody_up(self):
        folder = f"{self.folder}/keys"
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        for name in os.listdir(keys().relay):
            os.symlink(f"{keys().relay}/{name}", f"{folder}/{name}")
        relay = self.start(pairs=1, folder=folder, announced=[UNREADABLE, NOTHING])
        server = self.control(relay)
        os.remove(f"{folder}/server.crt.pem")
        os.mkfifo(f"{folder}/server.crt.pem")
        os.chmod(f"{folder}/server.crt.pem", 0o644)
        said = self.ask("reload", code=1)
        self.assertRegex(said, r"certificates: .*/server\.crt\.pem: .*is no regular file")
        self.assertIn("is no regular file", relay.log())
        self.assert_talk(*self.session(server))


if __name__ == "__main__":
    tunnel.main()
