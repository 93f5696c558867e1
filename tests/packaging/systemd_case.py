# SPDX-License-Identifier: Apache-2.0
"""A service of ours under a real systemd (systemd_world), and how tests ask it.

A file of tests sets NAME and CONFIG of its subclass of Case and ends with main(). It is started with
SOURCE BUILD [TEST...], as root, and starts itself anew inside that world.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = pathlib.Path("/usr/local")
FOLDER = pathlib.Path("/etc/fairlead")
LOG = pathlib.Path("/run/service.log")
# A system call that the service may not use ends it here, where users get an error: none is missed.
# A build with a sanitizer would trace its own process to look for leaks.
TEST_DROP_IN = f"""[Service]
StandardOutput=append:{LOG}
StandardError=append:{LOG}
RestartSec=0
SystemCallErrorNumber=kill
Environment=ASAN_OPTIONS=detect_leaks=0
"""
TROUBLE = re.compile(r" (WARN|ERROR) |Sanitizer|runtime error")


def run(*words, is_good=True):
    done = subprocess.run([str(word) for word in words], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if is_good and done.returncode != 0:
        raise AssertionError(f"{' '.join(done.args)}: {done.returncode}\n{done.stdout}\n{log()}")
    return done.stdout


def log():
    return LOG.read_text(encoding="utf-8") if LOG.exists() else ""


class Case(unittest.TestCase):
    NAME = None  # of the service
    CONFIG = None  # its file in FOLDER
    GOOD = None  # what stands there, unless a test writes something else

    @classmethod
    def setUpClass(cls):
        run("meson", "install", "-C", sys.argv[2], "--no-rebuild")
        cls.drop_ins = pathlib.Path(f"/etc/systemd/system/{cls.NAME}.d")
        cls.drop_ins.mkdir(parents=True)
        (cls.drop_ins / "test.conf").write_text(TEST_DROP_IN, encoding="utf-8")

    def setUp(self):
        self.addCleanup(self.end)
        LOG.unlink(missing_ok=True)
        self.write(self.GOOD)

    def end(self):
        run("systemctl", "stop", self.NAME, is_good=False)
        run("systemctl", "reset-failed", self.NAME, is_good=False)
        for file in self.drop_ins.iterdir():
            if file.name != "test.conf":
                file.unlink()
        (FOLDER / self.CONFIG).with_suffix(".env").unlink(missing_ok=True)

    def write(self, text):
        """The file stays whose it is."""
        (FOLDER / self.CONFIG).write_text(text, encoding="utf-8")

    def drop_in(self, text):
        """Behind all others."""
        (self.drop_ins / "z-edited.conf").write_text(text, encoding="utf-8")

    def start(self):
        run("systemctl", "daemon-reload")
        run("systemctl", "start", self.NAME)  # which waits until it serves

    def hang(self):
        """Watched, it lives; its process then hangs, and the manager starts another one."""
        self.drop_in("[Service]\nWatchdogSec=4\nTimeoutAbortSec=4\n")
        self.start()
        pid = self.main_pid()
        time.sleep(5)
        self.assertEqual(self.main_pid(), pid)
        os.kill(pid, signal.SIGSTOP)
        self.wait_for("another process", lambda: self.main_pid() not in (0, pid))

    def wait_for(self, what, condition):
        end = time.monotonic() + 60
        while not (found := condition()):
            if time.monotonic() > end:
                raise AssertionError(
                    f"no {what}\n{run('systemctl', 'status', self.NAME, is_good=False)}\n{log()}")
            time.sleep(0.02)
        return found

    # Of our service, or another one.

    def property_of(self, name, service=None):
        return run("systemctl", "show", "--value", "--property", name,
                   service or self.NAME).strip()

    def main_pid(self, service=None):
        return int(self.property_of("MainPID", service))

    def status_of_process(self, service=None):
        text = pathlib.Path(f"/proc/{self.main_pid(service)}/status").read_text(encoding="ascii")
        return dict(line.split(":\t", 1) for line in text.splitlines())

    def assert_no_trouble(self, announced="^$"):
        self.assertEqual([line for line in log().splitlines()
                          if TROUBLE.search(line) and not re.search(announced, line)], [])

    def assert_ended_well(self, service=None):
        self.assertEqual((self.property_of("Result", service),
                          self.property_of("ExecMainStatus", service)), ("success", "0"))

    def assert_failed_once(self):
        """Of a configuration that is wrong; it is not tried again."""
        self.wait_for("failure", lambda: self.property_of("ActiveState") == "failed")
        self.assertEqual((self.property_of("ExecMainStatus"), self.property_of("NRestarts")),
                         ("2", "0"))

    def assert_nobody_without_a_right(self, service=None):
        """Who it is, and what it may."""
        status = self.status_of_process(service)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        uids = set(status["Uid"].split())
        self.assertEqual(len(uids), 1)
        self.assertIn(int(uids.pop()), range(61184, 65520))  # DynamicUser
        self.assertEqual(self.property_of("DynamicUser", service), "yes")
        self.assertEqual((FOLDER / self.CONFIG).stat().st_mode & 0o777, 0o640)
        self.assertEqual((FOLDER / self.CONFIG).group(), "fairlead")
        limits = pathlib.Path(f"/proc/{self.main_pid(service)}/limits").read_text(encoding="ascii")
        self.assertRegex(limits, r"Max core file size +0 +0 ")


def main(file):
    if sys.argv[3:4] == ["inside"]:
        unittest.main(argv=[*sys.argv[:1], *sys.argv[4:]], verbosity=2)
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(77)
    world = str(HERE / "systemd_world")
    os.execv(world, [world, sys.executable, os.path.abspath(file), *sys.argv[1:3], "inside",
                     *sys.argv[3:]])
