# SPDX-License-Identifier: Apache-2.0
"""coturn's own clients as processes: turnutils_uclient and turnutils_peer.

turnutils_uclient ends with exit code 0 even when packets are lost, so its totals are read.
"""
import re
import subprocess
import time

from client import open_socket
from daemon import end_with_parent, free_ports

MESSAGES, LENGTH = 40, 170


def uclient(options, server, port, peer, peer_port, counts, password="wonder", user="alice",
            prefix=()):
    counts = {"-m": 1, "-n": MESSAGES, "-l": LENGTH, "-z": 20} | counts
    proof = ["-w", password] if password else []  # else the options have one
    command = [*prefix, "turnutils_uclient", *options.split(), "-e", peer, "-r", peer_port,
               "-u", user, *proof, "-p", port, *(word for pair in counts.items() for word in pair),
               server]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, preexec_fn=end_with_parent)


def start_peer(hosts=("127.0.0.1", "::1"), prefix=()):
    """turnutils_peer at two ports of addresses that the caller has: (process, lower port)."""
    port = free_ports(2)
    listening = [word for host in hosts for word in ("-L", host)]
    process = subprocess.Popen([*prefix, "turnutils_peer", "-p", str(port), *listening],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=end_with_parent)
    for host in hosts:
        with open_socket(host) as udp:
            udp.settimeout(0.2)
            for _ in range(200):
                udp.sendto(b"ready?", (host, port + 1))
                try:
                    udp.recv(100)
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                process.kill()
                raise AssertionError(f"turnutils_peer does not answer at {host}")
    return process, port


def assert_all_arrived(test, run, wanted):
    """A uclient that has sent so many messages in all has received each of them."""
    output, _ = run.communicate(timeout=60)
    told = f"{' '.join(run.args)}\n{output}"
    totals = re.findall(r"start_mclient: tot_send_bytes ~ (\d+), tot_recv_bytes ~ (\d+)", output)
    test.assertTrue(totals, told)
    test.assertEqual(totals[-1], (str(wanted * LENGTH), str(wanted * LENGTH)), told)
    counted = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    test.assertEqual(counted[-1], (str(wanted), str(wanted)), told)
    test.assertRegex(output, r"Total lost packets 0 \(0\.0+%\), total send dropped 0 ", told)
    test.assertEqual(run.returncode, 0, told)
