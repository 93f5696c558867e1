# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured side by side: how each is built, started, and what it costs."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from world import (HIGHEST, LISTEN, LOAD, LOAD_CORE, LOWEST, PASSWORD, REALM, RELAY, SERVER_CORE,
                   USER)

HERE = pathlib.Path(__file__).resolve().parent
GOPATH = "/usr/share/gocode"  # where Debian has the sources of Go packages
TICKS = os.sysconf("SC_CLK_TCK")
BUSY = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def relay_command(relay, *options):
    return [relay, "--listen-port", LISTEN, "--lowest-port", LOWEST, "--highest-port", HIGHEST,
            "--bind-ip4-addr", RELAY[4], "--bind-ip6-addr", RELAY[6], "--realm", REALM,
            "--user", f"{USER}:{PASSWORD}", "--user-quota", 65536,
            "--allow-peer", "10.101.0.0/16", "--allow-peer", "fd00:101::/64",
            "--allow-peer", LOAD[4], *options]


def coturn_command(folder):
    return ["turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp",
            "--no-tcp-relay", "--listening-ip", RELAY[4], "--relay-ip", RELAY[4],
            "--listening-port", LISTEN, "--min-port", LOWEST, "--max-port", HIGHEST,
            "--lt-cred-mech", "--realm", REALM, "--user", f"{USER}:{PASSWORD}",
            "--log-file", "stdout", "--simple-log", "--userdb", folder / "userdb",
            "--pidfile", folder / "pid"]


def pion_command(program):
    return [program, "-address", RELAY[4], "-port", LISTEN, "-lowest-port", LOWEST,
            "-highest-port", HIGHEST, "-realm", REALM, "-user", USER, "-password", PASSWORD]


def build_pion(folder):
    """The path of pion's server, or None without its packages; made without a network."""
    if shutil.which("go") is None or not os.path.isdir(f"{GOPATH}/src/github.com/pion/turn/v2"):
        return None
    path = folder / "pion-turn"
    done = subprocess.run(
        ["go", "build", "-o", path, "."], cwd=HERE / "pion", text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GOPATH": GOPATH,
             "GOCACHE": str(folder / "cache"), "GO111MODULE": "off", "CGO_ENABLED": "0"})
    if done.returncode != 0:
        raise OSError(f"go build: {done.stdout}")
    return path


def knows(relay, option):
    told = subprocess.run([relay, "--help"], text=True, capture_output=True, check=False)
    return option in told.stdout


class Rival:
    """A server: how it is called, its command, where it runs, how its frames are counted."""

    def __init__(self, name, command, cores=SERVER_CORE, has_trains=True, parts=None):
        self.name, self.command, self.has_trains = name, command, has_trains
        self.cores = cores  # as taskset -c has them
        self.parts = parts  # that are measured; None: all


def workers(relay, count):
    return ["--num-worker-threads", count] if knows(relay, "--num-worker-threads") else []


def rivals(relay, folder):
    """All that there are here, our own first."""
    one = workers(relay, 1)
    found = [Rival("fairlead", relay_command(relay, *one)),
             Rival("fairlead-xdp", relay_command(relay, *one, "--ebpf-offloading", "gb",
                                                 "--ebpf-attach-mode", "driver"),
                   has_trains=False)]
    if one:  # it shares one of its two cores with the load, so that only what it costs is shown
        found.append(Rival("fairlead-2", relay_command(relay, *workers(relay, 2)),
                           f"{LOAD_CORE},{SERVER_CORE}", parts=("overload", "rate")))
    if shutil.which("turnserver"):
        found.append(Rival("coturn", coturn_command(folder)))
    pion = build_pion(folder)
    if pion:
        found.append(Rival("pion", pion_command(pion)))
    return found


class Server:
    """A server that runs."""

    def __init__(self, process):
        self.process = process

    def cpu_ns(self):
        """What its threads have computed, the softirqs that ran on their backs included."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


@contextlib.contextmanager
def running(world, command, folder, cores=None):
    pin = ["taskset", "-c", str(cores)] if cores is not None else []
    with open(folder / "log", "w+b") as log:
        process = subprocess.Popen([*world.host.prefix, *pin, *map(str, command)], stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                                   env=os.environ | {"FAIRLEAD_DRAIN_TIMEOUT": "0"})
        try:
            time.sleep(1.5)
            yield Server(process)
        except BaseException:
            print("\n".join((folder / "log").read_text(errors="replace").splitlines()[-5:]))
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Core:
    """What a core has done since this was made, by the kernel's own account."""

    def __init__(self, core):
        self.core = core
        self.begun, self.at = self.read(), time.monotonic()

    def read(self):
        with open("/proc/stat", encoding="ascii") as lines:
            for line in lines:
                if line.startswith(f"cpu{self.core} "):
                    return [int(word) / TICKS for word in line.split()[1:9]]
        raise OSError(f"/proc/stat has no cpu{self.core}")

    def spent(self):
        """Seconds by kind, and in all but idling: {"user": 0.2, ..., "busy": 0.9}."""
        took = dict(zip(BUSY, (now - then for now, then in zip(self.read(), self.begun))))
        took["busy"] = sum(took[kind] for kind in BUSY if kind not in ("idle", "iowait"))
        took["all"] = time.monotonic() - self.at
        return took
