# SPDX-License-Identifier: Apache-2.0
"""What every file of tests here shares: a case that owns its relays, and an end that meson knows.

A test that fails prints the log of each relay that it used. A file whose tests could not all run
prints one line `skipped: reason` and exits with 77, unless one of them failed.
"""
import os
import shutil
import signal
import subprocess
import sys
import unittest

import sandbox
from relay import Relay


UNPROVEN = "^credential refused "


def needs_tool(name):
    if shutil.which(name) is None:
        raise unittest.SkipTest(f"needs {name}")


def needs_root():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root")


def once(attempt, tries=5):
    """What attempt() returns when it passes. For what a busy machine can spoil, such as timings and
    other people's impatient programs: it does not do so each time, and a fault of ours does.
    """
    for _ in range(tries - 1):
        try:
            return attempt()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print(f"once more, since {error}", file=sys.stderr)
    return attempt()


class Case(unittest.TestCase):
    maxDiff = None
    daemon_type = Relay

    def setUp(self):
        self.relays = []
        self.outputs = []  # of other programs, shown when the test fails
        self.addCleanup(self.end_relays)

    def relay(self, *options, **more):
        """A relay that is stopped, and judged, when the test is over."""
        relay = self.daemon_type(*options, **more)
        self.relays.append(relay)
        return relay

    def client(self, relay, host=None, **options):
        client = relay.client(host, **options)
        self.addCleanup(client.close)
        return client

    def peer(self, host="127.0.0.1", port=0):
        from client import open_socket
        udp = open_socket(host, port)
        self.addCleanup(udp.close)
        return udp

    def has_failed(self):
        """Also in a cleanup, where unittest has begun a new account."""
        result = self._outcome.result
        return any(self is getattr(test, "test_case", test)
                   for test, _ in result.failures + result.errors)

    def end_relays(self):
        """Runs after the test: judges the relays of one that passed, shows those of others.

        May be called before, for a relay that must end while its host is still there.
        """
        has_failed = self.has_failed()
        while self.relays:
            relay = self.relays.pop(0)
            try:
                if has_failed:
                    print(f"\n{self.id()}:\n{relay.story()}", file=sys.stderr)
                elif not relay.is_judged:
                    relay.stop()
            finally:
                relay.close()
        if has_failed:
            for output in self.outputs:
                print(f"--- output:\n{output}---", file=sys.stderr)


def main(*tools, is_root=False, variable="FAIRLEAD_RELAY"):
    """Runs the tests of the file that calls it. The relay is what the variable says, or argument 1.

    As root they have a network of their own, so that files can run at the same time; without, they
    use the host's loopback, unless is_root says that none of them can.
    """
    if is_root or sandbox.is_possible():
        sandbox.enter(*tools)
    if len(sys.argv) > 1 and os.access(sys.argv[1], os.X_OK):
        os.environ[variable] = os.path.abspath(sys.argv.pop(1))
    if variable not in os.environ:
        sys.exit("usage: FILE path/to/the/relay [Case.test...]")
    # A shell's background jobs ignore it, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    run = unittest.main(exit=False, verbosity=2)
    reasons = sorted({reason for _, reason in run.result.skipped})
    if run.result.wasSuccessful() and reasons:
        print(f"skipped: {', '.join(reasons)}")
        sys.exit(77)
    sys.exit(not run.result.wasSuccessful())
