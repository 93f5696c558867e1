#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The reverse relay beside a flood of ClientHellos: what sessions that are made meanwhile, and data,
notice of it. The relay has one core, all else the other.

Usage: tunnel_flood.py TUNNEL TCP_LOAD [--rate N] [--seconds S] [--option=WORDS]

Whoever floods needs no certificate: each connection says what a client of TLS says first, and is
closed when the relay's answer, whose key exchange and signature cost it far more, has come or a
second has passed. Clients come from one network or from many, a client of the service every 20 ms;
its time goes from connect() to the first byte of the echo.
"""
import argparse
import collections
import multiprocessing
import os
import pathlib
import socket
import ssl
import statistics
import tempfile
import time

import tunnel_bench

NETWORKS = {"no flood": 0, "from one network": 1, "from 64 networks": 64}
OPEN_MAX = 4000


def client_hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    tls = context.wrap_bio(ssl.MemoryBIO(), sent := ssl.MemoryBIO())
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("a handshake is over at once")


def flood(port, networks, rate, count):
    """Until it is ended; `count` is how many have come, and how many were answered."""
    os.sched_setaffinity(0, {tunnel_bench.LOAD_CORE})
    hello, waiting, number = client_hello(), collections.deque(), 0
    start = time.monotonic()
    while True:
        number += 1
        time.sleep(max(start + number / rate - time.monotonic(), 0))
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        tcp.bind((f"127.{2 + number % networks}.0.1", 0))
        tcp.setblocking(False)
        waiting.append((time.monotonic(), tcp))
        try:
            tcp.connect_ex(("127.0.0.1", port))
            tcp.send(hello)
        except OSError:
            pass
        count[0] += 1
        while waiting and (waiting[0][0] + 1 < time.monotonic() or len(waiting) > OPEN_MAX):
            _, old = waiting.popleft()
            try:
                count[1] += len(old.recv(100)) > 0
            except OSError:
                pass
            old.close()


def session_ms(port):
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 10) as tcp:
        tcp.settimeout(10)
        tcp.sendall(b"E?")
        if not tcp.recv(1):
            raise OSError("closed")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return (time.monotonic() - start) * 1000


def sessions(rival, seconds):
    """Times of those that were made, and how many were not."""
    times, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            times.append(session_ms(rival.port))
        except OSError:
            failed += 1
        time.sleep(0.02)
    return times, failed


def measure(options, folder, name, networks):
    rival = tunnel_bench.Fairlead(name, folder)
    count = multiprocessing.Array("q", 2)
    bench = tunnel_bench.Bench(options)
    flooder = None
    try:
        rival.open(options.load)
        if networks:
            flooder = multiprocessing.Process(target=flood, daemon=True, args=(
                rival.port - 2, networks, options.rate, count))
            flooder.start()
            time.sleep(2)
        before_s, before = rival.cpu_s(), list(count)
        times, failed = sessions(rival, options.seconds)
        cpu = (rival.cpu_s() - before_s) / options.seconds
        came, answered = (now - then for now, then in zip(count, before))
        (rate, _), _ = bench.ask(rival, "bulk", 8, options.seconds)
        times.sort()
        print(f"{name:17} {came / options.seconds:6.0f} hellos/s, {answered / options.seconds:5.0f}"
              f" answered; session p50 {statistics.median(times):7.2f} ms, p99 "
              f"{times[len(times) * 99 // 100]:7.2f} ms, {failed} failed; relay's CPU {cpu:4.0%}; "
              f"bulk {rate / 1e9:.2f} GB/s", flush=True)
    finally:
        if flooder is not None:
            flooder.kill()
            flooder.join()
        rival.end()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("Usage: "))
    parser.add_argument("tunnel", type=os.path.abspath)
    parser.add_argument("load", type=os.path.abspath)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--option", action="append", default=[])
    options = parser.parse_args()
    tunnel_bench.Fairlead.program = options.tunnel
    tunnel_bench.Fairlead.options = [word for one in options.option for word in one.split()]
    os.sched_setaffinity(0, {tunnel_bench.LOAD_CORE})
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for what, networks in NETWORKS.items():
            measure(options, folder, what, networks)


if __name__ == "__main__":
    main()
