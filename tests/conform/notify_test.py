#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay under a service manager: what it tells it, and when."""
import os
import signal
import socket
import tempfile
import time

import case
from hanging import hang


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
        self.manager.settimeout(10)
        self.environment = {"NOTIFY_SOCKET": path}

    def told(self):
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode().splitlines())

    def told_in(self, timeout_s):
        """All that it is told in some time."""
        end, found = time.monotonic() + timeout_s, []
        while (left := end - time.monotonic()) > 0:
            self.manager.settimeout(left)
            try:
                found.append(self.told())
            except TimeoutError:
                break
        self.manager.settimeout(10)
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
        self.assertEqual(one.process.wait(5), 0)

    def test_the_watchdog_is_fed_while_all_workers_answer(self):
        case.needs_root()
        one = self.relay("--num-worker-threads", "2",
                         environment=self.environment | {"WATCHDOG_USEC": "400000"})
        self.assertEqual(self.told()["READY"], "1")
        self.assertGreater(len([1 for told in self.told_in(1) if "WATCHDOG" in told]), 2)
        hang(self, one.process.pid)
        self.told_in(0.4)  # what was under way
        self.assertEqual(self.told_in(1), [])
        one.wait_for_log("ERROR workers do not answer, .* workers=1")
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.process.wait(10), 1)
        one.is_judged = True


if __name__ == "__main__":
    case.main()
