# SPDX-License-Identifier: Apache-2.0
"""A program of ours as a process that runs until it is told to end: started, watched, and judged.

It must end with exit code 0, silent on standard error (where the sanitizers speak) and without a
line of level WARN or ERROR in its log that the test has not announced.
"""
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time

from sandbox import PATIENCE_S

ENVIRONMENT = {name: os.environ[name] for name in os.environ
               if name in ("PATH", "LANG", "TMPDIR") or name.endswith("SAN_OPTIONS")}
# What such a program has in memory is its own: no sanitizer keeps stacks and what has been freed.
LEAN = {"ASAN_OPTIONS": "detect_stack_use_after_return=0:quarantine_size_mb=0:"
                        "thread_local_quarantine_size_kb=0"}
TROUBLE = re.compile(r"^\S+ +(?:WARN|ERROR) (.*)$")


def end_with_parent():
    """In a child, before it becomes a program: it dies with the tests, even if they are killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; a setuid drop clears it


def is_free(port, kind=socket.SOCK_DGRAM):
    for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        with socket.socket(family, kind) as one:
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                one.bind((host, port))
            except OSError as error:
                if error.errno != 97:  # EAFNOSUPPORT: a host without IPv6
                    return False
    return True


def free_ports(count, kind=socket.SOCK_DGRAM):
    """The first of `count` ports in a row, even, below those that the kernel hands out itself."""
    for _ in range(1000):
        first = random.randrange(10000, 32000 - count, 2)
        if all(is_free(port, kind) for port in range(first, first + count)):
            return first
    raise OSError("no free ports")


def free_tcp_port():
    return free_ports(1, socket.SOCK_STREAM)


def written(file):
    """All that was written. Its offset is the writer's too, so that one must not move it."""
    length = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), length, 0).decode()


def status(process):
    """/proc/PID/status as a dictionary of its lines."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return {name: value.strip() for name, value in (line.split(":", 1) for line in file)}


def rss_kib(process):
    return int(status(process)["VmRSS"].split()[0])


class Daemon:
    """What kind it is knows how it says that it is ready: is_ready().

    Its log goes to `log_to` if the caller has a place.
    """

    def __init__(self, command, environment, announced=(), log_to=None):
        self.command = [str(word) for word in command]
        self.announced = list(announced)
        self.is_judged = False
        self.log_file = tempfile.TemporaryFile("w+")
        self.error_file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=log_to or self.log_file,
                                        stderr=self.error_file, env=environment, cwd="/",
                                        preexec_fn=end_with_parent)
        try:
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise

    def is_ready(self):
        raise NotImplementedError

    def wait_until_ready(self):
        end = time.monotonic() + PATIENCE_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"it is not ready\n{self.story()}")
            time.sleep(0.05)

    # --- what it wrote

    def log(self):
        return written(self.log_file)

    def errors(self):
        return written(self.error_file)

    def story(self):
        return (f"--- {' '.join(self.command)}\n--- exit code {self.process.poll()}, log:\n"
                f"{self.log()}--- standard error:\n{self.errors()}---")

    def wait_for_log(self, pattern, timeout_s=PATIENCE_S):
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.log())):
            if time.monotonic() > end:
                raise AssertionError(f"no line {pattern!r} in the log\n{self.story()}")
            time.sleep(0.05)
        return found

    # --- what the system says of it

    def status(self):
        return status(self.process.pid)

    def rss_kib(self):
        return rss_kib(self.process.pid)

    def cpu_s(self):
        """The CPU time that it has had."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def socket_count(self):
        """Of its descriptors those that are sockets: pipes may be kept for others."""
        folder, count = f"/proc/{self.process.pid}/fd", 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
            except FileNotFoundError:  # closed meanwhile
                pass
        return count

    def remembers(self, text):
        """Whether bytes are in its memory. What is too large to be more than room is left out."""
        with open(f"/proc/{self.process.pid}/maps", encoding="ascii") as maps, \
                open(f"/proc/{self.process.pid}/mem", "rb") as memory:
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(one, 16) for one in span.split("-"))
                if "r" in rights and "[v" not in line and end - start < 1 << 28:
                    memory.seek(start)
                    if text in memory.read(end - start):
                        return True
        return False

    # --- its end

    def stop(self, number=signal.SIGTERM):
        """Ends it and checks all that the head of this file says. Returns the seconds it took."""
        start = time.monotonic()
        self.is_judged = True
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within {PATIENCE_S} s\n{self.story()}") from None
        took_s = time.monotonic() - start
        trouble = [line for line in self.log().splitlines() if (found := TROUBLE.match(line))
                   and not any(re.search(known, found[1]) for known in self.announced)]
        if code != 0 or self.errors() or trouble:
            raise AssertionError(f"it ended with {code}, {trouble}\n{self.story()}")
        return took_s

    def close(self):
        self.kill()
        self.log_file.close()
        self.error_file.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
