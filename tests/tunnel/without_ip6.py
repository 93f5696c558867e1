#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Becomes a program as on a host whose kernel has no IPv6: without_ip6.py COMMAND...

socket(AF_INET6, ...) fails by a filter of seccomp(2).
"""
import ctypes
import errno
import os
import platform
import socket
import struct
import sys

SOCKET_CALLS = {"x86_64": 41, "aarch64": 198}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of classic BPF
CALL_AT, FIRST_ARGUMENT_AT = 0, 16         # in struct seccomp_data
ALLOW, FAIL = 0x7FFF0000, 0x00050000

PROGRAM = [
    (LOAD, 0, 0, CALL_AT),
    (IF_EQUAL, 0, 3, SOCKET_CALLS[platform.machine()]),
    (LOAD, 0, 0, FIRST_ARGUMENT_AT),
    (IF_EQUAL, 0, 1, socket.AF_INET6),
    (RETURN, 0, 0, FAIL | errno.EAFNOSUPPORT),
    (RETURN, 0, 0, ALLOW),
]


def install():
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in PROGRAM))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(PROGRAM), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


install()
os.execvp(sys.argv[1], sys.argv[1:])
