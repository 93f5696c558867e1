#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fairlead-tunnel as a service under a real systemd: it starts with all that it may not do, and does
all that it should.

Usage: systemd_tunnel_test.py SOURCE BUILD [TEST...]     (as root)
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys

import systemd_case
from systemd_case import FOLDER, PREFIX, log, run

CONTROL, REVERSE, PUBLIC = 12000, 12001, 12101  # unless the configuration says otherwise
CERTIFICATES = FOLDER / "relay_server_certs"
MADE = pathlib.Path("/run/made")
# As the configuration's comment has it.
SHARED_PORT = """[Service]
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
PrivateUsers=no
"""


# The other side, as the head of its unit has it.
EXPOSE = "fairlead-expose@home.service"
EXPOSE_UNIT = PREFIX / "share/doc/fairlead-tunnel/examples/fairlead-expose@.service"
EXPOSE_FOLDER = FOLDER / "expose"
EXPOSE_LOG = pathlib.Path("/run/expose.log")
UNITS = pathlib.Path("/etc/systemd/system")


class Server:
    """Behind a NAT, with the certificate that `fairlead-tunnel keys` has made for it."""

    def __init__(self):
        context = ssl.create_default_context(cafile=MADE / "tunnel/relay_client_certs/ca.crt.pem")
        context.load_cert_chain(MADE / "tunnel/relay_client_certs/client.crt.pem",
                                MADE / "tunnel/relay_client_certs/client.key.pem")
        self.tls = context.wrap_socket(socket.create_connection(("localhost", CONTROL), 10),
                                       server_hostname="localhost")
        self.text = self.tls.makefile("r", encoding="ascii", newline="\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.text.close()
        self.tls.close()

    def line(self):
        return self.text.readline().strip()

    def ports(self):
        listeners = (self.line(), self.line())
        return tuple(int(line.rpartition(":")[2]) for line in listeners)


def made_as_the_manual_says():
    """Runs the commands of the configuration's comments."""
    text = (pathlib.Path(sys.argv[1]) / "packaging/tunnel.conf").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^#     ((?:fairlead-tunnel keys|cp|chgrp|chmod) .*)$", text)
    script = "\n".join(commands).replace("relay.example.org", "localhost")
    shutil.rmtree(MADE, ignore_errors=True)
    shutil.rmtree(CERTIFICATES, ignore_errors=True)
    MADE.mkdir()
    run("env", f"PATH={PREFIX}/bin:/usr/bin:/bin", "ASAN_OPTIONS=detect_leaks=0",
        "sh", "-euc", f"cd {MADE}\n{script}")
    return len(commands)


class SystemdTunnel(systemd_case.Case):
    NAME = "fairlead-tunnel.service"
    CONFIG = "tunnel.conf"
    GOOD = f"keys = {CERTIFICATES}\n"

    def setUp(self):
        super().setUp()
        if not CERTIFICATES.exists():
            self.assertEqual(made_as_the_manual_says(), 4)

    def start(self):
        super().start()
        self.assertIn(" serving\n", log())

    def join(self, server, port=PUBLIC):
        """A client, and what the server has dialled for it."""
        client = socket.create_connection(("localhost", port), 10)
        self.addCleanup(client.close)
        self.assertEqual(server.line(), "new_connection")
        reverse = socket.create_connection(("localhost", REVERSE), 10)
        self.addCleanup(reverse.close)
        self.assert_joined(client, reverse)
        return client, reverse

    def assert_joined(self, client, reverse):
        for one, other in (client, reverse), (reverse, client):
            one.sendall(b"through it")
            self.assertEqual(other.recv(100), b"through it")

    def serve_once(self):
        with Server() as server:
            self.assertEqual(server.ports(), (PUBLIC, REVERSE))
            for one in self.join(server):
                one.close()

    def test_it_relays_without_a_right_and_without_a_user_of_its_own(self):
        self.start()
        self.serve_once()
        self.assert_nobody_without_a_right()
        self.assertEqual((CERTIFICATES / "server.key.pem").stat().st_mode & 0o777, 0o640)
        self.assert_no_trouble()

    def test_a_file_that_was_written_is_no_program_to_it(self):
        self.start()
        flags = {}
        for line in pathlib.Path(f"/proc/{self.main_pid()}/mountinfo").read_text(
                encoding="utf-8").splitlines():
            words = line.split()
            flags[words[4]] = words[5].split(",")
        for place in "/", "/tmp", "/var/tmp":
            self.assertIn("noexec", flags[place], place)

    def test_bulk_passes(self):
        self.start()
        with Server() as server:
            server.ports()
            client, reverse = self.join(server)
            sent = os.urandom(8 << 20)
            sender = os.fork()
            if sender == 0:
                client.sendall(sent)
                os._exit(0)
            got = bytearray()
            while len(got) < len(sent) and (some := reverse.recv(1 << 16)):
                got += some
            os.waitpid(sender, 0)
            self.assertEqual(got, sent)
        self.assert_no_trouble()

    def test_variables_of_the_environment_file_count(self):
        (FOLDER / "tunnel.env").write_text("FAIRLEAD_TUNNEL_PORT_COUNT=2\n", encoding="utf-8")
        self.start()
        with Server() as server:
            self.assertEqual(server.ports(), (CONTROL + 2, CONTROL + 1))

    def test_without_certificates_it_says_what_to_do_and_is_started_again(self):
        shutil.rmtree(CERTIFICATES)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME, is_good=False)
        self.wait_for("advice", lambda: "fairlead-tunnel keys makes some" in log())
        made_as_the_manual_says()
        self.wait_for("service", lambda: self.property_of("ActiveState") == "active")
        self.serve_once()

    def test_certificates_that_it_may_not_read_are_told(self):
        (CERTIFICATES / "server.key.pem").chmod(0o600)
        self.addCleanup(shutil.rmtree, CERTIFICATES)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME, is_good=False)
        self.wait_for("advice", lambda: "let the user that the relay runs as read" in log())

    def test_its_first_start_makes_what_an_agent_needs(self):
        for words in "", "tls-port = 443\n":
            self.write("myhost = localhost\n" + words)
            if words:
                self.drop_in(SHARED_PORT)
            shutil.rmtree("/var/lib/private/fairlead-tunnel", ignore_errors=True)
            self.start()
            command = pathlib.Path("/var/lib/fairlead-tunnel/first-agent").read_text(
                encoding="ascii").split()
            self.assertEqual(command[-4:-1], ["--relay", "localhost", "--token"])
            service = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(service.close)
            agent = subprocess.Popen([PREFIX / "bin/fairlead-tunnel", "expose",
                                      str(service.getsockname()[1]), *command[-4:]],
                                     stdout=subprocess.PIPE, text=True)
            self.addCleanup(agent.stdout.close)
            self.addCleanup(agent.wait)
            self.addCleanup(agent.kill)
            port = int(agent.stdout.readline().rpartition(":")[2])
            client = socket.create_connection(("localhost", port), 10)
            self.addCleanup(client.close)
            self.assert_joined(client, service.accept()[0])
            self.assert_no_trouble()
            agent.kill()
            client.close()
            run("systemctl", "stop", self.NAME)

    def expose(self, **services):
        """As a service of this host; where clients find what it exposes, by name."""
        run("install", "-m", "644", EXPOSE_UNIT, UNITS)
        drop_ins = UNITS / f"{EXPOSE_UNIT.name}.d"
        drop_ins.mkdir(exist_ok=True)
        (drop_ins / "test.conf").write_text(
            systemd_case.TEST_DROP_IN.replace(str(systemd_case.LOG), str(EXPOSE_LOG)),
            encoding="utf-8")
        token = pathlib.Path("/var/lib/fairlead-tunnel/first-agent").read_text(
            encoding="ascii").split()[-1]
        EXPOSE_FOLDER.mkdir(exist_ok=True)
        for name, text in ("home.token", token), ("home.conf", "relay = localhost\n" + "".join(
                f"[{name}]\ntarget = {one.getsockname()[1]}\n" for name, one in services.items())):
            (EXPOSE_FOLDER / name).write_text(text, encoding="ascii")
            (EXPOSE_FOLDER / name).chmod(0o600)
        self.addCleanup(run, "systemctl", "stop", EXPOSE, is_good=False)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", EXPOSE)

    @staticmethod
    def exposed():
        """Names and ports, as they have been printed."""
        text = EXPOSE_LOG.read_text(encoding="utf-8") if EXPOSE_LOG.exists() else ""
        return [(name, int(port)) for name, port in
                re.findall(r"(?m)^([a-z]+) localhost:([0-9]+)$", text)]

    def assert_leads(self, port, service):
        """For a short time: a relay that drains waits for whoever is there."""
        with socket.create_connection(("localhost", port), 10) as client:
            with service.accept()[0] as inner:
                self.assert_joined(client, inner)

    def test_the_other_side_is_a_service_too_and_comes_back(self):
        self.write("myhost = localhost\nport-count = 0\n")
        shutil.rmtree("/var/lib/private/fairlead-tunnel", ignore_errors=True)
        EXPOSE_LOG.unlink(missing_ok=True)
        self.start()
        services = {name: socket.create_server(("127.0.0.1", 0)) for name in ("web", "ssh")}
        for service in services.values():
            service.settimeout(60)
            self.addCleanup(service.close)
        self.expose(**services)
        self.wait_for("services", lambda: len(self.exposed()) == 2)
        places = dict(self.exposed())
        for name, service in services.items():
            self.assert_leads(places[name], service)
        self.assert_nobody_without_a_right(EXPOSE)

        run("systemctl", "restart", self.NAME)
        self.wait_for("return", lambda: EXPOSE_LOG.read_text().count(" again\n") == 2)
        pid = self.main_pid(EXPOSE)
        os.kill(pid, signal.SIGKILL)
        self.wait_for("another process", lambda: self.main_pid(EXPOSE) not in (0, pid))
        self.wait_for("services", lambda: len(self.exposed()) == 4)
        self.assertEqual(dict(self.exposed()[2:]), places)
        for name, service in services.items():
            self.assert_leads(places[name], service)
        run("systemctl", "stop", EXPOSE)
        self.assert_ended_well(EXPOSE)
        self.assertNotRegex(EXPOSE_LOG.read_text(), "Sanitizer|runtime error")

    def test_a_wrong_file_of_the_other_side_is_told_once(self):
        self.write("myhost = localhost\nport-count = 0\n")
        shutil.rmtree("/var/lib/private/fairlead-tunnel", ignore_errors=True)
        EXPOSE_LOG.unlink(missing_ok=True)
        self.start()
        self.expose()
        self.wait_for("failure", lambda: self.property_of("ActiveState", EXPOSE) == "failed")
        self.assertEqual((self.property_of("ExecMainStatus", EXPOSE),
                          self.property_of("NRestarts", EXPOSE)), ("2", "0"))
        self.assertIn("TARGET: must be given", EXPOSE_LOG.read_text())

    def test_a_wrong_configuration_is_told_once(self):
        self.write("prot-count = 2\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME, is_good=False)
        self.assert_failed_once()
        self.assertRegex(log(), r"unknown key 'prot-count'; did you mean 'port-count'\?")

    def test_after_a_crash_it_is_started_again_and_leaves_no_core(self):
        self.start()
        pid = self.main_pid()
        os.kill(pid, signal.SIGABRT)
        self.wait_for("another process", lambda: self.main_pid() not in (0, pid))
        self.wait_for("readiness", lambda: self.property_of("ActiveState") == "active")
        self.serve_once()
        self.assertNotIn("core-dump", run("systemctl", "status", self.NAME))

    def test_reload_takes_new_certificates_and_sessions_go_on(self):
        self.start()
        pid = self.main_pid()
        with Server() as server:
            server.ports()
            client, reverse = self.join(server)
            made_as_the_manual_says()
            with self.assertRaises(ssl.SSLError):
                Server()
            run("systemctl", "reload", self.NAME)
            self.wait_for("new certificates", lambda: "certificates are reloaded" in log())
            self.assert_joined(client, reverse)
            with Server() as other:
                self.assertEqual(other.ports(), (PUBLIC + 1, REVERSE + 1))
        self.write("prot-count = 2\n")
        self.assertIn("failed", run("systemctl", "reload", self.NAME, is_good=False))
        self.assertEqual((self.main_pid(), self.property_of("ActiveState")), (pid, "active"))

    def test_when_it_hangs_it_is_started_again(self):
        self.hang()
        self.wait_for("service", lambda: log().count(" serving\n") == 2)
        self.serve_once()

    def test_stop_waits_for_the_last_session(self):
        self.start()
        with Server() as server:
            server.ports()
            client, reverse = self.join(server)
            stop = subprocess.Popen(["systemctl", "stop", self.NAME])
            self.wait_for("draining", lambda: "draining: " in log())
            self.assert_joined(client, reverse)
            self.assertIsNone(stop.poll())
            client.close()
            reverse.close()
            self.assertEqual(stop.wait(60), 0)
        self.assert_ended_well()

    def test_stop_ends_it_well(self):
        self.start()
        run("systemctl", "stop", self.NAME)
        self.assert_ended_well()
        self.assert_no_trouble()


if __name__ == "__main__":
    systemd_case.main(__file__)
