#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes RESULTS.md and plots/ of what compare.py has found.

Usage: report.py FILE.json RELAY [FOLDER]

FOLDER is where they go, this one if none is given. Figures are medians of the rounds, ranges behind
them.
"""
import collections
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import plot
from plot import NAMES, short

ORDER = ("fairlead", "fairlead-2", "fairlead-xdp", "coturn", "pion")
SOCKETS = ("fairlead", "coturn", "pion")
WAYS = ("to peers", "to clients", "both ways")
TRAINS = {1: "single packets of 100 clients in turn", 32: "trains of 32 of 100 clients in turn"}
SIZE, CLIENTS = 1000, 100
AGAIN = 1.2  # the load counts as no limit where it has sent so many times what arrived


def told(*command):
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def version_of(package):
    return told("dpkg-query", "-W", "-f", "${Version}", package)


class Found:
    """The records, by what they are of."""

    def __init__(self, records):
        self.records = records
        self.servers = [name for name in ORDER if any(one["server"] == name for one in records)]

    def of(self, server, part, **fields):
        return [one for one in self.records if one["server"] == server and one["part"] == part
                and all(one.get(key) == value for key, value in fields.items())]

    def figure(self, server, part, field, **fields):
        """(median, lowest, highest), or None."""
        values = [one[field] for one in self.of(server, part, **fields) if one[field] is not None]
        return (statistics.median(values), min(values), max(values)) if values else None

    def ratio(self, part, field, **fields):
        """Of Fairlead's median to coturn's, or None."""
        one, other = (self.figure(name, part, field, **fields) for name in ("fairlead", "coturn"))
        return one[0] / other[0] if one and other and other[0] else None

    def values(self, part, field):
        return sorted({one[field] for one in self.records if one["part"] == part})


def cell(figure, form=short):
    if figure is None:
        return "-"
    middle, low, high = figure
    return form(middle) if low == high else f"{form(middle)} ({form(low)} to {form(high)})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def per_server(found, title, cells):
    """A row for each server: cells(server) makes them, None where there is nothing."""
    rows = [(NAMES[name], *made) for name in found.servers if (made := cells(name))]
    return table(title, rows)


def overload_table(found, train, size=SIZE, clients=CLIENTS):
    def cells(server):
        made = []
        for way in WAYS:
            kind = {"way": way, "train": train, "size": size, "clients": clients}
            back, sent = (found.figure(server, "overload", field, **kind)
                          for field in ("back", "sent"))
            if back:
                limit = "" if sent[0] >= AGAIN * back[0] else " **load**"
                made.append(f"{cell(back)} of {short(sent[0])}{limit}")
        return made
    ways = [way for way in WAYS if any(found.of(name, "overload", way=way, train=train, size=size,
                                                clients=clients) for name in found.servers)]
    return per_server(found, ("packets/s delivered of sent", *ways), cells)


def kinds_table(found):
    """Other sizes and numbers of clients, to peers, by sockets."""
    kinds = sorted({(one["size"], one["clients"]) for one in found.records
                    if one["part"] == "overload"})
    rows = []
    for size, clients in kinds:
        for train in TRAINS:
            figures = [found.figure(name, "overload", "back", way="to peers", train=train,
                                    size=size, clients=clients) for name in SOCKETS]
            rows.append((f"{size} bytes, {clients} clients, trains of {train}",
                         *(cell(figure) for figure in figures)))
    return table(("to peers, packets/s delivered", *(NAMES[name] for name in SOCKETS)), rows)


def rate_table(found, train):
    def cells(server):
        made = []
        for way in WAYS:
            best = found.figure(server, "rate", "back", way=way, train=train)
            us = found.figure(server, "cost", "us", way=way, train=train)
            if best:
                limits = {one["limit"] for one in found.of(server, "rate", way=way, train=train)}
                made += [cell(best) + (" **load**" if "load" in limits else ""), cell(us)]
        return made
    ways = [way for way in WAYS if any(found.of(name, "rate", way=way, train=train)
                                       for name in found.servers)]
    head = [text for way in ways for text in (f"{way}, packets/s", "CPU us/packet")]
    return per_server(found, ("", *head), cells)


def latency_table(found):
    rows = []
    for kind, text in (("rest", "at rest"), ("common", "beside 20 k packets/s")):
        for name in found.servers:
            figures = [found.figure(name, "latency", field, kind=kind)
                       for field in ("rate", "p50_us", "p99_us", "p999_us", "lost")]
            if figures[0]:
                rows.append((text, NAMES[name], short(figures[0][0]), *map(cell, figures[1:4]),
                             f"{figures[4][0]:.2%}"))
    return table(("", "server", "packets/s beside", "p50 us", "p99 us", "p99.9 us", "lost"), rows)


def delay_table(found):
    kinds = [({"is_own": False, "wanted": rate}, f"{short(rate)}/s")
             for rate in delay_rates(found)]
    rows = []
    for fields, text in (*kinds, ({"is_own": True}, "half of its own highest rate")):
        for name in found.servers:
            figures = [found.figure(name, "delay", field, **fields)
                       for field in ("sent", "back", "p50_us", "p99_us", "p999_us")]
            if figures[0]:
                sent, back = figures[0][0], figures[1][0]
                rows.append((text, NAMES[name], short(sent), *map(cell, figures[2:]),
                             f"{max(1 - back / sent, 0):.1%}"))
    return table(("", "server", "packets/s", "p50 us", "p99 us", "p99.9 us", "lost"), rows)


def delay_rates(found):
    return sorted({one["wanted"] for one in found.records
                   if one["part"] == "delay" and not one["is_own"]})


def flood_table(found, kind):
    steps = sorted({one["times"] for one in found.records
                    if one["part"] == "flood" and one["kind"] == kind})

    def cells(server):
        made = []
        for times in steps:
            part = found.figure(server, "flood", "goodput", kind=kind, times=times)
            sent = found.figure(server, "flood", "sent", kind=kind, times=times)
            wanted = found.figure(server, "flood", "wanted", kind=kind, times=times)
            made.append(cell(part, lambda value: f"{value:.0%}")
                        + (" **load**" if sent and sent[0] < 0.97 * wanted[0] else "")
                        if part else "-")
        return made if any(one != "-" for one in made) else None
    return per_server(found, (f"{kind}: datagrams/s", *(f"{20 * times} k" for times in steps)),
                      cells)


def draw(found, folder):
    folder.mkdir(exist_ok=True)

    def rows(names, part, field, **fields):
        return [(name, *figure) for name in names
                if (figure := found.figure(name, part, field, **fields))]
    kind = {"size": SIZE, "clients": CLIENTS}
    for train, stem in ((32, "trains"), (1, "singles")):
        plot.bars(folder / f"overload-{stem}.svg",
                  f"Delivered at overload, {'trains of 32' if train == 32 else 'single packets'}",
                  "packets a second through one core by sockets; 1,000 bytes, 100 clients; the line "
                  "is the range of rounds",
                  [(way, rows(SOCKETS, "overload", "back", way=way, train=train, **kind))
                   for way in WAYS])
    plot.bars(folder / "xdp.svg", "Delivered at overload, relaying in the kernel too",
              "packets a second through one core; single packets of 1,000 bytes, 100 clients",
              [(way, rows(("fairlead-xdp", *SOCKETS), "overload", "back", way=way, train=1, **kind))
               for way in WAYS])
    plot.bars(folder / "cost.svg", "CPU time of a relayed packet",
              "microseconds of the server's core, what the kernel does for it included, at half of "
              "its own highest rate; less is better",
              [(TRAINS[train], rows(("fairlead-xdp", *SOCKETS), "cost", "us", way="to peers",
                                    train=train)) for train in (32, 1)])
    plot.bars(folder / "latency.svg", "Under way through the server, 99th percentile",
              "microseconds, of single packets in both directions; less is better",
              [(f"{short(rate)} packets a second",
                rows(found.servers, "delay", "p99_us", is_own=False, wanted=rate))
               for rate in delay_rates(found)]
              + [("half of its own highest rate",
                  rows(found.servers, "delay", "p99_us", is_own=True))])
    plots = []
    for flood in ("401", "Binding", "malformed"):
        lines = {}
        for name in found.servers:
            points = collections.defaultdict(list)
            for one in found.of(name, "flood", kind=flood):
                points[one["times"]].append((one["flood"], one["goodput"]))
            if points:
                lines[name] = [tuple(statistics.median(axis) for axis in zip(*some))
                               for some in points.values()]
        plots.append((f"flood: {flood}", lines))
    plot.panels(folder / "flood.svg", "What of 20,000 legitimate packets a second arrives beside a "
                "flood", "higher is better; the darker line is 90 %", plots, "datagrams a second")


def headline(found):
    kind = {"size": SIZE, "clients": CLIENTS}
    lines = []
    for train, text in ((32, "trains of 32"), (1, "single packets of 100 clients")):
        ratios = [found.ratio("overload", "back", way=way, train=train, **kind) for way in WAYS]
        if all(ratios):
            lines.append(f"- **{text}: {min(ratios):.2f} to {max(ratios):.2f} times** what coturn "
                         "delivers at overload, by sockets, on one core "
                         f"({', '.join(f'{way} {ratio:.2f}' for way, ratio in zip(WAYS, ratios))})")
    ratio = found.ratio("overload", "back", way="to peers", train=1, size=SIZE, clients=1000)
    if ratio:
        lines.append(f"- **single packets of 1,000 clients, in which the kernel finds hardly any "
                     f"trains: {ratio:.2f} times**")
    xdp = found.figure("fairlead-xdp", "overload", "back", way="to peers", train=1, **kind)
    if xdp:
        lines.append(f"- **{short(xdp[0])} packets a second** of 1,000 bytes through one core where "
                     "the kernel relays (XDP)")
    ratio = found.ratio("cost", "us", way="to peers", train=1)
    if ratio:
        lines.append(f"- **{ratio:.2f} times coturn's CPU time** for a single packet, "
                     f"{found.ratio('cost', 'us', way='to peers', train=32) or 0:.2f} for one of a "
                     "train, by sockets, with what the kernel does for it")
    for fields, text in (({"is_own": False, "wanted": 50_000}, "50,000 packets a second"),
                         ({"is_own": True}, "half of each one's own highest rate without loss")):
        ratio = found.ratio("delay", "p99_us", **fields)
        if ratio:
            lines.append(f"- **{ratio:.2f} times coturn's 99th percentile** of the time under way "
                         f"at {text}, by sockets")
    ratio = found.ratio("memory", "bytes")
    if ratio:
        lines.append(f"- **{ratio:.2f} times coturn's memory** for an allocation")
    return "\n".join(lines) + "\n"


def machine():
    model = told("sh", "-c", "lscpu | sed -n 's/^Model name: *//p'")
    virtual = told("sh", "-c", "lscpu | sed -n 's/^Hypervisor vendor: *//p'")
    return f"{model}, {os.cpu_count()} processors{', virtual (' + virtual + ')' if virtual else ''}"


def page(found, relay):
    text = (pathlib.Path(__file__).resolve().parent / "RESULTS.md.in").read_text()
    memory = table(("", "bytes"), [(NAMES[name], f"{figure[0]:,.0f}") for name in found.servers
                                   if (figure := found.figure(name, "memory", "bytes"))])
    allocate = table(("", "allocations/s"),
                     [(NAMES[name], cell(figure)) for name in found.servers
                      if (figure := found.figure(name, "allocate", "allocations"))])
    floors = [f"{short(one['back'])} of {short(one['sent'])}"
              + (" where the server's core receives" if one["is_own"] else "")
              for one in found.of("reflector", "floor")]
    rounds = 1 + max((one.get("round", 0) for one in found.records), default=0)
    parts = {
        "HEADLINE": headline(found), "DATE": time.strftime("%Y-%m-%d"), "ROUNDS": str(rounds),
        "RELAY": told(relay, "--version"), "COMMIT": told("git", "describe", "--always", "--dirty"),
        "COTURN": version_of("coturn"), "PION": version_of("golang-github-pion-turn.v2-dev"),
        "GO": version_of("golang-go"), "KERNEL": platform.release(), "MACHINE": machine(),
        "OVERLOAD_TRAINS": overload_table(found, 32), "OVERLOAD_SINGLES": overload_table(found, 1),
        "KINDS": kinds_table(found), "FLOOR": "; ".join(floors) or "not measured",
        "RATE_TRAINS": rate_table(found, 32), "RATE_SINGLES": rate_table(found, 1),
        "LATENCY": latency_table(found), "DELAY": delay_table(found), "ALLOCATE": allocate, "MEMORY": memory,
        "FLOODS": "\n".join(flood_table(found, kind) for kind in found.values("flood", "kind")),
    }
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.split("\n\n")[1])
    folder = pathlib.Path(sys.argv[3] if len(sys.argv) == 4 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    found = Found(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    text = page(found, sys.argv[2])  # first: it names the commit, of which the plots are no part
    draw(found, folder / "plots")
    (folder / "RESULTS.md").write_text(text)
    print(f"{folder / 'RESULTS.md'}\n{headline(found)}", end="")


if __name__ == "__main__":
    main()
