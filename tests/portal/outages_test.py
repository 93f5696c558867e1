#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A portal that is away, or says nonsense: the relay serves, and finds it again."""
import os
import socket
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conform")]
import case
import standin
from daemon import LEAN
from portal_case import STRANGE, UNREACHED, PortalCase
from sandbox import run
from standin import GOOD, after_join, instead_of_reply, refuse, silence

SILENT_IP4, SILENT_IP6 = "192.0.2.1", "2001:db8:1::1"


class Outages(PortalCase):
    def add_silence(self):
        """Packets to the silent addresses go to nobody's MAC address."""
        run("ip link add silent type veth peer name other")
        self.addCleanup(run, "ip link delete silent")
        for device in ("silent", "other"):
            run("ip", "link", "set", device, "up")
        for own, other in (("2001:db8:1::2/64", SILENT_IP6), ("192.0.2.2/24", SILENT_IP4)):
            run("ip", "address", "add", own, "dev", "silent", *["nodad"] * (":" in own))
            run("ip", "neigh", "add", other, "lladdr", "02:00:00:00:00:01", "dev", "silent",
                "nud", "permanent")

    def replace(self, path, text):
        """A file of the system, as long as the test lasts."""
        file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        run("mount", "--bind", file.name, path)
        self.addCleanup(run, "umount", path)

    def test_it_serves_before_there_is_a_portal_and_joins_when_there_is_one(self):
        with socket.create_server(("127.0.0.1", 0)) as place:
            port = place.getsockname()[1]
        portal = self.portal(port=port)
        portal.close()
        one = self.join(portal, announced=[UNREACHED])
        one.wait_for_log(r"portal out of reach.*connection refused.*\n.*portal out of reach")
        self.assertTrue(one.answers("127.0.0.1"))
        late = self.portal(port=port)
        late.query = portal.query
        late.wait_for("joined")

    def test_a_name_that_does_not_exist_is_tried_again(self):
        portal = self.portal(name="portal.invalid")
        one = self.join(portal, announced=[UNREACHED])
        one.wait_for_log(r"portal out of reach[^\n]* host=portal.invalid.*\n.*portal out of reach")
        self.assertTrue(one.answers("127.0.0.1"))

    def test_of_several_addresses_the_one_that_answers_is_taken(self):
        case.needs_root()
        self.add_silence()
        # The resolver puts the address of IPv6 first.
        self.replace("/etc/hosts", f"{SILENT_IP6} portal.test\n127.0.0.1 portal.test localhost\n")
        portal = self.portal(name="portal.test")
        self.join(portal)
        joined = portal.wait_for("joined")
        self.assertEqual([event.connection for event in portal.find("request")],
                         [joined.connection])

    def test_a_resolver_that_does_not_answer_holds_up_nobody(self):
        case.needs_root()
        self.add_silence()
        self.replace("/etc/resolv.conf", f"nameserver {SILENT_IP4}\noptions timeout:30\n")
        portal = self.portal(name="portal.test")
        one = self.join(portal, announced=["^ending without waiting for the portal's thread"])
        self.assertTrue(one.answers("127.0.0.1"))
        one.stop()

    def test_a_call_goes_on_while_the_portal_is_away_and_it_is_found_again_at_once(self):
        portal = self.portal(GOOD, refuse(503), refuse(503))
        one = self.join(portal, announced=[UNREACHED])
        portal.wait_for("joined")
        node = self.node(one, portal.secrets[0])
        node.allocate()
        peer = self.relays_with(node)
        portal.connections[0].sock.shutdown(socket.SHUT_RDWR)
        one.wait_for_log("portal out of reach.*wait_ms=0")
        portal.wait_for("tcp", 2)
        self.relays_to(node, peer)
        self.node(one, portal.secrets[0], "another").allocate()
        portal.wait_for("joined", 2)
        self.assertEqual(portal.secrets[0], portal.secrets[1])  # it is still the same relay
        self.relays_to(node, peer)

    def test_whatever_ends_a_connection_it_comes_again(self):
        def close(connection):
            connection.write_frame((1012).to_bytes(2, "big") + b"restart", standin.CLOSE)
            connection.wait_until_it_hangs_up()

        def half_a_frame(connection):
            connection.write(b"\x81\x7e\x01\x00" + b'{"topic":"relay",')
            raise standin.Over

        def close_channel(connection):
            connection.say("relay", "phx_close", {}, 0)
            connection.wait_until_it_hangs_up()

        def disconnect(connection):
            connection.say("relay", "disconnect", {"reason": "deploy"})
            connection.wait_until_it_hangs_up()

        manners = [after_join(act) for act in (close, half_a_frame, close_channel, disconnect)]
        portal = self.portal(*manners)
        self.join(portal, announced=[UNREACHED])
        portal.wait_for("joined", len(manners) + 1)

    def test_an_unmatched_topic_is_joined_again(self):
        def unmatched(connection, join):
            connection.reply("relay", join["ref"], "error", {"reason": "unmatched topic"})
        portal = self.portal(instead_of_reply(unmatched))
        self.join(portal)
        portal.wait_for("joined")
        self.assertEqual([event.detail for event in portal.find("join")], [0, 1])
        self.assertEqual(portal.count, 1)

    def test_a_join_that_is_answered_for_another_topic_or_not_at_all_is_given_up(self):
        def other_topic(connection, join):
            connection.reply("client", join["ref"])
            connection.reply("relay", join["ref"] + 1)
            silence(connection)
        portal = self.portal(instead_of_reply(other_topic), instead_of_reply(silence))
        start_s = time.monotonic()
        one = self.join(portal, announced=[UNREACHED, STRANGE])
        portal.wait_for("joined")
        for number, join in enumerate(portal.find("join")):
            self.assertGreaterEqual(join.time_s - start_s, 5 * number)
        one.wait_for_log("portal sends an unexpected message host=127.0.0.1 topic=client")
        one.wait_for_log("portal out of reach.*it does not answer the join")

    def test_no_answer_at_all_is_waited_for_15_seconds(self):
        def say_nothing(connection):
            connection.wait_until_it_hangs_up()
        portal = self.portal(say_nothing)
        start_s = time.monotonic()
        one = self.join(portal, announced=[UNREACHED])
        self.assertGreaterEqual(portal.wait_for("tcp", 2).time_s - start_s, 15)
        one.wait_for_log("portal out of reach.*no answer in time")
        portal.wait_for("joined")


class Nonsense(PortalCase):
    def test_messages_that_are_none_are_left_alone(self):
        texts = [b"", b"{}", b"[]", b"null", b"{", b"x", b'"relay"', b'{"topic":1,"event":2}',
                 b'{"topic":"relay","topic":"relay","event":"phx_close"}', b"[" * 60000,
                 b'{"topic":"relay","event":"phx_close","payload":' + b"[" * 20000,
                 b'{"a":' * 500 + b"1" + b"}" * 500, b'{"topic":"\\ud800","event":"phx_close"}',
                 b'{"topic":"relay","event":"' + b"x" * 60000 + b'"}',
                 b'{"topic":"relay","event":"phx_close\\u0000"}', b"1e999", b" " * 65000]

        def nonsense(connection):
            for text in texts:
                connection.write_frame(text)
            connection.write_frame(texts[4][:1], is_final=False)
            connection.write_frame(b"}", opcode=0)
            connection.say("other", "phx_close", {})
            connection.say("relay", "phx_error", {})
            connection.say("relay", "phx_reply", {"status": "ok"}, 0)
            connection.say("relay", "phx_reply", {"status": "error"}, 0)
            connection.say("relay", "phx_reply", {"status": "error"}, "0")
            connection.say("relay", "phx_reply", {"status": "error"}, -1)
            connection.say("relay", "phx_reply", {"status": "error"}, 1.5)
            connection.write_frame(b"still there?", standin.PING)

        portal = self.portal(after_join(nonsense))
        one = self.join(portal, announced=[STRANGE])
        portal.wait_for("pong")
        self.assertEqual(portal.count, 1)
        one.wait_for_log("portal sends what is no message")
        node = self.node(one, portal.secrets[0])
        node.allocate()
        self.relays_with(node)

    def test_what_breaks_the_protocol_ends_the_connection_and_no_more(self):
        def huge_frame(connection):
            connection.write_frame(b"x" * (10 << 20))
            connection.wait_until_it_hangs_up()

        def endless_message(connection):
            connection.write_frame(b"x" * 60000, is_final=False)
            while True:
                connection.write_frame(b"x" * 60000, opcode=0, is_final=False)

        def bad_utf8(connection):
            connection.write_frame(b'{"topic":"relay\xff\xfe"}')
            connection.wait_until_it_hangs_up()

        def binary(connection):
            connection.write_frame(b"\x00\x01", standin.BINARY)
            connection.wait_until_it_hangs_up()

        def broken_frame(connection):
            connection.write(b"\xff\xff\xff\xff\xff\xff\xff\xff")
            connection.wait_until_it_hangs_up()

        # Each goes on for long behind the mistake, and no byte of that may be kept.
        def long_bad_utf8(connection):
            connection.write_frame(b"x\xff\xfe" + b"x" * 200000)
            connection.wait_until_it_hangs_up()

        def long_binary(connection):
            connection.write_frame(b"\x00" * 200000, standin.BINARY)
            connection.wait_until_it_hangs_up()

        manners = [after_join(act) for act in
                   (huge_frame, endless_message, bad_utf8, long_bad_utf8, binary, long_binary,
                    broken_frame)]
        portal = self.portal(*manners)
        one = self.join(portal, announced=[UNREACHED], environment=LEAN)
        portal.wait_for("joined")
        before_kib = one.rss_kib()
        portal.wait_for("joined", len(manners) + 1, 60)
        self.assertLess(one.rss_kib() - before_kib, 2048)
        one.wait_for_log("portal out of reach.*a message over 64 KiB")
        one.wait_for_log("portal out of reach.*a binary message")
        one.wait_for_log("portal out of reach.*a message not in UTF-8")

    def test_what_is_no_http_is_tried_again(self):
        def raw(data):
            def manner(connection):
                connection.write(data)
                connection.wait_until_it_hangs_up()
            return manner

        upgrade = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Accept: ")
        portal = self.portal(raw(upgrade + b"bm90IHdoYXQgd2FzIGFza2VkIGZvcg==\r\n\r\n"),
                             raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * (1 << 16)))
        self.join(portal, announced=[UNREACHED])
        portal.wait_for("joined")


if __name__ == "__main__":
    case.main()
