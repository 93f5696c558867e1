# SPDX-License-Identifier: Apache-2.0
"""Much data, sent and received by threads of their own, with a digest of all of it."""
import hashlib
import os
import socket
import threading

BLOCK_LEN = 1 << 18
JOIN_S = 60


class Transfer(threading.Thread):
    """result(): how many bytes it were, and their digest; or the error that ended it is raised."""

    def __init__(self, tcp):
        super().__init__(daemon=True)
        self.tcp = tcp
        self.length, self.digest, self.error = 0, hashlib.sha256(), None
        self.start()

    def run(self):
        try:
            self.move()
        except OSError as error:
            self.error = error

    def count(self, data):
        self.length += len(data)
        self.digest.update(data)

    def result(self):
        self.join(JOIN_S)
        if self.is_alive():
            raise AssertionError(f"stands still after {self.length} bytes")
        if self.error is not None:
            raise self.error
        return self.length, self.digest.hexdigest()


class Sender(Transfer):
    """Sends so many bytes, no two blocks alike, and finishes its direction unless it is to stay."""

    def __init__(self, tcp, length, stays=False):
        self.total, self.stays = length, stays
        super().__init__(tcp)

    def move(self):
        block = os.urandom(BLOCK_LEN)
        while self.length < self.total:
            shift = self.length // BLOCK_LEN % BLOCK_LEN
            data = (block[shift:] + block[:shift])[:self.total - self.length]
            self.count(data)
            self.tcp.sendall(data)
        if not self.stays:
            self.tcp.shutdown(socket.SHUT_WR)


class Receiver(Transfer):
    """Receives until the other side has finished, or so many bytes."""

    def __init__(self, tcp, most=1 << 40):
        self.most = most
        super().__init__(tcp)

    def move(self):
        buffer = memoryview(bytearray(BLOCK_LEN))
        while length := self.tcp.recv_into(buffer, min(BLOCK_LEN, self.most - self.length)):
            self.count(buffer[:length])
            if self.length == self.most:
                break


def send_aside(tcp, data):
    """Sends it while the caller does something else; returns the thread."""
    sending = threading.Thread(target=tcp.sendall, args=(data,), daemon=True)
    sending.start()
    return sending


def pour(tcp, most=1 << 30):
    """Sends until nothing more is taken, or so many bytes; returns how many it were."""
    timeout_s = tcp.gettimeout()
    tcp.setblocking(False)
    block, length = bytes(1 << 16), 0
    while length < most:
        try:
            length += tcp.send(block)
        except BlockingIOError:
            break
    tcp.settimeout(timeout_s)
    return length
