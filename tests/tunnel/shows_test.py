#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of version 2: `status`, `why`, `top` and the metrics of a relay with agents.

Agents are `fairlead-tunnel expose`, or of our own where one is to misbehave.
"""
import json
import re
import signal
import socket
import ssl
import subprocess
import urllib.request

import second
import spoke_test
import tunnel
from sandbox import wait_until
from second import Token
from tunnel import read, read_until_over

UNCALLED = "a client was closed: no data connection came for it "
LONG_S = 30


class Shows(spoke_test.SpokeCase):
    def setUp(self):
        super().setUp()
        self.path = f"{self.folder}/tunnel.sock"

    def relay(self, *options, **more):
        return super().relay("--control-socket", self.path, *options, **more)

    def ask(self, *words, code=0):
        run = subprocess.run([tunnel.program(), *(str(word) for word in words), "--control-socket",
                              self.path], text=True, capture_output=True, timeout=60, check=False,
                             env=tunnel.ENVIRONMENT)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def why(self, about, *patterns):
        """That the answer has all of these, sooner or later."""
        def is_told():
            self.told = self.ask("why", about)
            return all(re.search(pattern, self.told) for pattern in patterns)
        try:
            wait_until(is_told, LONG_S)
        except TimeoutError:
            self.fail(f"{patterns} are not all in: {self.told}")
        return self.told

    def rows(self):
        """Of tunnels, by their names."""
        return {row["name"]: row for row in json.loads(self.ask("top", "--json"))["list"]
                if "name" in row}

    def agent(self, relay, token=None, **options):
        return self.own(second.Agent(relay.port, token or self.token, **options))

    def test_a_tunnel_that_is_well(self):
        relay = self.relay()
        exposed = self.control(relay, "--name", "web", "--pool", 1)
        port = exposed.public_port
        client, service = self.session(exposed)
        text = self.why(port, f"{port} is a port of tunnels", rf"Tunnel laptop/web has port {port}",
                        r"its agent is at 127\.0\.0\.1:\d+, whose control connection is up for \d+ s",
                        "1 connections that stand by", "1 clients are joined, 0 wait",
                        "0 sessions have ended", "Nothing is wrong that the relay sees")
        for word in ("web", "laptop/web"):
            self.assertIn(f"Tunnel laptop/web has port {port}", self.ask("why", word))
        self.why("laptop", "Agent laptop has a control connection from 127.0.0.1:.* 1 tunnels",
                 "Tunnel laptop/web has port")
        self.why("127.0.0.1", "Agent laptop has a control connection from 127.0.0.1:")
        found = json.loads(self.ask("why", port, "--json"))["findings"]
        self.assertIn("1 clients are joined", found[1]["what"], text)
        client.close()
        service.close()
        self.why(port, "0 clients are joined, 0 wait, 1 sessions have ended")

    def test_who_asks_for_what_there_is_not(self):
        relay = self.relay()
        self.why(relay.first, f"{relay.first} is a port of tunnels", "No agent has it now",
                 "clients are reset")
        self.why(relay.port, "is the control port, where servers and agents come")
        last = relay.first + 2
        self.why(1, f"no port of a server or an agent: .* those of agents {relay.first} to {last}")
        for word in ("web", "laptop/web", "a.test"):
            self.assertIn(f"Nothing is known of {word}: no agent, no tunnel", self.ask("why", word))
        self.assertIn("Nothing is known of 192.0.2.1", self.ask("why", "192.0.2.1"))
        tunnel.knock(relay.first)
        self.why(relay.first, rf"127\.0\.0\.1:\d+: it was reset as a client, port {relay.first}, ",
                 "no agent had what it came for")
        self.why("127.0.0.1", "it was reset as a client")

    def test_an_agent_that_is_lost_and_comes_back(self):
        relay = self.relay()
        exposed = self.control(relay, "--name", "web")
        port = exposed.public_port
        bound_s = self.rows()["web"]["linked_s"]
        exposed.tool.signal(signal.SIGSTOP)  # so that it does not come back at once
        agent = self.agent(relay)  # which takes the name over, and is cut off
        self.assertEqual(agent.bind("web", take=1), port)
        agent.lose()
        self.why(port, r"- Its control connection is lost; it is kept for \d+ s yet",
                 "what to do: look at the agent's log")
        row = self.rows()["web"]
        self.assertEqual((row["agent"], row["is_kept"]), ("none", 1))
        self.assertTrue(0 < row["grace_ms"] <= 60000, row)
        self.assertRegex(self.ask("top"), rf"\n *{port} .* laptop/web lost, kept for \d+ s\n")
        waiting = self.dial(port)
        self.why(port, "0 clients are joined, 1 wait")
        again = self.agent(relay)
        self.assertEqual(again.bind("web"), port)
        self.why(port, "its agent is at 127.0.0.1:%d," % again.tls.getsockname()[1])
        row = self.rows()["web"]
        self.assertEqual((row["is_kept"], row["linked_s"]), (0, bound_s))
        waiting.close()

    def test_a_port_that_rests_for_its_tunnel(self):
        relay = self.relay("--grace", 1)
        agent = self.agent(relay)
        port = agent.bind("web")
        agent.lose()
        self.why(port, "No agent has it now", r"It is kept for tunnel laptop/web, which had it "
                 r"until \d+ s ago")
        self.why("web", f"Tunnel laptop/web is not there; it had port {port}, which is kept for it")
        self.assertIn("free ports of agents: 2\n", self.ask("status"))

    def test_an_agent_that_does_not_get_what_it_asks_for(self):
        shop = Token("shop")
        first = tunnel.daemon.free_ports(6, socket.SOCK_STREAM) + 3
        self.write_access(self.token.line("ports=*"), shop.line(f"ports={first}"))
        relay = self.relay(port=first - 3)
        exposed = self.control(relay, "--name", "web", "--port", relay.first)
        agent = self.agent(relay, shop)
        for port, code in ((relay.first, "port_taken"), (relay.first + 1, "denied")):
            agent.expect("error", rid=agent.ask("bind", "api", kind="tcp", port=port), code=code)
        text = self.why("api", "as an agent it was refused a name, of shop/api, port "
                        f"{relay.first}, .*\n  why: .*\n", f"of shop/api, port {relay.first + 1}, ")
        self.assertIn("the list that --access names", text)
        self.why("shop", "Agent shop has a control connection", "it was refused a name, of shop/api")
        self.why(exposed.public_port, "Tunnel laptop/web has port", "it was refused a name")

    def test_an_agent_that_does_not_dial(self):
        relay = self.relay("--pending-timeout", 1, announced=[UNCALLED])
        agent = self.agent(relay)
        port = agent.bind("web")
        client = self.dial(port)
        agent.expect("new_connection", name="web")
        self.assertEqual(read_until_over(client), b"")
        self.why(port, "- Its agent does not dial back for clients: 0 wait now; 1 clients were "
                       "closed, the last one", "look at the agent's log")
        self.why("127.0.0.1", "it was closed as a client, of laptop/web,")

    def test_a_service_that_does_not_answer(self):
        relay = self.relay()
        for name, pool in (("none", 0), ("some", 1)):
            exposed = self.control(relay, "--name", name, "--pool", pool)
            exposed.listener.close()
            tunnel.knock(exposed.public_port)
        self.why("none", "- The service behind its agent may not answer: 1 clients were refused by "
                 "the agent", "connect to the service")
        self.why("some", "may not answer: 1 (clients were refused|sessions ended without a byte)")
        self.why("127.0.0.1", "it was reset as a client, of laptop/none,",
                 "why: its agent refused it")

    def test_clients_that_meet_a_limit(self):
        relay = self.relay(announced=[tunnel.LIMITED])
        agent = self.agent(relay)
        port = agent.bind("web", max=1)
        client = self.dial(port)
        agent.expect("new_connection", name="web")
        self.assertEqual(tunnel.knock(port), b"")
        self.why(port, "- Clients were refused: 1 met a limit", "connections= in the list")
        client.close()

    def test_hosts_at_the_shared_port(self):
        shared = tunnel.daemon.free_ports(1, socket.SOCK_STREAM)
        relay = self.relay("--tls-port", shared)
        self.why(shared, "is the TLS port that tunnels share", "No tunnel has a host now")
        agent = self.agent(relay)
        agent.bind("shop", kind="sni", hosts="shop.test,*.shop.test")
        self.why(shared, rf"- Tunnel laptop/shop has at port {shared} the hosts .*shop\.test")
        for host in ("shop.test", "www.Shop.test"):
            self.why(host, rf"Tunnel laptop/shop has at port {shared} the hosts", "0 wait")
        row = self.rows()["shop"]
        self.assertEqual(row["port"], 0)
        self.assertEqual(set(row["hosts"].split(",")), {"shop.test", "*.shop.test"})
        self.assertRegex(self.ask("top"), r"\n +tls .* laptop/shop at 127\.0\.0\.1:\d+ for .*shop")
        context = ssl.create_default_context()
        with self.assertRaises(OSError):
            context.wrap_socket(self.dial(shared), server_hostname="other.test")
        self.why("other.test", f"it was reset as a client, for other.test, port {shared}")
        agent.lose()
        self.why(shared, "and its agent is lost")

    def test_what_each_tunnel_carries(self):
        relay = self.relay("--num-worker-threads", 2)
        exposed = {name: self.control(relay, "--name", name) for name in ("web", "ssh")}
        server = self.own(tunnel.Control(relay))  # of version 1, beside them
        client = self.dial(exposed["web"].public_port)
        service = self.serve(exposed["web"])
        client.sendall(b"x" * 100000)
        read(service, 100000)
        service.sendall(b"y" * 5000)
        read(client, 5000)
        told = json.loads(self.ask("top", "--json"))
        self.assertEqual((told["servers"], told["agents"], told["tunnels"], told["sessions"]),
                         (1, 2, 2, 1))
        self.assertEqual(len([row for row in told["list"] if "server" in row]), 1)
        row = self.rows()["web"]
        self.assertEqual((row["owner"], row["port"], row["sessions"], row["ended"]),
                         ("laptop", exposed["web"].public_port, 1, 0))
        self.assertEqual((row["from_clients"], row["to_clients"]), (100000, 5000))
        self.assertRegex(row["agent"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(self.rows()["ssh"]["from_clients"], 0)
        client.close()
        service.close()
        wait_until(lambda: self.rows()["web"]["ended"] == 1, LONG_S)
        row = self.rows()["web"]
        self.assertEqual((row["sessions"], row["from_clients"], row["to_clients"]),
                         (0, 100000, 5000))
        server.close()

    def test_status_and_metrics_count_agents(self):
        metrics = tunnel.daemon.free_tcp_port()
        relay = self.relay(environment={"FAIRLEAD_TUNNEL_METRICS_ADDR": f"127.0.0.1:{metrics}"})
        agent = self.agent(relay)
        port = agent.bind("web")
        client = self.dial(port)
        number = agent.expect("new_connection", name="web")["id"]
        data = self.own(agent.dial(number))
        waiting = self.dial(port)
        agent.expect("new_connection", name="web")
        self.assert_talk(client, data)
        told = json.loads(self.ask("status", "--json"))
        self.assertEqual([told[key] for key in (
            "agents", "tunnels_of_agents", "sessions_of_agents", "clients_that_wait_for_agents",
            "connections_that_stand_by", "ports_of_agents", "free_ports_of_agents")],
                         [1, 1, 1, 1, 0, 3, 2])
        wanted = ("tunnel_agents 1", "tunnel_agents_tunnels 1", "tunnel_agents_standing 0",
                  "tunnel_agents_ports 3", "tunnel_agents_ports_free 2",
                  'tunnel_sessions{protocol="1"} 0', 'tunnel_sessions{protocol="2"} 1',
                  'tunnel_clients_waiting{protocol="1"} 0', 'tunnel_clients_waiting{protocol="2"} 1')

        def is_told():
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=20) as page:
                lines = page.read().decode().splitlines()
            self.missing = [line for line in wanted if line not in lines]
            return not self.missing
        try:
            wait_until(is_told, LONG_S)
        except TimeoutError:
            self.fail(f"not told: {self.missing}")
        waiting.close()


if __name__ == "__main__":
    tunnel.main()
