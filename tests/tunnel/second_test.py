#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Version 2 of the relay: agents that prove themselves, names, clients, data connections."""
import os
import selectors
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
import urllib.request

import second
import tunnel
import case
from second import STANDBY, Agent, Token
from tunnel import keys, read, read_to_end, read_until_over, reset
from sandbox import wait_until

FORGED = "a data connection was reset: its preface is of no agent that is here "
UNSPOKEN = "no application protocol"
UNCALLED = "a client was closed: no data connection came for it "


class Relay(tunnel.TunnelRelay):
    """With an access list, tunnels' ports behind those of the pairs, and behind them a shared one
    if it is wanted."""

    def __init__(self, *options, access, tunnels=3, pairs=1, port=None, is_shared=False, **more):
        own = 1 + 2 * pairs + tunnels
        port = port or tunnel.daemon.free_ports(own + 1, socket.SOCK_STREAM)
        self.shared = port + own
        shared = ("--tls-port", self.shared) if is_shared else ()
        super().__init__("--access", access, "--tunnel-port-count", tunnels, *shared, *options,
                         pairs=pairs, port=port, **more)

    @property
    def first(self):
        return self.port + 1 + 2 * self.pairs

    def is_ready(self):
        return super().is_ready() and "serving " in self.log()


class SecondCase(tunnel.TunnelCase):
    daemon_type = Relay

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        super().setUp()  # whose relays end before the folder does
        os.chmod(folder.name, 0o755)
        self.folder = folder.name
        self.access = f"{self.folder}/access"
        self.token = Token("laptop")
        self.write_access(self.token.line())

    def write_access(self, *lines):
        with open(self.access, "w", encoding="ascii") as file:
            file.writelines(lines)

    def relay(self, *options, **more):
        return super().relay(*options, access=self.access, **more)

    def agent(self, relay, token=None, **options):
        return self.own(Agent(relay.port, token or self.token, **options))

    def visit(self, agent, port, name="web", **options):
        """A client that is announced, and its id."""
        client = self.dial(port, **options)
        return client, agent.expect("new_connection", name=name)["id"]

    def join(self, agent, port, name="web"):
        """A client and its data connection."""
        client, number = self.visit(agent, port, name)
        return client, self.own(agent.dial(number))


class Proofs(SecondCase):
    """Who may be an agent at all."""

    def test_with_its_token(self):
        agent = self.agent(self.relay())
        self.assertEqual(agent.welcome["you"],
                         "127.0.0.1:%d" % agent.tls.getsockname()[1])
        self.assertNotIn("data", agent.welcome)  # as the agent likes
        self.assertTrue(agent.welcome["relay"].startswith("fairlead/"))

    def test_not_with_another_one_of_the_same_name(self):
        relay = self.relay()
        for token in (Token("laptop"), Token("desktop")):
            agent = self.own(Agent(relay.port))
            agent.hello(token)
            agent.expect_end("denied")

    def test_not_with_the_proof_of_another_connection(self):
        relay = self.relay()
        agent, other = self.agent(relay), self.own(Agent(relay.port))
        other.keys = agent.keys
        other.hello(self.token)
        other.expect_end("denied")

    def test_with_a_certificate_that_is_on_the_list(self):
        relay = self.relay()
        agent = self.own(Agent(relay.port, role=None))
        agent.hello(None)
        agent.expect_end("denied")  # it has shown none
        agent = self.own(Agent(relay.port))
        agent.close()
        self.write_access("cert any ports=*\n")
        relay = self.relay()
        self.assertIn(self.own(Agent(relay.port, role="client")).bind(),
                      range(relay.first, relay.first + 3))

    def test_a_certificate_of_somebody_else_is_none(self):
        self.write_access("cert any ports=*\n")
        relay = self.relay()
        self.assertIn("alert unknown ca", second.refusal(relay.port, ["tlsrelay/2"],
                                                         keys().stranger, "client"))

    def test_who_says_something_else_first_is_none(self):
        relay = self.relay()
        for verb, fields, code in (
                ("bind", {"rid": 1, "name": "web", "kind": "tcp"}, "protocol"),
                ("greet", {}, "protocol"), ("hello", {"auth": "token"}, "bad_value")):
            agent = self.own(Agent(relay.port))
            agent.say(verb, **fields)
            agent.expect_end(code)

    def test_who_says_nothing_is_asked_to_leave(self):
        self.own(Agent(self.relay().port)).expect_end("timeout")


class Versions(SecondCase):
    """Which is chosen at the control port."""

    def test_version_1_is_there_as_before(self):
        relay = self.relay()
        for protocols in ((), ("tlsrelay/1",), ("other", "tlsrelay/1")):
            tcp = self.dial(relay.port)
            tls = self.own(second.context(role="client", protocols=protocols).wrap_socket(tcp))
            self.assertTrue(tls.recv(100).startswith(b"public_listener "))
            tls.close()
            wait_until(lambda: tunnel.answers_nobody(relay, 0), 20)

    def test_version_1_needs_a_certificate(self):
        relay = self.relay()
        for protocols in ((), ("tlsrelay/1",)):
            self.assertIn("certificate required", second.refusal(relay.port, protocols))

    def test_what_is_neither_is_refused(self):
        relay = self.relay()
        for names in (("h2",), ("tlsrelay/3", "http/1.1")):
            self.assertIn(UNSPOKEN, second.refusal(relay.port, names, role="client"))

    def test_version_2_needs_tls_1_3(self):
        relay = self.relay()
        self.assertIn(UNSPOKEN, second.refusal(relay.port, ["tlsrelay/2"], role="client",
                                               version=ssl.TLSVersion.TLSv1_2))

    def test_an_agent_of_both_finds_a_relay_of_one(self):
        relay = tunnel.TunnelRelay(pairs=1)
        self.relays.append(relay)
        tls = self.own(second.context(role="client", protocols=("tlsrelay/2", "tlsrelay/1"))
                       .wrap_socket(self.dial(relay.port)))
        self.assertEqual(tls.selected_alpn_protocol(), "tlsrelay/1")
        self.assertIn(UNSPOKEN, second.refusal(relay.port, ["tlsrelay/2"], role="client"))

    def test_what_is_no_tls_is_reset(self):
        relay = self.relay()
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"\0", b"TRD3", b"\x16\x02", b"TRX"):
            stranger = self.dial(relay.port)
            stranger.sendall(words)
            with self.assertRaises(ConnectionResetError):
                stranger.recv(1)


class Clients(SecondCase):
    """From a public port to the service."""

    def setUp(self):
        super().setUp()
        self.one = self.relay()
        self.agent_1 = self.agent(self.one)
        self.port = self.agent_1.bind()

    def test_bytes_go_both_ways(self):
        client, data = self.join(self.agent_1, self.port)
        self.assert_talk(client, data)
        data.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(client), b"")
        client.sendall(b"still")
        client.close()
        self.assertEqual(read_to_end(data), b"still")

    def test_the_agent_is_told_who_comes_and_where(self):
        client = self.dial(self.port)
        told = self.agent_1.expect("new_connection", name="web")
        self.assertEqual(told["src"], "%s:%d" % client.getsockname())
        self.assertEqual(told["dst"], "%s:%d" % client.getpeername())

    def test_what_was_sent_before_arrives(self):
        client, number = self.visit(self.agent_1, self.port)
        client.sendall(b"early")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(self.own(self.agent_1.dial(number))), b"early")

    def test_what_the_agent_sends_behind_the_preface_arrives(self):
        client, number = self.visit(self.agent_1, self.port)
        data = self.dial(self.one.port)
        data.sendall(self.agent_1.preface(number) + b"banner")
        self.assertEqual(read(client, 6), b"banner")

    def test_a_preface_may_come_in_pieces(self):
        client, number = self.visit(self.agent_1, self.port)
        data = self.dial(self.one.port)
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one in self.agent_1.preface(number):
            data.sendall(bytes([one]))
        self.assert_talk(client, data)

    def test_a_reset_is_passed_on(self):
        client, data = self.join(self.agent_1, self.port)
        self.assert_talk(client, data)
        reset(data)
        with self.assertRaises(ConnectionResetError):
            read(client, 1)

    def test_clients_get_their_own_whatever_the_order(self):
        visits = [self.visit(self.agent_1, self.port) for _ in range(5)]
        for client, number in reversed(visits):
            self.assert_talk(client, self.own(self.agent_1.dial(number)))

    def assert_reset(self, tcp):
        with self.assertRaises(ConnectionResetError):
            read(tcp, 1)

    def test_an_id_is_for_one_connection(self):
        client, number = self.visit(self.agent_1, self.port)
        data = self.own(self.agent_1.dial(number))
        self.assert_talk(client, data)
        self.assert_reset(self.own(self.agent_1.dial(number)))
        self.assert_talk(client, data)

    def test_what_is_forged_is_reset(self):
        self.one.announced.append(FORGED)
        client, number = self.visit(self.agent_1, self.port)
        good = self.agent_1.preface(number)
        for bad in (good[:-1] + bytes([good[-1] ^ 1]),
                    self.agent_1.preface(number, key=bytes(32)),
                    self.agent_1.preface(number, sid=bytes(16)),
                    self.agent_1.preface(number, STANDBY), self.agent_1.preface(int(number) + 1),
                    good[:5] + b"\1" + good[6:]):
            data = self.dial(self.one.port)
            data.sendall(bad)
            self.assert_reset(data)
        self.assert_talk(client, self.own(self.agent_1.dial(number)))

    def test_another_agent_cannot_take_a_client(self):
        self.one.announced.append(FORGED)
        client, number = self.visit(self.agent_1, self.port)
        thief = self.agent(self.one)
        self.assert_reset(self.own(thief.dial(number)))
        thief.sid = self.agent_1.sid
        self.assert_reset(self.own(thief.dial(number)))
        self.assert_talk(client, self.own(self.agent_1.dial(number)))

    def test_one_that_leaves_is_gone(self):
        client, number = self.visit(self.agent_1, self.port)
        reset(client)
        self.agent_1.expect("gone", id=number, code="left")
        self.assert_reset(self.own(self.agent_1.dial(number)))

    def test_one_that_is_refused_is_reset(self):
        client, number = self.visit(self.agent_1, self.port)
        self.agent_1.say("refuse", id=number, code="unreachable")
        self.assert_reset(client)

    def test_a_port_that_nobody_has_bound_resets(self):
        other = next(port for port in range(self.one.first, self.one.first + 3)
                     if port != self.port)
        self.assertEqual(tunnel.knock(other), b"")

    def test_much_arrives_whole(self):
        client, data = self.join(self.agent_1, self.port)
        block = os.urandom(1 << 20)
        for one, other in ((client, data), (data, client)):
            sender = threading.Thread(target=one.sendall, args=(block,))
            sender.start()
            self.assertEqual(read(other, len(block)), block)
            sender.join()


class Standing(SecondCase):
    def setUp(self):
        super().setUp()
        self.one = self.relay()
        self.agent_1 = self.agent(self.one, pool=2, caps="standby")
        self.port = self.agent_1.bind()

    def numbers(self, count):
        numbers = [line["id"] for line in self.agent_1.seen]
        self.agent_1.seen = []
        while len(numbers) < count:
            numbers.append(self.agent_1.expect("standby")["id"])
        return numbers

    def serve(self, number):  # pylint: disable=arguments-differ
        return self.own(self.agent_1.dial(number, STANDBY))

    def test_a_client_gets_one_at_once(self):
        standing = {number: self.serve(number) for number in self.numbers(2)}
        # Their prefaces may be under way yet: then a client is announced, and another one comes.
        given = None
        while given is None:
            client = self.dial(self.port)
            client.sendall(b"?")
            given = self.given(standing)
        data, line = given
        self.assertEqual(line["src"], "%s:%d" % client.getsockname())
        self.assertEqual(line["dst"], "%s:%d" % client.getpeername())
        self.assertEqual(read(data, 1), b"?")
        self.assert_talk(client, data)
        self.numbers(1)  # in its place

    def given(self, standing):
        """The standing connection that a client is given, with what is told of it, or None."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.agent_1.tls, selectors.EVENT_READ)
            for number, tcp in standing.items():
                selector.register(tcp, selectors.EVENT_READ, number)
            while True:
                for key in (key for key, _ in selector.select(20) if key.data is not None):
                    return key.fileobj, self.agent_1.read_head(key.fileobj, key.data)
                line = self.agent_1.next()
                if line.verb == "new_connection":
                    return None
                self.agent_1.seen.append(line)

    def test_one_that_speaks_is_closed(self):
        number = self.numbers(2)[0]
        data = self.serve(number)
        data.sendall(b"early")
        self.assertEqual(read_until_over(data), b"")


class Names(SecondCase):
    def test_names_have_ports_of_their_own(self):
        relay = self.relay()
        agent = self.agent(relay)
        ports = {agent.bind(name) for name in ("a", "b", "c")}
        self.assertEqual(ports, set(range(relay.first, relay.first + 3)))
        agent.expect("error", rid=agent.ask("bind", "d", kind="tcp"), code="no_port")

    def test_what_the_list_does_not_allow_is_denied(self):
        self.write_access(self.token.line("names=web,api-* ports=*"),
                          Token("other").line("names=web"))
        relay = self.relay()
        agent = self.agent(relay)
        agent.expect("error", rid=agent.ask("bind", "shop", kind="tcp"), code="denied")
        agent.bind("api-1")
        agent.expect("error", rid=agent.ask("bind", "web", kind="sni", hosts="a.test"),
                     code="unsupported")

    def test_unbound_is_closed(self):
        relay = self.relay()
        agent = self.agent(relay)
        port = agent.bind()
        client, data = self.join(agent, port)
        self.assert_talk(client, data)
        agent.expect("unbound", rid=agent.ask("unbind", "web"), name="web", code="asked")
        with self.assertRaises(ConnectionResetError):
            read(self.dial(port), 1)
        self.assert_talk(client, data)

    def test_clients_wait_for_an_agent_that_comes_back(self):
        relay = self.relay()
        agent = self.agent(relay)
        port = agent.bind()
        running = self.join(agent, port)
        self.assert_talk(*running)
        waiting, _ = self.visit(agent, port)
        agent.lose()
        relay.wait_for_log("a control connection of an agent has ended .*owner=laptop", 20)
        later = self.dial(port)
        self.assert_talk(*running)
        again = self.agent(relay)
        self.assertEqual(again.bind(), port)
        for client in (waiting, later):
            self.assert_talk(client, self.own(again.dial(again.expect("new_connection")["id"])))
        self.assert_talk(*running)

    def test_with_its_good_bye_its_names_are_free(self):
        relay = self.relay()
        agent = self.agent(relay)
        port = agent.bind()
        agent.say("bye", code="shutdown")
        read_until_over(agent.tls)
        with self.assertRaises(ConnectionResetError):
            read(self.dial(port), 1)


class Shared(SecondCase):
    """TLS services that share a port by their hosts."""

    def setUp(self):
        super().setUp()
        self.write_access(self.token.line("sni=*.test"))
        self.one = self.relay(is_shared=True)
        self.agent_1 = self.agent(self.one)

    def serve_hosts(self, hosts, name="shop"):
        bound = self.agent_1.expect("bound", rid=self.agent_1.ask("bind", name, kind="sni",
                                                                  hosts=hosts))
        self.assertEqual(bound["at"].rpartition(":")[2], str(self.one.shared))

    def hello(self, host, protocols=()):
        """A client's TLS, with what it says first."""
        tls = second.context(protocols=protocols)
        tls.check_hostname = False
        arrived, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = tls.wrap_bio(arrived, sent, server_hostname=host)
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        return client, arrived, sent.read(), sent

    def talk(self, tcp, data, client, arrived, sent):
        """TLS from end to end, of which the relay has no key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{keys().application}/server.crt.pem",
                                f"{keys().application}/server.key.pem")
        said = []

        def answer():
            with context.wrap_socket(data, server_side=True) as service:
                said.append(service.recv(100))
                service.sendall(b"an answer")
        thread = threading.Thread(target=answer)
        thread.start()
        text = b""
        asked = False
        while text != b"an answer":
            try:
                if not asked:
                    client.write(b"question")
                    asked = True
                text += client.read(100)
            except ssl.SSLWantReadError:
                tcp.sendall(sent.read())
                arrived.write(tcp.recv(65536))
        thread.join()
        self.assertEqual(said, [b"question"])

    def visit_host(self, host, cuts=1, protocols=()):
        client, arrived, hello, sent = self.hello(host, protocols)
        client_context = client.context
        client_context.load_verify_locations(f"{keys().application}/ca.crt.pem")
        tcp = self.dial(self.one.shared)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = -(-len(hello) // cuts)
        for at in range(0, len(hello), step):
            tcp.sendall(hello[at:at + step])
        told = self.agent_1.expect("new_connection", sni=host.lower())
        self.talk(tcp, self.own(self.agent_1.dial(told["id"])), client, arrived, sent)
        return told

    def test_a_client_gets_to_the_host_for_which_it_asks(self):
        self.serve_hosts("shop.test,*.shop.test")
        self.serve_hosts("other.test", "other")
        for host, name in (("shop.test", "shop"), ("a.shop.test", "shop"), ("other.test", "other"),
                           ("Other.TEST", "other")):
            self.assertEqual(self.visit_host(host)["name"], name)
        self.visit_host("shop.test", protocols=("h2", "http/1.1"))

    def test_what_it_asks_may_come_in_pieces(self):
        self.serve_hosts("shop.test")
        for cuts in (2, 50, 1000):
            self.visit_host("shop.test", cuts)

    def test_a_host_that_nobody_has_bound_is_closed(self):
        self.serve_hosts("shop.test")
        for host in ("nobody.test", "a.shop.test", None):
            tcp = self.dial(self.one.shared)
            tcp.sendall(self.hello(host)[2])
            self.assertEqual(read_until_over(tcp), b"")

    def test_hosts_that_the_list_does_not_allow_are_denied(self):
        for hosts in ("shop.example", "*.example", "*"):
            self.agent_1.expect("error", code="denied",
                                rid=self.agent_1.ask("bind", "shop", kind="sni", hosts=hosts))

    def test_agents_are_served_there_too(self):
        agent = self.own(Agent(self.one.shared, self.token, server_name="shop.test"))
        agent.expect("bound", rid=agent.ask("bind", "mine", kind="sni", hosts="mine.test"))
        client, arrived, hello, sent = self.hello("mine.test")
        client.context.load_verify_locations(f"{keys().application}/ca.crt.pem")
        tcp = self.dial(self.one.shared)
        tcp.sendall(hello)
        number = agent.expect("new_connection", sni="mine.test")["id"]
        self.talk(tcp, self.own(agent.dial(number)), client, arrived, sent)

    def test_who_says_too_little_is_reset_in_time(self):
        tcp = self.dial(self.one.shared)
        tcp.sendall(self.hello("shop.test")[2][:-1])
        tcp.settimeout(20)
        self.assertEqual(read_until_over(tcp), b"")


class Crowds(SecondCase):
    def test_who_proves_nothing_keeps_nobody_out(self):
        relay = self.relay()
        strangers = [self.own(Agent(relay.port)) for _ in range(40)]
        agent = self.agent(relay)
        self.assertEqual(tunnel.read_until_over(strangers[0].tls), b"")  # the oldest has gone
        self.assert_talk(*self.join(agent, agent.bind()))

    def test_two_bytes_are_no_handshake(self):
        relay = self.relay("--max-handshakes-per-second", 4)
        for _ in range(40):
            self.dial(relay.port).sendall(b"\x16\x03")
        agent = self.agent(relay)
        self.assert_talk(*self.join(agent, agent.bind()))

    def test_who_says_too_much_is_read_more_slowly(self):
        agent = self.agent(self.relay())
        ping, each, count = b"ping n=1\r\n", 1000, 40
        start = time.monotonic()
        for _ in range(count):
            agent.tls.sendall(ping * each)
            for _ in range(each):
                agent.expect("pong", n=1)
        # A second's worth at once; what there is beyond cannot be read any faster.
        self.assertGreater(time.monotonic() - start,
                           (len(ping) * each * count - 2 * 131072) / 131072)
        self.assert_talk(*self.join(agent, agent.bind()))

    def test_a_crowd_waits_until_its_agent_reads(self):
        """All are announced at once when it is back: more than it may leave unread."""
        names, each = 5, 120
        relay = self.relay("--max-waiting-per-address", 4096, tunnels=names)
        agent = self.agent(relay)
        ports = [agent.bind(f"name-{'x' * 50}-{number}") for number in range(names)]
        agent.lose()
        relay.wait_for_log("a control connection of an agent has ended", 20)
        clients = [self.dial(port) for _ in range(each) for port in ports]
        wait_until(lambda: relay.socket_count() >= len(clients), 20)
        agent = self.agent(relay)
        for number in range(names):
            agent.ask("bind", f"name-{'x' * 50}-{number}", kind="tcp")
        # At different ports two of them may come from the same one.
        places = {("%s:%d" % client.getsockname(), "%s:%d" % client.getpeername()): client
                  for client in clients}
        self.assertEqual(len(places), len(clients))
        told = []
        while len(told) < len(clients):
            line = agent.next()
            if line.verb == "new_connection":
                told.append(line)
            else:
                self.assertEqual(line.verb, "bound")
        for line in told[::100]:
            self.assert_talk(places[line["src"], line["dst"]], self.own(agent.dial(line["id"])))

    def test_an_agent_that_does_not_read_is_not_heard(self):
        """It asks for more and more, and takes no answer: it is gone, and others are served."""
        relay = self.relay()
        deaf, agent = self.agent(relay), self.agent(relay, instance=2)
        deaf.tls.settimeout(1)
        asked = b"".join(b"bind rid=%d name=web kind=sni hosts=a.test\r\n" % (number + 1)
                         for number in range(300))
        try:
            for _ in range(3000):
                deaf.tls.sendall(asked)
        except (TimeoutError, OSError):  # it is not read any more, or has been closed
            pass
        self.assert_talk(*self.join(agent, agent.bind()))


class Running(SecondCase):
    """What an operator does while agents are there."""

    def test_ports_outlive_a_restart(self):
        leases = f"{self.folder}/leases"
        os.chmod(self.folder, 0o777)
        first = self.relay("--leases", leases, tunnels=9)
        agent = self.agent(first)
        ports = {name: agent.bind(name) for name in ("c", "b", "a")}
        first.stop()
        agent = self.agent(self.relay("--leases", leases, tunnels=9, port=first.port))
        self.assertEqual({name: agent.bind(name) for name in ("a", "b", "c")}, ports)

    def test_leases_that_cannot_be_written_stop_nobody(self):
        relay = self.relay("--leases", "/nowhere/leases",
                           announced=["the leases cannot be written"])
        self.agent(relay).bind()

    def test_leases_of_many_ports_are_read_again(self):
        leases = f"{self.folder}/leases"
        os.chmod(self.folder, 0o777)
        with open(leases, "w", encoding="ascii") as file:  # longer than what a person writes
            file.writelines(f"{port} {'o' * 63} {'n' * 57}{port:06} 0\n"
                            for port in range(40000, 50000))
        first = self.relay("--leases", leases,
                           announced=["lines of the leases are left out"])
        self.agent(first).bind()

    def test_a_pipe_is_not_waited_for(self):
        leases = f"{self.folder}/leases"
        os.chmod(self.folder, 0o777)
        os.mkfifo(f"{leases}.new")
        os.chmod(f"{leases}.new", 0o666)
        relay = self.relay("--leases", leases, announced=["the leases cannot be written"])
        self.agent(relay).bind()
        relay.stop()
        os.mkfifo(leases)
        with self.assertRaisesRegex(AssertionError, "the leases cannot be read"):
            self.relay("--leases", leases)

    def test_who_is_off_the_list_loses_all(self):
        relay = self.relay()
        agent, other = self.agent(relay), Token("desktop")
        client, data = self.join(agent, agent.bind())
        self.assert_talk(client, data)
        self.write_access(other.line())
        relay.process.send_signal(signal.SIGHUP)
        agent.expect_end("revoked")
        self.assertEqual(read_to_end(client), b"")
        self.assertEqual(read_to_end(data), b"")
        late = self.own(Agent(relay.port))
        late.hello(self.token)
        late.expect_end("denied")
        self.agent(relay, other).bind()

    def test_a_token_with_the_name_of_another_is_another(self):
        relay = self.relay()
        agent, other = self.agent(relay), Token("laptop")
        self.write_access(other.line())
        relay.process.send_signal(signal.SIGHUP)
        agent.expect_end("revoked")
        self.agent(relay, other)

    def test_who_may_have_less_loses_that(self):
        relay = self.relay()
        agent = self.agent(relay)
        port = agent.bind("web")
        agent.bind("shop")
        self.write_access(self.token.line("ports=* names=web"))
        relay.process.send_signal(signal.SIGHUP)
        agent.expect("unbound", name="shop", code="revoked")
        self.assert_talk(*self.join(agent, port))

    def test_a_list_with_a_mistake_changes_nothing(self):
        relay = self.relay(announced=["the access list is wrong", "nothing was reloaded"])
        agent = self.agent(relay)
        port = agent.bind()
        self.write_access("tokn laptop\n")
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("nothing was reloaded", 20)
        self.assert_talk(*self.join(agent, port))

    def test_a_list_that_only_root_could_read_is_told(self):
        case.needs_root()
        os.chmod(self.access, 0o600)
        relay = self.relay(announced=["the access list cannot be read", "nothing was reloaded"])
        relay.wait_for_log("the access list cannot be read again, and a reload will fail", 20)
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_for_log("nothing was reloaded", 20)
        self.agent(relay)

    def test_certificates_that_only_root_could_read_are_told(self):
        case.needs_root()
        with tempfile.TemporaryDirectory() as folder:  # 0700, as `fairlead-tunnel keys` makes it
            shutil.copytree(tunnel.keys().relay, folder, dirs_exist_ok=True)
            os.chmod(folder, 0o700)
            relay = self.relay(folder=folder, announced=["the certificates cannot be",
                                                         "nothing was reloaded"])
            relay.wait_for_log("the certificates cannot be read again, and a reload will fail", 20)
            relay.process.send_signal(signal.SIGHUP)
            relay.wait_for_log("nothing was reloaded", 20)
            self.agent(relay)

    def test_it_ends_when_the_last_session_has(self):
        relay = self.relay(environment={"FAIRLEAD_TUNNEL_DRAIN_TIMEOUT": "60"})
        agent = self.agent(relay)
        port = agent.bind()
        client, data = self.join(agent, port)
        self.assert_talk(client, data)
        waiting, number = self.visit(agent, port)
        relay.process.send_signal(signal.SIGTERM)
        self.assertIn(int(agent.expect("drain")["in"]), range(50, 61))
        with self.assertRaises(OSError):
            Agent(relay.port, self.token)
        late = self.own(agent.dial(number))
        self.assert_talk(waiting, late)  # it had come before
        self.assert_talk(client, data)
        for one in (waiting, late, client, data):
            one.close()
        agent.expect_end("shutdown")
        relay.process.wait(20)

    def test_its_numbers_are_told(self):
        metrics = tunnel.daemon.free_tcp_port()
        relay = self.relay(environment={"FAIRLEAD_TUNNEL_METRICS_ADDR": f"127.0.0.1:{metrics}"})
        agent = self.agent(relay)
        self.assert_talk(*self.join(agent, agent.bind()))
        wanted = ("tunnel_agents 1", "tunnel_agents_tunnels 1",
                  'tunnel_sessions{protocol="2"} 1', "tunnel_agents_sessions_total 1",
                  'tunnel_agents_controls_total{outcome="welcomed"} 1')

        def told():
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=20) as page:
                lines = page.read().decode().splitlines()
            return all(line in lines for line in wanted)
        wait_until(told, 20)

    def test_clients_are_limited_over_both_versions(self):
        relay = self.relay("--max-sessions", 2, announced=[tunnel.LIMITED])
        control, agent = self.control(relay), self.agent(relay)
        port = agent.bind()
        self.assert_talk(*self.session(control))
        self.assert_talk(*self.join(agent, port))
        self.assertEqual(tunnel.knock(port), b"")
        self.assertEqual(tunnel.knock(control.public_port), b"")


if __name__ == "__main__":
    tunnel.main()
