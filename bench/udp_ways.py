#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each way to bring datagrams from one socket to many gives, with nothing of TURN around it.

Usage: udp_ways.py UDP_WAYS FRAME_LOAD [--rounds N] [--seconds S] [--bytes N] [--pinned]
                   [--loads FLOWSxTRAIN,...]

By each way of udp_ways.c at overload, in turns: packets a second delivered, and what the way has
computed for each in nanoseconds, the kernel's sending included; and how much better either is than
that of recvfrom+sendto in the same round. The ways have one core, the load has the other; what the
kernel computes to receive is on the load's core, or, with --pinned, on that of the way.
"""
import argparse
import os
import pathlib
import statistics
import tempfile

import pinner
from rivals import running
from world import LISTEN, LOWEST, PEER, RELAY, SERVER_CORE, World, frame, sandbox

WAYS = ("recvfrom+sendto", "recvmmsg+sendto", "ttl", "connected", "ring", "sendmmsg", "trains-16",
        "trains-64", "trains-256", "trains-512")
LOADS = "1x32,12x1,100x1,100x32"  # flows, and datagrams of one behind one another
HEADS_LEN = 14 + 20 + 8 + 4
PORT = 40000


def heads(world, flows, train, total):
    return [frame(world.macs, 4, (f"10.100.{flow >> 8}.{flow & 255}", PORT), (RELAY[4], LISTEN),
                  b"head", total) for flow in range(flows) for _ in range(train)]


def measure(world, options, folder, way, load):
    flows, train = load
    command = [options.udp_ways, way, RELAY[4], LISTEN, LOWEST, flows, *PEER[4]]
    with running(world, command, folder, SERVER_CORE):
        total = HEADS_LEN + options.bytes
        world.start_load()
        rate = world.run(heads(world, flows, train, total), options.seconds, total)[0]
    sent, computed_ns = (folder / "log").read_text().split()
    return rate / 1e6, int(computed_ns) / int(sent)


def show(way, results, bases):
    rate, spent_ns = (statistics.median(column) for column in zip(*results))
    faster = statistics.median(one[0] / base[0] for one, base in zip(results, bases))
    cheaper = statistics.median(base[1] / one[1] for one, base in zip(results, bases))
    print(f"{way:22} {rate:6.3f} {faster:6.2f} {spent_ns:6.0f} {cheaper:6.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("udp_ways", type=os.path.abspath)
    parser.add_argument("frame_load", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--bytes", type=int, default=1000)
    parser.add_argument("--pinned", action="store_true")
    parser.add_argument("--loads", default=LOADS)
    options = parser.parse_args()
    pinner.start()
    sandbox.enter("ethtool", "sysctl", "taskset")
    world = World(options.frame_load)
    world.receive_on_server(options.pinned)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        for load in (tuple(map(int, text.split("x"))) for text in options.loads.split(",")):
            print(f"\n{'flows x train: %d x %d' % load:22} {'Mpps':>6} {'ratio':>6} {'ns':>6} "
                  f"{'ratio':>6}", flush=True)
            results = {way: [] for way in WAYS}
            for _ in range(options.rounds):
                for way in WAYS:
                    results[way].append(measure(world, options, folder, way, load))
            for way in WAYS:
                show(way, results[way], results[WAYS[0]])
    world.end_load()


if __name__ == "__main__":
    main()
