# SPDX-License-Identifier: Apache-2.0
"""Places where a relay stands, each with a client and a peer, ready for frames that XDP sends.

Each has `relay`, `alice` and `bob` (hosts), the relay's interfaces and addresses, and alice's and
bob's addresses, by IP version. The relay is known to clients by its "public" addresses.
"""
import nats
import sandbox
from xdp_pass import Pass

LAN_LEN = {4: 24, 6: 64}  # bits of an address that are its network's
ONE_TO_ONE = """
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat
        ip daddr 198.51.100.10 dnat to 10.0.0.4
    }
    chain postrouting {
        type nat hook postrouting priority srcnat
        ip saddr 10.0.0.4 snat to 198.51.100.10
    }
}
"""


def wire(host, device, other, other_device):
    """A veth pair whose frames have whole checksums and may be sent by XDP at `host`."""
    sandbox.cable(host, device, other, other_device)
    for one, name in ((host, device), (other, other_device)):
        one.run("ethtool", "-K", name, "tx", "off")
    with other.inside():
        return Pass(other_device)


def make_switch(switch, *ports):
    """A bridge in a host, to which the eth0 of others leads."""
    switch.run("ip link add bridge type bridge")
    switch.run("ip link set bridge up")
    passes = []
    for host in ports:
        passes.append(wire(host, "eth0", switch, f"to_{host.name}"))
        switch.run(f"ip link set to_{host.name} master bridge")
    return passes


def hosts(*names):
    return [sandbox.Host(name) for name in names]


class Place:
    """A place's first lines name its hosts and addresses."""

    interfaces = ("eth0",)

    def set_addresses(self, relay, alice, bob, public=None):
        self.at = {name: dict(zip((4, 6), both)) for name, both in
                   (("relay", relay), ("alice", alice), ("bob", bob), ("public", public or relay))}

    def close(self):
        for host in self.all:
            host.close()


class Lan(Place):
    """All at one switch, which is a bridge.

        relay eth0 ---+--- alice eth0
       192.0.2.10     |    192.0.2.1
       2001:db8::10   +--- bob eth0
                           192.0.2.2, 2001:db8::2
    """

    def __init__(self, versions=(4, 6)):
        self.all = self.switch, self.relay, self.alice, self.bob = hosts(
            "switch", "relay", "alice", "bob")
        ports = (self.relay, self.alice, self.bob)
        self.passes = make_switch(self.switch, *ports)
        self.set_addresses(("192.0.2.10", "2001:db8::10"), ("192.0.2.1", "2001:db8::1"),
                           ("192.0.2.2", "2001:db8::2"))
        for host in ports:
            sandbox.address(host, "eth0", *(f"{self.at[host.name][version]}/{LAN_LEN[version]}"
                                            for version in versions))


class TwoRouters(Place):
    """Two ways to bob, of which the relay's routes choose one. What bob sends goes by the first.

        relay eth0 ---+--- router1 192.0.2.21 --- bob from1
       192.0.2.10     +--- router2 192.0.2.22 --- bob from2
                      +--- alice eth0             bob lo 203.0.113.2, 2001:db8:3::2
    """

    def __init__(self):
        self.all = switch, self.relay, self.alice, self.bob, *routers = hosts(
            "switch", "relay", "alice", "bob", "router1", "router2")
        self.set_addresses(("192.0.2.10", "2001:db8::10"), ("192.0.2.1", "2001:db8::1"),
                           ("203.0.113.2", "2001:db8:3::2"))
        self.passes = make_switch(switch, self.relay, self.alice, *routers)
        for host in (self.relay, self.alice):
            at = self.at[host.name]
            sandbox.address(host, "eth0", f"{at[4]}/24", f"{at[6]}/64")
        sandbox.address(self.bob, "lo", "203.0.113.2/32", "2001:db8:3::2/128")
        for number, router in ((1, routers[0]), (2, routers[1])):
            self.add_way(number, router)
        sandbox.route(self.bob, "10.1.0.1", "fd01::1")
        self.lead_by(1)

    def add_way(self, number, router):
        self.passes.append(wire(router, "inside", self.bob, f"from{number}"))
        self.bob.run(f"sysctl -q net.ipv4.conf.all.rp_filter=0 "
                     f"net.ipv4.conf.from{number}.rp_filter=0")
        router.run("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        sandbox.address(router, "eth0", f"192.0.2.2{number}/24", f"2001:db8::2{number}/64")
        sandbox.address(router, "inside", f"10.{number}.0.1/24", f"fd0{number}::1/64")
        sandbox.address(self.bob, f"from{number}", f"10.{number}.0.2/24", f"fd0{number}::2/64")
        sandbox.route(router, f"10.{number}.0.2", f"fd0{number}::2")

    def lead_by(self, number):
        """The relay's routes to bob are replaced."""
        self.relay.run(f"ip -4 route replace 203.0.113.0/24 via 192.0.2.2{number}")
        self.relay.run(f"ip -6 route replace 2001:db8:3::/64 via 2001:db8::2{number}")


class Routed(Place):
    """A router between the relay and all others.

        relay eth0 --- 198.51.100.254  router  192.0.2.254 --- alice eth0 192.0.2.1
        198.51.100.10                          203.0.113.254 --- bob eth0 203.0.113.2
    """

    def __init__(self):
        self.set_addresses(("198.51.100.10", "2001:db8:1::10"), ("192.0.2.1", "2001:db8:2::1"),
                           ("203.0.113.2", "2001:db8:3::2"))
        self.join(relay=("198.51.100.254", "2001:db8:1::fe"),
                  alice=("192.0.2.254", "2001:db8:2::fe"),
                  bob=("203.0.113.254", "2001:db8:3::fe"))

    def join(self, **gateways):
        """Makes the hosts and the router, whose addresses are these."""
        self.all = self.router, self.relay, self.alice, self.bob = hosts(
            "router", "relay", "alice", "bob")
        self.router.run("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        self.passes = []
        for host in (self.relay, self.alice, self.bob):
            self.passes.append(wire(host, "eth0", self.router, f"to_{host.name}"))
            at, gateway = self.at[host.name], gateways[host.name]
            sandbox.address(host, "eth0", f"{at[4]}/24", f"{at[6]}/64")
            sandbox.address(self.router, f"to_{host.name}", f"{gateway[0]}/24", f"{gateway[1]}/64")
            sandbox.route(host, *gateway)


class OneToOne(Routed):
    """The router maps a public address of IPv4 to the relay's own, and back.

        relay eth0 --- 10.0.0.1  router  192.0.2.254 --- alice eth0 192.0.2.1
        10.0.0.4            198.51.100.10  203.0.113.254 --- bob eth0 203.0.113.2
    """

    def __init__(self):
        self.set_addresses(("10.0.0.4", "fd00::4"), ("192.0.2.1", "2001:db8:2::1"),
                           ("203.0.113.2", "2001:db8:3::2"), public=("198.51.100.10", None))
        self.join(relay=("10.0.0.1", "fd00::1"), alice=("192.0.2.254", "2001:db8:2::fe"),
                  bob=("203.0.113.254", "2001:db8:3::fe"))
        self.router.nft(ONE_TO_ONE)


class TwoArmed(Place):
    """Clients at one interface of the relay, peers at the other.

        alice eth0 --- outside  relay  inside --- bob eth0
        192.0.2.1      192.0.2.10  198.51.100.10  198.51.100.2

    The relay is known by 192.0.2.10 alone, to which bob has a route.
    """

    interfaces = ("outside", "inside")

    def __init__(self):
        self.all = self.relay, self.alice, self.bob = hosts("relay", "alice", "bob")
        self.passes = [wire(self.relay, "outside", self.alice, "eth0"),
                       wire(self.relay, "inside", self.bob, "eth0")]
        self.set_addresses(("192.0.2.10", "2001:db8:2::10"), ("192.0.2.1", "2001:db8:2::1"),
                           ("198.51.100.2", "2001:db8:1::2"))
        sandbox.address(self.relay, "outside", "192.0.2.10/24", "2001:db8:2::10/64")
        sandbox.address(self.relay, "inside", "198.51.100.10/24", "2001:db8:1::10/64")
        sandbox.address(self.alice, "eth0", "192.0.2.1/24", "2001:db8:2::1/64")
        sandbox.address(self.bob, "eth0", "198.51.100.2/24", "2001:db8:1::2/64")
        sandbox.route(self.bob, "198.51.100.10", "2001:db8:1::10")


class Natted(Place):
    """The world of nats.py; alice and bob are behind the NATs, and no peers."""

    def __init__(self):
        self.relay, self.alice, self.bob = nats.make_world()
        for host in (self.relay, self.alice, self.bob):
            host.run("ethtool -K eth0 tx off")
        with sandbox.inside("internet"):
            self.passes = [Pass("to_relay")]
        self.set_addresses((nats.RELAY4, nats.RELAY6), (nats.NAT_A4, nats.NAT_A6),
                           (nats.NAT_B4, nats.NAT_B6))

    def close(self):
        sandbox.run("ip -all netns delete")
