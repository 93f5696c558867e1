#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Firezone's clients: what theirs sends and expects, request by request.

Their client throws away every response but Binding's that is not signed, takes a 401 to a request
with a nonce for the end of its credential, and repeats the attributes of its Allocate in Refresh.
"""
import base64
import hashlib
import time

import case
import stun

SECRET = "4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab"
OTHER_SECRET = "1cab293a-4032-46f4-862a-40e5d174b0d2"
UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)
BOTH = (stun.ADDITIONAL_ADDRESS_FAMILY, stun.FAMILY_IP6)
SOFTWARE = (stun.SOFTWARE, b"snownet; session=6a3b")
OFFER = [UDP, BOTH, SOFTWARE]  # what Allocate and Refresh carry
FAR_EXPIRY = 2145916800


def password_of(username, secret=SECRET):
    expiry, salt = username.split(":")
    digest = hashlib.sha256(f"{expiry}:{secret}:{salt}".encode()).digest()
    return base64.b64encode(digest).decode().rstrip("=")


class Node:
    """A client or gateway: one socket, one credential; each response must be signed."""

    def __init__(self, test, relay, host=None, salt="n23JJ2wKKtt30oXi", expiry=FAR_EXPIRY,
                 secret=SECRET):
        self.username = f"{expiry}:{salt}"
        self.client = test.client(relay, host)
        self.key = stun.long_term_key(self.username, "firezone",
                                      password_of(self.username, secret))
        self.nonce = None

    def request(self, method, attributes=(), nonce=None):
        nonce = nonce or self.nonce
        said = [*attributes, (stun.USERNAME, self.username.encode()), (stun.REALM, b"firezone")]
        if nonce is not None:
            said.append((stun.NONCE, nonce))
        raw = stun.write(method, stun.REQUEST, said, self.key)
        response = stun.Message(self.client.exchange(raw).raw, self.key)
        if response.get(stun.NONCE) is not None:
            assert response.get(stun.REALM) == b"firezone", response
            self.nonce = response.get(stun.NONCE)
        return response

    def expect(self, code, method, attributes=(), **more):
        response = self.request(method, attributes, **more)
        if response.error != code:
            raise AssertionError(f"{code or 'success'} expected, got {response}")
        return response

    def allocate(self):
        if self.nonce is None:
            self.expect(401, stun.ALLOCATE, OFFER)
        response = self.expect(None, stun.ALLOCATE, OFFER)
        self.relayed = response.addresses(stun.XOR_RELAYED_ADDRESS)
        return response

    def bind(self, number, peer, code=None):
        return self.expect(code, stun.CHANNEL_BIND, [
            (stun.CHANNEL_NUMBER, number.to_bytes(2, "big") + bytes(2)),
            (stun.XOR_PEER_ADDRESS, peer[:2])])


class Vectors(case.Case):
    def test_passwords_are_those_of_their_portal(self):
        self.assertEqual(password_of("1892160000:n23JJ2wKKtt30oXi"),
                         "00hqldgk5xLeKKOB+xls9mHMVtgqzie9DulfgQwMv68")
        username = "1685984278:uvdgKvS9GXYZ_vmv"
        password = password_of(username, OTHER_SECRET)
        self.assertEqual(password, "6xUIoZ+QvxKhRasLifwfRkMXl+ETLJUsFkHlXjlHAkg")
        self.assertEqual(stun.long_term_key(username, "firezone", password).hex(),
                         "a1628ea75a65270505a90953534885c2")

    def test_a_binding_response_has_the_bytes_of_theirs(self):
        """Software, then the mapped address, no proof; of #9899, but for address and transaction."""
        golden = bytes.fromhex("010100282112a4420bab0e019ccfb928e58bc38f80220018666972657a6f6e652d72"
                               "656c61793b207265763d78787878002000080001ec83e1baa503")
        one = self.relay("--stamp-secret", SECRET, "--software", "firezone-relay; rev=xxxx")
        client = self.client(one)
        response = client.exchange(stun.write(stun.BINDING, stun.REQUEST, transaction=golden[8:20]))
        self.assertEqual(response.raw[:52], golden[:52])
        self.assertEqual(len(response.raw), len(golden))
        self.assertEqual(response.address(stun.XOR_MAPPED_ADDRESS),
                         ("127.0.0.1", client.udp.getsockname()[1]))
        self.assertEqual(stun.Message(golden).address(stun.XOR_MAPPED_ADDRESS),
                         ("192.168.1.65", 52625))


class Firezone(case.Case):
    def setUp(self):
        super().setUp()
        self.one = self.relay("--stamp-secret", SECRET, "--allow-peer", "127.0.0.1",
                              "--allow-peer", "::1", hosts=("127.0.0.1", "::1"))

    def node(self, **options):
        return Node(self, self.one, **options)

    def test_a_session_from_the_first_401_to_the_end(self):
        node, peer = self.node(), self.peer()
        first = node.expect(401, stun.ALLOCATE, OFFER)  # signed without a nonce: read with the key
        self.assertEqual(first.get(stun.REALM), b"firezone")
        answer = node.allocate()
        self.assertEqual(answer.number(stun.LIFETIME), 600)
        (ip4, port4), (ip6, port6) = node.relayed
        self.assertEqual((ip4, ip6, port4), ("127.0.0.1", "::1", port6))
        node.bind(0x4000, peer.getsockname())
        node.client.send_channel(0x4000, b"ping")
        self.assertEqual(peer.recvfrom(100), (b"ping", (ip4, port4)))
        peer.sendto(b"pong", (ip4, port4))
        self.assertEqual(node.client.receive(), (0x4000, b"pong"))
        self.assertEqual(node.expect(None, stun.REFRESH, OFFER).number(stun.LIFETIME), 600)
        node.bind(0x4000, peer.getsockname())  # a refresh
        node.expect(None, stun.REFRESH, [*OFFER, (stun.LIFETIME, 0)])
        node.expect(437, stun.REFRESH, OFFER)
        node.bind(0x4000, peer.getsockname(), code=437)
        node.allocate()

    def test_both_families_relay_at_one_port(self):
        node, peer = self.node(host="::1"), self.peer("::1")
        node.allocate()
        node.bind(0x4001, peer.getsockname())
        node.client.send_channel(0x4001, b"ping")
        data, source = peer.recvfrom(100)
        self.assertEqual((data, source[:2]), (b"ping", node.relayed[1]))

    def test_a_bad_nonce_is_438_and_never_401(self):
        node = self.node()
        node.allocate()
        good = node.nonce
        for nonce in (b"x", b"c0ffee00-0000-0000-0000-000000000000", bytes(30), good[:-1] + b"!",
                      good + b"x"):
            fresh = node.expect(438, stun.REFRESH, OFFER, nonce=nonce).get(stun.NONCE)
            node.expect(None, stun.REFRESH, OFFER, nonce=fresh)

    def test_a_wrong_or_expired_credential_gets_401_that_is_signed(self):
        expired = self.node(expiry=int(time.time()) - 5)
        expired.expect(401, stun.ALLOCATE, OFFER)
        expired.expect(401, stun.ALLOCATE, OFFER)
        wrong = self.node(secret=OTHER_SECRET)
        raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
            *OFFER, (stun.USERNAME, wrong.username.encode()), (stun.REALM, b"firezone")], wrong.key)
        response = wrong.client.exchange(raw)
        self.assertEqual(response.error, 401)
        wrong.nonce = response.get(stun.NONCE)
        right = stun.long_term_key(wrong.username, "firezone", password_of(wrong.username))
        stun.Message(response.raw, right)  # by the relay's key, since it is the relay's proof
        self.one.announced.append(case.UNPROVEN + ".* of --stamp-secret whose time is over")

    def test_a_username_of_another_form_gets_no_answer(self):
        for username in ("alice", "1:2:3", "x:y", ":", ""):
            client = self.client(self.one)
            raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
                *OFFER, (stun.USERNAME, username.encode()), (stun.REALM, b"firezone")], bytes(16))
            client.udp.sendto(raw, client.server)
            self.assertIsNone(client.receive_raw(0.2))
        self.one.announced.append(case.UNPROVEN + ".*not a username of --stamp-secret")

    def test_one_allocation_of_a_user_follows_it_to_another_address(self):
        """NATs that change the port: #12319."""
        before = self.one.descriptor_count()
        node, peer = self.node(), self.peer()
        node.allocate()
        node.bind(0x4000, peer.getsockname())
        moved = self.node()
        moved.allocate()
        moved.bind(0x4000, peer.getsockname())
        node.expect(437, stun.REFRESH, OFFER)  # another worker's may go a moment later
        self.assertEqual(self.one.descriptor_count(), before + 2)
        self.one.wait_for_log("allocation ended reason=replaced")
        self.node(salt="another").allocate()
        moved.expect(None, stun.REFRESH, OFFER)

    def test_an_allocation_on_the_same_socket_is_437_until_it_is_freed(self):
        node = self.node()
        node.allocate()
        node.expect(437, stun.ALLOCATE, OFFER)
        node.expect(None, stun.REFRESH, [*OFFER, (stun.LIFETIME, 0)])
        node.allocate()

    def test_a_channel_is_its_own_permission_for_address_and_port(self):
        node, peer, other = self.node(), self.peer(), self.peer()
        node.allocate()
        node.bind(0x4000, peer.getsockname())
        other.sendto(b"from another port", node.relayed[0])
        peer.sendto(b"from the peer", node.relayed[0])
        self.assertEqual(node.client.receive(), (0x4000, b"from the peer"))
        self.assertIsNone(node.client.receive(0.2))
        node.bind(0x4001, peer.getsockname(), code=400)
        node.bind(0x4000, other.getsockname(), code=400)
        node.bind(0x5000, other.getsockname(), code=400)
        node.bind(0x4FFF, other.getsockname())

    def test_create_permission_succeeds_whatever_there_is(self):
        node = self.node()
        node.expect(401, stun.ALLOCATE, OFFER)
        node.expect(None, stun.CREATE_PERMISSION)
        node.allocate()
        node.expect(None, stun.CREATE_PERMISSION, [(stun.XOR_PEER_ADDRESS, ("0.0.0.0", 0))])
        self.one.announced.append("^peer denied")

    def test_private_peers_are_reached_and_dangerous_ones_are_not(self):
        self.one.announced.append("^peer denied")
        node = self.node()
        node.allocate()
        for number, host in enumerate(("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
                                       "fd00::1", "1.1.1.1")):
            node.bind(0x4000 + number, (host, 9))
        for host in ("169.254.169.254", "0.0.0.0", "127.0.0.2", "224.0.0.1", "fe80::1", "::"):
            node.bind(0x4100, (host, 9), code=403)
        stricter = Node(self, self.relay("--stamp-secret", SECRET, "--deny-peer", "10.0.0.0/8",
                                         announced=["^peer denied"]))
        stricter.allocate()
        stricter.bind(0x4000, ("10.1.2.3", 9), code=403)
        stricter.bind(0x4000, ("192.168.1.1", 9))

    def test_two_nodes_meet_by_their_relayed_addresses(self):
        one, two = self.node(salt="client"), self.node(salt="gateway")
        one.allocate()
        two.allocate()
        for family in (0, 1):
            number = 0x4000 + family
            one.bind(number, two.relayed[family])
            two.bind(number, one.relayed[family])
            for sender, receiver in ((one, two), (two, one)):
                sender.client.send_channel(number, b"over the relay")
                self.assertEqual(receiver.client.receive(), (number, b"over the relay"))

    def test_all_others_are_served_by_the_rfc_beside_them(self):
        alice = self.client(self.one).allocate()
        self.assertEqual(alice.realm, b"fairlead")
        self.client(self.one).allocate()  # another one of the same user
        self.assertIsNotNone(alice.permit("10.1.2.3", code=403))
        self.one.announced.append("^peer denied")

    def test_without_a_stamp_secret_nobody_is_served_so(self):
        plain = self.relay()
        client = self.client(plain)
        raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
            *OFFER, (stun.USERNAME, b"2145916800:x"), (stun.REALM, b"firezone")], bytes(16))
        self.assertEqual(client.exchange(raw).error, 400)  # a proof without a nonce


if __name__ == "__main__":
    case.main()
