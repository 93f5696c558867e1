#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests and the response to each, as RFC 8489 and RFC 8656 have them."""
import os

import case
import stun
from client import open_socket

ALLOW = ("--allow-peer", "127.0.0.1", "--allow-peer", "::1")
UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)


class Credentials(case.Case):
    def setUp(self):
        super().setUp()
        self.one = self.relay("--user", "bob:builder")
        self.alice = self.client(self.one)

    def test_a_first_request_gets_401_with_realm_and_nonce_and_no_proof(self):
        challenge = self.alice.expect(401, stun.ALLOCATE, [UDP])
        self.assertEqual(challenge.get(stun.REALM), b"fairlead")
        self.assertTrue(challenge.get(stun.NONCE))
        self.assertIsNone(challenge.get(stun.MESSAGE_INTEGRITY))
        self.assertIsNone(challenge.get(stun.XOR_MAPPED_ADDRESS))

    def test_every_method_but_binding_is_challenged(self):
        for method in (stun.ALLOCATE, stun.REFRESH, stun.CREATE_PERMISSION, stun.CHANNEL_BIND):
            self.alice.expect(401, method, [UDP])
        self.alice.expect(None, stun.BINDING)

    def test_an_invented_nonce_gets_438_and_one_that_works(self):
        for nonce in (b"x", b"f//499k954d6OL34oL9FSTvy64sA", bytes(20), b"a" * 500):
            with self.subTest(nonce=nonce), self.one.client() as alice:
                alice.challenge().nonce = nonce
                alice.learn(alice.expect(438, stun.ALLOCATE, [UDP])).allocate()

    def test_a_nonce_serves_the_address_that_it_was_given_to(self):
        other = self.client(self.one).challenge()
        self.alice.challenge().nonce = other.nonce
        self.alice.learn(self.alice.expect(438, stun.ALLOCATE, [UDP])).allocate()

    def test_wrong_names_passwords_and_realms_get_the_same_401(self):
        answers = set()
        for user, password, realm in (("alice", "wander", "fairlead"), ("nobody", "x", "fairlead"),
                                      ("alice", "wonder", "elsewhere"), ("", "", "fairlead")):
            other = self.client(self.one, user=user, password=password).challenge()
            other.realm = realm.encode()
            other.key = stun.long_term_key(user, realm, password)
            response = other.expect(401, stun.ALLOCATE, [UDP])
            answers.add(tuple((number, len(value)) for number, value in response.attributes))
        self.assertEqual(len(answers), 1)
        self.one.announced += [case.UNPROVEN + f".*{reason}" for reason in (
            "not the password of --user", "no such user", "a realm that is not that of --realm")]
        for known in self.one.announced:
            self.one.wait_for_log("WARN " + known[1:])

    def test_a_proof_without_name_realm_or_nonce_gets_400(self):
        alice = self.alice.challenge()
        credential = [(stun.USERNAME, b"alice"), (stun.REALM, alice.realm),
                      (stun.NONCE, alice.nonce)]
        for missing in credential:
            attributes = [UDP, *(other for other in credential if other != missing)]
            raw = stun.write(stun.ALLOCATE, stun.REQUEST, attributes, alice.key)
            self.assertEqual(alice.exchange(raw).error, 400)

    def test_a_changed_byte_makes_a_proof_worthless(self):
        alice = self.alice.challenge()
        raw = bytearray(stun.write(stun.ALLOCATE, stun.REQUEST, [
            (stun.LIFETIME, 600), UDP, (stun.USERNAME, b"alice"), (stun.REALM, alice.realm),
            (stun.NONCE, alice.nonce)], alice.key))
        raw[27] ^= 1  # of LIFETIME
        self.assertEqual(alice.exchange(bytes(raw)).error, 401)
        self.one.announced.append(case.UNPROVEN)

    def test_every_user_has_an_own_password(self):
        self.client(self.one, user="bob", password="builder").allocate()
        self.alice.allocate()
        crossed = self.client(self.one, user="bob", password="wonder").challenge()
        crossed.expect(401, stun.ALLOCATE, [UDP])
        self.one.announced.append(case.UNPROVEN + ".*username=bob ")

    def test_the_allocation_of_another_user_gets_441(self):
        alice = self.alice.allocate()
        alice.user, alice.password = "bob", "builder"
        alice.learn(alice.expect(401, stun.REFRESH, [UDP], with_credential=False))
        alice.refresh(code=441)
        alice.permit("9.9.9.9", code=441)
        alice.bind(0x4000, ("9.9.9.9", 5), code=441)
        self.assertEqual(alice.ask(code=437).error, 437)

    def test_a_fingerprint_is_welcome_and_a_wrong_one_is_no_stun(self):
        raw = stun.write(stun.BINDING, stun.REQUEST, fingerprint=True)
        self.assertEqual(self.alice.exchange(raw).kind, stun.SUCCESS)
        self.alice.udp.sendto(raw[:-1] + bytes([raw[-1] ^ 1]), self.alice.server)
        self.assertIsNone(self.alice.receive_raw(0.3))


class Allocating(case.Case):
    def setUp(self):
        super().setUp()
        self.one = self.relay(*ALLOW, hosts=("127.0.0.1", "::1"))

    def test_it_tells_relayed_and_mapped_address_and_lifetime(self):
        for host in self.one.hosts:
            family = [(stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6)] if ":" in host else []
            alice = self.client(self.one, host, local=host).allocate(*family)
            self.assertEqual(alice.mapped, alice.udp.getsockname()[:2])
            self.assertEqual(alice.relayed[0], host)
            self.assertIn(alice.relayed[1], range(self.one.lowest, self.one.highest + 1))
            self.assertEqual(alice.lifetime, 600)

    def test_the_request_once_more_gets_the_same_answer_and_no_second_socket(self):
        alice = self.client(self.one).challenge()
        before = self.one.descriptor_count()
        transaction = os.urandom(12)
        answers = [alice.expect(None, stun.ALLOCATE, [UDP], transaction=transaction).raw
                   for _ in range(3)]
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(self.one.descriptor_count(), before + 1)

    def test_a_second_allocation_on_the_same_socket_gets_437(self):
        self.client(self.one).allocate().ask(code=437)

    def test_lifetimes_are_kept_within_their_limits(self):
        for asked, granted in ((0, 600), (1, 600), (601, 601), (3600, 3600), (2**32 - 1, 3600)):
            alice = self.client(self.one).allocate((stun.LIFETIME, asked))
            self.assertEqual(alice.lifetime, granted)
            answer = alice.refresh((stun.LIFETIME, asked))
            self.assertEqual(answer.number(stun.LIFETIME), granted if asked else 0)

    def test_a_free_relay_port_is_closed_and_an_allocation_ends_once(self):
        before = self.one.descriptor_count()
        alice = self.client(self.one).allocate()
        with self.assertRaises(OSError):
            open_socket(*alice.relayed)
        self.assertEqual(alice.free().number(stun.LIFETIME), 0)
        open_socket(*alice.relayed).close()
        self.assertEqual(self.one.descriptor_count(), before)
        alice.refresh((stun.LIFETIME, 0), code=437)
        alice.allocate()

    def test_transports_other_than_udp_get_442(self):
        alice = self.client(self.one).challenge()
        for number in (6, 0, 255):
            alice.expect(442, stun.ALLOCATE,
                         [(stun.REQUESTED_TRANSPORT, bytes([number, 0, 0, 0]))])

    def test_what_is_incomplete_or_contradicts_itself_gets_400(self):
        alice = self.client(self.one).challenge()
        token = (stun.RESERVATION_TOKEN, bytes(8))
        even = (stun.EVEN_PORT, b"\x80")
        for attributes in ([], [(stun.REQUESTED_TRANSPORT, b"\x11")],
                           [UDP, (stun.LIFETIME, b"\0\0")], [UDP, token, even],
                           [UDP, token, (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4)]):
            with self.subTest(attributes=attributes):
                alice.expect(400, stun.ALLOCATE, attributes)
        alice.allocate()

    def test_unknown_attributes_that_must_be_understood_get_420_with_their_numbers(self):
        alice = self.client(self.one).challenge()
        response = alice.ask([(0x7FFE, b"abc"), (0x0031, b""), (0xFFFE, b"optional")], code=420)
        self.assertEqual(response.get(stun.UNKNOWN_ATTRIBUTES), b"\x7f\xfe\x00\x31")
        alice.allocate((0xFFFE, b"optional"))

    def test_an_even_port_is_even(self):
        for value in (b"\0", b"\x80"):
            alice = self.client(self.one).allocate((stun.EVEN_PORT, value))
            self.assertEqual(alice.relayed[1] % 2, 0)
            self.assertEqual(alice.token is not None, value == b"\x80")

    def test_a_token_gets_the_port_above_once_and_is_its_users_own(self):
        first = self.client(self.one).allocate((stun.EVEN_PORT, b"\x80"))
        self.assertEqual(len(first.token), 8)
        self.client(self.one).ask([(stun.RESERVATION_TOKEN, bytes(8))], code=508)
        second = self.client(self.one).allocate((stun.RESERVATION_TOKEN, first.token))
        self.assertEqual(second.relayed, (first.relayed[0], first.relayed[1] + 1))
        self.client(self.one).ask([(stun.RESERVATION_TOKEN, first.token)], code=508)


class Families(case.Case):
    def test_a_family_that_is_not_served_gets_440(self):
        for host, other in (("127.0.0.1", stun.FAMILY_IP6), ("::1", stun.FAMILY_IP4)):
            one = self.relay(hosts=(host,))
            self.client(one, local=host).ask([(stun.REQUESTED_ADDRESS_FAMILY, other)], code=440)
        self.client(one, local="::1").ask(code=440)  # none asked for is IPv4

    def test_a_family_that_there_is_not_is_refused(self):
        alice = self.client(self.relay(hosts=("127.0.0.1", "::1"))).challenge()
        response = alice.request(stun.ALLOCATE, [
            UDP, (stun.REQUESTED_ADDRESS_FAMILY, b"\x03\0\0\0")])
        self.assertEqual(response.error, 440)

    def test_both_families_are_granted_at_one_port(self):
        one = self.relay(*ALLOW, hosts=("127.0.0.1", "::1"))
        before = one.descriptor_count()
        alice = self.client(one)
        response = alice.ask([(stun.ADDITIONAL_ADDRESS_FAMILY, stun.FAMILY_IP6)])
        (ip4, port4), (ip6, port6) = response.addresses(stun.XOR_RELAYED_ADDRESS)
        self.assertEqual((ip4, ip6, port4), ("127.0.0.1", "::1", port6))
        self.assertIsNone(response.get(stun.ADDRESS_ERROR_CODE))
        self.assertEqual(one.descriptor_count(), before + 2)
        for number, relayed in enumerate(((ip4, port4), (ip6, port6)), 0x4000):
            peer = self.peer(relayed[0])
            alice.bind(number, peer.getsockname())
            alice.send_channel(number, b"ping")
            data, source = peer.recvfrom(100)
            self.assertEqual((data, source[:2]), (b"ping", relayed))
            peer.sendto(b"pong", source)
            self.assertEqual(alice.receive(), (number, b"pong"))
        # One family is given back, the other lives on (RFC 8656 section 8.2).
        alice.refresh((stun.LIFETIME, 0), (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP6))
        self.assertEqual(one.descriptor_count(), before + 1)
        alice.bind(0x4001, peer.getsockname(), code=443)
        alice.refresh()
        alice.free()
        self.assertEqual(one.descriptor_count(), before)

    def test_a_relay_of_one_family_grants_that_and_says_why_not_the_other(self):
        for host, missing in (("127.0.0.1", 2), ("::1", 1)):
            one = self.relay(hosts=(host,))
            response = self.client(one, local=host).ask(
                [(stun.ADDITIONAL_ADDRESS_FAMILY, stun.FAMILY_IP6)])
            self.assertEqual([ip for ip, _ in response.addresses(stun.XOR_RELAYED_ADDRESS)],
                             [host])
            error = response.get(stun.ADDRESS_ERROR_CODE)
            self.assertEqual((error[0], error[1], error[2] & 7, error[3]), (missing, 0, 4, 40))

    def test_an_additional_family_stands_alone_and_is_ip6(self):
        alice = self.client(self.relay(hosts=("127.0.0.1", "::1"))).challenge()
        both = (stun.ADDITIONAL_ADDRESS_FAMILY, stun.FAMILY_IP6)
        for attributes in ([(stun.ADDITIONAL_ADDRESS_FAMILY, stun.FAMILY_IP4)],
                           [both, (stun.REQUESTED_ADDRESS_FAMILY, stun.FAMILY_IP4)],
                           [both, (stun.EVEN_PORT, b"\x80")],
                           [both, (stun.RESERVATION_TOKEN, bytes(8))]):
            with self.subTest(attributes=attributes):
                alice.ask(attributes, code=400)
        alice.ask([both])

    def test_peers_of_the_other_family_get_443(self):
        one = self.relay(*ALLOW, hosts=("127.0.0.1", "::1"))
        for family, wrong in ((stun.FAMILY_IP4, "::1"), (stun.FAMILY_IP6, "127.0.0.1")):
            alice = self.client(one).allocate((stun.REQUESTED_ADDRESS_FAMILY, family))
            alice.permit(wrong, code=443)
            alice.bind(0x4000, (wrong, 9), code=443)
            other = stun.FAMILY_IP6 if family == stun.FAMILY_IP4 else stun.FAMILY_IP4
            alice.refresh((stun.REQUESTED_ADDRESS_FAMILY, other), code=443)
            alice.refresh((stun.REQUESTED_ADDRESS_FAMILY, family))


class Peers(case.Case):
    def test_without_an_allocation_there_is_437(self):
        alice = self.client(self.relay()).challenge()
        alice.refresh(code=437)
        alice.permit("9.9.9.9", code=437)
        alice.bind(0x4000, ("9.9.9.9", 9), code=437)

    def test_permissions_without_a_peer_and_broken_peers_get_400(self):
        alice = self.client(self.relay()).allocate()
        alice.permit(code=400)
        alice.expect(400, stun.CREATE_PERMISSION, [(stun.XOR_PEER_ADDRESS, b"\0\1\0\0")])
        alice.expect(400, stun.CREATE_PERMISSION, [(stun.XOR_PEER_ADDRESS, b"\0\3" + bytes(6))])

    def test_channels_that_cannot_be_get_400(self):
        alice = self.client(self.relay()).allocate()
        one, two = ("9.9.9.9", 9), ("9.9.9.9", 10)
        for number in (0, 0x3FFF, 0x8000, 0xFFFF):
            alice.bind(number, one, code=400)
        alice.bind(0x4000, ("9.9.9.9", 0), code=400)
        alice.expect(400, stun.CHANNEL_BIND, [(stun.CHANNEL_NUMBER, b"\x40\0\0\0")])
        alice.expect(400, stun.CHANNEL_BIND, [(stun.XOR_PEER_ADDRESS, one)])
        alice.bind(0x4000, one)
        alice.bind(0x4000, one)  # a refresh
        alice.bind(0x4000, two, code=400)
        alice.bind(0x4001, one, code=400)
        alice.bind(0x4001, two)


if __name__ == "__main__":
    case.main()
