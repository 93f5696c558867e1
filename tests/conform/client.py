# SPDX-License-Identifier: Apache-2.0
"""A TURN client over one UDP socket, for tests: each call is one exchange, and nothing is hidden.

Requests answer with the response, errors too; expect() makes an assertion of it.
"""
import os
import socket
import time

import stun
from sandbox import PATIENCE_S

TRY_S = 0.5  # until a request is sent again
ARRIVAL_S = PATIENCE_S  # until what must arrive is given up


def open_socket(host, port=0):
    udp = socket.socket(stun.family_of(host), socket.SOCK_DGRAM)
    try:
        udp.bind((host, port))
    except OSError:
        udp.close()
        raise
    udp.settimeout(ARRIVAL_S)
    return udp


class Client:
    """With algorithm "sha256" it takes part in RFC 8489's newer proofs, else in the older ones.

    Where requests are counted, a try_s of ARRIVAL_S has each sent once.
    """

    def __init__(self, server, user="alice", password="wonder", local=None, port=0,
                 algorithm="sha1", is_anonymous=False, try_s=TRY_S):
        self.server = server
        self.user, self.password = user, password
        any_host = "::" if ":" in server[0] else "0.0.0.0"
        self.udp = open_socket(local or any_host, port)
        self.algorithm, self.is_anonymous = algorithm, is_anonymous
        self.try_s = try_s
        self.realm = self.nonce = self.key = self.offered = None
        self.relayed = self.mapped = self.token = self.lifetime = None
        self.arrived = []  # relayed data that came while a response was awaited
        self.ancillary = []  # of the last datagram, as recvmsg() gives it
        self.answered = set()  # transactions that were sent again: another answer may follow
        self.errors = []  # (peer, ICMP type, code, data) that receive() passed over

    def close(self):
        self.udp.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- requests

    def exchange(self, raw, key=None):
        """Sends a request as it is, again if need be, and reads the response to it."""
        self.answered.discard(raw[8:20])
        for number in range(round(ARRIVAL_S / self.try_s)):
            self.udp.sendto(raw, self.server)
            end = time.monotonic() + self.try_s
            while (left := end - time.monotonic()) > 0:
                received = self.receive_raw(left)
                if received is None:
                    break
                if received[8:20] == raw[8:20]:
                    if number > 0:
                        self.answered.add(raw[8:20])
                    response = stun.Message(received)
                    is_proof_due = key is not None and response.error not in (400, 401, 438)
                    return stun.Message(received, key) if is_proof_due else response
                self.arrived.append(received)
        raise TimeoutError(f"no response to {stun.Message(raw)}")

    def request(self, method, attributes=(), with_credential=True, transaction=None):
        """With the credential as far as it is known; challenges are left to the caller."""
        attributes = list(attributes)
        key = self.key if with_credential else None
        if key is not None:
            attributes += self.credential()
        raw = stun.write(method, stun.REQUEST, attributes, key, transaction,
                         algorithm=self.algorithm)
        return self.exchange(raw, key)

    def credential(self):
        """What a request says of its user."""
        name = (stun.USERNAME, self.user.encode())
        if self.is_anonymous:
            name = (stun.USERHASH, stun.userhash(self.user, self.realm.decode()))
        said = [name, (stun.REALM, self.realm), (stun.NONCE, self.nonce)]
        if self.algorithm == "sha256":
            said += [(stun.PASSWORD_ALGORITHMS, self.offered),
                     (stun.PASSWORD_ALGORITHM, stun.SHA256)]
        return said

    def learn(self, challenge):
        """Takes realm and nonce from a 401 or 438."""
        self.nonce = challenge.get(stun.NONCE)
        self.realm = challenge.get(stun.REALM)
        self.offered = challenge.get(stun.PASSWORD_ALGORITHMS)
        hash_name = "sha256" if self.algorithm == "sha256" else "md5"
        self.key = stun.long_term_key(self.user, self.realm.decode(), self.password, hash_name)
        return self

    def challenge(self):
        self.learn(self.expect(401, stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, stun.UDP)]))
        return self

    def expect(self, code, method, attributes=(), **options):
        response = self.request(method, attributes, **options)
        if response.error != code or response.kind != (stun.ERROR if code else stun.SUCCESS):
            raise AssertionError(f"{code or 'success'} expected, got {response}")
        return response

    def ask(self, attributes=(), code=None):
        """An Allocate as it is, after the challenge."""
        if self.key is None:
            self.challenge()
        return self.expect(code, stun.ALLOCATE,
                           [(stun.REQUESTED_TRANSPORT, stun.UDP), *attributes])

    def allocate(self, *attributes):
        response = self.ask(attributes)
        self.relayed = response.address(stun.XOR_RELAYED_ADDRESS)
        self.mapped = response.address(stun.XOR_MAPPED_ADDRESS)
        self.token = response.get(stun.RESERVATION_TOKEN)
        self.lifetime = response.number(stun.LIFETIME)
        return self

    def permit(self, *hosts, code=None):
        return self.expect(code, stun.CREATE_PERMISSION,
                           [(stun.XOR_PEER_ADDRESS, (host, 0)) for host in hosts])

    def bind(self, number, peer, code=None):
        return self.expect(code, stun.CHANNEL_BIND, [
            (stun.CHANNEL_NUMBER, number.to_bytes(2, "big") + bytes(2)),
            (stun.XOR_PEER_ADDRESS, peer[:2])])

    def refresh(self, *attributes, code=None):
        return self.expect(code, stun.REFRESH, attributes)

    def free(self):
        """Gives the allocation back."""
        return self.refresh((stun.LIFETIME, 0))

    def binding(self):
        """Our address as the server sees it."""
        response = self.exchange(stun.write(stun.BINDING, stun.REQUEST))
        if response.kind != stun.SUCCESS:
            raise AssertionError(f"success expected, got {response}")
        return response.address(stun.XOR_MAPPED_ADDRESS)

    # --- data

    def send(self, data, peer, *attributes):
        self.udp.sendto(stun.write(stun.SEND, stun.INDICATION, [
            (stun.XOR_PEER_ADDRESS, peer[:2]), *attributes, (stun.DATA_VALUE, data)]), self.server)

    def send_channel(self, number, data, is_padded=False):
        self.udp.sendto(stun.write_channel_data(number, data, is_padded), self.server)

    def receive_raw(self, timeout_s=ARRIVAL_S):
        """The next datagram, which must come from the address that was asked; None: silence.

        A request that was sent again, because its answer was late, is answered twice: the second
        answer is passed over.
        """
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            self.udp.settimeout(left)
            try:
                raw, self.ancillary, _, source = self.udp.recvmsg(65536, 256)
            except TimeoutError:
                return None
            if source[:2] != tuple(self.server[:2]):
                raise AssertionError(f"asked {self.server[:2]}, answered from {source[:2]}")
            if raw[8:20] not in self.answered:
                return raw
        return None

    def receive_relayed(self, timeout_s):
        """What is relayed next: (data as receive() has it, None) or (None, an ICMP error)."""
        raw = self.arrived.pop(0) if self.arrived else self.receive_raw(timeout_s)
        if raw is None:
            return None, None
        channel_data = stun.read_channel_data(raw)
        if channel_data is not None:
            return channel_data, None
        message = stun.Message(raw)
        if (message.method, message.kind) != (stun.DATA, stun.INDICATION):
            raise AssertionError(f"a Data indication expected, got {message}")
        peer, icmp = message.address(stun.XOR_PEER_ADDRESS), message.icmp()
        if icmp is None:
            return (peer, message.get(stun.DATA_VALUE)), None
        if message.get(stun.DATA_VALUE) is not None:
            raise AssertionError(f"data beside an ICMP error: {message}")
        return None, (peer, *icmp)

    def receive(self, timeout_s=ARRIVAL_S):
        """The next relayed data: (channel number or peer's address, data); None: silence."""
        while True:
            data, error = self.receive_relayed(timeout_s)
            if error is None:
                return data
            self.errors.append(error)

    def receive_error(self, timeout_s=ARRIVAL_S):
        """The next ICMP error, in front of which no data may come; None: silence."""
        if self.errors:
            return self.errors.pop(0)
        data, error = self.receive_relayed(timeout_s)
        if data is not None:
            raise AssertionError(f"an ICMP error expected, got {data}")
        return error


def unique(length):
    """Data that nobody else sends."""
    return os.urandom(length)
