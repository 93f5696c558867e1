#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service under a real systemd: it starts with all that it may not do, and does all that it should.

Usage: systemd_test.py SOURCE BUILD [TEST...]     (as root)
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conform"))
# pylint: disable=wrong-import-position
import systemd_case  # noqa: E402
from client import Client  # noqa: E402
from systemd_case import FOLDER, LOG, PREFIX, log, run

GOOD = "bind-ip4-addr = 127.0.0.1\nallow-peer = 127.0.0.1\nuser = alice:wonder\n"


class Systemd(systemd_case.Case):
    NAME = "fairlead-relay.service"
    CONFIG = "relay.conf"
    GOOD = GOOD

    def start(self):
        super().start()
        self.assertIn("listening", log())

    def relay_once(self, user="alice", password="wonder", port=3478):
        """A client has an allocation and may reach a peer. It gives it back: stopping need not wait."""
        with Client(("127.0.0.1", port), user, password) as client:
            client.allocate().permit("127.0.0.1")
            client.free()

    def test_it_relays_without_a_right_and_without_a_user_of_its_own(self):
        self.start()
        self.relay_once()
        self.assert_nobody_without_a_right()
        self.assert_no_trouble()

    def test_root_can_ask_it_how_it_is(self):
        self.start()
        self.assertIn("serving", run(PREFIX / "bin/fairlead-relay", "status").lower())
        with Client(("127.0.0.1", 3478), "alice", "wonder") as client:
            client.challenge().ask(code=None)
            client.permit("10.1.2.3", code=403)
            client.free()
        told = run(PREFIX / "bin/fairlead-relay", "why", "127.0.0.1")
        self.assertIn("403", told)
        self.assertIn("a private address", told)
        self.assert_no_trouble("peer denied")

    def test_variables_of_the_environment_file_count(self):
        (FOLDER / "relay.env").write_text("LISTEN_PORT=3479\nFAIRLEAD_USER=bob:builder\n",
                                          encoding="utf-8")
        self.start()
        self.relay_once("bob", "builder", 3479)

    def test_with_the_drop_in_it_relays_in_the_kernel_and_has_no_capability_then(self):
        (self.drop_ins / "kernel.conf").symlink_to(PREFIX / "share/fairlead/systemd/kernel.conf")
        self.write(GOOD + "ebpf-offloading = lo\nebpf-attach-mode = generic\n")
        self.start()
        self.assertRegex(log(), r"relaying in the kernel.* interface=lo mode=generic")
        status = self.status_of_process()
        for name in ("CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.relay_once()

    def test_the_token_comes_from_a_file_that_root_alone_can_read(self):
        (self.drop_ins / "token.conf").symlink_to(PREFIX / "share/fairlead/systemd/token.conf")
        token = FOLDER / "token"
        token.write_text(".SFMyNTY.abc\n", encoding="ascii")
        token.chmod(0o600)
        with socket.create_server(("127.0.0.1", 0)) as portal:
            portal.settimeout(30)
            self.write(GOOD + "otlp-grpc-endpoint = localhost:4317\n"
                       f"api-url = ws://localhost:{portal.getsockname()[1]}\n")
            self.start()
            asker, _ = portal.accept()
            with asker:
                asker.settimeout(30)
                request = asker.recv(4096)
        self.assertIn(b"X-Authorization: Bearer .SFMyNTY.abc\r\n", request)
        self.assertNotIn(".SFMyNTY", log())
        self.relay_once()

    def test_without_the_drop_in_it_relays_by_sockets_and_says_why(self):
        self.drop_in("[Service]\nSystemCallErrorNumber=EPERM\n")
        self.write(GOOD + "ebpf-offloading = lo\nebpf-attach-mode = generic\n")
        self.start()
        self.assertRegex(log(), r"relaying by sockets alone.*CAP_BPF")
        self.relay_once()

    def test_the_drop_in_of_the_manual_lets_it_have_a_port_below_1024(self):
        page = (pathlib.Path(sys.argv[1]) / "docs" / "operate.md").read_text(encoding="utf-8")
        text = re.search(r"(?s)## A port below 1024\n.*?(\[Service\].*?)\n\n", page)[1]
        self.write(GOOD + "listen-port = 443\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME, is_good=False)
        self.wait_for("refusal", lambda: re.search("cannot listen .*Permission denied", log()))
        self.end()
        self.drop_in(text.replace("\n    ", "\n"))
        LOG.unlink()
        self.start()
        self.relay_once(port=443)

    def test_a_wrong_configuration_is_told_once(self):
        self.write("listen-prot = 3478\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME, is_good=False)
        self.assert_failed_once()
        self.assertRegex(log(), r"unknown key 'listen-prot'; did you mean 'listen-port'\?")

    def test_after_a_crash_it_is_started_again(self):
        self.start()
        pid = self.main_pid()
        os.kill(pid, signal.SIGKILL)
        self.wait_for("another process", lambda: self.main_pid() not in (0, pid))
        self.wait_for("readiness", lambda: self.property_of("ActiveState") == "active")
        self.relay_once()

    def test_reload_takes_new_users_and_refuses_mistakes(self):
        self.start()
        pid = self.main_pid()
        self.write(GOOD.replace("alice:wonder", "bob:builder"))
        run("systemctl", "reload", self.NAME)
        self.wait_for("the new user", lambda: "the configuration is reloaded" in log())
        self.relay_once("bob", "builder")
        with Client(("127.0.0.1", 3478), "alice", "wonder") as client:
            client.challenge().ask(code=401)
        self.write("listen-prot = 3478\n")
        told = run("systemctl", "reload", self.NAME, is_good=False)
        self.assertIn("failed", told)
        self.assertRegex(log(), r"unknown key 'listen-prot'; did you mean 'listen-port'\?")
        self.relay_once("bob", "builder")
        self.assertEqual((self.main_pid(), self.property_of("ActiveState")), (pid, "active"))

    def test_when_it_hangs_it_is_started_again(self):
        self.hang()
        self.wait_for("listening", lambda: log().count("listening") == 2)
        self.relay_once()

    def test_stop_waits_for_the_last_allocation(self):
        self.start()
        with Client(("127.0.0.1", 3478), "alice", "wonder") as client, \
                Client(("127.0.0.1", 3478), "alice", "wonder") as other:
            client.allocate()
            stop = subprocess.Popen(["systemctl", "stop", self.NAME])
            self.wait_for("draining", lambda: "Draining, allocations left: 1" in
                          self.property_of("StatusText"))
            other.challenge().ask(code=508)
            self.assertIsNone(stop.poll())
            client.free()
            self.assertEqual(stop.wait(60), 0)
        self.assert_ended_well()

    def test_stop_ends_it_well(self):
        self.start()
        run("systemctl", "stop", self.NAME)
        self.assert_ended_well()
        self.assert_no_trouble()


if __name__ == "__main__":
    systemd_case.main(__file__)
