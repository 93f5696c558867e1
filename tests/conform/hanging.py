# SPDX-License-Identifier: Apache-2.0
"""A thread of a program that hangs, as one would that has come upon a mistake of ours."""
import os
import subprocess
import sys

# In a process of its own, which also takes the thread's end: nobody else could.
TRACER = """
import ctypes, os, sys
PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
thread = int(sys.argv[1])
for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
    if libc.ptrace(request, thread, 0, 0) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
while os.WIFSTOPPED(os.waitpid(thread, WALL)[1]):
    print("stopped", flush=True)
"""


def hang(case, pid, name="worker"):
    """Stops one thread of the process, until the test is over or the tracer that it returns is
    killed: the last one of that name."""
    names = {}
    for one in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{one}/comm", encoding="ascii") as file:
            names[int(one)] = file.read().strip()
    thread = max(one for one, its in names.items() if its == name)
    case.assertNotEqual(thread, pid)
    tracer = subprocess.Popen([sys.executable, "-c", TRACER, str(thread)],
                              stdout=subprocess.PIPE, text=True)
    case.addCleanup(tracer.stdout.close)
    case.addCleanup(tracer.wait)
    case.addCleanup(tracer.kill)
    case.assertEqual(tracer.stdout.readline(), "stopped\n")
    return tracer
