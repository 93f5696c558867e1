#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Packets a second through the kernel's way, beside coturn and beside the floor.

Usage: xdp_bench.py RELAY FRAME_LOAD [--seconds S] [--bytes N] [--rounds N] [--bindings N,N,...]

     load                      relay
    10.99.0.2 ga --- gb 10.99.0.1          one veth pair, two namespaces
    clients are 10.100.0.0/16 and fd00:100::/64, peers 10.101.0.0/16 and fd00:101::/64, all behind
    10.99.0.2 and fd00:99::2

The load is made and counted by FRAME_LOAD, in the kernel, on one core; so the floor, which only
turns frames round, is what the load itself costs. The second floor reads one line of memory for
each flow besides, which no relay can do without: the more flows, the more of them must come from
beyond the caches that this machine has for itself. Each server gets its allocations by the protocol
and a channel in each; then come the frames: ChannelData of the clients, or UDP of the peers. What
comes back is counted. coturn has the other core for itself. Figures are medians of the rounds.
"""
import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from rivals import coturn_command, relay_command, running
from world import SERVER_CORE, Clients, World, heads_of, sandbox


def total_of(options, version, is_from_client):
    return 14 + (20 if version == 4 else 40) + 8 + (4 if is_from_client else 0) + options.bytes


def measure_floor(world, options, heads, total, kind):
    """Frames a second that are only turned round ("turn"), or that a line of memory for each flow
    is read for besides ("look"): the same as the relay's."""
    turner = subprocess.Popen([*world.host.prefix, options.frame_load, "gb", kind],
                              stdout=subprocess.PIPE, text=True)
    turner.stdout.readline()
    try:
        return world.run(heads, options.seconds, total)[0]
    finally:
        turner.terminate()
        turner.wait()


def frames_of(world, options, clients, ports, peer_version, is_from_client):
    """The heads of the frames of a way, one for each allocation, and their length."""
    version = clients.version if is_from_client else peer_version
    total = total_of(options, version, is_from_client)
    return list(heads_of(world, clients, ports, peer_version, is_from_client, total)), total


WAYS = (("channel to UDP", True), ("UDP to channel", False))


def name_of(way, versions, is_from_client, count):
    incoming, outgoing = versions if is_from_client else reversed(versions)
    return f"{way}, IPv{incoming} to IPv{outgoing}, {count}"


def measure_plan(world, options, process, versions, count):
    """Both ways of so many bindings, and the floor of each, in turns: machines change their pace."""
    clients = Clients(world, versions[0])
    ports = [clients.set_up(index, versions[1]) for index in range(count)]
    for way, is_from_client in WAYS:
        heads, total = frames_of(world, options, clients, ports, versions[1], is_from_client)
        floors, looks, backs, losses = [], [], [], []
        for _ in range(options.rounds):
            back, sent = world.run(heads, options.seconds, total)
            backs.append(back)
            losses.append(1 - back / sent)
            process.send_signal(signal.SIGUSR2)  # off, but the channels stay
            time.sleep(0.2)
            floors.append(measure_floor(world, options, heads, total, "turn"))
            looks.append(measure_floor(world, options, heads, total, "look"))
            process.send_signal(signal.SIGUSR2)
            time.sleep(0.2)
        back, floor, look = map(statistics.median, (backs, floors, looks))
        ratios = " ".join(f"{one / other:.2f}" for one, other in zip(backs, floors))
        print(f"{name_of(way, versions, is_from_client, count):36} {back / 1e6:7.3f} "
              f"{floor / 1e6:7.3f} {back / floor:7.2f} {look / 1e6:7.3f} {back / look:7.2f}   "
              f"({ratios}; {max(losses):.1%} lost)", flush=True)


def measure_relay(world, options, folder):
    plans = [((4, 4), count) for count in options.bindings]
    plans += [((6, 6), 1000), ((4, 6), 1000), ((6, 4), 1000)]
    command = relay_command(options.relay, "--ebpf-offloading", "gb",
                            "--ebpf-attach-mode", "driver")
    print(f"{'through the kernel: way, bindings':36} {'Mpps':>7} {'floor':>7} {'ratio':>7} "
          f"{'look':>7} {'ratio':>7}")
    for versions, count in plans:
        with running(world, command, folder) as one:
            measure_plan(world, options, one.process, versions, count)


def measure_others(world, options, folder):
    """The same load through sockets, which have the other core to themselves."""
    print(f"{'through sockets: way, bindings':44} {'Mpps':>7}")
    servers = [("this relay", relay_command(options.relay))]
    if shutil.which("turnserver"):
        servers.append(("coturn", coturn_command(folder)))
    for title, command in servers:
        with running(world, command, folder, SERVER_CORE):
            clients = Clients(world, 4)
            ports = [clients.set_up(0, 4)]
            for way, is_from_client in WAYS:
                heads, total = frames_of(world, options, clients, ports, 4, is_from_client)
                back, _ = world.run(heads, options.seconds, total)
                name = name_of(way, (4, 4), is_from_client, 1)
                print(f"{name + ': ' + title:44} {back / 1e6:7.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("relay", type=os.path.abspath)
    parser.add_argument("frame_load", type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=172)
    parser.add_argument("--bindings", type=lambda text: [int(one) for one in text.split(",")],
                        default=[1, 1000, 16000])
    options = parser.parse_args()
    sandbox.enter("ethtool", "sysctl", "taskset")
    world = World(options.frame_load)
    world.start_load()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        measure_relay(world, options, folder)
        measure_others(world, options, folder)
    world.end_load()


if __name__ == "__main__":
    main()
