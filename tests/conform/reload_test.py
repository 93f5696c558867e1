#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration read again while the relay serves: what changes, and what a call notices of it."""
import os
import pathlib
import signal
import tempfile
import threading

import case
import stun
from hanging import hang
from sandbox import PATIENCE_S

RELOADED = "INFO the configuration is reloaded"
FIRST = """
user = alice:wonder
user = bob:builder
allow-peer = 127.0.0.0/8
"""


class Reload(case.Case):
    def setUp(self):
        super().setUp()
        self.file = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.addCleanup(self.file.close)
        os.chmod(self.file.name, 0o644)
        self.write(FIRST)

    def write(self, text):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()

    def start(self, *options, **more):
        return self.relay("--config", self.file.name, *options, user=None, **more)

    def reload(self, one, outcome=RELOADED):
        before = one.log().count(outcome)
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log(f"(?s)({outcome}.*){{{before + 1}}}")

    def test_a_call_goes_on_through_reloads(self):
        one = self.start("--num-worker-threads", "3")
        calls = [(self.client(one).allocate(), self.peer()) for _ in range(6)]  # of each worker
        for alice, peer in calls:
            alice.bind(0x4000, peer.getsockname())
        for quota in range(50, 60):
            self.write(FIRST + f"user-quota = {quota}\n")
            self.reload(one)
            for alice, peer in calls:
                alice.send_channel(0x4000, b"%d" % quota)
                self.assertEqual(peer.recvfrom(100), (b"%d" % quota, alice.relayed))
                peer.sendto(b"back", alice.relayed)
                self.assertEqual(alice.receive(), (0x4000, b"back"))
        for alice, _ in calls:
            alice.refresh()
            alice.free()

    def test_users_come_and_go(self):
        one = self.start(announced=[case.UNPROVEN])
        alice, bob = self.client(one).allocate(), self.client(one, user="bob", password="builder")
        bob.allocate()
        self.write("user = bob:changed\nuser = carol:sesame\n")
        self.reload(one)
        self.client(one, user="carol", password="sesame").allocate()
        alice.refresh(code=401)
        bob.refresh(code=401)
        bob.password = "changed"
        bob.learn(bob.refresh(code=401)).refresh()
        self.client(one).challenge().expect(401, stun.ALLOCATE,
                                            [(stun.REQUESTED_TRANSPORT, stun.UDP)])

    def test_a_denied_peer_is_cut_off_at_once(self):
        one = self.start(announced=["^peer denied"])
        alice, denied, other = self.client(one).allocate(), self.peer("127.0.0.2"), \
            self.peer("127.0.0.3")
        alice.bind(0x4000, denied.getsockname())
        alice.bind(0x4001, other.getsockname())
        self.write(FIRST + "deny-peer = 127.0.0.2\n")
        self.reload(one)
        alice.send_channel(0x4000, b"no")
        denied.sendto(b"no", alice.relayed)
        alice.send_channel(0x4001, b"yes")
        self.assertEqual(other.recv(100), b"yes")
        other.sendto(b"yes", alice.relayed)
        self.assertEqual(alice.receive(), (0x4001, b"yes"))
        denied.settimeout(0.2)
        self.assertRaises(TimeoutError, denied.recv, 100)
        alice.bind(0x4000, denied.getsockname(), code=403)
        one.stop()
        self.assertRegex(one.log(), "INFO traffic .*permissions_revoked=1 channels_revoked=1 ")

    def test_what_is_wrong_changes_nothing(self):
        one = self.start(announced=["^the configuration is wrong", "^nothing was reloaded"])
        self.write("user = carol:sesame\nuser-quota = 0\nmin-lifetime = soon\n")
        self.reload(one, "ERROR nothing was reloaded; all is as it was")
        name = self.file.name
        self.assertIn("ERROR the configuration is wrong mistake=\"fairlead-relay: --user-quota: '0' "
                      f"is not a number from 1 to 65536 ({name}, line 2)\"", one.log())
        self.assertIn("--min-lifetime: 'soon' is not a number from 1 to 3600 "
                      f"({name}, line 3)", one.log())
        self.assertNotIn("sesame", one.log())
        self.client(one).allocate()
        self.client(one, user="bob", password="builder").allocate()
        self.write(FIRST)
        self.reload(one)

    def test_a_pipe_is_not_waited_for(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            name = os.path.join(folder, "pipe")
            os.mkfifo(name, 0o644)
            writer = threading.Thread(target=lambda: pathlib.Path(name).write_text(FIRST))
            writer.start()
            one = self.relay("--config", name, user=None,
                             announced=["^the configuration is wrong", "^nothing was reloaded"])
            writer.join()
            self.reload(one, "ERROR nothing was reloaded")
            self.assertIn("is a pipe, which cannot be read again", one.log())
            self.client(one).allocate()
            one.stop()

    def test_a_capacity_takes_a_restart_and_says_so(self):
        one = self.start(announced=["^what has changed here counts from the next start on"])
        self.write(FIRST + "max-channels = 70000\nuser = carol:sesame\n")
        self.reload(one)
        self.assertIn("WARN what has changed here counts from the next start on "
                      "option=max-channels\n", one.log())
        self.client(one, user="carol", password="sesame").allocate()

    def test_the_user_made_up_at_the_start_stays(self):
        self.write("allow-peer = 127.0.0.0/8\n")
        one = self.start()
        password = one.wait_for_log("[0-9a-f]{32}")[0]
        self.write("allow-peer = 127.0.0.0/9\n")
        self.reload(one)
        self.client(one, user="fairlead", password=password).allocate()

    def test_secrets_of_the_command_line_stay_and_no_password_is_remembered(self):
        case.needs_root()
        self.write("user-quota = 3\n")
        one = self.relay("--config", self.file.name, user="alice:hushhush4711")
        self.write("user-quota = 4\nuser = eve:forgotten4712\n")
        self.reload(one)
        self.client(one, password="hushhush4711").allocate()
        self.assertTrue(one.remembers(b"user-quota"))
        self.assertFalse(one.remembers(b"hushhush4711"))
        self.assertFalse(one.remembers(b"forgotten4712"))

    def test_what_is_written_while_a_reload_is_on_its_way_counts_too(self):
        case.needs_root()
        one = self.start("--num-worker-threads", "2", announced=["^some workers do not answer"])
        tracer = hang(self, one.process.pid)
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log("INFO reloading")
        self.write(FIRST + "user = carol:sesame\n")
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log("INFO reloading again")
        tracer.kill()
        one.wait_for_log(f"(?s)({RELOADED}.*){{2}}")
        self.client(one, user="carol", password="sesame").allocate()

    def test_a_worker_that_hangs_is_told(self):
        case.needs_root()
        one = self.start("--num-worker-threads", "2")
        hang(self, one.process.pid)
        self.write("user = carol:sesame\n")
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log("ERROR some workers do not answer, and serve by the old configuration")
        one.process.send_signal(signal.SIGHUP)
        one.wait_for_log("INFO reloading again when all workers have taken the last reload")
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.process.wait(PATIENCE_S), 1)
        one.is_judged = True


if __name__ == "__main__":
    case.main()
