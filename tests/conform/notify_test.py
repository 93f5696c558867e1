#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay under a service manager: what it tells it, and when."""
import contextlib
import os
import signal
import socket
import tempfile
import time

import case
from hanging import hang
from sandbox import PATIENCE_S


class Notify(case.Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        path = os.path.join(folder.name, "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(path)
        os.chmod(path, 0o777)
        self.manager.settimeout(PATIENCE_S)
        self.environment = {"NOTIFY_SOCKET": path}

    def told(self):
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode().splitlines())

    def told_in(self, timeout_s):
        """All that it has been told, and is in some time."""
        time.sleep(timeout_s)
        self.manager.setblocking(False)
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.told())
        self.manager.settimeout(PATIENCE_S)
        return found

    def test_ready_when_it_serves_and_stopping_when_it_does_not(self):
        one = self.relay(environment=self.environment)
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "Serving"})
        self.assertTrue(one.answers(one.hosts[0]))
        one.stop()
        self.assertEqual(self.told()["STOPPING"], "1")

    def test_the_manager_waits_while_it_drains(self):
        one = self.relay("--drain-timeout", "1000", environment=self.environment)
        self.assertEqual(self.told()["READY"], "1")
        alice = self.client(one).allocate()
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told(), {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "1010000000",
                                       "STATUS": "Ending"})
        self.assertEqual(self.told(), {"STATUS": "Draining, allocations left: 1"})
        alice.free()
        self.assertEqual(one.process.wait(PATIENCE_S), 0)

    def test_the_watchdog_is_fed_while_all_workers_answer(self):
        case.needs_root()
        one = self.relay("--num-worker-threads", "2",
                         environment=self.environment | {"WATCHDOG_USEC": "1600000"})
        self.assertEqual(self.told()["READY"], "1")
        for _ in range(3):
            self.assertEqual(self.told(), {"WATCHDOG": "1"})
        hang(self, one.process.pid)
        one.wait_for_log("ERROR workers do not answer, .* workers=1")
        self.told_in(0)  # what it told before that
        self.assertEqual(self.told_in(2), [])
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.process.wait(PATIENCE_S), 1)
        one.is_judged = True


if __name__ == "__main__":
    case.main()
