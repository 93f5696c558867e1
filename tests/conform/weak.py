# SPDX-License-Identifier: Apache-2.0
"""A small TURN server over UDP that stands all attacks but those to which it is made open: each
weakness has a name. What it forgets, lies about or believes is what an attack has to find.
"""
import hmac
import itertools
import random
import select
import socket
import struct
import threading
import time

import stun

USERS = {"alice": "wonder", "bob": "builder"}
REALM = "weak"
PEER = "127.0.0.1"
STATE_MAX = 500  # strangers whom a forgetless server has room for
QUOTA = 20


class Allocation:
    def __init__(self, user, udp):
        self.user, self.udp = user, udp
        self.permissions, self.channels = set(), {}


class Weak:
    def __init__(self, *weaknesses):
        self.weaknesses = set(weaknesses)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.bind((PEER, 0))
        self.port = self.udp.getsockname()[1]
        self.allocations = {}  # by client
        self.count = itertools.count(1)
        self.next_port = random.randrange(20000, 30000)
        self.strangers = set()
        self.comers, self.late = [], set()
        self.secret = random.randbytes(16)
        self.is_running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def name(self):
        return f"{PEER}:{self.port}"

    def close(self):
        self.is_running = False
        self.thread.join()
        self.udp.close()
        for allocation in self.allocations.values():
            allocation.udp.close()

    def has(self, weakness):
        return weakness in self.weaknesses

    # --- the loop ---------------------------------------------------------------------------------

    def run(self):
        while self.is_running:
            by_socket = {one.udp: (client, one) for client, one in self.allocations.items()}
            ready, _, _ = select.select([self.udp, *by_socket], [], [], 0.1)
            for udp in ready:
                try:
                    raw, source = udp.recvfrom(4096)
                except OSError:  # ECONNREFUSED of what was sent before
                    continue
                if udp is self.udp:
                    self.from_client(raw, source)
                elif udp.fileno() >= 0:
                    self.from_peer(*by_socket[udp], raw, source)

    def from_peer(self, client, allocation, raw, source):
        if source[0] not in allocation.permissions and not self.has("no-permission"):
            return
        for number, peer in allocation.channels.items():
            if peer == source:
                self.udp.sendto(stun.write_channel_data(number, raw), client)
                return
        self.send(stun.write(stun.DATA, stun.INDICATION, [
            (stun.XOR_PEER_ADDRESS, source), (stun.DATA_VALUE, raw)]), client)

    def send(self, raw, client):
        if self.has("padding"):  # what the memory held before
            raw = bytearray(raw)
            at = 20
            while at + 4 <= len(raw):
                length = struct.unpack("!H", raw[at + 2:at + 4])[0]
                end = at + 4 + length
                raw[end:end + -length % 4] = b"\xC3" * (-length % 4)
                at = end + -length % 4
        self.udp.sendto(bytes(raw), client)
        if self.has("twice"):
            self.udp.sendto(bytes(raw), client)

    # --- what clients send ------------------------------------------------------------------------

    def from_client(self, raw, client):
        if self.has("fragile") and raw.startswith(b"POST"):
            self.is_running = False
            return
        if raw and 0x40 <= raw[0] <= 0x7F:
            self.channel_data(raw, client)
            return
        try:
            message = stun.Message(raw)
        except (ValueError, struct.error):
            if self.has("overread"):
                self.believe(raw, client)
            return
        if message.kind == stun.REQUEST:
            self.request(message, client)
        elif message.kind == stun.INDICATION and message.method == stun.SEND:
            try:
                peer = message.address(stun.XOR_PEER_ADDRESS)
            except (ValueError, struct.error):
                return
            data = message.get(stun.DATA_VALUE)
            if peer and data is not None:
                self.to_peer(client, peer, data)

    def channel_data(self, raw, client):
        if len(raw) < 4:
            return
        number, length = struct.unpack("!HH", raw[:4])
        data = raw[4:4 + length]
        if length > len(data):
            if not self.has("overread"):
                return
            data += b"\x5A" * min(64, length - len(data))  # what the memory held behind it
        allocation = self.allocations.get(client)
        if allocation and number in allocation.channels:
            self.to_peer(client, allocation.channels[number], data)

    def believe(self, raw, client):
        """Reads a Send indication as it says it is."""
        if raw[:2] != b"\0\x16":
            return
        at = 20
        peer = None
        while at + 4 <= len(raw):
            number, length = struct.unpack("!HH", raw[at:at + 4])
            value = raw[at + 4:at + 4 + length]
            value += b"\x5A" * min(64, length - len(value))
            if number == stun.XOR_PEER_ADDRESS and len(value) == 8:
                peer = stun.read_xor_address(value, raw[8:20])
            elif number == stun.DATA_VALUE and peer:
                self.to_peer(client, peer, value)
            at += 4 + length + -length % 4

    def to_peer(self, client, peer, data):
        allocation = self.allocations.get(client)
        if allocation and (peer[0] in allocation.permissions or self.has("no-permission")):
            try:
                allocation.udp.sendto(data, peer)
            except OSError:
                pass

    # --- requests ---------------------------------------------------------------------------------

    def answer(self, message, client, kind, attributes, key=None):
        if self.has("software"):
            attributes = [*attributes, (stun.SOFTWARE, b"weak 0.1")]
        self.send(stun.write(message.method, kind, attributes, key, message.transaction), client)

    def refuse(self, message, client, code, attributes=(), key=None):
        value = struct.pack("!HBB", 0, code // 100, code % 100) + b"no"
        self.answer(message, client, stun.ERROR, [(stun.ERROR_CODE, value), *attributes], key)

    def nonce(self, client):
        if self.has("counting-nonce"):
            return f"nonce{next(self.count):07d}".encode()
        return hmac.digest(self.secret, repr(client).encode(), "sha256").hex()[:16].encode()

    def challenge(self, message, client, code):
        attributes = [(stun.REALM, REALM.encode()), (stun.NONCE, self.nonce(client))]
        if self.has("fat"):
            attributes.append((stun.SOFTWARE, b"x" * 700))
        self.refuse(message, client, code, attributes)

    def is_good_nonce(self, nonce, client):
        return self.has("any-nonce") or self.has("counting-nonce") or nonce == self.nonce(client)

    def prove(self, message, client):
        """The user and the key, or None when it has been refused."""
        mac = message.get(stun.MESSAGE_INTEGRITY)
        user = (message.get(stun.USERNAME) or b"").decode(errors="replace")
        nonce = message.get(stun.NONCE)
        if mac is None or nonce is None:
            self.challenge(message, client, 401)
            return None
        if not self.is_good_nonce(nonce, client):
            self.challenge(message, client, 438)
            return None
        if user not in USERS and self.has("enumerate"):
            self.challenge(message, client, 400)
            return None
        if user in USERS and self.has("slow-known"):
            time.sleep(0.004)
        key = stun.long_term_key(user, REALM, USERS.get(user, "nobody"))
        if user not in USERS or not self.is_proven(message, mac, key):
            self.challenge(message, client, 401)
            return None
        return user, key

    def is_proven(self, message, mac, key):
        at = 20
        for number, value in message.attributes:
            if number == stun.MESSAGE_INTEGRITY:
                break
            at += 4 + len(value) + -len(value) % 4
        head = message.raw[:2] + struct.pack("!H", at + 24 - 20) + message.raw[4:20]
        wanted = hmac.digest(key, head + message.raw[20:at], "sha1")
        return wanted[:len(mac)] == mac if self.has("short-proof") else wanted == mac

    def request(self, message, client):
        if message.method == stun.BINDING:
            self.answer(message, client, stun.SUCCESS, [(stun.XOR_MAPPED_ADDRESS, client)])
            return
        allocation = self.allocations.get(client)
        if message.get(stun.MESSAGE_INTEGRITY) is None and self.has("forgetless"):
            self.strangers.add(client)
        if len(self.strangers) > STATE_MAX:
            return
        if message.method == stun.ALLOCATE and self.is_held_back(message, client):
            return
        if self.has("unproven") and allocation and message.method != stun.ALLOCATE:
            proof = allocation.user, None
        elif self.has("open"):
            proof = "alice", None
        else:
            proof = self.prove(message, client)
        if proof is None:
            return
        handler = {stun.ALLOCATE: self.allocate, stun.REFRESH: self.refresh,
                   stun.CREATE_PERMISSION: self.permit, stun.CHANNEL_BIND: self.bind}
        if message.method not in handler:
            self.refuse(message, client, 400, key=proof[1])
        elif message.method == stun.ALLOCATE:
            self.allocate(message, client, *proof)
        elif allocation is None:
            self.refuse(message, client, 437, key=proof[1])
        elif allocation.user != proof[0] and not self.has("anyones"):
            self.refuse(message, client, 441, key=proof[1])
        else:
            try:
                handler[message.method](message, client, allocation, proof[1])
            except (ValueError, struct.error):
                self.refuse(message, client, 400, key=proof[1])

    def relayed(self):
        while True:
            self.next_port += 1
            port = self.next_port if self.has("series") else random.randrange(20000, 60000)
            if self.has("even") and port % 2 != 0:
                continue
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind((PEER, port))
                return udp
            except OSError:
                udp.close()

    def is_held_back(self, message, client):
        """Not a weakness, but what a server does that lets go of what was given back a while later."""
        if client not in self.comers:
            self.comers.append(client)
        if self.has("late-ports") and self.comers.index(client) % 3 < 2:
            self.refuse(message, client, 437)  # of each three ports it has let go of the last
            return True
        if self.has("late-quota") and message.get(stun.REQUESTED_TRANSPORT) is not None \
                and message.get(stun.USERNAME) is not None:
            self.late.add(message.transaction)
            if len(self.late) <= 2:
                self.refuse(message, client, 486)
                return True
        return False

    def allocate(self, message, client, user, key):
        taken = sum(one.user == user for one in self.allocations.values())
        if client in self.allocations:
            self.refuse(message, client, 437, key=key)
        elif message.get(stun.RESERVATION_TOKEN) is not None:
            self.refuse(message, client, 508, key=key)  # it reserves nothing, though it says so
        elif taken >= QUOTA and not self.has("no-quota"):
            self.refuse(message, client, 486, key=key)
        else:
            udp = self.relayed()
            self.allocations[client] = Allocation(user, udp)
            attributes = [(stun.XOR_RELAYED_ADDRESS, udp.getsockname()),
                          (stun.XOR_MAPPED_ADDRESS, client), (stun.LIFETIME, 600)]
            if message.get(stun.EVEN_PORT) is not None:
                token = (struct.pack("!Q", next(self.count)) if self.has("counting-token")
                         else random.randbytes(8))
                attributes.append((stun.RESERVATION_TOKEN, token))
            self.answer(message, client, stun.SUCCESS, attributes, key)

    def refresh(self, message, client, allocation, key):
        lifetime = message.number(stun.LIFETIME)
        if lifetime == 0:
            self.allocations.pop(client).udp.close()
        self.answer(message, client, stun.SUCCESS, [(stun.LIFETIME, lifetime or 600)], key)

    def is_forbidden(self, peer):
        if self.has("any-peer"):
            return False
        return peer[0] != PEER or peer[1] == self.port

    def permit(self, message, client, allocation, key):
        peers = message.addresses(stun.XOR_PEER_ADDRESS)
        if not peers:
            self.refuse(message, client, 400, key=key)
        elif any(map(self.is_forbidden, peers)):
            self.refuse(message, client, 403, key=key)
        else:
            allocation.permissions |= {peer[0] for peer in peers}
            self.answer(message, client, stun.SUCCESS, [], key)

    def bind(self, message, client, allocation, key):
        peer = message.address(stun.XOR_PEER_ADDRESS)
        number = message.get(stun.CHANNEL_NUMBER)
        if peer is None or number is None or len(number) != 4:
            self.refuse(message, client, 400, key=key)
        elif self.is_forbidden(peer):
            self.refuse(message, client, 403, key=key)
        else:
            allocation.channels[struct.unpack("!H", number[:2])[0]] = peer
            allocation.permissions.add(peer[0])
            self.answer(message, client, stun.SUCCESS, [], key)
