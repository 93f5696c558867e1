#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay that is asked by `fairlead-relay status`, `why` and `top`, and what it logs of clients."""
import base64
import json
import os
import re
import socket
import subprocess
import tempfile

import case
import relay
import stun
from client import ARRIVAL_S
from hanging import hang

RULES = ["--allow-peer", "127.0.0.1"]
SECRET = "hush-hush-4711"
REFUSED = ["^request refused", "^credential refused", "^peer denied"]


class Control(case.Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "relay.sock")

    def start(self, *options, **more):
        return self.relay("--control-socket", self.path, *RULES, *options, **more)

    def ask(self, *words, code=0, **more):
        run = subprocess.run([relay.program(), *words, "--control-socket", self.path], text=True,
                             capture_output=True, timeout=20, check=False, env=relay.ENVIRONMENT,
                             **more)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def test_status_tells_how_it_is(self):
        one = self.start()
        self.client(one).allocate()
        text = self.ask("status")
        self.assertRegex(text, r"\Aversion: \d+\.\d+\.\d+\nstate: serving\nportal: none\nready: yes\n")
        self.assertIn("\nallocations: 1\n", text)

    def test_top_tells_what_each_allocation_relays(self):
        one = self.start()
        alice, peer = self.client(one).allocate(), self.peer()
        alice.bind(0x4000, peer.getsockname())
        for _ in range(10):
            alice.send_channel(0x4000, b"x" * 100)
            peer.recvfrom(200)
        peer.sendto(b"y" * 7, alice.relayed)
        self.assertEqual(alice.receive()[1], b"y" * 7)
        told = json.loads(self.ask("top", "--json"))
        self.assertEqual(told["gauges"]["allocations"], 1)
        row, = told["allocations"]
        self.assertEqual(row["client"], "127.0.0.1:%d" % alice.udp.getsockname()[1])
        self.assertEqual(row["relayed"], "127.0.0.1:%d" % alice.relayed[1])
        self.assertEqual(row["username"], "alice")
        self.assertEqual((row["sockets_to_peer_packets"], row["sockets_to_peer_bytes"],
                          row["sockets_to_client_packets"], row["sockets_to_client_bytes"]),
                         (10, 1000, 1, 7))
        self.assertEqual(row["channels"], 1)
        table = self.ask("top")  # no terminal: once
        self.assertRegex(table, rf"\n{row['client']} .* idle .* {row['relayed']} +alice\n")

    def test_top_has_room_for_hundreds_and_shows_as_many_as_is_asked_for(self):
        one = self.start("--user-quota", "400", "--num-worker-threads", "2", ports=450)
        clients = [self.client(one).allocate() for _ in range(300)]
        told = json.loads(self.ask("top", "--json"))
        self.assertEqual({row["client"] for row in told["allocations"]},
                         {"127.0.0.1:%d" % client.udp.getsockname()[1] for client in clients})
        told = json.loads(self.ask("top", "--json", "--limit", "7"))
        self.assertEqual((len(told["allocations"]), told["left_out"]), (7, 293))

    def test_why_tells_what_was_refused_and_what_to_do(self):
        one = self.start("--user-quota", "1", announced=REFUSED)
        alice = self.client(one).allocate()
        bob = self.client(one, try_s=ARRIVAL_S).challenge()  # whose requests are counted
        for _ in range(3):
            bob.expect(486, stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, stun.UDP)])
        address = "127.0.0.1:%d" % bob.udp.getsockname()[1]
        text = self.ask("why", address)
        self.assertRegex(text, rf"\A{address}: Allocate of alice refused with 486 \(.*\), 3 times in "
                               r"\d+ s, the last one \d+ s ago\n  why: .*--user-quota.*\n"
                               r"  what to do: Raise the option.*\n\Z")
        found = json.loads(self.ask("why", address, "--json"))["findings"]
        self.assertRegex(found[0]["what"], rf"\A{address}: Allocate of alice refused with 486 ")
        self.assertIn("--user-quota", found[0]["why"])
        self.assertRegex(found[0]["what_to_do"], r"\ARaise the option")
        alice.permit("127.0.0.9", code=403)
        text = self.ask("why", "--client", "127.0.0.1")
        self.assertIn("CreatePermission of alice refused with 403 (Forbidden)", text)
        self.assertIn("\n  why: a loopback address: 127.0.0.9\n", text)
        self.assertIn(address, text)
        self.assertIn("is remembered", self.ask("why", "192.0.2.1"))

    def test_mistakes_of_who_asks_are_told(self):
        self.assertIn("no relay answers at", self.ask("status", code=1))
        self.start()
        self.assertIn("error: no address", self.ask("why", "alice", code=2))
        self.assertEqual(self.ask("why", code=2), "fairlead-relay why: wants a client, as in: "
                                                  "fairlead-relay why 192.0.2.7\n")
        self.assertIn("only why takes it", self.ask("top", "127.0.0.1", code=2))
        self.assertIn("are for top", self.ask("status", "--limit", "3", code=2))
        self.assertIn("is for status, why and top", self.ask("reload", "--json", code=2))
        self.assertIn("--limit", self.ask("top", "--limit", "0", code=2))
        self.assertIn("--json", self.ask("top", "--help"))

    def start_with(self, text, **more):
        self.file = os.path.join(os.path.dirname(self.path), "relay.conf")
        self.write(text)
        os.chmod(os.path.dirname(self.file), 0o755)
        return self.start("--config", self.file, **more)

    def write(self, text):
        with open(self.file, "w", encoding="ascii") as file:
            file.write(text)

    def test_reload_says_what_came_of_it(self):
        one = self.start_with("user-quota = 5\n", announced=["^nothing was reloaded",
                                                             "^the configuration is wrong",
                                                             "^what has changed here counts"])
        self.assertEqual(self.ask("reload"), "The configuration is reloaded.\n")
        one.wait_for_log("the configuration is reloaded")
        self.write("user-quota = 6\nmax-pps = 7\n")
        self.assertEqual(self.ask("reload"), "The configuration is reloaded.\n--max-pps has changed, "
                                             "which counts from the next start on\n")
        self.write("user-quota = x\nno-such = 1\n")
        lines = self.ask("reload", code=1).splitlines()
        self.assertEqual(lines[0],
                         "fairlead-relay: failed: nothing was reloaded; all is as it was")
        self.assertRegex(lines[1], r"^fairlead-relay: unknown key; .*relay\.conf, line 2")
        self.assertRegex(lines[2], r"^fairlead-relay: --user-quota: 'x' is not .*line 1")
        self.assertEqual(len(lines), 3)

    def test_reload_waits_for_a_worker_that_hangs_but_not_for_long(self):
        case.needs_root()
        one = self.start_with("user-quota = 5\n", announced=["^some workers do not answer"])
        tracer = hang(self, one.process.pid)
        for _ in range(2):  # the second is to begin when the first is over
            self.assertIn("failed: some workers do not answer, and serve by the old configuration",
                          self.ask("reload", code=1))
        tracer.kill()
        one.wait_for_log("(?s)(INFO the configuration is reloaded.*){2}")
        self.assertEqual(self.ask("reload"), "The configuration is reloaded.\n")

    def test_nothing_that_comes_from_the_socket_steers_a_terminal(self):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(self.path)
            server.listen(1)
            run = subprocess.Popen([relay.program(), "status", "--control-socket", self.path],
                                   stdout=subprocess.PIPE, env=relay.ENVIRONMENT)
            peer, _ = server.accept()
            self.assertEqual(peer.recv(100), b"status\n")
            peer.sendall("state: \x1b[2J\r\x9bé\x7f\n".encode() + b"\xff\tok\n")
            peer.close()
            told, _ = run.communicate(timeout=20)
            self.assertEqual(told.decode(), "state: ?[2J???é?\n??ok\n")
            self.assertEqual(run.returncode, 0)

    def test_who_asks_makes_no_directory(self):
        folder = os.path.dirname(self.path)
        environment = relay.ENVIRONMENT | {"RUNTIME_DIRECTORY": folder + "/a",
                                           "XDG_RUNTIME_DIR": folder + "/b"}
        del environment["FAIRLEAD_CONTROL_SOCKET"]
        os.mkdir(folder + "/b")
        subprocess.run([relay.program(), "status"], capture_output=True, check=False, timeout=20,
                       env=environment)
        self.assertEqual((os.listdir(folder), os.listdir(folder + "/b")), (["b"], []))

    def test_nobody_else_is_answered(self):
        case.needs_root()
        self.start()
        os.chmod(os.path.dirname(self.path), 0o711)
        self.assertIn("Permission denied", self.ask("status", code=1, user=65534))

    def test_a_crowd_that_says_nothing_keeps_nobody_out(self):
        one = self.start()
        crowd = []
        for _ in range(50):
            crowd.append(socket.socket(socket.AF_UNIX))
            self.addCleanup(crowd[-1].close)
            crowd[-1].connect(self.path)
        crowd[-1].send(b"x" * 100)
        self.assertIn("state: serving", self.ask("status"))
        self.assertLess(one.descriptor_count(), 100)

    def test_another_relay_with_the_same_socket_says_so(self):
        self.start()
        other = subprocess.run([relay.program(), "--bind-ip4-addr", "127.0.0.1", "--listen-port",
                                str(relay.free_ports(2)), "--control-socket", self.path, "--user",
                                "a:b"], capture_output=True, text=True, timeout=20, check=False,
                               env=relay.ENVIRONMENT)
        self.assertEqual(other.returncode, 1)
        self.assertRegex(other.stdout, "ERROR the control socket cannot be opened .*EADDRINUSE")


class Lives(case.Case):
    def test_the_end_of_an_allocation_tells_what_it_was(self):
        one = self.relay(*RULES)
        alice, peer = self.client(one).allocate(), self.peer()
        alice.permit("127.0.0.1")
        for _ in range(3):
            alice.send(b"hello", peer.getsockname())
            peer.recvfrom(100)
        peer.sendto(b"world!", alice.relayed)
        self.assertEqual(alice.receive()[1], b"world!")
        alice.free()
        found = one.wait_for_log(r"INFO allocation ended reason=deleted (.*)\n")[1]
        self.assertRegex(found, rf"^client=127\.0\.0\.1:{alice.udp.getsockname()[1]} "
                                rf"relayed=127\.0\.0\.1:{alice.relayed[1]} username=alice "
                                r"duration_s=\d+ to_peer_packets=3 to_peer_bytes=15 "
                                r"to_client_packets=1 to_client_bytes=6 kernel_packets=0$")

    def test_so_does_the_end_of_the_relay(self):
        one = self.relay()
        clients = [self.client(one).allocate() for _ in range(5)]
        one.stop()
        for client in clients:
            self.assertRegex(one.log(), r"allocation ended reason=shutdown client=127\.0\.0\.1:%d "
                             % client.udp.getsockname()[1])

    def test_no_secret_is_ever_logged(self):
        """At the highest level, of all that a client may be refused."""
        rest = "99999999999:carol"
        one = self.relay(*RULES, "--user", f"bob:{SECRET}", "--auth-secret", SECRET + "2",
                         "--log-filter", "trace", "--user-quota", "1", announced=REFUSED)
        nonces = []
        for user, password in (("alice", "wonder"), ("bob", SECRET), ("bob", SECRET + "x"),
                               ("nobody", SECRET + "y"), (rest, SECRET + "z")):
            client = self.client(one, user=user, password=password).challenge()
            nonces.append(client.nonce)
            is_good = password in ("wonder", SECRET)
            client.expect(None if is_good else 401, stun.ALLOCATE,
                          [(stun.REQUESTED_TRANSPORT, stun.UDP)])
        one.wait_for_log("not a password of --auth-secret")
        log = one.log()
        for text in (SECRET, "wonder", *(bytes(nonce).decode("latin-1") for nonce in nonces),
                     *(base64.b64encode(bytes(nonce)).decode() for nonce in nonces)):
            self.assertNotIn(text, log)


if __name__ == "__main__":
    case.main()
