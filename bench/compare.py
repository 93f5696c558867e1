#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay beside its peers: each server on one core, the load on the other, in turns.

Usage: compare.py RELAY FRAME_LOAD [--quick] [--rounds N] [--only SERVER,...] [--parts PART,...]
                  [--json FILE]

Parts: overload, rate, flood; trials.py says what each is.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import pinner
import rivals
import trials
from world import Clients, World, sandbox

PARTS = ("overload", "rate", "flood")
CLIENTS = 100
SIZE = 1000         # bytes of payload
TRAINS = (1, 32)
LEGITIMATE = 20_000  # packets a second beside a flood
TIMES = (0, 1, 2, 5, 10, 20)
QUICK_TIMES = (0, 5, 20)
HIGHEST = {True: 2_000_000, False: 6_000_000}  # packets a second that a search goes up to


class Run:
    def __init__(self, options, world, folder):
        self.options, self.world, self.folder = options, world, folder
        self.records, self.begun = [], time.monotonic()

    def add(self, server, part, **fields):
        self.records.append({"server": server, "part": part} | fields)
        told = {key: value for key, value in fields.items()
                if key in ("way", "train", "kind", "round", "limit")}
        figures = {key: fields[key] for key in ("sent", "back", "us", "busy_us", "flood", "goodput")
                   if fields.get(key) is not None}
        print(f"{time.monotonic() - self.begun:5.0f} s  {server:12} {part:9} "
              f"{' '.join(f'{value:>10}' for value in told.values())}  "
              + "  ".join(f"{key} {value:,.0f}" if value >= 100 else f"{key} {value:.2f}"
                          for key, value in figures.items()), flush=True)

    def overload(self, rival, target, number):
        for train in TRAINS:
            for way in trials.WAYS:
                trial = trials.overload(target, way, train, SIZE, CLIENTS, self.options.seconds)
                self.add(rival.name, "overload", way=way, train=train, round=number, **trial)

    def rate(self, rival, target, number):
        for train in TRAINS:
            for way in trials.WAYS:
                best = trials.loss_free(target, way, train, SIZE, CLIENTS,
                                        self.options.seconds / 2, self.options.steps,
                                        HIGHEST[rival.has_trains])
                self.add(rival.name, "rate", way=way, train=train, round=number, **best)
                half = trials.cost(target, way, train, SIZE, CLIENTS, self.options.seconds,
                                   best["sent"] / 2)
                self.add(rival.name, "cost", way=way, train=train, round=number, **half)

    def flood(self, rival, target, number):
        for kind in trials.FLOODS:
            for times in QUICK_TIMES if self.options.quick else TIMES:
                trial = trials.flood(target, kind, LEGITIMATE, times, SIZE, CLIENTS,
                                     self.options.seconds / 2)
                self.add(rival.name, "flood", kind=kind, times=times, round=number, **trial)

    def server(self, rival, number):
        """All parts of one server."""
        self.world.start_load(*(["trains"] if rival.has_trains else []))
        with rivals.running(self.world, rival.command, self.folder, rival.cores) as server:
            target = trials.Target(self.world, server, Clients(self.world, 4), CLIENTS)
            for part in self.options.parts:
                # At overload whoever receives would leave the server nothing: the load's core does
                # it, as where a machine's other cores receive. The program for XDP is what receives.
                is_own = part == "rate" or not rival.has_trains
                self.world.receive_on_server(is_own)
                getattr(self, part)(rival, target, number)


def listed(text):
    return text.split(",")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("relay", type=os.path.abspath)
    parser.add_argument("frame_load", type=os.path.abspath)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--only", type=listed)
    parser.add_argument("--parts", type=listed, default=PARTS)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    if not set(options.parts) <= set(PARTS):
        sys.exit(f"the parts are {', '.join(PARTS)}")
    pinner.start()
    sandbox.enter("ethtool", "sysctl", "taskset", "tc")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        run = Run(options, World(options.frame_load), folder)
        servers = [one for one in rivals.rivals(options.relay, folder)
                   if not options.only or one.name in options.only]
        for number in range(options.rounds):
            for rival in servers:
                run.server(rival, number)
        run.world.end_load()
    if options.json:
        options.json.write_text(json.dumps(run.records, indent=1) + "\n")


if __name__ == "__main__":
    main()
