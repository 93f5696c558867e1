#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay as an operator runs it: what its options do, its rights, its log, and its end."""
import json
import itertools
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import case
import relay
import stun
from client import Client

SECRET = "hushhush4711"


class Options(case.Case):
    """The same options from each source must have the same effect."""

    def values(self):
        first = relay.free_ports(12)
        return first, {
            "public-ip4-addr": "127.0.0.1", "bind-ip4-addr": "127.0.0.2",
            "public-ip6-addr": "2001:db8::7", "bind-ip6-addr": "::1",
            "listen-port": first, "lowest-port": first + 2, "highest-port": first + 11,
            "realm": "example.org", "user": ["bob:builder", "eve:s3cr3t:with:colons"],
            "allow-peer": ["127.0.0.0/8", "10.0.0.1"], "deny-peer": ["127.0.0.3", "192.0.2.0/24"],
            "log-format": "json"}

    def check(self, one, first):
        self.assertEqual(json.loads(one.log().splitlines()[0])["message"], "fairlead-relay")
        for user, password in (("bob", "builder"), ("eve", "s3cr3t:with:colons")):
            with Client(("127.0.0.2", first), user=user, password=password) as user:
                user.allocate()
                self.assertEqual(user.realm, b"example.org")
                self.assertEqual(user.relayed[0], "127.0.0.1")
                self.assertIn(user.relayed[1], range(first + 2, first + 12))
                user.permit("127.9.9.9", "10.0.0.1")
                user.permit("127.0.0.3", code=403)
                user.permit("192.0.2.77", code=403)
                user.free()
                family = (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)
                self.assertEqual(user.allocate(family).relayed[0], "2001:db8::7")

    def start(self, first, *options, **more):
        return self.relay(*options, is_bare=True, port=first, hosts=("127.0.0.2", "::1"), **more)

    def test_by_flags(self):
        first, values = self.values()
        options = []
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                options += ["--" + name, one]
        self.check(self.start(first, *options), first)

    def test_by_the_environment(self):
        first, values = self.values()
        own = {"public-ip4-addr", "public-ip6-addr", "bind-ip4-addr", "bind-ip6-addr",
               "listen-port", "lowest-port", "highest-port", "log-format"}
        environment = {}
        for name, value in values.items():
            key = ("" if name in own else "FAIRLEAD_") + name.upper().replace("-", "_")
            environment[key] = ",".join(value) if isinstance(value, list) else str(value)
        self.check(self.start(first, environment=environment), first)

    def test_by_a_file_that_only_root_can_read(self):
        first, values = self.values()
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            for name, value in values.items():
                for one in value if isinstance(value, list) else [value]:
                    print(f"{name} = {one}", file=file)
            file.flush()
            os.chmod(file.name, 0o600)
            one = self.start(first, environment={"FAIRLEAD_CONFIG": file.name})
        self.check(one, first)

    def test_one_family_only(self):
        for public, other in (("127.0.0.1", "::1"), ("::1", "127.0.0.1")):
            option = "--public-ip6-addr" if ":" in public else "--public-ip4-addr"
            one = self.relay(option, public, hosts=(public,), is_addressed=False)
            self.assertFalse(one.answers(other, tries=1))
            family = stun.FAMILY_IP6 if ":" in public else stun.FAMILY_IP4
            alice = self.client(one).allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
            self.assertEqual(alice.relayed[0], public)

    def test_both_families_on_one_port(self):
        one = self.relay("--public-ip4-addr", "127.0.0.1", "--public-ip6-addr", "::1",
                         hosts=("127.0.0.1", "::1"), is_addressed=False)
        for host in one.hosts:  # either relays to both
            for family, relayed in ((stun.FAMILY_IP4, "127.0.0.1"), (stun.FAMILY_IP6, "::1")):
                alice = self.client(one, host).allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
                self.assertEqual(alice.relayed[0], relayed)


class Start(case.Case):
    def test_a_busy_port_is_named_with_its_address(self):
        for host, shown in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
            with self.peer(host) as busy:
                port = busy.getsockname()[1]
                run = subprocess.run([relay.program(), "--listen-port", str(port), "--user", "a:b",
                                      "--bind-ip6-addr" if ":" in host else "--bind-ip4-addr",
                                      host], text=True, capture_output=True, timeout=20,
                                     check=False, env=relay.ENVIRONMENT)
            self.outputs.append(run.stdout + run.stderr)
            self.assertEqual((run.returncode, run.stderr), (1, ""))
            self.assertIn(f"ERROR cannot listen; does another STUN server run here? address={shown}:{port} error=\"EADDRINUSE: ",
                          run.stdout)

    def test_an_address_of_another_host_is_named(self):
        run = subprocess.run([relay.program(), "--bind-ip4-addr", "192.0.2.77"], text=True,
                             capture_output=True, timeout=20, check=False, env=relay.ENVIRONMENT)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        self.assertIn('address=192.0.2.77:3478 error="EADDRNOTAVAIL: ', run.stdout)


class Rights(case.Case):
    def test_root_is_given_up_before_the_first_packet(self):
        case.needs_root()
        one = self.relay("--allow-peer", "127.0.0.1")
        status = one.status()
        self.assertNotIn("0", status["Uid"].split() + status["Gid"].split())
        self.assertEqual(len(set(status["Uid"].split()) | set(status["Gid"].split())), 1)
        self.assertEqual(status["Groups"], "")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status["NoNewPrivs"], "1")
        one.wait_for_log("root given up user=")
        self.client(one).allocate()  # opens a socket without root

    def test_it_needs_no_root(self):
        case.needs_root()
        case.needs_tool("setpriv")
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            copy = shutil.copy(relay.program(), folder)  # where anybody may go
            os.chmod(copy, 0o755)
            one = self.relay(executable=copy, prefix=(
                "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                "--bounding-set=-all"))
            self.client(one).allocate().free()
            one.stop()
            self.assertNotIn("root given up", one.log())


class End(case.Case):
    def test_both_signals_end_it_soon_even_at_work(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            one = self.relay("--allow-peer", "127.0.0.1")
            clients = [self.client(one).allocate() for _ in range(20)]
            peer = self.peer()
            for alice in clients:
                alice.bind(0x4000, peer.getsockname())
                for _ in range(20):
                    alice.send_channel(0x4000, bytes(1000))
            one.stop(number)  # in time, which it judges
            self.assertIn(f"INFO ending signal={number.name}", one.log())
            self.assertIn("INFO ending, since --drain-timeout is over allocations=20", one.log())
            self.assertRegex(one.log(), "INFO traffic .*allocations_created=20 ")

    def test_sigusr1_has_it_tell_and_go_on(self):
        one = self.relay()
        self.client(one).allocate().free()
        one.process.send_signal(signal.SIGUSR1)
        one.wait_for_log("INFO traffic .*allocations_created=1 ")
        self.client(one).allocate().free()
        one.stop()
        self.assertRegex(one.log(), "INFO traffic .*allocations_created=2 ")

    def test_what_its_sockets_dropped_is_told_at_the_end(self):
        case.needs_root()  # to send from port 0
        one = self.relay("--num-worker-threads", "1")  # which has had them when it answers
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            for _ in range(3):
                raw.sendto(struct.pack("!4H", 0, one.port, 8, 0), (one.hosts[0], 0))
        self.assertTrue(one.answers(one.hosts[0]))
        one.stop()
        self.assertRegex(one.log(), "INFO sockets receives_portless=3\n")


class Log(case.Case):
    def test_json_lines_are_json_whatever_a_user_is_called(self):
        name = 'b"o\\b\t\x01\u00e9'
        one = self.relay("--log-format", "json", user=f"{name}:pass")
        alice = self.client(one, user=name, password="pass").allocate()
        alice.permit("10.1.2.3", code=403)
        alice.free()
        one.wait_for_log("allocation ended")
        one.stop()
        lines = [json.loads(line) for line in one.log().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("info", "warn", "error"))
        by_message = {line["message"]: line for line in lines}
        created = by_message["allocation created"]
        self.assertEqual(created["username"], name)
        self.assertEqual(created["lifetime_s"], 600)
        self.assertEqual(created["relayed"], "%s:%d" % alice.relayed)
        self.assertEqual(created["client"], "%s:%d" % alice.mapped)
        self.assertEqual(by_message["peer denied; --allow-peer would allow it"]["level"], "warn")

    def test_firezones_options_without_effect_are_named(self):
        with_both = self.relay("--rng-seed", "7", environment={"TELEMETRY": "true"})
        for name in ("--rng-seed", "--telemetry"):
            with_both.wait_for_log(rf"of Firezone's relay has no effect here option={name} ")
        self.assertNotIn("no effect", self.relay(environment={"TELEMETRY": "false"}).log())

    def test_the_password_made_is_nowhere_in_memory_once_it_is_told(self):
        case.needs_root()  # to read it
        # What the loader leaves on the stack depends on the environment.
        paths = (os.environ["PATH"], "/usr/bin")
        for log_format, path in itertools.product(("human", "json"), paths):
            with self.subTest(log_format, path=path):
                one = self.relay("--log-format", log_format, user=None, environment={"PATH": path})
                password = one.wait_for_log("[0-9a-f]{32}")[0].encode()
                self.assertTrue(one.answers(one.hosts[0]))
                self.assertTrue(one.remembers(log_format.encode()))
                self.assertFalse(one.remembers(password))

    def test_allow_peer_is_advised_only_where_it_would_help(self):
        rules = ("--allow-peer", "127.0.0.0/8", "--deny-peer", "127.0.0.3")
        one = self.relay(*rules, announced=["^peer denied"])
        alice = self.client(one).allocate()
        alice.permit("127.0.0.3", code=403)
        alice.permit("10.1.2.3", code=403)
        alice.bind(0x4000, (one.hosts[0], one.port), code=403)
        one.wait_for_log(r" WARN peer denied client=\S+ peer=127\.0\.0\.3:\d+ "
                         'reason="denied by --deny-peer"')
        one.wait_for_log(r" WARN peer denied client=\S+ peer=127\.0\.0\.1:\d+ "
                         'reason="the relay\'s own listening port"')
        one.wait_for_log(r" WARN peer denied; --allow-peer would allow it .* peer=10\.1\.2\.3:")

    def test_the_credential_made_is_in_the_json_log_ready_for_a_browser(self):
        one = self.relay("--log-format", "json", user=None)
        found = one.wait_for_log(r'(?m)^.*"message":"credential made, since none is given".*$')
        server = json.loads(json.loads(found[0])["config"])["iceServers"][0]
        self.client(one, user=server["username"], password=server["credential"]).allocate()

    def test_passwords_are_not_in_it(self):
        one = self.relay(user=f"alice:{SECRET}", announced=[case.UNPROVEN])
        self.client(one, password=SECRET).allocate()
        wrong = self.client(one, password="other").challenge()
        wrong.expect(401, stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, stun.UDP)])
        one.stop()
        self.assertNotIn(SECRET, one.log())

    def test_passwords_leave_the_command_line_and_the_environment(self):
        one = self.relay(f"--user=bob:{SECRET}", user=f"alice:{SECRET}",
                         environment={"FAIRLEAD_USER": f"eve:{SECRET}"})
        self.client(one, password=SECRET).allocate()
        self.client(one, user="bob", password=SECRET).allocate()
        for name in ("cmdline", "environ"):
            with open(f"/proc/{one.process.pid}/{name}", "rb") as file:
                content = file.read()
            self.assertIn(b"--user" if name == "cmdline" else b"FAIRLEAD_USER", content)
            self.assertNotIn(SECRET.encode(), content)

    def test_a_reader_that_sleeps_or_goes_stops_nothing(self):
        reader, writer = socket.socketpair()
        pipe_reader, pipe_writer = os.pipe()
        for log_to in (writer.fileno(), pipe_writer):
            one = self.relay("--allow-peer", "127.0.0.1", log_to=log_to)
            for _ in range(1500):  # far more lines than a pipe holds
                with one.client() as alice:
                    alice.allocate().free()
            self.assertTrue(one.answers("127.0.0.1"))
            (reader.close if log_to == writer.fileno() else lambda: os.close(pipe_reader))()
            for _ in range(20):
                with one.client() as alice:
                    alice.allocate().free()
            self.assertIsNone(one.process.poll())
            one.stop()
        writer.close()
        os.close(pipe_writer)


if __name__ == "__main__":
    case.main()
