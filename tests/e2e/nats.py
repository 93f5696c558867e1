# SPDX-License-Identifier: Apache-2.0
"""A small Internet: two machines behind NATs, which give each flow a random port, and a relay.

     alice                nat_a                internet (a bridge)          nat_b                bob
    10.1.0.2 --- 10.1.0.1   198.51.100.1 ---+---+---+--- 198.51.100.2   10.2.0.1 --- 10.2.0.2
 fd01::2 --- fd01::1   2001:db8::1 ---------+   |   +------- 2001:db8::2   fd02::1 --- fd02::2
                                                |
                                              relay
                                   198.51.100.10  2001:db8::10

The NATs masquerade all that leaves (nft masquerade random) and let nothing in that no flow from
inside has asked for. They do so for IPv6 too, so that both families go the same way.
"""
import sandbox

RELAY4, RELAY6 = "198.51.100.10", "2001:db8::10"
NAT_A4, NAT_A6 = "198.51.100.1", "2001:db8::1"
NAT_B4, NAT_B6 = "198.51.100.2", "2001:db8::2"
MASQUERADE = """
table inet nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname "outside" masquerade random
    }
}
table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop
        iifname "inside" accept
        ct state established,related accept
    }
    chain input {
        type filter hook input priority filter
        iifname "outside" ct state new udp dport != 0 drop
    }
}
"""


def make_nat(internet, name, number):
    """A NAT and the machine behind it; returns (nat, machine)."""
    nat, machine = sandbox.Host(f"nat_{name}"), sandbox.Host(f"behind_{name}")
    sandbox.cable(machine, "eth0", nat, "inside")
    sandbox.cable(nat, "outside", internet, f"to_{name}")
    internet.run(f"ip link set to_{name} master bridge")
    sandbox.address(machine, "eth0", f"10.{number}.0.2/24", f"fd0{number}::2/64")
    sandbox.address(nat, "inside", f"10.{number}.0.1/24", f"fd0{number}::1/64")
    sandbox.address(nat, "outside", f"198.51.100.{number}/24", f"2001:db8::{number}/64")
    sandbox.route(machine, f"10.{number}.0.1", f"fd0{number}::1")
    nat.run("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    nat.nft(MASQUERADE)
    return nat, machine


def make_world():
    internet, relay = sandbox.Host("internet"), sandbox.Host("relay")
    internet.run("ip link add bridge type bridge")
    internet.run("ip link set bridge up")
    sandbox.cable(relay, "eth0", internet, "to_relay")
    internet.run("ip link set to_relay master bridge")
    sandbox.address(relay, "eth0", f"{RELAY4}/24", f"{RELAY6}/64")
    return relay, make_nat(internet, "a", 1)[1], make_nat(internet, "b", 2)[1]
