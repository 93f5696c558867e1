// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_relay6.h"

#include "attack/attack_place.h"
#include "attack/attack_step.h"
#include "base/macro.h"

static const char *const loopback_places[] = {"::1", "::"};
static const char *const link_local_places[] = {"fe80::1", "fe80::a9fe:a9fe"};
static const char *const metadata_places[] = {"fd00:ec2::254", "fd20:ce::254",
                                              "fd00:c1::a9fe:a9fe"};
static const char *const unique_local_places[] = {"fc00::1", "fd12:3456:789a::1"};
static const char *const site_local_places[] = {"fec0::1"};
static const char *const multicast_places[] = {"ff02::1", "ff02::fb", "ff05::2"};
static const char *const mapped_places[] = {
    "::ffff:127.0.0.2", "::ffff:0.0.0.0",     "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",  "::ffff:192.168.0.1", "::ffff:224.0.0.1",
};
static const char *const compatible_places[] = {"::127.0.0.2", "::169.254.169.254", "::10.0.0.1"};
static const char *const nat64_places[] = {
    "64:ff9b::7f00:2",    // 127.0.0.2
    "64:ff9b::a9fe:a9fe", // 169.254.169.254
    "64:ff9b::a00:1",     // 10.0.0.1
    "64:ff9b:1::a00:1",   // the same in a network's own prefix of RFC 8215
};
static const char *const sixtofour_places[] = {
    "2002:7f00:2::1",    // 127.0.0.2
    "2002:a9fe:a9fe::1", // 169.254.169.254
    "2002:a00:1::1",     // 10.0.0.1
};
static const char *const teredo_places[] = {
    // Server 192.0.2.1, client 127.0.0.2 and 10.0.0.1, whose bits are turned over.
    "2001:0:c000:201:0:ffff:80ff:fffd",
    "2001:0:c000:201:0:ffff:f5ff:fffe",
};
static const char *const isatap_places[] = {"fe80::5efe:7f00:2", "fe80::200:5efe:a00:1"};
static const char *const special_places[] = {"2001:db8::99", "2001:2::1", "3fff::1", "100::1"};

static void loopback(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, loopback_places, COUNT_OF(loopback_places));
}

static void link_local(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, link_local_places, COUNT_OF(link_local_places));
}

static void metadata(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, metadata_places, COUNT_OF(metadata_places));
}

static void unique_local(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, unique_local_places, COUNT_OF(unique_local_places));
}

static void site_local(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, site_local_places, COUNT_OF(site_local_places));
}

static void multicast(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, multicast_places, COUNT_OF(multicast_places));
}

static void mapped(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, mapped_places, COUNT_OF(mapped_places));
}

static void compatible(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, compatible_places, COUNT_OF(compatible_places));
}

static void nat64(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, nat64_places, COUNT_OF(nat64_places));
}

static void sixtofour(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, sixtofour_places, COUNT_OF(sixtofour_places));
}

static void teredo(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, teredo_places, COUNT_OF(teredo_places));
}

static void isatap(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, isatap_places, COUNT_OF(isatap_places));
}

static void special(struct talk *talk)
{
    attack_step_need_ip6(talk);
    attack_place_try(talk, special_places, COUNT_OF(special_places));
}

static const struct talk_cure loopback_cure = {
    .coturn =
        "leave out allow-loopback-peers, 4.5.2 or later; add denied-peer-ip=::1, never a range "
        "that begins at ::, which denies all of IPv4",
    .pion = "return false from PermissionHandler when IP.IsLoopback() or IP.IsUnspecified()",
    .fairlead = "denied by default: remove --allow-peer that covers them",
};
static const struct talk_cure link_local_cure = {
    .coturn = "add denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    .pion = "return false from PermissionHandler when IP.IsLinkLocalUnicast()",
    .fairlead = "denied by default: remove --allow-peer that covers fe80::/10",
};
static const struct talk_cure unique_local_cure = {
    .coturn = "add denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    .pion = "return false from PermissionHandler when IP.IsPrivate()",
    .fairlead = "denied by default, but in Firezone's manner: remove --allow-peer that covers "
                "fc00::/7, or add --deny-peer",
};
static const struct talk_cure site_local_cure = {
    .coturn = "add denied-peer-ip=fec0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    .pion = "return false from PermissionHandler for fec0::/10",
    .fairlead = "denied by default: remove --allow-peer that covers fec0::/10",
};
static const struct talk_cure multicast_cure = {
    .coturn = "add no-multicast-peers",
    .pion = "return false from PermissionHandler when IP.IsMulticast()",
    .fairlead = "denied by default: remove --allow-peer that covers ff00::/8",
};
static const struct talk_cure mapped_cure = {
    .coturn = "4.9.0 or later; before, add denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff",
    .pion = "compare IP.To4() in PermissionHandler, never the 16 bytes",
    .fairlead =
        "taken for the IPv4 address that they hold, always: remove --allow-peer that covers "
        "that",
};
static const struct talk_cure embedded_cure = {
    .coturn = "4.9.0 or later; before, add denied-peer-ip=::1-::ffff:ffff, "
              "=64:ff9b::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff, "
              "=2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff, =2001::-2001:0:ffff:ffff:ffff:ffff:"
              "ffff:ffff",
    .pion = "take the IPv4 address out of it in PermissionHandler, or return false for ::/96, "
            "64:ff9b::/96, 64:ff9b:1::/48, 2001::/32 and 2002::/16",
    .fairlead = "taken for the IPv4 address that they hold, or denied, always: remove --allow-peer "
                "that covers them",
};
static const struct talk_cure special_cure = {
    .coturn = "add denied-peer-ip=2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff, "
              "=2001:2::-2001:2:0:ffff:ffff:ffff:ffff:ffff, "
              "=3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff, =100::-100::ffff:ffff:ffff:ffff",
    .pion = "return false from PermissionHandler for the special-purpose blocks of IANA",
    .fairlead = "denied by default: remove --allow-peer that covers them",
};

#define EMBEDDED                                                                                   \
    "A host or a router on the way turns it into the IPv4 address that it holds, which lists of "  \
    "IPv4 addresses have never seen."

static const struct talk_check checks[] = {
    {
        .id = "relay6-loopback",
        .section = "CVE-2020-26262",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to ::1, nor to ::, which Linux takes for it.",
        .words = "A user of the server reaches services there that trust whoever comes from there.",
        .cure = &loopback_cure,
        .run = loopback,
    },
    {
        .id = "relay6-link-local",
        .section = "RFC 4291, 2.5.6",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to fe80::/10.",
        .words = "All hosts on the server's cable have one, behind any firewall.",
        .cure = &link_local_cure,
        .run = link_local,
    },
    {
        .id = "relay6-metadata",
        .section = "SSRF",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to the metadata services of clouds.",
        .words = "They hand out the machine's credentials to whoever comes from the machine.",
        .cure = &unique_local_cure,
        .run = metadata,
    },
    {
        .id = "relay6-unique-local",
        .section = "RFC 4193",
        .severity = TALK_HIGH,
        .rule = "Nothing is relayed to fc00::/7.",
        .words = "A user of the server looks around in the network in which the server stands.",
        .cure = &unique_local_cure,
        .run = unique_local,
    },
    {
        .id = "relay6-site-local",
        .section = "RFC 3879",
        .severity = TALK_LOW,
        .rule = "Nothing is relayed to fec0::/10.",
        .words = "Old networks have hosts there still.",
        .cure = &site_local_cure,
        .run = site_local,
    },
    {
        .id = "relay6-multicast",
        .section = "RFC 4291, 2.7",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to multicast groups.",
        .words = "One datagram reaches all hosts of the server's network, and each may answer.",
        .cure = &multicast_cure,
        .run = multicast,
    },
    {
        .id = "relay6-mapped",
        .section = "CVE-2026-27624",
        .severity = TALK_HIGH,
        .rule = "What is forbidden of IPv4 is forbidden as ::ffff:0:0/96.",
        .words =
            "The kernel sends it to the IPv4 address, which lists of IPv4 addresses have never "
            "seen.",
        .cure = &mapped_cure,
        .run = mapped,
    },
    {
        .id = "relay6-compatible",
        .section = "RFC 4291, 2.5.5.1",
        .severity = TALK_MEDIUM,
        .rule = "What is forbidden of IPv4 is forbidden as ::/96.",
        .words = EMBEDDED,
        .cure = &embedded_cure,
        .run = compatible,
    },
    {
        .id = "relay6-nat64",
        .section = "RFC 6052, 2.1",
        .severity = TALK_MEDIUM,
        .rule = "What is forbidden of IPv4 is forbidden as 64:ff9b::/96.",
        .words = EMBEDDED,
        .cure = &embedded_cure,
        .run = nat64,
    },
    {
        .id = "relay6-6to4",
        .section = "RFC 3056",
        .severity = TALK_MEDIUM,
        .rule = "What is forbidden of IPv4 is forbidden as 2002::/16.",
        .words = EMBEDDED,
        .cure = &embedded_cure,
        .run = sixtofour,
    },
    {
        .id = "relay6-teredo",
        .section = "RFC 4380",
        .severity = TALK_LOW,
        .rule = "Nothing is relayed to 2001::/32.",
        .words = EMBEDDED,
        .cure = &embedded_cure,
        .run = teredo,
    },
    {
        .id = "relay6-isatap",
        .section = "RFC 5214, 6.1",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to ISATAP addresses of the own cable.",
        .words = EMBEDDED,
        .cure = &link_local_cure,
        .run = isatap,
    },
    {
        .id = "relay6-special",
        .section = "RFC 6890",
        .severity = TALK_LOW,
        .rule = "Nothing is relayed to addresses that are nobody's on the Internet.",
        .words = "Who has hosts there has them inside, and no peer of a call ever has such a one.",
        .cure = &special_cure,
        .run = special,
    },
};

const struct talk_subject attack_relay6 = {
    .name = "relaying by IPv6",
    .about = "An address of IPv6 can hold one of IPv4, in more ways than lists know. These are "
             "tried where the server relays IPv6.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
