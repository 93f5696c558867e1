#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a TURN server process costs per allocation and per set-up: the relay beside coturn.

Usage: server_bench.py RELAY [--allocations N] [--setups N] [--rounds N]

Memory is VmRSS from /proc/PID/status, before the first client and with N allocations that have one
permission and one channel each. CPU time is that of all threads of the server, from their
schedstat in /proc, which counts what utime and stime count, but in nanoseconds: for the set-ups of
a round, each of which is an Allocate that is answered 401, Allocate, ChannelBind and Refresh with
lifetime 0, by one client after another. The servers take turns, round by round; the first round of
each does not count, of the others the median does.

Both servers log into files, run without limits that would be met, and see what they would see of as
many hosts: all clients are addresses of 127.0.0.0/8 behind one wildcard socket, which is no limit
of descriptors for whoever measures. A server of which there is none is left out.
"""
import argparse
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "conform"))
import stun

HOST = "127.0.0.1"
USER, PASSWORD, REALM = "alice", "wonder", "fairlead"
KEY = stun.long_term_key(USER, REALM, PASSWORD)
PEER = (HOST, 9)
CHANNEL = struct.pack("!HH", 0x4000, 0)
IP_PKTINFO = 8
OTHER_DESCRIPTORS = 500  # what a server opens besides one socket for each allocation
TRIES = 5


class Server:
    def __init__(self, name, port, command, folder):
        self.name, self.port = name, port
        self.nonce = None
        self.log = open(folder / f"{name}.log", "w+b")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, cwd=folder,
                                        env=os.environ | {"FAIRLEAD_DRAIN_TIMEOUT": "0"})

    def wait_ready(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.2)
            udp.connect((HOST, self.port))
            for _ in range(100):
                try:
                    udp.send(stun.write(stun.BINDING, stun.REQUEST))
                    udp.recv(2048)
                    time.sleep(0.5)  # what it still does after its start is not a client's cost
                    return
                except OSError:
                    time.sleep(0.1)
        self.log.seek(0)
        sys.exit(f"{self.name} does not answer:\n{self.log.read().decode(errors='replace')}")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def rss(self):
        """Bytes of memory that are resident."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        sys.exit(f"{self.name} has ended")

    def cpu_ns(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def start_relay(program, port, lowest, folder):
    return Server("fairlead-relay", port, [
        program, "--public-ip4-addr", HOST, "--bind-ip4-addr", HOST, "--listen-port", str(port),
        "--lowest-port", str(lowest), "--highest-port", str(lowest + 19999), "--realm", REALM,
        "--user", f"{USER}:{PASSWORD}", "--allow-peer", HOST, "--user-quota", "65536"], folder)


def start_coturn(program, port, lowest, folder):
    return Server("coturn", port, [
        program, "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay",
        "--listening-ip", HOST, "--relay-ip", HOST, "--listening-port", str(port),
        "--min-port", str(lowest), "--max-port", str(lowest + 19999), "--lt-cred-mech",
        "--realm", REALM, "--user", f"{USER}:{PASSWORD}", "--allow-loopback-peers",
        "--log-file", "stdout", "--simple-log", "--userdb", str(folder / "userdb"),
        "--pidfile", str(folder / "pid")], folder)


def start_pion(program, port, lowest, folder):
    return Server("pion", port, [
        program, "-address", HOST, "-port", str(port), "-lowest-port", str(lowest),
        "-highest-port", str(lowest + 19999), "-realm", REALM, "-user", USER,
        "-password", PASSWORD], folder)


class Clients:
    """Any number of clients at one socket, told apart by their source address."""

    def __init__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("0.0.0.0", 0))
        self.udp.settimeout(1)

    def exchange(self, server, index, raw):
        source = struct.pack("!I", (127 << 24) + (1 << 20) + index)
        info = (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("I4s4s", 0, source, b"\0" * 4))
        for _ in range(TRIES):
            self.udp.sendmsg([raw], [info], 0, (HOST, server.port))
            try:
                while True:
                    answer = self.udp.recv(2048)
                    if answer[8:20] == raw[8:20]:
                        return stun.Message(answer)
            except TimeoutError:
                pass
        sys.exit(f"{server.name} does not answer client {index}")

    def ask(self, server, index, method, *attributes):
        whole = [*attributes, (stun.USERNAME, USER.encode()), (stun.REALM, REALM.encode()),
                 (stun.NONCE, server.nonce)]
        for _ in range(TRIES):
            answer = self.exchange(server, index, stun.write(method, stun.REQUEST, whole, KEY))
            if answer.error != 508:  # of a server that tries some ports by chance
                break
        if answer.kind != stun.SUCCESS:
            sys.exit(f"{server.name} refuses client {index}: {answer}")

    def set_up(self, server, index):
        udp = (stun.REQUESTED_TRANSPORT, stun.UDP)
        bare = self.exchange(server, index, stun.write(stun.ALLOCATE, stun.REQUEST, [udp]))
        if bare.error != 401:
            sys.exit(f"{server.name} does not ask client {index} who it is: {bare}")
        server.nonce = bare.get(stun.NONCE)
        self.ask(server, index, stun.ALLOCATE, udp)
        self.ask(server, index, stun.CHANNEL_BIND, (stun.CHANNEL_NUMBER, CHANNEL),
                 (stun.XOR_PEER_ADDRESS, PEER))

    def release(self, server, index):
        self.ask(server, index, stun.REFRESH, (stun.LIFETIME, 0))


def measure_memory(starts, count):
    """Bytes per allocation, by server; each runs alone. Also printed."""
    found = {}
    for start in starts:
        server = start()
        try:
            server.wait_ready()
            clients = Clients()
            empty = server.rss()
            for index in range(count):
                clients.set_up(server, index)
            found[server.name] = (empty, server.rss())
        finally:
            server.end()
    for name, (empty, full) in found.items():
        print(f"memory per allocation, {count} of them, {name}:".ljust(60),
              f"{(full - empty) / count:9.0f} bytes   (RSS from {empty // 1024} to "
              f"{full // 1024} KiB)", flush=True)
    return {name: (full - empty) / count for name, (empty, full) in found.items()}


def measure_set_ups(starts, count, rounds):
    servers = [start() for start in starts]
    try:
        for server in servers:
            server.wait_ready()
        clients = Clients()
        took = {server.name: [] for server in servers}
        for number in range(rounds + 1):
            for server in servers:
                before = server.cpu_ns()
                for index in range(number * count, (number + 1) * count):
                    clients.set_up(server, index)
                    clients.release(server, index)
                took[server.name].append((server.cpu_ns() - before) / count / 1000)
    finally:
        for server in servers:
            server.end()
    medians = {}
    for name, all_us in took.items():
        medians[name] = statistics.median(all_us[1:])
        print(f"CPU of a set-up, {rounds} x {count} of them, {name}:".ljust(60),
              f"{medians[name]:9.1f} us      (" + " ".join(f"{us:.1f}" for us in all_us[1:]) + ")")
    if len(medians) == 2:
        relay, peer = medians.values()
        print("ratio:".ljust(60), f"{relay / peer:9.2f}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("relay")
    parser.add_argument("--allocations", type=int, default=16000)
    parser.add_argument("--setups", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    relay, coturn = os.path.abspath(options.relay), shutil.which("turnserver")

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(options.allocations, most - OTHER_DESCRIPTORS)
    if count < options.allocations:
        print(f"{count} allocations only, since a process may have {most} descriptors")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        starts = [lambda: start_relay(relay, 13478, 20000, folder)]
        if coturn:
            starts.append(lambda: start_coturn(coturn, 13479, 40000, folder))
        else:
            print("nothing to compare with: coturn is not installed")
        # In this order: the kernel frees tens of thousands of sockets at the cost of who runs then.
        measure_set_ups(starts, options.setups, options.rounds)
        measure_memory(starts, count)


if __name__ == "__main__":
    main()
