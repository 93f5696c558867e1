#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Data connections of version 2 in TLS: the relay's side byte by byte, and both programs together.

    client --> relay <== TLS == agent --> service
"""
import hashlib
import os
import selectors
import signal
import socket
import ssl
import time

import halves_test
import pressure_test
import second
import second_test
import spoke_test
import tunnel
from daemon import LEAN
from sandbox import wait_until
from second import STANDBY, finish
from traffic import Receiver, Sender, pour
from tunnel import keys, read, read_to_end, read_until_over, reset

FORGED = second_test.FORGED
REFUSED = "a data connection in TLS was refused "
MUCH = 48 << 20  # bytes


class SealedCase(second_test.SecondCase):
    options = ()

    def setUp(self):
        super().setUp()
        self.one = self.relay(*self.options, is_shared=True, environment=LEAN,
                              announced=[FORGED, REFUSED, second_test.UNCALLED])
        self.link = self.agent(self.one, pool=4, caps="standby")
        self.port = self.link.bind()

    def visit_here(self):
        """A client, and its id."""
        client = self.dial(self.port)
        line = self.link.next()
        while line.verb != "new_connection":
            self.assertIn(line.verb, ("standby", "gone"))
            line = self.link.next()
        return client, line["id"]

    def join_here(self, is_tls=True):
        client, number = self.visit_here()
        link = self.link
        return client, self.own(link.dial_sealed(number) if is_tls else link.dial(number))

    def assert_cut(self, tcp):
        """A reset, or in TLS an end without close_notify."""
        with self.assertRaises((ConnectionResetError, ssl.SSLEOFError)):
            data = tcp.recv(1)
            self.fail(f"an end expected, got {data!r}")


class Data(SealedCase):
    """An agent of the test's own."""

    def test_the_agent_may_choose(self):
        self.assertNotIn("data", self.link.welcome)
        self.assertIn("tls", self.link.welcome["caps"].split(","))
        for is_tls in (True, False, True):
            self.assert_talk(*self.join_here(is_tls))

    def test_both_directions_at_once(self):
        client, data = self.join_here()
        # Python's TLS is for one thread at a time, so each direction has its turn.
        for one, other in ((client, data), (data, client)):
            sender, receiver = Sender(one, MUCH // 3, stays=True), Receiver(other, MUCH // 3)
            self.assertEqual(receiver.result(), sender.result())
        client.close()
        self.assertEqual(read_to_end(data), b"")
        data.unwrap().close()
        self.one.wait_for_log(f'bytes_from_client={MUCH // 3}')
        self.assertIn(f'bytes_to_client={MUCH // 3}', self.one.log())

    def test_what_comes_behind_the_preface_arrives(self):
        client, number = self.visit_here()
        data = self.own(self.link.seal())
        data.sendall(self.link.preface(number) + b"banner")  # one record
        self.assertEqual(read(client, 6), b"banner")
        client, number = self.visit_here()
        client.sendall(b"early")
        client.shutdown(socket.SHUT_WR)
        data = self.own(self.link.dial_sealed(number))
        self.assertEqual(read_to_end(data), b"early")
        data.sendall(b"late")
        self.assertEqual(read(client, 4), b"late")

    def test_a_preface_may_come_in_pieces(self):
        client, number = self.visit_here()
        data = self.own(self.link.seal())
        for one in self.link.preface(number):
            data.sendall(bytes([one]))
        self.assert_talk(client, data)

    def test_either_side_may_finish_first(self):
        client, data = self.join_here()
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(data), b"request")
        data.sendall(b"response")
        data.unwrap().close()
        self.assertEqual(read_to_end(client), b"response")
        client, data = self.join_here()
        data.sendall(b"greeting")
        finish(data)
        self.assertEqual(read_to_end(client), b"greeting")
        client.sendall(b"answer")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read(data, 6), b"answer")
        with self.assertRaises(ssl.SSLZeroReturnError):
            data.recv(1)

    def test_what_is_lost_on_one_side_is_lost_on_the_other(self):
        for lose in (reset, lambda tls: tls.shutdown(socket.SHUT_RDWR), lambda tls: tls.close()):
            client, data = self.join_here()
            self.assert_talk(client, data)
            lose(data)  # without close_notify
            self.assert_cut(client)
        for _ in range(2):
            client, data = self.join_here()
            self.assert_talk(client, data)
            reset(client)
            self.assert_cut(data)

    def test_garbage_in_the_place_of_a_record(self):
        client, data = self.join_here()
        self.assert_talk(client, data)
        tcp = socket.socket(fileno=os.dup(data.fileno()))
        tcp.sendall(b"no record of TLS begins like this")
        tcp.close()
        self.assert_cut(client)
        self.assert_talk(*self.join_here())

    def test_garbage_in_the_place_of_a_handshake(self):
        hello = tunnel.client_hello()
        for said in (b"\x16\x03", b"\x16\x03\x01\x00\x05hello", hello[:50] + os.urandom(len(hello)),
                     b"\x16\x03\x01\xff\xff" + os.urandom(70000)):
            tcp = self.dial(self.one.port)
            try:
                tcp.sendall(said)
                tcp.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has been seen through already
            read_until_over(tcp)
        self.assert_talk(*self.join_here())

    def test_a_preface_is_for_one_connection_and_its_agent(self):
        client, number = self.visit_here()
        for preface in (self.link.preface(number, key=bytes(32)),
                        self.link.preface(number, sid=bytes(16)), os.urandom(64),
                        self.link.preface(number, STANDBY), self.link.preface(int(number) + 7)):
            data = self.own(self.link.seal())
            data.sendall(preface)
            self.assert_cut(data)
        data = self.own(self.link.dial_sealed(number))
        self.assert_talk(client, data)
        self.assert_cut(self.own(self.link.dial_sealed(number)))
        self.assert_talk(client, data)

    def test_who_says_nothing_is_reset(self):
        data = self.own(self.link.seal())
        self.assert_cut(data)  # after three seconds
        data = self.own(self.link.seal())
        data.sendall(bytes(63))
        self.assert_cut(data)
        data = self.own(self.link.seal())
        finish(data)
        self.assert_cut(data)
        wait_until(lambda: "it ended before its preface" in self.one.log())

    def test_it_takes_tls_1_3_and_its_own_protocol(self):
        self.assertIn("alert", second.refusal(self.one.port, [second.DATA_PROTOCOL],
                                              version=ssl.TLSVersion.TLSv1_2))
        self.assertIn(second_test.UNSPOKEN, second.refusal(self.one.port, ["tlsrelay-data/3"]))

    def test_at_the_shared_port_too(self):
        client, number = self.visit_here()
        self.assert_talk(client,
                         self.own(self.link.dial_sealed(number, port=self.one.shared)))

    def test_many_clients_at_once(self):
        visits = [self.visit_here() for _ in range(60)]
        for client, number in reversed(visits):
            self.assert_talk(client, self.own(self.link.dial_sealed(number)))

    def test_a_transfer_outlives_its_control_connection(self):
        client, data = self.join_here()
        self.assert_talk(client, data)
        sender, receiver = Sender(client, MUCH // 3), Receiver(data)
        self.link.lose()
        self.assertEqual(receiver.result(), sender.result())
        data.sendall(b"thanks")
        self.assertEqual(read(client, 6), b"thanks")

    def test_a_token_that_is_revoked_takes_its_sessions(self):
        client, data = self.join_here()
        self.assert_talk(client, data)
        self.write_access(second.Token("other").line())
        self.one.process.send_signal(signal.SIGHUP)
        self.assertEqual(read_to_end(data), b"")  # close_notify
        self.assertEqual(read_to_end(client), b"")

    def test_new_certificates_are_for_those_who_come_later(self):
        client, data = self.join_here()
        self.one.process.send_signal(signal.SIGHUP)
        self.one.wait_for_log("are reloaded")
        self.assert_talk(client, data)
        self.assert_talk(*self.join_here())


class Standing(SealedCase):
    """Connections that stand by."""

    def number(self):
        """Of one that the relay has asked for."""
        return (self.link.seen.pop(0) if self.link.seen else self.link.expect("standby"))["id"]

    def stand(self):
        number = self.number()
        return self.own(self.link.dial_sealed(number, STANDBY)), number

    def given(self, standing):
        """The one that a client is given, with what is told of it; None: it is announced."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.link.tls, selectors.EVENT_READ)
            for data, number in standing:
                selector.register(data, selectors.EVENT_READ, number)
            while True:
                for key in (key for key, _ in selector.select(20) if key.data is not None):
                    return key.fileobj, self.link.read_head(key.fileobj, key.data)
                line = self.link.next()
                if line.verb == "new_connection":
                    return None

    def test_a_client_gets_one(self):
        standing = [self.stand() for _ in range(2)]
        given = None
        while given is None:  # their prefaces may be under way yet
            time.sleep(0.05)
            client = self.dial(self.port)
            client.sendall(b"early")
            given = self.given(standing)
        data, line = given
        self.assertEqual(line["src"], "%s:%d" % client.getsockname())
        self.assertEqual(read(data, 5), b"early")
        self.assert_talk(client, data)
        finish(data)
        self.assertEqual(read_to_end(client), b"")

    def test_one_that_speaks_or_ends_is_given_up(self):
        for leave in (lambda data: data.sendall(b"too early"), finish):
            data, _ = self.stand()
            leave(data)
            self.assert_over(data)
        reset(self.stand()[0])
        self.assert_talk(*self.join_here())

    def assert_over(self, data):
        try:
            self.assertEqual(read_until_over(data), b"")
        except ssl.SSLError:
            pass  # without close_notify

    def test_one_whose_first_words_come_with_its_preface_is_none(self):
        number = self.number()
        data = self.own(self.link.seal())
        data.sendall(self.link.preface(number, STANDBY) + b"and more")
        self.assert_over(data)

    def test_they_end_with_their_control_connection(self):
        data, _ = self.stand()
        self.link.lose()
        self.assert_over(data)


class Pressure(SealedCase):
    """Who does not read fills nothing."""

    def test_nothing_is_kept_for_those_who_do_not_read(self):
        for is_tls in (False, True):
            sessions = [self.join_here(is_tls) for _ in range(6)]
            before_kib = self.one.rss_kib()
            for number, (client, data) in enumerate(sessions):
                if number % 2:
                    pour(client, MUCH)
                else:
                    self.pour_sealed(data)
            self.assertLess(self.one.rss_kib() - before_kib, 4096)
            for client, data in sessions:
                client.close()
                data.close()

    @staticmethod
    def pour_sealed(data):
        data.setblocking(False)
        try:
            while True:
                data.send(bytes(1 << 14))
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass

    def test_a_slow_reader_gets_all_of_it(self):
        client, data = self.join_here()
        before_kib = self.one.rss_kib()
        for one, other in ((client, data), (data, client)):
            sender, length = Sender(one, MUCH // 3, stays=True), 0
            digest = hashlib.sha256()
            while length < MUCH // 3:
                data_here = other.recv(1 << 16)
                self.assertNotEqual(data_here, b"")
                digest.update(data_here)
                length += len(data_here)
                if length < 1 << 20:
                    time.sleep(0.001)
            self.assertEqual((length, digest.hexdigest()), sender.result())
            self.assertLess(self.one.rss_kib() - before_kib, 4096)

    def test_others_are_served_while_some_stand_still(self):
        for _ in range(10):
            pour(self.join_here()[0], 8 << 20)
        self.assert_talk(*self.join_here())

    def test_what_stands_still_is_given_back(self):
        client, data = self.join_here()
        self.pour_sealed(data)
        pour(client, MUCH)
        client.close()
        data.close()
        self.assert_talk(*self.join_here())


class Plain(SealedCase):
    options = ("--data", "plain")

    def test_it_offers_none(self):
        self.assertEqual(self.link.welcome["data"], "plain")
        self.assertNotIn("tls", self.link.welcome.get("caps", "").split(","))
        for port in (self.one.port, self.one.shared):
            self.assertIn(second_test.UNSPOKEN, second.refusal(port, [second.DATA_PROTOCOL]))
        self.assert_talk(*self.join_here(False))


class Only(SealedCase):
    options = ("--data", "tls")

    def test_it_takes_no_plain_ones(self):
        self.assertEqual(self.link.welcome["data"], "tls")
        client, number = self.visit_here()
        self.assert_cut(self.own(self.link.dial(number)))
        self.assert_talk(client, self.own(self.link.dial_sealed(number)))


# --- with the agent that there is ----------------------------------------------------------------

class Sealed:
    """Before a case of spoke_test: the agent's connections are in TLS."""

    def expose(self, relay, *options, **more):
        return super().expose(relay, "--data", "tls", *options, **more)


class Halves(Sealed, spoke_test.SpokeCase, halves_test.Halves):
    pass


class Transfers(Sealed, spoke_test.SpokeCase, pressure_test.Transfers):
    pass


class Agents(Sealed, spoke_test.SpokeCase):
    def test_what_goes_to_the_relay_is_not_to_be_read(self):
        relay = self.relay()
        seen = bytearray()

        class Watched(spoke_test.Way):
            def carry(self, one, other):
                try:
                    while data := one.recv(1 << 16):
                        seen.extend(data)
                        other.sendall(data)
                    other.shutdown(socket.SHUT_WR)
                except OSError:
                    self.end(one)
                    self.end(other)

        way = self.own(Watched(relay.port))
        exposed = self.control(way, "--pool", 0)
        client = self.dial(exposed.public_port)
        service = self.serve(exposed)
        client.sendall(b"a secret of the client")
        self.assertEqual(read(service, 22), b"a secret of the client")
        service.sendall(b"a secret of the service")
        self.assertEqual(read(client, 23), b"a secret of the service")
        self.assertGreater(len(seen), 1000)
        self.assertNotIn(b"a secret of", seen)
        self.assertNotIn(b"TRD2", seen)

    def test_much_both_ways_with_a_reader_that_is_slow_to_begin(self):
        relay = self.relay(environment=LEAN)
        exposed = self.control(relay, "--pool", 1, environment=LEAN)
        for _ in range(2):  # by one that waits, by one that stands by
            client = self.dial(exposed.public_port)
            service = self.serve(exposed)
            before_kib = relay.rss_kib()
            senders = [Sender(end, MUCH, stays=True) for end in (client, service)]
            wait_until(lambda: senders[0].length > 1 << 20 and senders[1].length > 1 << 20)
            self.assertLess(relay.rss_kib() - before_kib, 4096)
            receivers = [Receiver(end, MUCH) for end in (service, client)]
            for sender, receiver in zip(senders, receivers):
                self.assertEqual(receiver.result(), sender.result())
            self.assertLess(relay.rss_kib() - before_kib, 4096)

    def test_the_agent_is_killed(self):
        exposed = self.control(self.relay())
        clients = [self.dial(exposed.public_port) for _ in range(5)]
        for client in clients:
            self.assert_talk(client, self.serve(exposed))
        exposed.tool.signal(signal.SIGKILL)
        for client in clients:
            with self.assertRaises(ConnectionResetError):
                read(client, 1)

    def test_the_relay_is_killed(self):
        relay = self.relay()
        exposed = self.control(relay)
        client = self.dial(exposed.public_port)
        service = self.serve(exposed)
        self.assert_talk(client, service)
        relay.kill()
        relay.is_judged = True
        with self.assertRaises(ConnectionResetError):
            read(service, 1)

    def test_a_transfer_outlives_its_control_connection(self):
        relay = self.relay()
        way = self.own(spoke_test.Way(relay.port))
        exposed = self.control(way, "--pool", 0)
        client = self.dial(exposed.public_port)
        service = self.serve(exposed)
        sender = Sender(client, MUCH)
        self.assertNotEqual(service.recv(1), b"")
        way.cut(0)
        receiver = Receiver(service)
        self.assertEqual(receiver.result()[0] + 1, sender.result()[0])
        service.sendall(b"thanks")
        self.assertEqual(read(client, 6), b"thanks")

    def test_it_delivers_what_the_service_has_said_when_it_ends(self):
        exposed = self.control(self.relay())
        client = self.dial(exposed.public_port)
        service = self.serve(exposed)
        self.assert_talk(client, service)
        service.sendall(b"the last words")
        exposed.tool.signal(signal.SIGTERM)
        service.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(client), b"the last words")
        client.close()
        service.close()
        self.assertEqual(exposed.tool.wait(), 0)

    def test_it_does_not_do_without(self):
        relay = self.relay("--data", "plain")
        exposed = self.expose(relay, retry="lost")
        self.assert_fails(exposed.tool, "no data connections in TLS", "--data tls", "--data any")

    def test_it_does_as_the_relay_wants(self):
        relay = self.relay("--data", "tls")
        for options in ((), ("--data", "any")):
            exposed = spoke_test.SpokeCase.expose(self, relay, *options).publish()
            client, service = self.dial(exposed.public_port), self.serve(exposed)
            self.assert_talk(client, service)
            exposed.tool.signal(signal.SIGTERM)
            client.close()
            service.close()
            exposed.tool.wait()
        exposed = spoke_test.SpokeCase.expose(self, relay, "--data", "plain", retry="lost")
        self.assert_fails(exposed.tool, "wants data connections in TLS", "--data plain")


if __name__ == "__main__":
    tunnel.main()
