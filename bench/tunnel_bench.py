#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The reverse relay beside other programs that carry TCP: each on one core, the load on the other.

Usage: tunnel_bench.py TUNNEL TCP_LOAD [--rounds N] [--seconds S] [--only NAME,...] [--json FILE]

  bulk      CPU seconds of all the rival's processes for each GB that was sent, and GB a second
  small     the same of messages of 64 bytes and their echoes: messages a second, us of CPU each
  delay     round trips of one such connection, at rest and beside eight in bulk
  opening   new connections a second, each with a message and its echo, one or 16 under way; us of
            CPU each
  idle      bytes of memory (PSS) for each idle connection, the rival's processes together
  half      whether an answer comes back after the client has ended its side

haproxy and nginx are no reverse relays: they dial the service themselves, which is less work. Of version
2 (relay and `expose`), `ssh -R` and stunnel both ends are counted, since only together they are a
relay. All take turns, round by round; the median counts.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import tunnel_report

CORE, LOAD_CORE = 0, 1
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
IDLE = 2000
HERE = pathlib.Path(__file__).resolve().parent


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


def free_ports(count):
    """So many in a row that nobody listens at."""
    for first in range(21000, 31000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as tcp:
                    tcp.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    sys.exit("no free ports")


def wait_until_listening(port):
    for _ in range(200):
        with socket.socket() as tcp:
            if tcp.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nobody listens at port {port}")


def descendants(pid):
    """The process and all that come from it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # threads come and go
            for child in (task / "children").read_text().split():
                found += descendants(int(child))
    return found


class Rival:
    """Processes that carry what comes to `port` to the service."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.processes, self.port = [], None

    def start(self, *command, core=CORE, output=subprocess.DEVNULL, **more):
        process = subprocess.Popen(pinned(core, *command), stdout=output,
                                   stderr=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def pids(self):
        return [pid for process in self.processes for pid in descendants(process.pid)]

    def cpu_s(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total * TICK_S

    def memory(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def end(self):
        for process in reversed(self.processes):
            for pid in reversed(descendants(process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


class Behind(Rival):
    """One that dials the service itself."""

    def open(self, load):
        self.port = free_ports(6)
        self.service_port = self.port + 1
        self.service = subprocess.Popen(pinned(LOAD_CORE, load, "serve", self.service_port),
                                        stdout=subprocess.PIPE)
        self.service.stdout.readline()
        self.run()
        wait_until_listening(self.port)

    def end(self):
        super().end()
        self.service.kill()
        self.service.wait()


class Haproxy(Behind):
    options = ""

    def run(self):
        path = self.folder / f"{self.name}.cfg"
        path.write_text(f"""global
    nbthread 1
    maxconn 4000
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    {self.options}
listen all
    bind 127.0.0.1:{self.port}
    server service 127.0.0.1:{self.service_port}
""")
        self.start("haproxy", "-db", "-f", path)


class HaproxySplice(Haproxy):
    options = "option splice-request"


class Nginx(Behind):
    def run(self):
        path = self.folder / "nginx.conf"
        path.write_text(f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
worker_processes 1;
error_log /dev/null;
pid {self.folder}/nginx.pid;
worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
stream {{ server {{ listen 127.0.0.1:{self.port} backlog=4096; proxy_timeout 1h;
                   proxy_pass 127.0.0.1:{self.service_port}; }} }}
""")
        self.start("nginx", "-c", path)


class Stunnel(Behind):
    """TLS between two of its kind, as one would use it to reach another host."""

    def run(self):
        middle = self.port + 2
        key = self.folder / "stunnel.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", key, "-days",
                        "2", "-subj", "/CN=relay"], check=True, capture_output=True)
        for name, client, accept, connect in (("far", "no", middle, self.service_port),
                                              ("near", "yes", self.port, middle)):
            path = self.folder / f"stunnel-{name}.conf"
            path.write_text(f"""foreground = yes
pid =
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[all]
client = {client}
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
""" + ("" if client == "yes" else f"cert = {key}\n"))
            self.start("stunnel4", path)
            wait_until_listening(accept)


class Ssh(Behind):
    """ssh -R, Debian's reverse tunnel."""

    def run(self):
        os.makedirs("/run/sshd", exist_ok=True)
        ssh_port = self.port + 2
        for name in ("host", "user"):
            path = self.folder / f"ssh-{name}"
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path],
                               check=True)
        config = self.folder / "sshd_config"
        config.write_text(f"""Port {ssh_port}
ListenAddress 127.0.0.1
HostKey {self.folder}/ssh-host
AuthorizedKeysFile {self.folder}/ssh-user.pub
StrictModes no
PermitRootLogin yes
UsePAM no
MaxSessions 5000
PidFile none
""")
        self.start("/usr/sbin/sshd", "-D", "-f", config)
        wait_until_listening(ssh_port)
        self.start("ssh", "-N", "-p", ssh_port, "-i", self.folder / "ssh-user", "-o",
                   "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                   "ExitOnForwardFailure=yes", "-R",
                   f"127.0.0.1:{self.port}:127.0.0.1:{self.service_port}", "root@127.0.0.1")


class Fairlead(Rival):
    """The relay, and a server that dials back, whose part is the load's."""

    program = None
    options = ()

    def open(self, load):
        first = free_ports(4)
        keys = self.folder / "keys"
        if not keys.exists():
            subprocess.run([self.program, "keys", keys], check=True, stdout=subprocess.DEVNULL)
            for path in [keys, *keys.rglob("*")]:  # the relay gives root up
                path.chmod(0o755 if path.is_dir() else 0o644)
        self.start(self.program, "relay", first, "--port-count", 2, "-k",
                   keys / "relay_server_certs", "--num-worker-threads", 1, "--metrics-addr", "off",
                   "--max-waiting-per-pair", 4096, "--max-waiting-per-address", 4096, *self.options)
        wait_until_listening(first)
        self.port = first + 2
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        certificates = keys / "relay_client_certs"
        context.load_verify_locations(certificates / "ca.crt.pem")
        context.load_cert_chain(certificates / "client.crt.pem", certificates / "client.key.pem")
        self.control = context.wrap_socket(socket.create_connection(("127.0.0.1", first)))
        if not self.control.recv(4096).startswith(b"public_listener"):
            sys.exit("the relay gives no port")
        self.service = subprocess.Popen(pinned(LOAD_CORE, load, "dial", first + 1),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.service.stdout.readline()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError, ValueError):
            while data := self.control.recv(65536):
                self.service.stdin.write(b"d" * data.count(b"\n"))
                self.service.stdin.flush()

    def end(self):
        super().end()
        self.service.kill()
        self.service.wait()


class Second(Behind):
    """Version 2 as users see it: the relay, and the agent that dials relay and service."""

    program = None
    pool = ()  # as many connections stand by as the agent keeps unless it is told
    relay_options = ()

    def run(self):
        state = self.folder / f"state-{self.port}"
        control = self.port + 2  # a pair of ports follows it
        self.start(self.program, "relay", control, "--port-count", 2, "--myhost", "127.0.0.1", "--state",
                   state, "--tunnel-port", self.port, "--tunnel-port-count", 1, "--num-worker-threads",
                   1, "--metrics-addr", "off", "--control-socket", "none", "--max-waiting-per-pair",
                   4096, "--max-waiting-per-address", 4096, *self.relay_options)
        wait_until_listening(control)
        told = (state / "first-agent").read_text(encoding="utf-8")
        agent = self.start(self.program, "expose", f"127.0.0.1:{self.service_port}", "--relay",
                           f"127.0.0.1:{control}", "--token", told.split("--token ")[1].split()[0],
                           "--max-sessions", 4096, *self.pool, output=subprocess.PIPE)
        agent.stdout.readline()  # where clients come


class SecondAlone(Second):
    """Without connections that stand by."""

    pool = ("--pool", 0)


class SecondSealed(Second):
    """With TLS on the data connections."""

    relay_options = ("--data", "tls")


RIVALS = {"fairlead": Fairlead, "fairlead-v2": Second, "fairlead-v2-alone": SecondAlone,
          "fairlead-v2-tls": SecondSealed, "haproxy": Haproxy, "haproxy-splice": HaproxySplice,
          "nginx": Nginx, "stunnel": Stunnel, "ssh -R": Ssh}


class Bench:
    def __init__(self, options):
        self.options, self.records = options, []

    def add(self, rival, part, **figures):
        self.records.append({"name": rival.name, "part": part} | figures)
        print(f"{rival.name:16} {part:8} " + "  ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in figures.items()), flush=True)

    def client(self, rival, *words, **more):
        return subprocess.Popen(pinned(LOAD_CORE, self.options.load, words[0], rival.port,
                                       *words[1:]), stdout=subprocess.PIPE, text=True, **more)

    def ask(self, rival, *words):
        """The numbers that a client prints, and the CPU time of the rival meanwhile."""
        before_s = rival.cpu_s()
        text = self.client(rival, *words).communicate()[0]
        return [max(float(word), 1e-9) for word in text.split()], rival.cpu_s() - before_s

    def bulk(self, rival):
        for count in tunnel_report.BULKS:
            (rate, total), cpu_s = self.ask(rival, "bulk", count, self.options.seconds)
            self.add(rival, "bulk", count=count, gb_s=rate / 1e9, cpu_s_gb=cpu_s / total * 1e9)

    def small(self, rival):
        for count in (1, 64):
            (rate, p50, p99), cpu_s = self.ask(rival, "echo", count, self.options.seconds, 64)
            self.add(rival, "small", count=count, rate=rate,
                     us=cpu_s / self.options.seconds / rate * 1e6, p50_us=p50 / 1e3,
                     p99_us=p99 / 1e3)

    def delay(self, rival):
        """Beside eight in bulk; at rest it is the first row of small()."""
        beside = self.client(rival, "bulk", 8, self.options.seconds + 1)
        time.sleep(0.5)
        (_, p50, p99), _ = self.ask(rival, "echo", 1, self.options.seconds / 2, 64)
        beside.wait()
        self.add(rival, "delay", p50_us=p50 / 1e3, p99_us=p99 / 1e3)

    def opening(self, rival):
        for count in (1, 16):
            (rate,), cpu_s = self.ask(rival, "open", count, self.options.seconds)
            if rate < 1:  # none came through
                continue
            self.add(rival, "opening", count=count, rate=rate, each_us=count / rate * 1e6,
                     us=cpu_s / self.options.seconds / rate * 1e6)

    def idle(self, rival):
        before = rival.memory()
        client = self.client(rival, "idle", IDLE, stdin=subprocess.PIPE)
        if client.stdout.readline() == "ready\n":
            time.sleep(0.5)
            self.add(rival, "idle", bytes=(rival.memory() - before) / IDLE, empty=before)
        client.stdin.close()
        client.wait()

    def half(self, rival):
        self.add(rival, "half", kept=self.client(rival, "half").communicate()[0].strip() == "kept")

    def run(self, name, kind, folder, number):
        rival = kind(name, folder)
        try:
            rival.open(self.options.load)
            self.bulk(rival)
            self.small(rival)
            self.delay(rival)
            if number == 0:
                self.half(rival)
                self.idle(rival)
            self.opening(rival)  # the last: what it leaves behind is many
        finally:
            rival.end()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("tunnel", type=os.path.abspath)
    parser.add_argument("load", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    Fairlead.program = Second.program = options.tunnel
    needs = {"haproxy": "haproxy", "haproxy-splice": "haproxy", "nginx": "nginx",
             "stunnel": "stunnel4", "ssh -R": "sshd"}
    names = [name for name in RIVALS if not options.only or name in options.only]
    if "--data" not in subprocess.run([options.tunnel, "relay", "--help"], check=True, text=True,
                                      capture_output=True).stdout.split():
        names = [name for name in names if name != "fairlead-v2-tls"]
    missing = {needs[name] for name in names if name in needs and not shutil.which(needs[name])}
    if missing:
        sys.exit(f"needs {', '.join(sorted(missing))}")
    bench = Bench(options)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for number in range(options.rounds):
            for rival in names:
                bench.run(rival, RIVALS[rival], folder, number)
    if options.json:
        options.json.write_text(json.dumps(bench.records, indent=1) + "\n")
    tunnel_report.tell(bench.records)


if __name__ == "__main__":
    main()
