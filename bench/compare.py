#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay beside its peers: each server on one core, the load on the other, in turns.

Usage: compare.py RELAY PROBE FRAME_LOAD [--quick] [--rounds N] [--only SERVER,...]
                  [--parts PART,...] [--json FILE] [--append]

  overload  packets delivered of all that raw frames can offer
  rate      the highest rate without loss, and CPU time per packet at half of it
  flood     what of legitimate packets arrives beside a flood
  delay     how long packets are under way through the server, at rates the same for all, and at
            half of its own highest rate
  probe     fairlead-probe bench: round trips, allocations a second
  memory    bytes per allocation, as server_bench.py has it

What was found goes to FILE as JSON, of which report.py makes pages. With --append it goes behind
what FILE has already.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pinner
import rivals
import server_bench
import trials
from world import (LISTEN, LOAD, LOAD_CORE, PASSWORD, RELAY, USER, Clients, World, sandbox)

PARTS = ("overload", "rate", "delay", "flood", "probe", "memory")
CLIENTS = 100
SIZE = 1000          # bytes of payload
TRAINS = (1, 32)
FURTHER = ((172, 100), (1000, 1), (1000, 1000))  # sizes and clients besides, unless quick
LEGITIMATE = 20_000  # packets a second beside a flood
TIMES = (0, 1, 2, 5, 10, 20)
QUICK_TIMES = (0, 5, 20)
HIGHEST = {True: 2_000_000, False: 6_000_000}  # packets a second that a search goes up to
COMMON = 20_000      # packets a second beside round trips
DELAY_RATES = (20_000, 50_000, 100_000, 200_000)
DELAY_WAY = "both ways"


class Run:
    def __init__(self, options, world, folder):
        self.options, self.world, self.folder = options, world, folder
        self.before = load(options)  # which the new records follow, and their rounds
        self.records, self.begun = [], time.monotonic()
        self.highest = {}  # loss-free rate of single packets by server

    def round_after(self, server, number):
        return number + 1 + max((one.get("round", 0) for one in self.before
                                 if one["server"] == server), default=-1)

    def add(self, server, part, **fields):
        if "round" in fields:
            fields["round"] = self.round_after(server, fields["round"])
        self.records.append({"server": server, "part": part} | fields)
        told = {key: value for key, value in fields.items()
                if key in ("way", "train", "size", "clients", "kind", "limit")}
        figures = {key: fields[key] for key in ("sent", "back", "us", "busy_us", "flood", "goodput",
                                                "p50_us", "p99_us", "allocations", "bytes")
                   if fields.get(key) is not None}
        print(f"{time.monotonic() - self.begun:5.0f} s  {server:12} {part:9} "
              f"{' '.join(f'{value:>10}' for value in told.values())}  "
              + "  ".join(f"{key} {value:,.0f}" if value >= 100 else f"{key} {value:.2f}"
                          for key, value in figures.items()), flush=True)

    def save(self):
        """After each server, so that little is lost with what fails behind it."""
        if self.options.json:
            path = pathlib.Path(self.options.json)
            path.write_text(json.dumps(self.before + self.records, indent=1) + "\n")

    def kinds(self):
        """What is sent: way, length of trains, size, number of clients."""
        found = [(way, train, SIZE, CLIENTS) for train in TRAINS for way in trials.WAYS]
        if not self.options.quick:
            found += [("to peers", train, *one) for one in FURTHER for train in TRAINS]
        return found

    def overload(self, rival, target, number):
        for way, train, size, clients in self.kinds():
            trial = trials.overload(target, way, train, size, clients, self.options.seconds)
            self.add(rival.name, "overload", way=way, train=train, size=size, clients=clients,
                     round=number, **trial)

    def rate(self, rival, target, number):
        for way in ("to peers", DELAY_WAY) if self.options.quick else trials.WAYS:
            for train in (1,) if self.options.quick and way == DELAY_WAY else TRAINS:
                best = trials.loss_free(target, way, train, SIZE, CLIENTS,
                                        self.options.seconds / 3, self.options.steps,
                                        HIGHEST[rival.has_trains])
                self.add(rival.name, "rate", way=way, train=train, round=number, **best)
                if train == 1:
                    self.highest[rival.name, way] = best["sent"]
                half = trials.cost(target, way, train, SIZE, CLIENTS, self.options.seconds,
                                   best["sent"] / 2)
                self.add(rival.name, "cost", way=way, train=train, round=number, **half)

    def delay(self, rival, target, number):
        rates = [(rate, False) for rate in DELAY_RATES]
        highest = self.highest.get((rival.name, DELAY_WAY))
        if highest:
            rates.append((highest / 2, True))
        for rate, is_own in rates:
            trial = trials.delay(target, DELAY_WAY, 1, SIZE, CLIENTS, 2 * self.options.seconds, rate)
            self.add(rival.name, "delay", is_own=is_own, round=number, **trial)

    def flood(self, rival, target, number):
        for kind in trials.FLOODS:
            for times in QUICK_TIMES if self.options.quick else TIMES:
                trial = trials.flood(target, kind, LEGITIMATE, times, SIZE, CLIENTS,
                                     self.options.seconds / 2)
                self.add(rival.name, "flood", kind=kind, times=times, round=number, **trial)

    def ask_probe(self, rival, *options):
        done = subprocess.run(
            ["taskset", "-c", str(LOAD_CORE), *self.world.load.prefix, self.options.probe, "bench",
             f"{RELAY[4]}:{LISTEN}", "--user", USER, "--password", PASSWORD, "--peer-address",
             LOAD[4], "--json", "--direction", "both", "--train", "1", "--num-clients",
             str(CLIENTS), "--size", str(SIZE), *map(str, options)],
            text=True, capture_output=True, check=False)
        if done.returncode != 0:
            print(f"fairlead-probe on {rival.name}: {done.stderr.strip()}")
            return None
        return json.loads(done.stdout)

    def probe(self, rival, _, number):
        """Round trips at rest, and beside a rate that is the same for all."""
        found = self.ask_probe(rival, "--part", "latency", "--seconds", 2, "--rate", 2 * COMMON)
        for kind, one in zip(("rest", "common"), found["latencies"] if found else ()):
            self.add(rival.name, "latency", kind=kind, round=number, rate=one["rate"],
                     lost=1 - one["returned"] / one["sent"], p50_us=one["p50_ns"] / 1e3,
                     p99_us=one["p99_ns"] / 1e3, p999_us=one["p999_ns"] / 1e3)
        found = self.ask_probe(rival, "--part", "allocate", "--num-allocations", 2000)
        if found:
            self.add(rival.name, "allocate", round=number, allocations=found["allocations"])

    def server(self, rival, number):
        """All parts of one server."""
        wanted = [part for part in self.options.parts
                  if part != "memory" and part in (rival.parts or PARTS)]
        if not wanted:
            return
        self.world.start_load(*(["trains"] if rival.has_trains else []))
        count = CLIENTS if self.options.quick else max(one[1] for one in FURTHER)
        with rivals.running(self.world, rival.command, self.folder, rival.cores) as server:
            target = trials.Target(self.world, server, Clients(self.world, 4), count)
            for part in wanted:
                # At overload whoever receives would leave the server nothing: the load's core does
                # it, as where a machine's other cores receive. The program for XDP is what receives.
                is_own = part in ("rate", "delay", "probe") or not rival.has_trains
                self.world.receive_on_server(is_own)
                getattr(self, part)(rival, target, number)

    def floor(self):
        """What the load can do, of frames that are only turned round."""
        self.world.start_load()
        for is_own in (False, True):
            self.world.receive_on_server(is_own)
            trial = trials.floor(self.world, Clients(self.world, 4), SIZE, CLIENTS,
                                 self.options.seconds)
            self.add("reflector", "floor", is_own=is_own, **trial)

    def memory(self, names):
        starts = {"fairlead": lambda: server_bench.start_relay(
            self.options.relay, 13478, 20000, self.folder)}
        coturn, pion = shutil.which("turnserver"), self.folder / "pion-turn"
        if coturn:
            starts["coturn"] = lambda: server_bench.start_coturn(coturn, 13479, 40000, self.folder)
        if pion.exists():
            starts["pion"] = lambda: server_bench.start_pion(pion, 13480, 40000, self.folder)
        for name, start in starts.items():
            if name in names:
                count = 1000 if self.options.quick else 8000
                size = server_bench.measure_memory([start], count)
                self.add(name, "memory", allocations=count, bytes=list(size.values())[0])


def listed(text):
    return text.split(",")


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    for program in ("relay", "probe", "frame_load"):
        parser.add_argument(program, type=os.path.abspath)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", type=listed)
    parser.add_argument("--parts", type=listed, default=PARTS)
    parser.add_argument("--json", type=os.path.abspath)
    parser.add_argument("--append", action="store_true")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.steps = options.steps or (3 if options.quick else 5)
    if not set(options.parts) <= set(PARTS):
        sys.exit(f"the parts are {', '.join(PARTS)}")
    return options


def load(options):
    path = pathlib.Path(options.json or os.devnull)
    return json.loads(path.read_text()) if options.append and path.is_file() else []


def main():
    options = read_options()
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
                run.save()
        if "overload" in options.parts:
            run.floor()
        if "memory" in options.parts:
            run.memory([one.name for one in servers])
        run.world.end_load()
        run.save()


if __name__ == "__main__":
    main()
