#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes of what tunnel_bench.py has measured a page and its plots.

Usage: tunnel_report.py JSON TUNNEL     (writes TUNNEL.md and plots/tunnel-*.svg beside this file)
"""
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import plot

HERE = pathlib.Path(__file__).resolve().parent
BULKS = (1, 8, 64)
# Part, count, figure, title, how it is written.
ROWS = [
    *[("bulk", count, "cpu_s_gb", f"CPU seconds for a GB, {count} in bulk", "{:.2f}")
      for count in BULKS],
    *[("bulk", count, "gb_s", f"GB a second, {count} in bulk", "{:.2f}") for count in BULKS],
    ("small", 1, "p50_us", "round trip of 64 bytes, us, p50", "{:,.0f}"),
    ("small", 1, "p99_us", "p99", "{:,.0f}"),
    ("delay", None, "p50_us", "beside 8 in bulk, us, p50", "{:,.0f}"),
    ("delay", None, "p99_us", "p99", "{:,.0f}"),
    ("small", 64, "rate", "messages a second, 64 connections", "{:,.0f}"),
    ("small", 64, "us", "CPU us for each", "{:.1f}"),
    ("opening", 16, "rate", "new connections a second, 16 under way", "{:,.0f}"),
    ("opening", 16, "us", "CPU us for each", "{:,.0f}"),
    ("opening", 1, "each_us", "us until one alone has its echo", "{:,.0f}"),
    ("idle", None, "bytes", "bytes for an idle connection", "{:,.0f}"),
    ("idle", None, "empty", "bytes of the process without any", "{:,.0f}"),
]


def values(records, name, part, count, figure):
    return [record[figure] for record in records
            if record["name"] == name and record["part"] == part and record.get("count") == count]


def names(records):
    return list(dict.fromkeys(record["name"] for record in records))


def cells(records, row):
    part, count, figure, _, shape = row
    for name in names(records):
        found = values(records, name, part, count, figure)
        yield shape.format(statistics.median(found)) if found else "-"


def half(records):
    for name in names(records):
        found = values(records, name, "half", None, "kept")
        yield "-" if not found else "yes" if all(found) else "**no**"


def table(records):
    known = names(records)
    lines = ["| | " + " | ".join(plot.NAMES[name] for name in known) + " |",
             "|---" * (len(known) + 1) + "|"]
    for row in ROWS:
        lines.append(f"| {row[3]} | " + " | ".join(cells(records, row)) + " |")
    lines.append("| a half-closed connection gets its answer | " + " | ".join(half(records)) + " |")
    return "\n".join(lines)


def tell(records):
    """The same for a terminal."""
    print()
    print(" " * 36 + "".join(f"{name:>16}" for name in names(records)))
    for row in ROWS:
        print(f"{row[3]:36}" + "".join(f"{cell:>16}" for cell in cells(records, row)))
    print(f"{'half-close kept':36}" + "".join(f"{cell:>16}" for cell in half(records)))


def bars(records, part, figure, counts):
    for count, heading in counts:
        rows = []
        for name in names(records):
            if found := values(records, name, part, count, figure):
                rows.append((name, statistics.median(found), min(found), max(found)))
        yield heading, rows


def draw(records):
    folder = HERE / "plots"
    plot.bars(folder / "tunnel-cpu.svg", "What a GB costs",
              "CPU seconds of all processes of the relay, the kernel's share included; less is better",
              list(bars(records, "bulk", "cpu_s_gb", [
                  (count, f"{count} in bulk") for count in BULKS])))
    plot.bars(folder / "tunnel-messages.svg", "Small messages",
              "messages of 64 bytes a second with their echoes, each connection with one under way",
              list(bars(records, "small", "rate", [(64, "64 connections")])))
    plot.bars(folder / "tunnel-opening.svg", "New connections",
              "a second, 16 under way, each with a message and its echo",
              list(bars(records, "opening", "rate", [(16, "connections a second")])))
    plot.bars(folder / "tunnel-idle.svg", "An idle connection",
              "bytes of the relay's processes; less is better",
              list(bars(records, "idle", "bytes", [(None, "bytes each")])))


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def debian(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True,
                          text=True, check=False)
    return done.stdout or "?"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    records = json.loads(pathlib.Path(sys.argv[1]).read_text())
    rounds = max(len(values(records, "fairlead", "bulk", 1, "gb_s")), 1)
    commit = version("git", "-C", str(HERE), "rev-parse", "--short", "HEAD")
    draw(records)
    (HERE / "TUNNEL.md").write_text(f"""<!-- SPDX-License-Identifier: Apache-2.0 -->
# The reverse relay beside other programs that carry TCP

![What a GB costs](plots/tunnel-cpu.svg)

{table(records)}

![Small messages](plots/tunnel-messages.svg)

![New connections](plots/tunnel-opening.svg)

![An idle connection](plots/tunnel-idle.svg)

Made by `bench/run tunnel` on {datetime.date.today()}, medians of {rounds} rounds, in which all take turns.
Each program has one core, the load the other. Bulk is sent as fast as it is taken; a GB is 10^9 bytes. haproxy
and nginx are no reverse relays: they dial the service themselves, and tell nobody of it first, which is less
work for a new connection. Of version 1 the relay alone is counted, since its servers dial back themselves. Of
version 2 both ends are, the relay and `expose`, which dials the relay and the service: three connections where
version 1 has two. So are both ends of stunnel and `ssh -R`, since only together they are a relay; both of them
encrypt, which the others leave to client and server. _No pool_: without connections that stand by, of which
`expose` keeps two.

| what | version |
|---|---|
| Fairlead | {version(sys.argv[2], "--version")}, {commit}, one worker |
| haproxy | {debian("haproxy")}, one thread; splicing: `option splice-request` |
| nginx | {debian("nginx-light")}, one worker |
| stunnel | {debian("stunnel4")} |
| OpenSSH | {debian("openssh-server")} |
| kernel | {platform.release()} |
| machine | {os.cpu_count()} processors, virtual |
""")


if __name__ == "__main__":
    main()
