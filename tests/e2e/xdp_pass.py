# SPDX-License-Identifier: Apache-2.0
"""An XDP program of two instructions that passes everything.

A veth device takes frames that its other end sends by XDP only if it has an XDP program itself.
"""
import ctypes
import os
import socket
import struct

SYS_BPF = 321  # of x86-64
PROG_LOAD, LINK_CREATE = 5, 28
PROG_TYPE_XDP, ATTACH_XDP = 6, 37
DRIVER_MODE = 1 << 2
PASS = struct.pack("<BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0)  # r0 = XDP_PASS; exit


def bpf(command, attributes):
    libc = ctypes.CDLL(None, use_errno=True)
    raw = ctypes.create_string_buffer(attributes, len(attributes))
    fd = libc.syscall(SYS_BPF, command, raw, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return fd


class Pass:
    """Attached to one interface of the namespace that one is in, until it is closed."""

    def __init__(self, device):
        code, license_text = ctypes.create_string_buffer(PASS), ctypes.create_string_buffer(b"GPL")
        program = bpf(PROG_LOAD, struct.pack(
            "<IIQQIIQII16sII", PROG_TYPE_XDP, 2, ctypes.addressof(code),
            ctypes.addressof(license_text), 0, 0, 0, 0, 0, b"pass", 0, ATTACH_XDP))
        try:
            self.link = bpf(LINK_CREATE, struct.pack(
                "<IIII", program, socket.if_nametoindex(device), ATTACH_XDP, DRIVER_MODE))
        finally:
            os.close(program)

    def close(self):
        os.close(self.link)
