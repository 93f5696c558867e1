# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for a file of tests, gone with it whatever happens.

enter() starts the file anew with namespaces of its own for network, mounts and processes. When it
ends, even by SIGKILL, the kernel ends what it has started and forgets its networks: nothing can
be left over, and no name or port can meet one of the host.
"""
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
MARK = "FAIRLEAD_SANDBOX"
# Until what must come is given up, by all tests: what is good never takes it, on the busiest machine.
PATIENCE_S = 30


def run(*words):
    """A command that must succeed; returns its output. One string is split at blanks."""
    command = words[0].split() if len(words) == 1 else list(words)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def is_possible():
    """False also where root may not make namespaces, as in many containers."""
    return MARK in os.environ or os.geteuid() == 0 and subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "true"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0


def enter(*tools):
    """Called first by a file whose tests need namespaces, and the tools named."""
    if MARK in os.environ:
        run("mount -t tmpfs tmpfs /run")
        os.mkdir("/run/netns")
        run("ip link set lo up")
        return
    for tool in ("unshare", "ip", "nsenter", *tools):
        if shutil.which(tool) is None:
            skip(f"needs {tool}")
    if not is_possible():
        skip("needs root, and leave to make namespaces")
    path = [sys.executable, os.path.abspath(sys.argv[0])]
    arguments = [os.path.abspath(word) if os.path.exists(word) else word for word in sys.argv[1:]]
    sys.stdout.flush()
    os.execvpe("unshare", ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--net",
                           "--mount", *path, *arguments], os.environ | {MARK: "1"})


@contextlib.contextmanager
def inside(name):
    """Sockets that are made in the block are those of the host of this name. Of one thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", encoding="ascii") as back, \
            open(f"/run/netns/{name}", encoding="ascii") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if libc.setns(back.fileno(), CLONE_NEWNET) != 0:
                os._exit(70)  # nothing that follows would be where it thinks


class Host:
    """A network namespace with a name."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self.run("ip link set lo up")
        with self.inside():  # addresses of IPv6, link-local ones too, can be used at once
            for devices in ("all", "default"):
                with open(f"/proc/sys/net/ipv6/conf/{devices}/accept_dad", "w",
                          encoding="ascii") as file:
                    file.write("0")

    @property
    def prefix(self):
        """Put in front of a command, it runs there."""
        return ("nsenter", f"--net=/run/netns/{self.name}")

    def run(self, *words):
        command = words[0].split() if len(words) == 1 else list(words)
        return run(*self.prefix, *command)

    def mac(self, device):
        return self.run("ip", "-brief", "link", "show", device).split()[2]

    def wait_for_link(self, device):
        """A link that has come up drops packets until the kernel has taken notice of it."""
        wait_until(lambda: self.run("ip", "-brief", "link", "show", device).split()[1] == "UP")

    def nft(self, rules):
        """Loads rules as one transaction."""
        done = subprocess.run([*self.prefix, "nft", "-f", "-"], input=rules, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise OSError(f"nft: {done.stdout}\n{rules}")

    def inside(self):
        return inside(self.name)

    def close(self):
        run("ip", "netns", "del", self.name)


def cable(one, one_name, other, other_name):
    """A veth pair between two hosts, both ends up and ready."""
    run("ip", "link", "add", one_name, "netns", one.name, "type", "veth",
        "peer", "name", other_name, "netns", other.name)
    one.run("ip", "link", "set", one_name, "up")
    other.run("ip", "link", "set", other_name, "up")
    one.wait_for_link(one_name)
    other.wait_for_link(other_name)


def address(host, device, *addresses):
    """Addresses with prefix lengths."""
    for one in addresses:
        host.run("ip", "address", "add", one, "dev", device)


def route(host, *gateways):
    """Default routes."""
    for gateway in gateways:
        host.run("ip", "-6" if ":" in gateway else "-4", "route", "add", "default", "via", gateway)


def wait_until(condition, timeout_s=PATIENCE_S):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{condition} is never true")
        time.sleep(0.02)
