# SPDX-License-Identifier: Apache-2.0
"""UDP packets as they arrive at an interface, with every checksum computed anew.

What came over a veth from a sender that leaves checksums to the hardware would look bad:
fast_world.wire() keeps it from doing so.
"""
import socket
import struct

ETH_P_ALL = 3
ROOM = 8 << 20  # bytes that may wait to be read
IP4, IP6, UDP = 0x0800, 0x86DD, 17


def ones_sum(data):
    """The sum of RFC 1071; 0xFFFF when a checksum is among the data, and right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Packet:
    """Its fields, and in `faults` all that is wrong with it."""

    def __init__(self, raw, version):
        self.faults = []
        self.raw, self.version = raw, version
        udp = self.read_ip4(raw) if version == 4 else self.read_ip6(raw)
        self.source_port, self.port, length, check = struct.unpack("!4H", udp[:8])
        self.data = udp[8:]
        pseudo = self.pair + struct.pack("!IHBB", len(udp), 0, 0, UDP)
        self.claim(length == len(udp), f"UDP length {length} of {len(udp)}")
        self.claim(check != 0, "no UDP checksum")
        self.claim(ones_sum(pseudo + udp) == 0xFFFF, "UDP checksum")

    def claim(self, is_right, fault):
        if not is_right:
            self.faults.append(fault)

    def read_ip4(self, raw):
        head_len = (raw[0] & 15) * 4
        self.tos, length, self.ttl = raw[1], *struct.unpack("!H4xB", raw[2:9])
        self.pair = raw[12:20]
        self.source = socket.inet_ntop(socket.AF_INET, raw[12:16])
        self.claim(head_len == 20, "IP options")
        self.claim(raw[6] & 0x3F == 0 and raw[7] == 0, "a fragment")
        self.claim(ones_sum(raw[:head_len]) == 0xFFFF, "IP checksum")
        self.claim(length <= len(raw) and len(raw) <= max(length, 46), "IP length")  # short: padded
        return raw[head_len:length]

    def read_ip6(self, raw):
        word, length, _, self.ttl = struct.unpack("!IHBB", raw[:8])
        self.tos = word >> 20 & 0xFF
        self.pair = raw[8:40]
        self.source = socket.inet_ntop(socket.AF_INET6, raw[8:24])
        self.claim(len(raw) == 40 + length, "IP length")
        return raw[40:40 + length]


class Watch:
    """From now on, on a device of the host that one is in."""

    def __init__(self, device):
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.raw.setsockopt(socket.SOL_SOCKET, 33, ROOM)  # SO_RCVBUFFORCE
        self.raw.bind((device, ETH_P_ALL))
        self.raw.setblocking(False)

    def packets(self, source):
        """The UDP packets that have come from an address, since last time."""
        found = []
        while (packet := self.read()) is not None:
            if packet and packet.source == source:
                found.append(packet)
        return found

    def read(self):
        """The next frame's packet, False if it has none that is UDP, None if there is no more."""
        try:
            raw, (_, kind, way, *_) = self.raw.recvfrom(65536)
        except BlockingIOError:
            return None
        if way == socket.PACKET_OUTGOING or kind not in (IP4, IP6):
            return False
        packet = raw[14:]
        if packet[9 if kind == IP4 else 6] != UDP:
            return False
        return Packet(packet, 4 if kind == IP4 else 6)

    def close(self):
        self.raw.close()
