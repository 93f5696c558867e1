#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Packets a second through the kernel's way, beside coturn and beside the floor.

Usage: xdp_bench.py RELAY FRAME_LOAD [--seconds S] [--bytes N] [--rounds N] [--bindings N,N,...]

     load                      relay
    10.99.0.2 ga --- gb 10.99.0.1          one veth pair, two namespaces
    clients are 10.100.0.0/16 and fd00:100::/64, peers 10.101.0.0/16 and fd00:101::/64, all behind
    10.99.0.2 and fd00:99::2

The load is made and counted by FRAME_LOAD, in the kernel, on one core; so the floor, which only
turns frames round, is what the load itself costs. Each server gets its allocations by the protocol
and a channel in each; then come the frames: ChannelData of the clients, or UDP of the peers. What
comes back is counted. coturn has the other core for itself. Figures are medians of the rounds.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "conform"))
# pylint: disable=wrong-import-position
import sandbox
import stun

USER, PASSWORD, REALM = "alice", "wonder", "fairlead"
KEY = stun.long_term_key(USER, REALM, PASSWORD)
RELAY = {4: "10.99.0.1", 6: "fd00:99::1"}
LOAD = {4: "10.99.0.2", 6: "fd00:99::2"}
PEER = {4: ("10.101.0.9", 9000), 6: ("fd00:101::9", 9000)}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
LISTEN, LOWEST, HIGHEST = 3478, 20000, 60000
HEAD_LEN = 80
CHANNEL = 0x4000
TRIES = 5
IP_PKTINFO, IPV6_PKTINFO = 8, 50


def checksum(raw):
    raw += b"\0" * (len(raw) % 2)
    total = sum(struct.unpack(f"!{len(raw) // 2}H", raw))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(macs, version, source, target, data, total):
    """The head of a frame, which is as right as if the whole had been made by a host."""
    from_ip, to_ip = (socket.inet_pton(FAMILY[version], one[0]) for one in (source, target))
    room = total - 14 - (20 if version == 4 else 40)
    data = data + bytes(room - 8 - len(data))
    udp = struct.pack("!HHHH", source[1], target[1], room, 0)
    pseudo = from_ip + to_ip + struct.pack("!II", room, 17)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp + data) or 0xffff)
    if version == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, total - 14, 0, 0, 64, 17, 0) + from_ip + to_ip
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    else:
        ip = struct.pack("!IHBB", 6 << 28, room, 17, 64) + from_ip + to_ip
    kind = struct.pack("!H", 0x0800 if version == 4 else 0x86dd)
    return (macs[1] + macs[0] + kind + ip + udp + data)[:HEAD_LEN].ljust(HEAD_LEN, b"\0")


class World:
    def __init__(self, frame_load):
        self.load, self.host = sandbox.Host("load"), sandbox.Host("relay")
        sandbox.cable(self.load, "ga", self.host, "gb")
        self.load.run("ethtool -K ga tx off")
        self.load.run("sysctl -q net.ipv6.ip_nonlocal_bind=1")
        self.host.run("ethtool -K gb gro on")  # so that it takes frames without a program too
        sandbox.address(self.load, "ga", f"{LOAD[4]}/24", f"{LOAD[6]}/64")
        sandbox.address(self.host, "gb", f"{RELAY[4]}/24", f"{RELAY[6]}/64")
        sandbox.route(self.host, LOAD[4], LOAD[6])
        for net in ("10.100.0.0/16", "10.101.0.0/16", "fd00:100::/64", "fd00:101::/64"):
            self.load.run("ip", "-6" if ":" in net else "-4", "route", "add", "local", net,
                          "dev", "lo")
        self.macs = [self.mac(self.load, "ga"), self.mac(self.host, "gb")]
        self.loader = subprocess.Popen(["taskset", "1", *self.load.prefix, frame_load, "ga"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    @staticmethod
    def mac(host, device):
        words = host.run("ip", "-o", "link", "show", device).split()
        return bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))

    def expect(self, word=None):
        line = self.loader.stdout.readline().strip()
        if not line or (word and line != word):
            sys.exit(f"frame_load has ended: {line!r}")
        return line

    def run(self, heads, seconds, total):
        """Frames a second, back and sent."""
        for head in heads:
            self.loader.stdin.write(f"head {head.hex()}\n")
        self.loader.stdin.write(f"go {seconds} {total}\n")
        self.loader.stdin.flush()
        sent, back, took = self.expect().split()
        return int(back) / float(took), int(sent) / float(took)

    def close(self):
        self.loader.stdin.close()
        self.loader.wait()


class Clients:
    """Any number of clients at one socket, told apart by their source addresses."""

    def __init__(self, world, version):
        self.version, self.nonce = version, b""
        with world.load.inside():
            self.udp = socket.socket(FAMILY[version], socket.SOCK_DGRAM)
        self.udp.bind(("0.0.0.0" if version == 4 else "::", 0))
        self.udp.settimeout(1)
        self.port = self.udp.getsockname()[1]

    def source(self, index):
        if self.version == 4:
            return f"10.100.{index >> 8}.{index & 255}"
        return f"fd00:100::{index + 1:x}"

    def info(self, index):
        raw = socket.inet_pton(FAMILY[self.version], self.source(index))
        if self.version == 4:
            return (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("I4s4s", 0, raw, b"\0" * 4))
        return (socket.IPPROTO_IPV6, IPV6_PKTINFO, raw + struct.pack("I", 0))

    def exchange(self, index, method, attributes, key=None):
        raw = stun.write(method, stun.REQUEST, attributes, *([key] if key else []))
        for _ in range(TRIES):
            self.udp.sendmsg([raw], [self.info(index)], 0, (RELAY[self.version], LISTEN))
            with contextlib.suppress(TimeoutError):
                while (answer := self.udp.recv(2048))[8:20] != raw[8:20]:
                    pass
                return stun.Message(answer)
        sys.exit(f"no answer to client {index}")

    def ask(self, index, method, *attributes):
        whole = [*attributes, (stun.USERNAME, USER.encode()), (stun.REALM, REALM.encode()),
                 (stun.NONCE, self.nonce)]
        answer = self.exchange(index, method, whole, KEY)
        if answer.kind != stun.SUCCESS:
            sys.exit(f"client {index} is refused: {answer}")
        return answer

    def set_up(self, index, peer_version):
        """An allocation with a channel; the relayed port."""
        udp = (stun.REQUESTED_TRANSPORT, stun.UDP)
        family = [(stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)] if peer_version == 6 else []
        self.nonce = self.exchange(index, stun.ALLOCATE, [udp]).get(stun.NONCE)
        answer = self.ask(index, stun.ALLOCATE, udp, *family)
        self.ask(index, stun.CHANNEL_BIND, (stun.CHANNEL_NUMBER, struct.pack("!HH", CHANNEL, 0)),
                 (stun.XOR_PEER_ADDRESS, PEER[peer_version]))
        return answer.address(stun.XOR_RELAYED_ADDRESS)[1]


@contextlib.contextmanager
def server(world, command, folder):
    with open(folder / "log", "w+b") as log:
        process = subprocess.Popen([*world.host.prefix, *map(str, command)], stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        try:
            time.sleep(1.5)
            yield process
        except BaseException:
            print((folder / "log").read_text(errors="replace")[-3000:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def relay_command(relay, *options):
    return [relay, "--listen-port", LISTEN, "--lowest-port", LOWEST, "--highest-port", HIGHEST,
            "--bind-ip4-addr", RELAY[4], "--bind-ip6-addr", RELAY[6], "--realm", REALM,
            "--user", f"{USER}:{PASSWORD}", "--user-quota", 65536,
            "--allow-peer", "10.101.0.0/16", "--allow-peer", "fd00:101::/64", *options]


def coturn_command(folder):
    return ["taskset", "2", "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp",
            "--no-tcp-relay", "--listening-ip", RELAY[4], "--relay-ip", RELAY[4],
            "--listening-port", LISTEN, "--min-port", LOWEST, "--max-port", HIGHEST,
            "--lt-cred-mech", "--realm", REALM, "--user", f"{USER}:{PASSWORD}",
            "--log-file", "stdout", "--simple-log", "--userdb", folder / "userdb",
            "--pidfile", folder / "pid"]


def heads_of(world, clients, ports, peer_version, is_from_client, total):
    """One for each of the allocations, by their relayed ports."""
    version = clients.version if is_from_client else peer_version
    ip_len = 20 if version == 4 else 40
    for index, port in enumerate(ports):
        if is_from_client:
            data = struct.pack("!HH", CHANNEL, total - 14 - ip_len - 8 - 4)
            yield frame(world.macs, version, (clients.source(index), clients.port),
                        (RELAY[version], LISTEN), data, total)
        else:
            yield frame(world.macs, version, PEER[peer_version], (RELAY[version], port), b"",
                        total)


def total_of(options, version, is_from_client):
    return 14 + (20 if version == 4 else 40) + 8 + (4 if is_from_client else 0) + options.bytes


def measure_floor(world, options, heads, total):
    """Frames a second that are only turned round: the same as the relay's."""
    turner = subprocess.Popen([*world.host.prefix, options.frame_load, "gb", "turn"],
                              stdout=subprocess.PIPE, text=True)
    turner.stdout.readline()
    try:
        return world.run(heads, options.seconds, total)[0]
    finally:
        turner.terminate()
        turner.wait()


def frames_of(world, options, clients, ports, peer_version, is_from_client):
    """The heads of the frames of a way, one for each allocation, and their length."""
    version = clients.version if is_from_client else peer_version
    total = total_of(options, version, is_from_client)
    return list(heads_of(world, clients, ports, peer_version, is_from_client, total)), total


WAYS = (("channel to UDP", True), ("UDP to channel", False))


def name_of(way, versions, is_from_client, count):
    incoming, outgoing = versions if is_from_client else reversed(versions)
    return f"{way}, IPv{incoming} to IPv{outgoing}, {count}"


def measure_plan(world, options, process, versions, count):
    """Both ways of so many bindings, and the floor of each, in turns: machines change their pace."""
    clients = Clients(world, versions[0])
    ports = [clients.set_up(index, versions[1]) for index in range(count)]
    for way, is_from_client in WAYS:
        heads, total = frames_of(world, options, clients, ports, versions[1], is_from_client)
        floors, backs, losses = [], [], []
        for _ in range(options.rounds):
            back, sent = world.run(heads, options.seconds, total)
            backs.append(back)
            losses.append(1 - back / sent)
            process.send_signal(signal.SIGUSR2)  # off, but the channels stay
            time.sleep(0.2)
            floors.append(measure_floor(world, options, heads, total))
            process.send_signal(signal.SIGUSR2)
            time.sleep(0.2)
        back, floor = statistics.median(backs), statistics.median(floors)
        ratios = " ".join(f"{one / other:.2f}" for one, other in zip(backs, floors))
        print(f"{name_of(way, versions, is_from_client, count):36} {back / 1e6:7.3f} "
              f"{floor / 1e6:7.3f} {back / floor:7.2f}   ({ratios}; {max(losses):.1%} lost)",
              flush=True)


def measure_relay(world, options, folder):
    plans = [((4, 4), count) for count in options.bindings]
    plans += [((6, 6), 1000), ((4, 6), 1000), ((6, 4), 1000)]
    command = relay_command(options.relay, "--ebpf-offloading", "gb",
                            "--ebpf-attach-mode", "driver")
    print(f"{'through the kernel: way, bindings':36} {'Mpps':>7} {'floor':>7} {'ratio':>7}")
    for versions, count in plans:
        with server(world, command, folder) as process:
            measure_plan(world, options, process, versions, count)


def measure_others(world, options, folder):
    """The same load through sockets, which have the other core to themselves."""
    print(f"{'through sockets: way, bindings':44} {'Mpps':>7}")
    servers = [("this relay", ["taskset", "2", *relay_command(options.relay)])]
    if shutil.which("turnserver"):
        servers.append(("coturn", coturn_command(folder)))
    for title, command in servers:
        with server(world, command, folder):
            clients = Clients(world, 4)
            ports = [clients.set_up(0, 4)]
            for way, is_from_client in WAYS:
                heads, total = frames_of(world, options, clients, ports, 4, is_from_client)
                back, _ = world.run(heads, options.seconds, total)
                name = name_of(way, (4, 4), is_from_client, 1)
                print(f"{name + ': ' + title:44} {back / 1e6:7.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("relay", type=os.path.abspath)
    parser.add_argument("frame_load", type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=172)
    parser.add_argument("--bindings", type=lambda text: [int(one) for one in text.split(",")],
                        default=[1, 1000, 16000])
    options = parser.parse_args()
    sandbox.enter("ethtool", "sysctl", "taskset")
    world = World(options.frame_load)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        measure_relay(world, options, folder)
        measure_others(world, options, folder)
    world.close()


if __name__ == "__main__":
    main()
