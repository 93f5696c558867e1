# SPDX-License-Identifier: Apache-2.0
"""Puts the kernel's threads that poll an interface on a core.

A network namespace alone does not say on which core the kernel receives: at a veth interface it is
the sender's. Threads that poll (threaded NAPI) can be put elsewhere, but are not to be seen from
within the sandbox's namespace of processes. So a helper stays outside: start() before
sandbox.enter(), pin() after it.
"""
import os
import pathlib
import subprocess
import sys

MARK = "FAIRLEAD_PINNER"


def threads(device):
    """The folders in /proc of the kernel's threads that poll the device."""
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text(encoding="ascii").startswith(f"napi/{device}-"):
                yield comm.parent
        except OSError:
            continue  # it has ended meanwhile


def put(folder, core):
    """Above all processes, as an interrupt would be: else it waits while the server computes."""
    os.sched_setaffinity(int(folder.name), {core})
    os.sched_setscheduler(int(folder.name), os.SCHED_FIFO, os.sched_param(1))
    return 1


def spent_ns(folder):
    return int((folder / "schedstat").read_text(encoding="ascii").split()[0])


def serve(orders, answers):
    """Reads lines "DEVICE CORE" and answers how many threads it has found and put there; answers
    "DEVICE" by the nanoseconds that these have computed."""
    with open(orders, encoding="ascii") as lines:
        for line in lines:
            device, *core = line.split()
            found = [put(folder, int(core[0])) if core else spent_ns(folder)
                     for folder in threads(device)]
            os.write(answers, f"{sum(found)}\n".encode())


def start():
    """The helper ends with the last of those who could ask it."""
    if MARK in os.environ:
        return
    orders, answers = os.pipe(), os.pipe()
    sys.stdout.flush()
    if os.fork() == 0:
        os.close(orders[1])
        os.close(answers[0])
        serve(orders[0], answers[1])
        os._exit(0)
    os.close(orders[0])
    os.close(answers[1])
    for end in (orders[1], answers[0]):
        os.set_inheritable(end, True)
    os.environ[MARK] = f"{orders[1]} {answers[0]}"


def be_threaded(host, device, word):
    """Says what the device is then. By ip netns exec, which mounts the namespace's own /sys."""
    path = f"/sys/class/net/{device}/threaded"
    done = subprocess.run(["ip", "netns", "exec", host.name, "sh", "-c",
                           f"echo {word} >{path} && cat {path}"],
                          text=True, capture_output=True, check=False)
    return done.stdout.strip()


def ask(order):
    orders, answers = map(int, os.environ[MARK].split())
    os.write(orders, f"{order}\n".encode())
    return int(os.read(answers, 32))


def pin(host, device, core):
    """Has threads poll the device, on that core. False where that is not to be had."""
    if MARK not in os.environ or be_threaded(host, device, 1) != "1":
        return False
    return ask(f"{device} {core}") > 0


def cpu_ns(device):
    """What the device's threads have computed."""
    return ask(device)


def unpin(host, device):
    """Has whoever sends poll the device, as it is without all this."""
    be_threaded(host, device, 0)
