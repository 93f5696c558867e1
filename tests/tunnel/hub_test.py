#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`fairlead-tunnel expose` byte by byte, with a relay of version 2 that does as the test likes."""
import signal
import socket
import ssl

import tunnel
from daemon import LEAN, rss_kib
from hub import DATA_PROTOCOL, Hub, server_context
from sandbox import wait_until
from second import STANDBY, Token
from spoke_test import LONG_S, Spoke, pin, word
from tools import ToolCase
from traffic import Receiver, Sender
from tunnel import expect_silence, keys, read, read_to_end

STRANGE = "does not speak as a relay does"


class HubCase(ToolCase):
    def setUp(self):
        super().setUp()
        self.token = Token("laptop", pin=pin(keys().relay))
        self.hub = self.own(Hub())

    def expose(self, *options, retry="lost", **more):
        return self.own(Spoke(self.hub.port, "--name", "web", *options, token=word(self.token),
                              retry=retry, **more))

    def link(self, **fields):
        """A link on which `web` is bound."""
        link = self.own(self.hub.link())
        _, bind = link.welcome(**fields)
        link.bind(bind)
        return link

    def serve(self, exposed, **_):
        return self.own(exposed.accept())

    def assert_over(self, tcp):
        try:
            self.assertEqual(tcp.recv(1), b"")
        except ConnectionResetError:
            pass


class Words(HubCase):
    """What is said on the control connection."""

    def test_it_proves_itself_and_binds_without_a_wait(self):
        self.expose("--port", 12102, "--max-sessions", 7, "--pool", 3)
        link = self.own(self.hub.link())
        hello, bind = link.welcome()
        self.assertEqual(hello["auth"], "token")
        self.assertEqual(hello["id"], "laptop")
        self.assertEqual(hello["proof"], self.token.proof(link.keys[:32]).hex())
        self.assertEqual((hello["pool"], hello["caps"]), ("3", "standby"))
        self.assertTrue(hello["agent"].startswith("fairlead/"))
        self.assertEqual(dict(bind), {"rid": "1", "name": "web", "kind": "tcp", "port": "12102",
                                      "max": "7"})

    def test_it_says_where_clients_find_it(self):
        exposed = self.expose("--host", "Shop.test", "--host", "*.shop.test")
        link = self.own(self.hub.link())
        _, bind = link.welcome()
        self.assertEqual((bind["kind"], bind["hosts"]), ("sni", "shop.test,*.shop.test"))
        link.say("bound", rid=bind["rid"], name="web", at="relay.test:443")
        self.assertEqual(exposed.tool.line(), b"shop.test:443\n")
        self.assertEqual(exposed.tool.line(), b"*.shop.test:443\n")

    def test_it_is_the_same_after_a_loss_and_another_after_a_restart(self):
        first = self.expose()
        link = self.own(self.hub.link())
        hello, bind = link.welcome()
        link.bind(bind)
        first.tool.line()
        tunnel.reset(link.tls)
        again, _ = self.own(self.hub.link()).welcome()
        self.assertEqual(again["instance"], hello["instance"])
        self.assertNotEqual(again["proof"], hello["proof"])
        first.close()
        self.expose()
        other, _ = self.own(self.hub.link()).welcome()
        self.assertNotEqual(other["instance"], hello["instance"])

    def test_it_answers_pings_and_passes_over_what_it_does_not_know(self):
        self.expose()
        link = self.link()
        link.say("news", of="tomorrow")
        link.say("ping", n=77, more="x")
        link.expect("pong", n=77)

    def test_it_pings_and_leaves_a_relay_that_says_nothing(self):
        exposed = self.expose()
        link = self.link(ping=1, dead=3)
        exposed.tool.line()
        self.assertEqual(link.line().verb, "ping")
        while (line := link.line()).verb == "ping":
            pass
        self.assertEqual((line.verb, line["code"]), ("bye", "silent"))
        self.link()
        wait_until(lambda: "says nothing any more" in exposed.tool.errors(), LONG_S)

    def test_it_leaves_a_relay_that_breaks_the_rules(self):
        for text in (b"\r\n", b"pong n=1\r\n", b"WELCOME\r\n", b"welcome sid=0\r\n", b"x" * 5000,
                     b"\x00\xff\r\n", b"220 mail.example.org ESMTP\r\n"):
            exposed = self.expose()
            link = self.own(self.hub.link())
            link.expect("hello")
            link.expect("bind")
            link.tls.sendall(text)
            link.expect("bye")
            link.close()
            self.assert_fails(exposed.tool, STRANGE)

    def test_it_comes_again_when_the_relay_says_so(self):
        exposed = self.expose()
        link = self.link()
        exposed.tool.line()
        link.say("bye", code="busy", text="full of fish", retry=1)
        self.link()
        self.assertIn("full of fish", exposed.tool.errors())
        wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)

    def test_it_does_not_come_again_when_it_is_not_to(self):
        exposed = self.expose()
        link = self.link()
        exposed.tool.line()
        link.say("bye", code="revoked")
        self.assertEqual(exposed.tool.wait(), 1)

    def test_it_asks_again_when_the_relay_says_so(self):
        exposed = self.expose()
        link = self.own(self.hub.link())
        _, bind = link.welcome()
        link.say("error", rid=bind["rid"], code="busy", retry=1)
        again = link.expect("bind", name="web")
        self.assertNotEqual(again["rid"], bind["rid"])
        link.bind(again)
        self.assertEqual(exposed.tool.line(), b"relay.test:12101\n")

    def test_it_leaves_a_relay_that_drains_and_still_serves_there(self):
        exposed = self.expose("--pool", 0)
        old = self.link()
        exposed.tool.line()
        old.say("drain", **{"in": 60})
        new = self.link()
        wait_until(lambda: " again\n" in exposed.tool.errors(), LONG_S)
        for link in (old, new):
            link.client(1, "web")
            data = self.own(self.hub.data(link, 1))
            self.assert_talk(data, self.serve(exposed))
        old.say("unbound", name="web", code="replaced")
        old.say("bye", code="shutdown")
        new.client(2, "web")
        self.assert_talk(self.own(self.hub.data(new, 2)), self.serve(exposed))


class Data(HubCase):
    """Data connections."""

    def test_a_client_that_waits_gets_one_of_its_own(self):
        exposed = self.expose("--pool", 0)
        link = self.link()
        for number in (5, 2**64 - 1):
            link.client(number, "web")
            data = self.own(self.hub.data(link, number))
            self.assert_talk(data, self.serve(exposed))

    def test_it_says_when_the_service_is_not_there(self):
        exposed = self.expose()
        exposed.listener.close()
        link = self.link()
        link.client(5, "web")
        link.expect("refuse", id=5, code="unreachable")
        link.client(6, "other")
        link.expect("refuse", id=6, code="denied")

    def test_it_has_no_more_clients_than_it_may(self):
        exposed = self.expose("--max-sessions", 2, "--pool", 1)
        link = self.link()
        for number in (1, 2):
            link.client(number, "web")
            self.own(self.hub.data(link, number))
            self.serve(exposed)
        link.client(3, "web")
        link.expect("refuse", id=3, code="busy")
        link.say("standby", id=4)
        standing = self.own(self.hub.data(link, 4, STANDBY))
        standing.sendall(link.head(4, 5, "web"))
        self.assert_over(standing)

    def test_a_standing_connection_gets_its_client(self):
        exposed = self.expose("--pool", 2, "--proxy-protocol", "v1")
        link = self.link()
        for number in (1, 2):
            link.say("standby", id=number)
        standing = [self.own(self.hub.data(link, number, STANDBY)) for number in (1, 2)]
        link.say("standby", id=3)
        link.expect("refuse", id=3, code="busy")
        for number, data in zip((1, 2), standing):
            head = link.head(number, 10 + number, "web") + b"at once"
            for at in range(0, len(head), 50):  # in pieces
                data.sendall(head[at:at + 50])
            service = self.serve(exposed)
            wanted = b"PROXY TCP4 192.0.2.7 198.51.100.2 49152 12101\r\nat once"
            self.assertEqual(read(service, len(wanted)), wanted)
            self.assert_talk(data, service)

    def test_it_believes_nothing_that_is_not_the_relays(self):
        exposed = self.expose("--pool", 1)
        link = self.link()
        for number, key in enumerate((bytes(32), link.keys[32:64], link.keys[:32])):
            link.say("standby", id=number + 1)
            data = self.own(self.hub.data(link, number + 1, STANDBY))
            data.sendall(link.head(number + 1, 9, "web", key=key) + b"evil")
            self.assert_over(data)
        link.say("standby", id=8)
        data = self.own(self.hub.data(link, 8, STANDBY))
        data.sendall(link.head(7, 9, "web"))  # of another connection
        self.assert_over(data)
        exposed.listener.settimeout(tunnel.SILENCE_S)
        with self.assertRaises(TimeoutError):
            exposed.accept()
        wait_until(lambda: "in between" in exposed.tool.errors(), LONG_S)

    def test_standing_connections_end_with_their_control_connection(self):
        self.expose("--pool", 1)
        link = self.link()
        link.say("standby", id=1)
        standing = self.own(self.hub.data(link, 1, STANDBY))
        expect_silence(standing)
        tunnel.reset(link.tls)
        self.assert_over(standing)

    def test_a_flood_of_words_fills_nothing(self):
        exposed = self.expose("--pool", 0, environment=LEAN)
        link = self.link()
        exposed.tool.line()
        before_kib = rss_kib(exposed.tool.process.pid)
        link.tls.settimeout(LONG_S)
        try:
            for _ in range(300):
                link.tls.sendall(b"".join(b"ping n=%d\r\n" % n for n in range(1000)))
        except OSError:
            pass  # it has had enough of a relay that does not read
        self.assertLess(rss_kib(exposed.tool.process.pid) - before_kib, 4096)
        tunnel.reset(link.tls)
        self.link()


class Sealed(HubCase):
    """Data connections in TLS, as the relay wants them."""

    def setUp(self):
        super().setUp()
        self.exposed = self.expose("--pool", 1, environment=LEAN)
        self.link = self.link(data="tls")
        self.number = 0

    def session(self, _=None):
        """A client's connection in TLS, and the service's end; by a standing one each other time."""
        self.number += 2
        if self.number % 4:
            self.link.client(self.number, "web")
            data = self.own(self.hub.sealed_data(self.link, self.number))
        else:
            self.link.say("standby", id=self.number)
            data = self.own(self.hub.sealed_data(self.link, self.number, STANDBY))
            head = self.link.head(self.number, self.number + 1, "web")
            data.sendall(head[:40])
            data.sendall(head[40:])
        service = self.serve(self.exposed)
        self.assert_talk(data, service)
        return data, service

    def test_bytes_go_both_ways(self):
        for data, service in [self.session() for _ in range(6)]:
            self.assert_talk(data, service)
            self.assert_talk(service, data)

    def test_bytes_that_come_with_the_head(self):
        self.link.say("standby", id=1)
        data = self.own(self.hub.sealed_data(self.link, 1, STANDBY))
        data.sendall(self.link.head(1, 2, "web") + b"x" * 16000)
        data.sendall(b"y" * 300000)
        service = self.serve(self.exposed)
        self.assertEqual(read(service, 316000), b"x" * 16000 + b"y" * 300000)

    def test_much_goes_both_ways_at_once(self):
        for _ in range(2):
            data, service = self.session()
            data.settimeout(LONG_S)
            senders = [Sender(end, 1 << 24, stays=True) for end in (service,)]
            received = Receiver(data, 1 << 24)
            self.assertEqual(senders[0].result(), received.result())
            sender, receiver = Sender(data, 1 << 24, stays=True), Receiver(service, 1 << 24)
            self.assertEqual(sender.result(), receiver.result())

    def test_nothing_is_kept_for_those_who_do_not_read(self):
        for _ in range(2):
            data, service = self.session()
            before_kib = rss_kib(self.exposed.tool.process.pid)
            for end in (service, data):
                end.settimeout(0.3)
                with self.assertRaises((TimeoutError, ssl.SSLError)):
                    while True:
                        end.sendall(bytes(1 << 16))
            self.assertLess(rss_kib(self.exposed.tool.process.pid) - before_kib, 8192)

    def test_the_service_may_finish_first(self):
        for _ in range(2):
            data, service = self.session()
            service.sendall(b"bye")
            service.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(data), b"bye")
            data.sendall(b"still here")
            self.assertEqual(read(service, 10), b"still here")
            data.unwrap().close()
            self.assertEqual(read_to_end(service), b"")

    def test_the_relay_may_finish_first(self):
        for _ in range(2):
            data, service = self.session()
            service.settimeout(LONG_S)
            data.setblocking(False)
            with self.assertRaises(ssl.SSLWantReadError):
                data.unwrap()  # the first half
            data.settimeout(LONG_S)
            self.assertEqual(read_to_end(service), b"")
            service.sendall(b"the rest")
            service.close()
            self.assertEqual(read(data, 8), b"the rest")
            with self.assertRaises(ssl.SSLZeroReturnError):
                data.recv(1)

    def test_what_is_lost_on_one_side_is_lost_on_the_other(self):
        for _ in range(2):
            data, service = self.session()
            tunnel.reset(service)
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                self.assertNotEqual(data.recv(1), b"")
        for _ in range(2):
            data, service = self.session()
            tunnel.reset(data)
            with self.assertRaises(ConnectionResetError):
                service.recv(1)

    def test_it_looks_at_the_relays_key_there_too(self):
        stranger = server_context((DATA_PROTOCOL,), keys().application)
        self.link.client(1, "web")
        with self.assertRaises((ssl.SSLError, OSError)):
            read(self.own(stranger.wrap_socket(self.hub.accept(), server_side=True)), 1)
        self.link.expect("refuse", id=1, code="other")

    def test_it_ends_when_it_is_told(self):
        data, service = self.session()
        self.exposed.tool.signal(signal.SIGTERM)
        self.link.expect("bye", code="shutdown")
        service.sendall(b"the last words")
        service.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(data), b"the last words")
        data.close()
        self.assertEqual(tunnel.read_until_over(service), b"")
        self.link.close()
        self.assertEqual(self.exposed.tool.wait(), 0)


if __name__ == "__main__":
    tunnel.main()
