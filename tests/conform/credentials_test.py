#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may use the relay: the proofs of RFC 8489, hidden names, and credentials that expire."""
import base64
import hmac
import json
import re
import subprocess
import time

import case
import relay
import stun
from sandbox import PATIENCE_S
from turnutils_test import uclient

UDP = (stun.REQUESTED_TRANSPORT, stun.UDP)


def rest(secret, name="alice", ttl_s=600):
    """(username, password) of TURN REST."""
    username = f"{int(time.time()) + ttl_s}:{name}"
    mac = hmac.digest(secret.encode(), username.encode(), "sha1")
    return username, base64.b64encode(mac).decode()


def features(nonce):
    """The 24 bits behind the nonce's cookie (RFC 8489 section 9.2)."""
    assert nonce.startswith(b"obMatJos2"), nonce
    return int.from_bytes(base64.b64decode(nonce[9:13]), "big")


class Sha256(case.Case):
    def test_a_challenge_offers_sha256_first_and_says_so_in_the_nonce(self):
        challenge = self.client(self.relay()).expect(401, stun.ALLOCATE, [UDP])
        offered = challenge.get(stun.PASSWORD_ALGORITHMS)
        self.assertEqual({offered[at:at + 4] for at in range(0, len(offered), 4)},
                         {stun.MD5, stun.SHA256})
        self.assertNotEqual(features(challenge.get(stun.NONCE)), 0)

    def test_requests_and_responses_are_signed_by_sha256(self):
        one = self.relay("--allow-peer", "127.0.0.1")
        alice, peer = self.client(one, algorithm="sha256").allocate(), self.peer()
        response = alice.refresh()
        self.assertEqual(len(response.get(stun.MESSAGE_INTEGRITY_SHA256)), 32)
        self.assertIsNone(response.get(stun.MESSAGE_INTEGRITY))
        alice.permit("10.0.0.1", code=403)  # signed too, as exchange() checks
        alice.bind(0x4000, peer.getsockname())
        alice.send_channel(0x4000, b"ping")
        self.assertEqual(peer.recv(100), b"ping")
        one.announced.append("^peer denied")

    def test_names_can_be_hidden_and_are_found(self):
        one = self.relay("--user", "bob:builder")
        for user, password in (("alice", "wonder"), ("bob", "builder")):
            for algorithm in ("sha1", "sha256"):
                self.client(one, user=user, password=password, algorithm=algorithm,
                            is_anonymous=True).allocate().free()
        one.wait_for_log("username=bob ")
        other = self.client(one, user="nobody", algorithm="sha256", is_anonymous=True)
        other.challenge().expect(401, stun.ALLOCATE, [UDP])
        one.announced.append(case.UNPROVEN + ".*no such user")

    def test_names_cannot_be_hidden_where_not_all_of_them_are_known(self):
        bits = [features(self.client(self.relay(*options)).expect(401, stun.ALLOCATE, [UDP])
                         .get(stun.NONCE))
                for options in ((), ("--auth-secret", "north"))]
        self.assertEqual(bin(bits[0]).count("1"), 2)
        self.assertEqual(bin(bits[1]).count("1"), 1)
        self.assertEqual(bits[0] & bits[1], bits[1])

    def test_a_list_of_algorithms_that_was_changed_on_the_way_is_refused(self):
        alice = self.client(self.relay(), algorithm="sha256").challenge()
        alice.offered = stun.MD5
        self.assertEqual(alice.request(stun.ALLOCATE, [UDP]).error, 400)

    def test_an_algorithm_without_the_list_or_not_in_it_is_refused(self):
        alice = self.client(self.relay(), algorithm="sha256").challenge()
        said = alice.credential()
        for left_out in (stun.PASSWORD_ALGORITHMS, stun.PASSWORD_ALGORITHM):
            raw = stun.write(stun.ALLOCATE, stun.REQUEST, [
                UDP, *(one for one in said if one[0] != left_out)], alice.key, algorithm="sha256")
            self.assertEqual(alice.exchange(raw).error, 400)
        said = [one for one in said if one[0] != stun.PASSWORD_ALGORITHM]
        said.append((stun.PASSWORD_ALGORITHM, b"\0\x09\0\0"))
        raw = stun.write(stun.ALLOCATE, stun.REQUEST, [UDP, *said], alice.key, algorithm="sha256")
        self.assertEqual(alice.exchange(raw).error, 400)

    def test_a_wrong_password_is_wrong_by_sha256_too(self):
        one = self.relay(announced=[case.UNPROVEN + ".*not the password of --user"])
        alice = self.client(one, password="wander", algorithm="sha256").challenge()
        alice.expect(401, stun.ALLOCATE, [UDP])


class Rest(case.Case):
    def rest_client(self, one, secret, ttl_s=600, **options):
        user, password = rest(secret, ttl_s=ttl_s)
        return self.client(one, user=user, password=password, **options)

    def test_credentials_of_any_secret_are_good_until_they_expire(self):
        one = self.relay("--auth-secret", "south", "--auth-secret", "north")
        for secret in ("north", "south"):  # rotation: old and new side by side
            for algorithm in ("sha1", "sha256"):
                self.rest_client(one, secret, algorithm=algorithm).allocate()
        self.client(one).allocate()  # beside a user of the configuration
        for secret, ttl_s in (("west", 600), ("north", -5)):
            self.rest_client(one, secret, ttl_s).challenge().expect(401, stun.ALLOCATE, [UDP])
        self.assertRegex(one.log(), r"username=\d+:alice ")
        one.announced += [case.UNPROVEN + ".*not a password of --auth-secret",
                          case.UNPROVEN + ".*a credential of --auth-secret whose time is over"]
        for known in one.announced:
            one.wait_for_log("WARN " + known[1:])

    def test_a_username_without_a_date_is_nobodys(self):
        one = self.relay("--auth-secret", "north", announced=[
            case.UNPROVEN + ".*(no such user|not the password of --user)"])
        for user in ("alice", ":alice", "x:alice", "99999999999999999999999:a", "-1:a"):
            password = base64.b64encode(hmac.digest(b"north", user.encode(), "sha1")).decode()
            self.client(one, user=user, password=password).challenge().expect(
                401, stun.ALLOCATE, [UDP])

    def test_an_allocation_ends_with_its_credential_at_the_next_refresh(self):
        one = self.relay("--auth-secret", "north",
                         announced=[case.UNPROVEN + ".* whose time is over"])
        alice = self.rest_client(one, "north", ttl_s=6).allocate()
        alice.refresh()
        time.sleep(max(int(alice.user.split(":")[0]) + 1.1 - time.time(), 0))
        alice.refresh(code=401)


class Guesses(case.Case):
    """Who guesses is told nothing, and whoever runs the relay reads of it."""

    def setUp(self):
        super().setUp()
        self.one = self.relay("--auth-secret", "north", announced=[case.UNPROVEN])

    def guess(self, user, password="guess"):
        client = self.client(self.one, user=user, password=password).challenge()
        client.expect(401, stun.ALLOCATE, [UDP])
        return "127.0.0.1:%d" % client.udp.getsockname()[1]

    def test_the_log_says_who_guesses_whose_password_and_of_which_option(self):
        for user, told, reason in (
                ("alice", "alice", "not the password of --user"),
                ("mallory", '""', "no such user by --user, nor by a name that --auth-secret makes"),
                ("2000000000:bob", "2000000000:bob", "not a password of --auth-secret")):
            client = self.guess(user)
            self.one.wait_for_log(f"WARN credential refused client={client} address=certain "
                                  f'username={told} reason="{reason}" code=401 advice=')
        self.assertNotIn("mallory", self.one.log())  # a password, perhaps, in the wrong place

    def test_an_address_that_took_no_nonce_may_be_forged(self):
        alice = self.client(self.one, password="guess").challenge()
        alice.nonce = self.client(self.one).challenge().nonce
        alice.expect(401, stun.ALLOCATE, [UDP])
        self.one.wait_for_log('address="maybe forged" username=alice ')

    def test_neither_a_crowd_nor_what_else_is_refused_hides_who_guesses(self):
        alice = self.client(self.one).allocate()
        for _ in range(40):
            alice.permit("10.0.0.1", code=403)
        for _ in range(40):
            self.guess("mallory")
        self.assertIn("no such user", self.one.log())
        self.assertLess(self.one.log().count("no such user"), 40)
        time.sleep(1.1)  # until a line may be written again
        self.guess("alice")
        self.one.wait_for_log(r"credential refused suppressed=\d+ .*username=alice ")
        self.one.announced.append("^peer denied")


class Command(case.Case):
    """fairlead-relay credential."""

    def make(self, *options, code=0, environment=None):
        run = subprocess.run([relay.program(), "credential", *options], text=True,
                             capture_output=True, timeout=20, check=False,
                             env=relay.ENVIRONMENT | (environment or {}))
        self.assertEqual(run.returncode, code, run.stderr)
        self.assertEqual(run.stdout == "", code != 0)
        self.assertEqual(run.stderr == "", code == 0)
        return run.stdout if code == 0 else run.stderr

    def test_what_it_prints_lets_a_client_in(self):
        one = self.relay("--auth-secret", "north", user=None)
        url = f"turn:127.0.0.1:{one.port}?transport=udp"
        before = int(time.time())
        lines = self.make("--auth-secret", "north", "--user", "alice", "--ttl", "90s",
                          "--url", url).splitlines()
        self.assertEqual(len(lines), 2)
        answer, browsers = json.loads(lines[0]), json.loads(lines[1])
        self.assertEqual(set(answer), {"username", "password", "ttl", "uris"})
        self.assertEqual((answer["ttl"], answer["uris"]), (90, [url]))
        expiry, name = answer["username"].split(":")
        self.assertIn(int(expiry) - before, range(90, 90 + PATIENCE_S))
        self.assertEqual(name, "alice")
        self.assertEqual(browsers, {"iceServers": [{
            "urls": [url], "username": answer["username"], "credential": answer["password"]}]})
        self.client(one, user=answer["username"], password=answer["password"]).allocate()

    def test_it_takes_the_relays_own_environment(self):
        secrets = {"FAIRLEAD_AUTH_SECRET": "no\\,rth,south"}
        one = self.relay(environment=secrets, user=None)
        made = json.loads(self.make("--user", "bob", environment=secrets).splitlines()[0])
        self.assertEqual(made["ttl"], 86400)
        self.client(one, user=made["username"], password=made["password"]).allocate()

    def test_mistakes_are_named_and_secrets_are_not(self):
        self.assertRegex(self.make(code=2), r"(?m)^fairlead-relay credential: --auth-secret: must "
                         r"be given.*\n.*--user: must be given")
        errors = self.make("--auth-secret", "hushhush", "--ttl", "1", "--url", "x", code=2)
        for part in ("--user: must be given", "--ttl: '1' is not a duration", "--url: 'x' is not"):
            self.assertIn(part, errors)
        self.assertNotIn("hushhush", errors)
        self.assertIn("--ttl DURATION", self.make("--help"))

    def test_it_opens_the_relay_for_turnutils_uclient(self):
        case.needs_tool("turnutils_uclient")
        one = self.relay("--auth-secret", "north", "--auth-secret", "south", user=None)
        made = json.loads(self.make("--auth-secret=south", "--user=alice").splitlines()[0])
        own = {"password": None, "user": "alice"}  # -W: it makes its password of the secret
        for options, who in (("-y -c", {"password": made["password"], "user": made["username"]}),
                             ("-y -c -W north", own), ("-y -W south", own)):
            def run(options=options, who=who):
                started = uclient(options, "127.0.0.1", one.port, "127.0.0.1", 9, {"-n": 5}, **who)
                output, _ = started.communicate(timeout=60)
                self.outputs.append(output)
                self.assertIn("Total lost packets 0 ", output)
                received = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)[-1]
                self.assertEqual(received[0], received[1])
                self.assertGreater(int(received[0]), 0)
            with self.subTest(options):
                case.once(run)


if __name__ == "__main__":
    case.main()
