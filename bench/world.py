# SPDX-License-Identifier: Apache-2.0
"""Two namespaces with a veth pair between them, a load of raw frames, and clients that set up.

     load (core 0)               server (core 1)
    10.99.0.2 ga --- gb 10.99.0.1
    clients are 10.100.0.0/16 and fd00:100::/64, peers 10.101.0.0/16 and fd00:101::/64, all behind
    10.99.0.2 and fd00:99::2

The load is made and counted by frame_load, in the kernel, on one core. Where the kernel has threads
that poll (threaded NAPI) and lets us choose their core, what it costs to receive is paid by who
receives: the server's side on the server's core, the load's side on the load's.
"""
import contextlib
import pathlib
import socket
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "conform"))
# pylint: disable=wrong-import-position
import pinner
import sandbox
import stun

LOAD_CORE, SERVER_CORE = 0, 1
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
        self.frame_load, self.loader, self.manner = frame_load, None, None
        self.load, self.host = sandbox.Host("load"), sandbox.Host("relay")
        sandbox.cable(self.load, "ga", self.host, "gb")
        self.load.run("ethtool -K ga tx off tx-udp-segmentation off")
        self.load.run("sysctl -q net.ipv6.ip_nonlocal_bind=1")
        # So that they take raw frames without a program too, in a place where they are polled.
        self.load.run("ethtool -K ga gro on")
        self.host.run("ethtool -K gb gro on")
        self.is_pinned = False
        sandbox.address(self.load, "ga", f"{LOAD[4]}/24", f"{LOAD[6]}/64")
        sandbox.address(self.host, "gb", f"{RELAY[4]}/24", f"{RELAY[6]}/64")
        sandbox.route(self.host, LOAD[4], LOAD[6])
        for net in ("10.100.0.0/16", "10.101.0.0/16", "fd00:100::/64", "fd00:101::/64"):
            self.load.run("ip", "-6" if ":" in net else "-4", "route", "add", "local", net,
                          "dev", "lo")
        self.macs = [self.mac(self.load, "ga"), self.mac(self.host, "gb")]

    def receive_on_server(self, is_wanted):
        """Where the server's side receives: on its own core, or on that of the load."""
        self.is_pinned = pinner.pin(self.host, "gb", SERVER_CORE) if is_wanted else False
        if not is_wanted:
            pinner.unpin(self.host, "gb")

    @staticmethod
    def mac(host, device):
        return bytes.fromhex(host.mac(device).replace(":", ""))

    def start_load(self, *manner):
        """How frame_load counts; nothing happens while it counts so already."""
        if self.manner == manner:
            return
        self.end_load()
        self.loader = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), *self.load.prefix, self.frame_load, "ga", *manner],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.manner = manner
        self.expect("ready")

    def end_load(self):
        if self.loader is None:
            return
        self.loader.stdin.close()
        self.loader.wait()
        self.loader, self.manner = None, None
        self.load.run("tc", "qdisc", "del", "dev", "ga", "clsact") \
            if "clsact" in self.load.run("tc qdisc show dev ga") else None

    def expect(self, word=None):
        line = self.loader.stdout.readline().strip()
        if not line or (word and line != word):
            sys.exit(f"frame_load has ended: {line!r}")
        return line

    def run(self, heads, seconds, total, rate=0, burst=1, shortest=0):
        """Frames a second, back and sent. A head may be a pair, with bytes that its frame lacks."""
        return self.run_stamped(heads, seconds, total, rate, burst, shortest, 0)[:2]

    def run_stamped(self, heads, seconds, total, rate, burst, shortest=0, stamps=1):
        """The same, and three delays in nanoseconds: of 50, 99 and 99.9 % of those that came back."""
        for head in heads:
            head, cut = head if isinstance(head, tuple) else (head, 0)
            self.loader.stdin.write(f"head {head.hex()} {cut}\n")
        self.loader.stdin.write(f"go {seconds} {total} {rate} {burst} {shortest} {stamps}\n")
        self.loader.stdin.flush()
        sent, back, took, *delays = self.expect().split()
        if int(sent) == 0:
            return 0, 0, 0, 0, 0
        return int(back) / float(took), int(sent) / float(took), *map(int, delays)


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
