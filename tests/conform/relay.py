# SPDX-License-Identifier: Apache-2.0
"""The relay as a process: started on free ports, ready when it answers, and ended by SIGTERM.

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

import client

ENVIRONMENT = {name: os.environ[name] for name in os.environ
               if name in ("PATH", "LANG", "TMPDIR") or name.endswith("SAN_OPTIONS")}
READY_S = 15
END_S = 10
USER = "alice:wonder"
TROUBLE = re.compile(r"^\S+ +(?:WARN|ERROR) (.*)$")


def program():
    return os.environ["FAIRLEAD_RELAY"]


def end_with_parent():
    """In a child, before it becomes a program: it dies with the tests, even if they are killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; a setuid drop clears it


def is_free(port):
    for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                udp.bind((host, port))
            except OSError as error:
                if error.errno != 97:  # EAFNOSUPPORT: a host without IPv6
                    return False
    return True


def free_ports(count):
    """The first of `count` ports in a row, even, below those that the kernel hands out itself."""
    for _ in range(1000):
        first = random.randrange(10000, 32000 - count, 2)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise OSError("no free ports")


def written(file):
    """All that was written. Its offset is the writer's too, so that one must not move it."""
    length = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), length, 0).decode()


class Relay:
    """It is ready when it answers at each of the hosts, to which it is bound if is_addressed.

    One that is not is_answering is ready when it listens.

    `prefix` is put in front of the command, such as prlimit with its arguments. If is_bare, no
    option is given but those of the caller. Its log goes to `log_to` if the caller has a place.
    """

    def __init__(self, *options, hosts=("127.0.0.1",), ports=200, announced=(), prefix=(),
                 environment=None, user=USER, port=None, is_addressed=True, is_bare=False,
                 log_to=None, executable=None, is_answering=True):
        first = free_ports(ports + 2)
        self.port = port or first
        self.lowest = first + 2
        self.highest = self.lowest + ports - 1
        self.is_answering = is_answering
        self.hosts, self.announced = hosts, list(announced)
        command = [*prefix, executable or program(), *options]
        if not is_bare:
            command += ["--listen-port", self.port, "--lowest-port", self.lowest,
                        "--highest-port", self.highest]
        if user and not is_bare:
            command += ["--user", user]
        if is_addressed and not is_bare:
            for host in hosts:
                command += ["--bind-ip6-addr" if ":" in host else "--bind-ip4-addr", host]
        self.command = [str(word) for word in command]
        self.is_judged = False
        self.log_file = tempfile.TemporaryFile("w+")
        self.error_file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=log_to or self.log_file,
                                        stderr=self.error_file,
                                        env=ENVIRONMENT | (environment or {}), cwd="/",
                                        preexec_fn=end_with_parent)
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def wait_until_ready(self):
        end = time.monotonic() + READY_S
        while not all(self.answers(host) if self.is_answering else "listening" in self.log()
                      for host in self.hosts):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the relay is not ready\n{self.story()}")
            time.sleep(0.05)

    def answers(self, host, tries=1):
        """Whether it answers a Binding request with the address that asked."""
        with client.Client((host, self.port), local=host) as asker:
            for _ in range(tries):
                asker.udp.sendto(client.stun.write(1, 0), asker.server)
                try:
                    raw = asker.receive_raw(0.5)
                except OSError:  # ECONNREFUSED and the like
                    raw = None
                if raw is not None:
                    mapped = client.stun.Message(raw).address(client.stun.XOR_MAPPED_ADDRESS)
                    return mapped == asker.udp.getsockname()[:2]
        return False

    def client(self, host=None, **options):
        return client.Client((host or self.hosts[0], self.port), **options)

    # --- what it wrote

    def log(self):
        return written(self.log_file)

    def errors(self):
        return written(self.error_file)

    def story(self):
        return (f"--- {' '.join(self.command)}\n--- exit code {self.process.poll()}, log:\n"
                f"{self.log()}--- standard error:\n{self.errors()}---")

    def wait_for_log(self, pattern, timeout_s=5):
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.log())):
            if time.monotonic() > end:
                raise AssertionError(f"no line {pattern!r} in the log\n{self.story()}")
            time.sleep(0.05)
        return found

    # --- what the system says of it

    def status(self):
        """/proc/PID/status as a dictionary of its lines."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return {name: value.strip() for name, value in (line.split(":", 1) for line in file)}

    def rss_kib(self):
        return int(self.status()["VmRSS"].split()[0])

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

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
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within {END_S} s\n{self.story()}") from None
        took_s = time.monotonic() - start
        trouble = [line for line in self.log().splitlines() if (found := TROUBLE.match(line))
                   and not any(re.search(known, found[1]) for known in self.announced)]
        if code != 0 or self.errors() or trouble:
            raise AssertionError(f"the relay ended with {code}, {trouble}\n{self.story()}")
        return took_s

    def close(self):
        self.kill()
        self.log_file.close()
        self.error_file.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
