# SPDX-License-Identifier: Apache-2.0
"""STUN and TURN messages on the wire, written from RFC 8489 and RFC 8656 and from nothing of ours.

A message is a method, a class, a transaction id and a list of (type, value). Reading is strict:
whatever a careful client might stumble over is a ValueError here.
"""
import hashlib
import hmac
import os
import socket
import struct
import zlib

BINDING, ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND = 1, 3, 4, 6, 7, 8, 9
REQUEST, INDICATION, SUCCESS, ERROR = range(4)

MAPPED_ADDRESS, USERNAME, MESSAGE_INTEGRITY, ERROR_CODE = 0x0001, 0x0006, 0x0008, 0x0009
UNKNOWN_ATTRIBUTES, CHANNEL_NUMBER, LIFETIME, XOR_PEER_ADDRESS = 0x000A, 0x000C, 0x000D, 0x0012
DATA_VALUE, REALM, NONCE, XOR_RELAYED_ADDRESS = 0x0013, 0x0014, 0x0015, 0x0016
REQUESTED_ADDRESS_FAMILY, EVEN_PORT, REQUESTED_TRANSPORT = 0x0017, 0x0018, 0x0019
DONT_FRAGMENT, XOR_MAPPED_ADDRESS, RESERVATION_TOKEN = 0x001A, 0x0020, 0x0022
MESSAGE_INTEGRITY_SHA256, PASSWORD_ALGORITHM, USERHASH = 0x001C, 0x001D, 0x001E
ADDITIONAL_ADDRESS_FAMILY, ADDRESS_ERROR_CODE, PASSWORD_ALGORITHMS = 0x8000, 0x8001, 0x8002
ICMP, SOFTWARE, FINGERPRINT = 0x8004, 0x8022, 0x8028

COOKIE = 0x2112A442
UDP = b"\x11\0\0\0"  # values of REQUESTED-TRANSPORT
TCP = b"\x06\0\0\0"
FAMILY_IP4 = b"\x01\0\0\0"  # values of REQUESTED-ADDRESS-FAMILY
FAMILY_IP6 = b"\x02\0\0\0"
MD5, SHA256 = b"\0\x01\0\0", b"\0\x02\0\0"  # values of PASSWORD-ALGORITHM


INTEGRITIES = {"sha1": (MESSAGE_INTEGRITY, 20), "sha256": (MESSAGE_INTEGRITY_SHA256, 32)}


def padding(length):
    return bytes(-length % 4)


def type_of(method, kind):
    """The class's two bits stand between the method's (RFC 8489 section 5)."""
    return ((method & 0xF80) << 2 | (method & 0x070) << 1 | method & 0x00F
            | (kind & 2) << 7 | (kind & 1) << 4)


def long_term_key(user, realm, password, hash_name="md5"):
    return hashlib.new(hash_name, f"{user}:{realm}:{password}".encode()).digest()


def userhash(user, realm):
    return hashlib.sha256(f"{user}:{realm}".encode()).digest()


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def xor_address(address, transaction):
    host, port = address[:2]
    family = family_of(host)
    mask = struct.pack("!I", COOKIE) + transaction
    ip = bytes(a ^ b for a, b in zip(socket.inet_pton(family, host), mask))
    return struct.pack("!BBH", 0, 2 if family == socket.AF_INET6 else 1, port ^ COOKIE >> 16) + ip


def read_xor_address(value, transaction):
    zero, family, port = struct.unpack("!BBH", value[:4])
    if zero != 0 or (family, len(value)) not in ((1, 8), (2, 20)):
        raise ValueError(f"an address of {len(value)} bytes, family {family}")
    mask = struct.pack("!I", COOKIE) + transaction
    ip = bytes(a ^ b for a, b in zip(value[4:], mask))
    return (socket.inet_ntop(socket.AF_INET if family == 1 else socket.AF_INET6, ip),
            port ^ COOKIE >> 16)


def write(method, kind, attributes=(), key=None, transaction=None, fingerprint=False,
          algorithm="sha1"):
    """With a key it is signed by the algorithm, sha1 or sha256. Attribute values that are tuples are addresses, ints are 32 bits, others bytes."""
    transaction = transaction or os.urandom(12)
    body = b""

    def head(body_len):
        return struct.pack("!HHI", type_of(method, kind), body_len, COOKIE) + transaction

    def attribute(number, value):
        if isinstance(value, tuple):
            value = xor_address(value, transaction)
        elif isinstance(value, int):
            value = struct.pack("!I", value)
        return struct.pack("!HH", number, len(value)) + value + padding(len(value))

    for number, value in attributes:
        body += attribute(number, value)
    if key is not None:
        number, mac_len = INTEGRITIES[algorithm]
        mac = hmac.digest(key, head(len(body) + 4 + mac_len) + body, algorithm)
        body += attribute(number, mac)
    if fingerprint:
        body += attribute(FINGERPRINT, zlib.crc32(head(len(body) + 8) + body) ^ 0x5354554E)
    return head(len(body)) + body


class Message:
    """A message that was read. With a key, its MESSAGE-INTEGRITY must be there and right."""

    def __init__(self, raw, key=None):
        if len(raw) < 20 or len(raw) % 4 != 0:
            raise ValueError(f"a STUN message of {len(raw)} bytes")
        kind, length, cookie = struct.unpack("!HHI", raw[:8])
        if kind >> 14 or cookie != COOKIE or length + 20 != len(raw):
            raise ValueError(f"not a STUN header: {raw[:20].hex()}")
        self.raw = raw
        self.kind = (kind >> 7 & 2) | (kind >> 4 & 1)
        self.method = (kind >> 2 & 0xF80) | (kind >> 1 & 0x070) | (kind & 0x00F)
        self.transaction = raw[8:20]
        self.attributes = []
        self.is_signed = False
        at = 20
        while at < len(raw):
            number, length = struct.unpack("!HH", raw[at:at + 4])
            end = at + 4 + length
            value = raw[at + 4:end]
            if len(value) != length:
                raise ValueError(f"attribute {number:#06x} ends behind the message")
            if any(raw[end:end + -length % 4]):
                raise ValueError(f"attribute {number:#06x} is not padded with zeros")
            self.check(number, value, at, key)
            self.attributes.append((number, value))
            at = end + -length % 4
        if key is not None and not self.is_signed:
            raise ValueError(f"no MESSAGE-INTEGRITY: {self}")

    def check(self, number, value, at, key):
        name = {MESSAGE_INTEGRITY: "sha1", MESSAGE_INTEGRITY_SHA256: "sha256"}.get(number)
        if name is not None and key is not None:
            head = self.raw[:2] + struct.pack("!H", at + 4 + len(value) - 20) + self.raw[4:20]
            if hmac.digest(key, head + self.raw[20:at], name) != value:
                raise ValueError(f"wrong MESSAGE-INTEGRITY: {self}")
            self.is_signed = True
        elif number == FINGERPRINT:
            if at + 8 != len(self.raw):
                raise ValueError("FINGERPRINT is not last")
            if struct.pack("!I", zlib.crc32(self.raw[:at]) ^ 0x5354554E) != value:
                raise ValueError("wrong FINGERPRINT")

    def get(self, number):
        return next((value for other, value in self.attributes if other == number), None)

    def address(self, number):
        value = self.get(number)
        return None if value is None else read_xor_address(value, self.transaction)

    def addresses(self, number):
        return [read_xor_address(value, self.transaction)
                for other, value in self.attributes if other == number]

    def icmp(self):
        """(type, code, data) of ICMP (RFC 8656 section 18.13), or None."""
        value = self.get(ICMP)
        if value is None:
            return None
        zero, both, data = struct.unpack("!HHI", value)
        if zero != 0:
            raise ValueError("ICMP's reserved bits are not zero")
        return both >> 9, both & 0x1FF, data

    def number(self, number):
        value = self.get(number)
        return None if value is None else struct.unpack("!I", value)[0]

    @property
    def error(self):
        """The error code; None of all but error responses."""
        value = self.get(ERROR_CODE)
        return None if value is None else (value[2] & 7) * 100 + value[3]

    def __repr__(self):
        kinds = ("request", "indication", "success", "error")
        shown = " ".join(f"{number:04x}={value.hex()}" for number, value in self.attributes)
        return f"<method {self.method} {kinds[self.kind]} {self.error or ''} {shown}>"


def write_channel_data(number, data, is_padded=False):
    return struct.pack("!HH", number, len(data)) + data + (padding(len(data)) if is_padded else b"")


def read_channel_data(raw):
    """(number, data), or None when it is none. Over UDP padding may follow (RFC 8656 12.5)."""
    if len(raw) < 4 or not 0x40 <= raw[0] <= 0x4F:
        return None
    number, length = struct.unpack("!HH", raw[:4])
    if not length + 4 <= len(raw) <= length + 4 + -length % 4:
        raise ValueError(f"ChannelData of {length} bytes in {len(raw)}")
    return number, raw[4:4 + length]
