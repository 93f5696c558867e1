// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_relay.h"

#include "attack/attack_place.h"
#include "base/macro.h"
#include "talk/talk.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_need.h"

enum {
    PAYLOAD = 29,
    LOW_PORT = 53,
};

static const char *const loopback_places[] = {"127.0.0.1", "127.0.0.2", "127.0.0.53",
                                              "127.255.255.254"};
static const char *const unspecified_places[] = {"0.0.0.0", "0.0.0.1", "0.1.2.3"};
static const char *const link_local_places[] = {"169.254.1.1", "169.254.254.254"};
// Of AWS and most others, of containers there, of Alibaba, of Oracle.
static const char *const metadata_places[] = {"169.254.169.254", "169.254.170.2", "100.100.100.200",
                                              "192.0.0.192"};
static const char *const azure_places[] = {"168.63.129.16"};
static const char *const private_places[] = {"10.0.0.1",       "10.255.255.254", "172.16.0.1",
                                             "172.31.255.254", "192.168.0.1",    "192.168.255.254"};
static const char *const shared_places[] = {"100.64.0.1", "100.127.255.254"};
static const char *const multicast_places[] = {"224.0.0.1", "224.0.0.251", "239.255.255.250"};
static const char *const broadcast_places[] = {"255.255.255.255", "240.0.0.1"};
static const char *const special_places[] = {"192.0.0.8", "198.18.0.1", "192.0.2.1", "203.0.113.99",
                                             "192.88.99.1"};
static const char *const mapped_places[] = {"::ffff:127.0.0.2", "::ffff:169.254.169.254",
                                            "::ffff:10.0.0.1", "::127.0.0.2"};

static void loopback(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, loopback_places, COUNT_OF(loopback_places));
}

static void unspecified(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, unspecified_places, COUNT_OF(unspecified_places));
}

static void link_local(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, link_local_places, COUNT_OF(link_local_places));
}

static void metadata(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, metadata_places, COUNT_OF(metadata_places));
}

static void azure(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, azure_places, COUNT_OF(azure_places));
}

static void private_networks(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, private_places, COUNT_OF(private_places));
}

static void shared(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, shared_places, COUNT_OF(shared_places));
}

static void multicast(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, multicast_places, COUNT_OF(multicast_places));
}

static void broadcast(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, broadcast_places, COUNT_OF(broadcast_places));
}

static void special(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, special_places, COUNT_OF(special_places));
}

static void mapped(struct talk *talk)
{
    talk_need_allocation(talk);
    attack_place_try(talk, mapped_places, COUNT_OF(mapped_places));
}

static void without_permission(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    talk_data_send(talk, 0, 0, data);
    talk_data_send(talk, 0, 0x4000, data);
    talk_data_is_dropped(talk, 0, data);
}

static void to_client_without_permission(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    talk_data_down_is_dropped(talk, 0, data);
}

static void low_port(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    if (talk->is_decided) {
        return;
    }
    struct addr addr = addr_with_port(talk->peers[0].seen, LOW_PORT);
    if (attack_place_is_bound(talk, &addr)) {
        talk_fail(talk, bytes_of_text("ports below 1024 of peers are forbidden"),
                  bytes_of_text("a channel is bound to port 53 of a peer"));
    }
}

static const struct talk_cure loopback_cure = {
    .coturn = "leave out allow-loopback-peers; add denied-peer-ip=127.0.0.0-127.255.255.255",
    .pion = "return false from PermissionHandler when the peer's IP.IsLoopback()",
    .fairlead = "denied by default: remove --allow-peer that covers 127.0.0.0/8",
};
static const struct talk_cure unspecified_cure = {
    .coturn = "4.5.2 or later; add denied-peer-ip=0.0.0.0-0.255.255.255",
    .pion = "return false from PermissionHandler when IP.IsUnspecified() or its first byte is 0",
    .fairlead = "denied by default: remove --allow-peer that covers 0.0.0.0/8",
};
static const struct talk_cure link_local_cure = {
    .coturn = "add denied-peer-ip=169.254.0.0-169.254.255.255",
    .pion = "return false from PermissionHandler when IP.IsLinkLocalUnicast()",
    .fairlead = "denied by default: remove --allow-peer that covers 169.254.0.0/16",
};
static const struct talk_cure metadata_cure = {
    .coturn = "add denied-peer-ip=169.254.0.0-169.254.255.255, =100.64.0.0-100.127.255.255 and "
              "=192.0.0.0-192.0.0.255",
    .pion =
        "return false from PermissionHandler for 169.254.0.0/16, 100.64.0.0/10 and 192.0.0.0/24",
    .fairlead = "denied by default: remove --allow-peer that covers them",
};
static const struct talk_cure azure_cure = {
    .coturn = "at Azure, add denied-peer-ip=168.63.129.16",
    .pion = "at Azure, return false from PermissionHandler for 168.63.129.16",
    .fairlead = "at Azure, add --deny-peer 168.63.129.16",
};
static const struct talk_cure private_cure = {
    .coturn = "add denied-peer-ip=10.0.0.0-10.255.255.255, =172.16.0.0-172.31.255.255 and "
              "=192.168.0.0-192.168.255.255",
    .pion = "return false from PermissionHandler when IP.IsPrivate()",
    .fairlead =
        "denied by default, but in Firezone's manner: remove --allow-peer that covers them, "
        "or add --deny-peer",
};
static const struct talk_cure shared_cure = {
    .coturn = "add denied-peer-ip=100.64.0.0-100.127.255.255",
    .pion =
        "return false from PermissionHandler for 100.64.0.0/10, which IP.IsPrivate() leaves out",
    .fairlead =
        "denied by default, but in Firezone's manner: remove --allow-peer that covers it, or "
        "add --deny-peer 100.64.0.0/10",
};
static const struct talk_cure multicast_cure = {
    .coturn = "add no-multicast-peers",
    .pion = "return false from PermissionHandler when IP.IsMulticast()",
    .fairlead = "denied by default: remove --allow-peer that covers 224.0.0.0/4",
};
static const struct talk_cure broadcast_cure = {
    .coturn = "add no-multicast-peers, and denied-peer-ip=240.0.0.0-255.255.255.255",
    .pion = "return false from PermissionHandler when the IP's first byte is 224 or more",
    .fairlead = "denied by default: remove --allow-peer that covers 240.0.0.0/4",
};
static const struct talk_cure special_cure = {
    .coturn =
        "add denied-peer-ip=192.0.0.0-192.0.0.255, =192.0.2.0-192.0.2.255, "
        "=192.88.99.0-192.88.99.255, =198.18.0.0-198.19.255.255, =198.51.100.0-198.51.100.255, "
        "=203.0.113.0-203.0.113.255",
    .pion = "return false from PermissionHandler for the special-purpose blocks of IANA",
    .fairlead = "denied by default: remove --allow-peer that covers them",
};
static const struct talk_cure mapped_cure = {
    .coturn = "4.9.0 or later",
    .pion = "compare IP.To4() in PermissionHandler, never the 16 bytes",
    .fairlead = "taken for the IPv4 address that they hold, always: tell us",
};
static const struct talk_cure permission_cure = {
    .coturn = "leave out server-relay",
    .pion = "tell pion: permissions are the library's own work",
    .fairlead = "tell us: no configuration does this",
};
static const struct talk_cure low_port_cure = {
    .coturn = "coturn knows no ports of peers: deny them by a firewall's rule for the user that "
              "turnserver runs as",
    .pion =
        "PermissionHandler sees the IP alone: wrap the relay's PacketConn, and refuse such ports "
        "in WriteTo",
    .fairlead = "deny them by a firewall's rule for the user that the relay runs as",
};

#define SSRF                                                                                       \
    "A user of the server reaches services there that trust whoever comes from there: what is "    \
    "not "                                                                                         \
    "bound to the outside, administration, caches, databases."

static const struct talk_check checks[] = {
    {
        .id = "relay-loopback",
        .section = "CVE-2018-4058",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to 127.0.0.0/8.",
        .words = SSRF,
        .cure = &loopback_cure,
        .run = loopback,
    },
    {
        .id = "relay-unspecified",
        .section = "CVE-2020-26262",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to 0.0.0.0/8.",
        .words = "To Linux 0.0.0.0 is the host itself, so it passes a rule that knows 127.0.0.0/8 "
                 "alone. " SSRF,
        .cure = &unspecified_cure,
        .run = unspecified,
    },
    {
        .id = "relay-link-local",
        .section = "RFC 3927, 2.7",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to 169.254.0.0/16.",
        .words = "Clouds and container hosts have their agents there, which ask for no password.",
        .cure = &link_local_cure,
        .run = link_local,
    },
    {
        .id = "relay-metadata",
        .section = "SSRF",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to the metadata services of clouds.",
        .words = "They hand out the machine's credentials to whoever comes from the machine. "
                 "Many speak TCP, which a relay of TCP, or the next bug, brings them.",
        .cure = &metadata_cure,
        .run = metadata,
    },
    {
        .id = "relay-azure",
        .section = "SSRF",
        .severity = TALK_INFO,
        .rule = "Nothing is relayed to 168.63.129.16.",
        .words = "At Azure this public address is the host of the machine, which answers to what "
                 "comes from the machine. Elsewhere it is nobody.",
        .cure = &azure_cure,
        .run = azure,
    },
    {
        .id = "relay-private",
        .section = "RFC 1918",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to private networks.",
        .words = "A user of the server looks around in the network in which the server stands, "
                 "behind its firewall, as was done to Slack's.",
        .cure = &private_cure,
        .run = private_networks,
    },
    {
        .id = "relay-shared",
        .section = "RFC 6598",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to 100.64.0.0/10.",
        .words = "Providers, clouds and overlay networks have hosts of their own there.",
        .cure = &shared_cure,
        .run = shared,
    },
    {
        .id = "relay-multicast",
        .section = "RFC 5771",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to multicast groups.",
        .words =
            "One datagram reaches all hosts of the server's network, such as by mDNS and SSDP, "
            "and each may answer.",
        .cure = &multicast_cure,
        .run = multicast,
    },
    {
        .id = "relay-broadcast",
        .section = "RFC 919",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to the broadcast address, nor to 240.0.0.0/4.",
        .words = "One datagram reaches all hosts of the server's network.",
        .cure = &broadcast_cure,
        .run = broadcast,
    },
    {
        .id = "relay-special",
        .section = "RFC 6890",
        .severity = TALK_LOW,
        .rule = "Nothing is relayed to addresses that are nobody's on the Internet.",
        .words = "Who has hosts there has them inside, and no peer of a call ever has such a one.",
        .cure = &special_cure,
        .run = special,
    },
    {
        .id = "relay-mapped",
        .section = "CVE-2026-27624",
        .severity = TALK_HIGH,
        .rule = "An allocation of IPv4 has no peers of IPv6, also none that hold an IPv4 address.",
        .words = "An address that is compared in a form in which it is not sent passes all lists.",
        .cure = &mapped_cure,
        .run = mapped,
    },
    {
        .id = "relay-without-permission",
        .section = "RFC 8656, 21.2.1",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to a peer for whom there is no permission.",
        .words = "Permissions are where the rules about peers are asked: without them there are no "
                 "rules.",
        .cure = &permission_cure,
        .run = without_permission,
    },
    {
        .id = "relay-from-stranger",
        .section = "RFC 8656, 21.1.6",
        .severity = TALK_MEDIUM,
        .rule = "What a peer without permission sends does not reach the client.",
        .words = "Anybody who guesses a relayed port speaks to who is behind a firewall.",
        .cure = &permission_cure,
        .run = to_client_without_permission,
    },
    {
        .id = "relay-low-port",
        .section = "RFC 6335, 6",
        .severity = TALK_INFO,
        .rule = "Ports below 1024 of peers are forbidden.",
        .words = "No peer of a call has one; name servers, clocks and others that answer strangers "
                 "with much do, and are asked in the server's name.",
        .cure = &low_port_cure,
        .run = low_port,
    },
};

const struct talk_subject attack_relay = {
    .name = "relaying",
    .about = "A relay sends from where it stands, and to whom its users say. What stands there "
             "with it trusts it more than the Internet does, so a hardened server refuses "
             "these peers, by whatever request they are named.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
