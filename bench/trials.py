# SPDX-License-Identifier: Apache-2.0
"""What is done to a running server by raw frames: overload, the highest loss-free rate, floods.

Each trial answers what the load sent, what came back, and what the server's core did meanwhile. A
load that did not reach the rate it was told is named as such, and nothing is concluded from it.
"""
import struct
import subprocess

import pinner
import rivals
import stun
from world import LISTEN, LOWEST, RELAY, SERVER_CORE, frame, heads_of

ETHERNET, IP4, UDP, CHANDATA = 14, 20, 8, 4
WAYS = {"to peers": (True,), "to clients": (False,), "both ways": (True, False)}
LOSS = 0.001        # of packets, which a rate that counts as loss-free may lose
HELD = 0.97         # of the wanted rate, which the load has to reach
CHEAPEST = 20_000   # packets a second, from which the search for the loss-free rate begins
WARM_S = 0.1        # for which frame_load sends before it counts
FLOODS = ("401", "Binding", "malformed")
FLAT_OUT = 1e9      # packets a second, which no load reaches
BATCH = 64          # packets that the kernel makes at once
BURST = 32          # packets that come together, as interfaces moderate their interrupts
TRIES = 5           # for a rate that grows: a hiccup of the machine is no limit of the server
AGAIN = 3           # for one between two others
GROWTH = 4          # from rate to rate until one is not clean
FLOODERS = 2000     # addresses that a flood comes from


class Target:
    """A server with clients that are set up."""

    def __init__(self, world, server, clients, count):
        self.world, self.server, self.clients = world, server, clients
        self.ports = [clients.set_up(index, 4) for index in range(count)]

    def heads(self, way, train, size, count):
        """The frames of a way for so many of the clients, in trains; and their length."""
        total = ETHERNET + IP4 + UDP + CHANDATA + size
        ways = [list(heads_of(self.world, self.clients, self.ports[:count], 4, is_from_client,
                              total))
                for is_from_client in WAYS[way]]
        return [head for turn in zip(*ways) for one in turn for head in [one] * train], total

    def run(self, heads, seconds, total, rate=0, burst=1, shortest=0):
        """One trial: packets a second and seconds of the server's core."""
        core, begun_ns = rivals.Core(SERVER_CORE), self.cpu_ns()
        back, sent = self.world.run(heads, seconds, total, rate, burst, shortest)
        spent = core.spent()
        return {"sent": sent, "back": back, "wanted": rate, "cpu": (self.cpu_ns() - begun_ns) / 1e9,
                "busy": spent["busy"], "softirq": spent["softirq"], "elapsed": spent["all"]}

    def cpu_ns(self):
        """What the server has computed, and the kernel in receiving for it."""
        return self.server.cpu_ns() + (pinner.cpu_ns("gb") if self.world.is_pinned else 0)


def overload(target, way, train, size, count, seconds):
    heads, total = target.heads(way, train, size, count)
    return target.run(heads, seconds, total, FLAT_OUT, BATCH) | {"wanted": 0}


def is_held(trial):
    return trial["sent"] >= HELD * trial["wanted"]


def is_clean(trial):
    return trial["back"] >= (1 - LOSS) * trial["sent"]


def loss_free(target, way, train, size, count, seconds, steps, highest):
    """RFC 2544 section 26.1, shortened: halving the interval, as the last clean trial. The rate
    grows until one is not clean, then so many steps. Its field `limit` says what stopped it."""
    heads, total = target.heads(way, train, size, count)
    low, high, best, limit = 0, None, None, "server"
    rate = CHEAPEST
    while steps > 0 and rate <= highest:
        for _ in range(AGAIN if high else TRIES):
            trial = target.run(heads, seconds, total, rate, BURST)
            if is_held(trial) and is_clean(trial):
                break
        if not is_held(trial):
            limit, high = "load", rate
        elif is_clean(trial):
            best, low = trial, rate
        else:
            limit, high = "server", rate
        steps -= high is not None
        rate = (low + high) / 2 if high else GROWTH * rate
        if low == 0 and rate < 1000:
            break
    if best is None:
        best = target.run(heads, seconds, total, 1000, BURST)
    return best | {"limit": limit if high else "load"}


def cost(target, way, train, size, count, seconds, rate):
    """Microseconds of the server's core for each packet that it relays at this rate: of the
    server's threads and of the kernel's that receives for it. `busy_us` is the same by the core's
    own account of all that was not idle, whoever caused it."""
    heads, total = target.heads(way, train, size, count)
    trial = target.run(heads, seconds, total, rate, BURST)
    # The packets by which frame_load warms up are paid for too.
    packets = trial["back"] * (seconds + WARM_S)
    return trial | {"us": trial["cpu"] / packets * 1e6 if packets else None,
                    "busy_us": trial["busy"] / packets * 1e6 if packets else None}


def delay(target, way, train, size, count, seconds, rate):
    """How long packets are under way, from when they are made to when they are back at the load."""
    heads, total = target.heads(way, train, size, count)
    back, sent, *delays = target.world.run_stamped(heads, seconds, total, rate, BURST)
    return {"sent": sent, "back": back, "wanted": rate} | {
        name: ns / 1e3 for name, ns in zip(("p50_us", "p99_us", "p999_us"), delays)}


def floor(world, clients, size, count, seconds):
    """What the load itself can do: its frames, only turned round at the other end."""
    total = ETHERNET + IP4 + UDP + CHANDATA + size
    heads = heads_of(world, clients, range(LOWEST, LOWEST + count), 4, True, total)
    turner = subprocess.Popen([*world.host.prefix, world.frame_load, "gb", "turn"],
                              stdout=subprocess.PIPE, text=True)
    try:
        if not turner.stdout.readline():
            raise OSError("frame_load cannot turn frames round")
        back, sent = world.run(heads, seconds, total, FLAT_OUT, BATCH)
    finally:
        turner.terminate()
        turner.wait()
    return {"sent": sent, "back": back}


def flood_message(kind, index):
    transaction = struct.pack("!IQ", index, 0)
    if kind == "401":
        body = struct.pack("!HHI", stun.REQUESTED_TRANSPORT, 4, 17 << 24)
        return struct.pack("!HHI", 3, len(body), 0x2112A442) + transaction + body
    if kind == "Binding":
        return struct.pack("!HHI", 1, 0, 0x2112A442) + transaction
    # An Allocate request whose one attribute overruns it.
    return struct.pack("!HHI", 3, 8, 0x2112A442) + transaction + struct.pack("!HHI", 6, 400, 0)


def flood(target, kind, rate, times, size, count, seconds):
    """Legitimate single packets at `rate`, and `times` as many of the flood between them."""
    legitimate, total = target.heads("to peers", 1, size, count)
    heads, turn = [], 0
    # As many frames as let the addresses of the flood be different ones.
    for index in range(max(count, FLOODERS // times if times else count) // count * count):
        heads.append((legitimate[index % count], 0))
        for _ in range(times):
            data = flood_message(kind, turn)
            short = ETHERNET + IP4 + UDP + len(data)
            source = (f"10.100.{128 + turn % FLOODERS // 250}.{1 + turn % 250}",
                      1024 + turn % 50000)
            heads.append((frame(target.world.macs, 4, source, (RELAY[4], LISTEN), data, short),
                          total - short))
            turn += 1
    # What is relayed to peers is shorter than it came by the four bytes of ChannelData.
    trial = target.run(heads, seconds, total, rate * (1 + times), 1, total - CHANDATA)
    wanted = trial["sent"] / (1 + times)
    return trial | {"flood": trial["sent"] - wanted, "goodput": trial["back"] / wanted}

