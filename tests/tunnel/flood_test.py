#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Floods of handshakes, which cost the relay more than whoever asks for them."""
import re
import signal
import time
import urllib.request

import tunnel
from sandbox import wait_until
from tunnel import Control, keys, read_until_over

TURNED_AWAY = "control connections are turned away, since too many handshakes are asked for "
FLOOD_S = 20
FLOODER, OTHER, THIRD = "127.7.0.1", "127.8.0.1", "127.9.0.1"  # of three networks


def crowded_count(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        text = page.read().decode()
    return int(re.search(r'handshakes_refused_total\{reason="crowded"\} (\d+)', text)[1])


class Flood(tunnel.TunnelCase):
    def flood(self, relay):
        """Until somebody is turned away."""
        hello, end = tunnel.client_hello(), time.monotonic() + FLOOD_S
        while TURNED_AWAY not in relay.log():
            self.assertLess(time.monotonic(), end, "nobody is turned away")
            try:
                self.dial(relay.port, source=FLOODER).sendall(hello)
            except ConnectionError:
                pass

    def talk(self, server, source):
        """By a session that is made now, whose reverse connection comes from there."""
        client = self.client(server)
        reverse = self.dial(server.reverse_port, source=source)
        self.assert_talk(client, reverse)
        return client, reverse

    def limited(self, *options, **more):
        return self.relay(*options, announced=[TURNED_AWAY], **more)

    def test_one_network_keeps_no_other_out(self):
        relay = self.limited("--max-handshakes-per-second", 4)
        server = self.control(relay, source=OTHER)
        session = self.talk(server, OTHER)
        self.flood(relay)
        self.assert_talk(*session)
        self.talk(server, OTHER)
        self.talk(self.control(relay, source=THIRD), THIRD)

    def test_who_is_turned_away_is_reset_at_once_and_counted(self):
        port = tunnel.daemon.free_tcp_port()
        relay = self.limited("--max-handshakes-per-second", 4, "--metrics-addr",
                             f"127.0.0.1:{port}")
        self.flood(relay)
        end, refused = time.monotonic() + FLOOD_S, False
        while not refused:
            self.assertLess(time.monotonic(), end)
            try:
                stranger = self.dial(relay.port, source=FLOODER)
                stranger.settimeout(0.2)
                refused = read_until_over(stranger) == b""
            except ConnectionResetError:
                refused = True
            except TimeoutError:
                pass
        wait_until(lambda: crowded_count(port) > 0, FLOOD_S)

    def test_a_reload_changes_the_limit(self):
        path = f"{keys().folder}/flood.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write("max-handshakes-per-second = 4\n")
        relay = self.limited("--config", path, pairs=1, environment={tunnel.HANDSHAKES: None})
        self.flood(relay)
        with open(path, "w", encoding="ascii") as file:
            file.write("max-handshakes-per-second = 0\n")
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("are reloaded", FLOOD_S)
        for _ in range(30):
            Control(relay, source=FLOODER).close()

if __name__ == "__main__":
    tunnel.main()
