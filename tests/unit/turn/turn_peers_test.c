// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cidr.h"

// Rules written as text, "+10.0.0.0/8" allows and "-10.0.0.0/8" denies.
struct peers {
    struct turn_peers trie;
    void *memory; // of exactly the size that the rules need
};

// With addresses of the relay's own host.
static struct peers make_with(const char *const *texts, size_t count, const char *const *own,
                              size_t own_count)
{
    struct turn_config config = turn_config_default();
    struct turn_peer_rule rules[16];
    struct addr own_addrs[4];
    struct peers peers;

    assert_true(count <= COUNT_OF(rules));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cidr_read(bytes_of_text(texts[i] + 1), &rules[i].cidr), CIDR_OK);
        rules[i].is_allowed = texts[i][0] == '+';
    }
    assert_true(own_count <= COUNT_OF(own_addrs));
    for (size_t i = 0; i < own_count; i++) {
        assert_true(addr_read(bytes_of_text(own[i]), &own_addrs[i]));
    }
    config.rules = rules;
    config.rule_count = count;
    config.own_addrs = own_addrs;
    config.own_addr_count = own_count;
    peers.memory = calloc(1, turn_peers_size(&config));
    assert_non_null(peers.memory);
    turn_peers_init(&peers.trie, peers.memory, &config);
    return peers;
}

static struct peers make(const char *const *texts, size_t count)
{
    return make_with(texts, count, NULL, 0);
}

static const char *denial(const struct peers *peers, const char *ip)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(ip), &addr));
    return turn_refusal_words(turn_peers_denial(&peers->trie, &addr, false));
}

static void expect(const struct peers *peers, const struct addr *addr, const char *reason)
{
    const char *found = turn_refusal_words(turn_peers_denial(&peers->trie, addr, false));

    if (reason == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, reason);
    }
}

static const char unspecified[] = "an unspecified address";
static const char loopback[] = "a loopback address";
static const char link_local[] = "a link-local address";
static const char private[] = "a private address";
static const char shared[] = "a shared address of a carrier's NAT";
static const char unique_local[] = "a unique local address";
static const char multicast[] = "a multicast address";
static const char broadcast[] = "the broadcast address";
static const char reserved[] = "a reserved address";
static const char documentation[] = "an address for documentation";
static const char tunnel[] = "an address of a tunnel (6to4 or Teredo)";

// Each prefix at both ends, and what stands beside it; NULL: allowed.
static const struct {
    const char *ip;
    const char *reason;
} rows_ip4[] = {
    {"0.0.0.0", unspecified},
    {"0.255.255.255", unspecified},
    {"1.0.0.0", NULL},
    {"9.255.255.255", NULL},
    {"10.0.0.0", private},
    {"10.255.255.255", private},
    {"11.0.0.0", NULL},
    {"100.63.255.255", NULL},
    {"100.64.0.0", shared},
    {"100.127.255.255", shared},
    {"100.128.0.0", NULL},
    {"126.255.255.255", NULL},
    {"127.0.0.0", loopback},
    {"127.0.0.1", loopback},
    {"127.255.255.255", loopback},
    {"128.0.0.0", NULL},
    {"169.253.255.255", NULL},
    {"169.254.0.0", link_local},
    {"169.254.169.254", link_local},
    {"169.254.255.255", link_local},
    {"169.255.0.0", NULL},
    {"172.15.255.255", NULL},
    {"172.16.0.0", private},
    {"172.31.255.255", private},
    {"172.32.0.0", NULL},
    {"191.255.255.255", NULL},
    {"192.0.0.0", reserved},
    {"192.0.0.255", reserved},
    {"192.0.1.0", NULL},
    {"192.0.1.255", NULL},
    {"192.0.2.0", documentation},
    {"192.0.2.255", documentation},
    {"192.0.3.0", NULL},
    {"192.88.98.255", NULL},
    {"192.88.99.0", reserved},
    {"192.88.99.255", reserved},
    {"192.88.100.0", NULL},
    {"192.167.255.255", NULL},
    {"192.168.0.0", private},
    {"192.168.255.255", private},
    {"192.169.0.0", NULL},
    {"198.17.255.255", NULL},
    {"198.18.0.0", reserved},
    {"198.19.255.255", reserved},
    {"198.20.0.0", NULL},
    {"198.51.99.255", NULL},
    {"198.51.100.0", documentation},
    {"198.51.100.255", documentation},
    {"198.51.101.0", NULL},
    {"203.0.112.255", NULL},
    {"203.0.113.0", documentation},
    {"203.0.113.255", documentation},
    {"203.0.114.0", NULL},
    {"223.255.255.255", NULL},
    {"224.0.0.0", multicast},
    {"239.255.255.255", multicast},
    {"240.0.0.0", reserved},
    {"255.255.255.254", reserved},
    {"255.255.255.255", broadcast},
};

static const struct {
    const char *ip;
    const char *reason;
} rows_ip6[] = {
    {"::", unspecified},
    {"::1", loopback},
    {"64:ff9b:0:ffff:ffff:ffff:ffff:ffff", NULL}, // beside NAT64's /96 and its local /48
    {"64:ff9b:1::", reserved},
    {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", reserved},
    {"64:ff9b:2::", NULL},
    {"ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"100::", reserved},
    {"100:0:0:1::", reserved},
    {"1ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"200::", reserved},
    {"3ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"400::", reserved},
    {"7ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"800::", reserved},
    {"fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"1000::", reserved},
    {"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"2000::", NULL},
    {"2001:1:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"2001:2::", reserved},
    {"2001:2:0:ffff:ffff:ffff:ffff:ffff", reserved},
    {"2001:2:1::", NULL},
    {"2001:f:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"2001:10::", reserved},
    {"2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"2001:20::", reserved},
    {"2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"2001:30::", NULL},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"2001:db8::", documentation},
    {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", documentation},
    {"2001:db9::", NULL},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"3fff::", documentation},
    {"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", documentation},
    {"3fff:1000::", NULL},
    {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {"4000::", reserved},
    {"5f00::", reserved},   // segment routing
    {"7f00:1::", reserved}, // IPv6, whose first bits are those of 127.0.0.1
    {"7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"8000::", reserved},
    {"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"fc00::", unique_local},
    {"fd00:ec2::254", unique_local}, // the metadata service of a cloud
    {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", unique_local},
    {"fe00::", reserved},
    {"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"fe80::", link_local},
    {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", link_local},
    {"fec0::", reserved}, // was: site-local
    {"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", reserved},
    {"ff00::", multicast},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", multicast},
    {"2a00::1", NULL},
};

static void denies_each_prefix_at_both_ends_and_nothing_beside_it(void **state)
{
    struct peers peers = make(NULL, 0);
    struct addr addr = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows_ip4); i++) {
        assert_true(addr_read(bytes_of_text(rows_ip4[i].ip), &addr));
        expect(&peers, &addr, rows_ip4[i].reason);
    }
    for (size_t i = 0; i < COUNT_OF(rows_ip6); i++) {
        assert_true(addr_read(bytes_of_text(rows_ip6[i].ip), &addr));
        expect(&peers, &addr, rows_ip6[i].reason);
    }
    free(peers.memory);
}

// The spellings in which an IPv6 address carries an IPv4 address.
enum spelling { MAPPED, COMPATIBLE, NAT64, SIX_TO_FOUR, TEREDO, SPELLINGS };

static struct addr spell(enum spelling spelling, const struct addr *ip4)
{
    struct addr addr = {.port = ip4->port, .family = ADDR_IP6};
    size_t at = 12;

    switch (spelling) {
    case MAPPED:
        addr.ip[10] = 0xff;
        addr.ip[11] = 0xff;
        break;
    case NAT64:
        addr.ip[1] = 0x64;
        addr.ip[2] = 0xff;
        addr.ip[3] = 0x9b;
        break;
    case SIX_TO_FOUR:
        addr.ip[0] = 0x20;
        addr.ip[1] = 0x02;
        addr.ip[15] = 0x77; // the rest of the address says nothing
        at = 2;
        break;
    case TEREDO:
        addr.ip[0] = 0x20;
        addr.ip[1] = 0x01;
        addr.ip[4] = 0xc0; // the server of whoever it is says nothing either
        break;
    case COMPATIBLE:
    case SPELLINGS:
        break;
    }
    for (size_t i = 0; i < ADDR_IP4_LEN; i++) {
        addr.ip[at + i] = spelling == TEREDO ? (uint8_t)~ip4->ip[i] : ip4->ip[i];
    }
    return addr;
}

// What is not denied for the address inside is so for being a tunnel's, where it is one.
static const char *reason_of(enum spelling spelling, const char *inside)
{
    bool is_tunnel = spelling == SIX_TO_FOUR || spelling == TEREDO;

    return inside == NULL && is_tunnel ? tunnel : inside;
}

static void judges_every_embedded_address_by_what_it_carries(void **state)
{
    struct peers peers = make(NULL, 0);
    struct addr ip4 = {0};

    (void)state;
    for (enum spelling spelling = MAPPED; spelling < SPELLINGS; spelling++) {
        for (size_t i = 0; i < COUNT_OF(rows_ip4); i++) {
            assert_true(addr_read(bytes_of_text(rows_ip4[i].ip), &ip4));
            struct addr addr = spell(spelling, &ip4);
            expect(&peers, &addr, reason_of(spelling, rows_ip4[i].reason));
        }
    }
    free(peers.memory);
}

static void a_tunnel_is_denied_wherever_it_leads(void **state)
{
    static const char *const rules[] = {"+2002::/16", "+2001::/32", "+0.0.0.0/0", "+2002:900::1"};
    static const char *const tunnels[] = {"2002:900::1", "2002:dfff:ffff::1", "2001::f6ff:fffe",
                                          "2001:0:ffff:ffff:ffff:ffff:2000:0"};
    static const char *const others[] = {"2003::1", "2001:1::1", "::9.0.0.1", "64:ff9b::9.0.0.1"};
    struct peers peers = make(NULL, 0);
    struct peers allowing = make(rules, COUNT_OF(rules));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tunnels); i++) {
        struct addr addr = {0};
        assert_true(addr_read(bytes_of_text(tunnels[i]), &addr));
        assert_true(turn_peers_is_tunnel(&addr));
        expect(&peers, &addr, tunnel);
        expect(&allowing, &addr, tunnel);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct addr addr = {0};
        assert_true(addr_read(bytes_of_text(others[i]), &addr));
        assert_false(turn_peers_is_tunnel(&addr));
        assert_null(denial(&peers, others[i]));
    }
    free(peers.memory);
    free(allowing.memory);
}

// ::1 would be 0.0.0.1 in the compatible spelling; it is loopback first.
static void the_ends_of_the_compatible_prefix_are_no_ipv4(void **state)
{
    struct peers peers = make(NULL, 0);

    (void)state;
    assert_string_equal(denial(&peers, "::1"), loopback);
    assert_string_equal(denial(&peers, "::"), unspecified);
    assert_string_equal(denial(&peers, "::2"), unspecified); // 0.0.0.2
    assert_string_equal(denial(&peers, "::7f00:1"), loopback);
    free(peers.memory);
}

static void a_rule_counts_in_every_spelling(void **state)
{
    static const char *const rules[] = {"-8.8.8.0/24", "+10.1.0.0/16"};
    static const char *const mapped_rules[] = {"-::ffff:8.8.8.0/120", "+::ffff:10.1.0.0/112"};
    struct peers one = make(rules, COUNT_OF(rules));
    struct peers other = make(mapped_rules, COUNT_OF(mapped_rules));
    struct addr denied = {{8, 8, 8, 8}, 0, ADDR_IP4, 0};
    struct addr allowed = {{10, 1, 2, 3}, 0, ADDR_IP4, 0};

    (void)state;
    for (enum spelling spelling = MAPPED; spelling < SPELLINGS; spelling++) {
        struct addr addr = spell(spelling, &denied);
        expect(&one, &addr, "denied by --deny-peer");
        expect(&other, &addr, "denied by --deny-peer");
        addr = spell(spelling, &allowed);
        expect(&one, &addr, reason_of(spelling, NULL));
        expect(&other, &addr, reason_of(spelling, NULL));
    }
    expect(&other, &denied, "denied by --deny-peer");
    expect(&other, &allowed, NULL);
    free(one.memory);
    free(other.memory);
}

static void denies_the_hosts_own_addresses_in_every_spelling(void **state)
{
    static const char *const own[] = {"5.6.7.8", "2a00:1::5"};
    static const char *const wide[] = {"+5.0.0.0/8", "+2a00::/16"};
    static const char *const exact[] = {"+5.6.7.8", "+2a00:1::5"};
    static const char reason[] = "an address of the relay's own host";
    struct peers peers = make_with(NULL, 0, own, COUNT_OF(own));
    struct addr ip4 = {{5, 6, 7, 8}, 0, ADDR_IP4, 0};

    (void)state;
    expect(&peers, &ip4, reason);
    assert_string_equal(denial(&peers, "2a00:1::5"), reason);
    assert_null(denial(&peers, "5.6.7.9"));
    assert_null(denial(&peers, "2a00:1::4"));
    for (enum spelling spelling = MAPPED; spelling < SPELLINGS; spelling++) {
        struct addr addr = spell(spelling, &ip4);
        expect(&peers, &addr, reason);
    }
    free(peers.memory);
    peers = make_with(wide, COUNT_OF(wide), own, COUNT_OF(own)); // does not allow just them
    assert_string_equal(denial(&peers, "5.6.7.8"), reason);
    assert_string_equal(denial(&peers, "2a00:1::5"), reason);
    free(peers.memory);
    peers = make_with(exact, COUNT_OF(exact), own, COUNT_OF(own));
    assert_null(denial(&peers, "5.6.7.8"));
    assert_null(denial(&peers, "2a00:1::5"));
    free(peers.memory);
}

// Firezone's peers are wherever its customers are; what reaches the relay's own host stays denied.
static void private_peers_are_reached_where_they_may_be(void **state)
{
    static const char *const rules[] = {"-10.9.0.0/16"};
    static const char *const own[] = {"10.8.0.1"};
    struct peers peers = make_with(rules, COUNT_OF(rules), own, COUNT_OF(own));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows_ip4) + COUNT_OF(rows_ip6); i++) {
        bool is_ip4 = i < COUNT_OF(rows_ip4);
        size_t at = is_ip4 ? i : i - COUNT_OF(rows_ip4);
        const char *reason = is_ip4 ? rows_ip4[at].reason : rows_ip6[at].reason;
        bool is_private = reason == private || reason == shared || reason == unique_local;
        struct addr addr = {0};
        assert_true(addr_read(bytes_of_text(is_ip4 ? rows_ip4[at].ip : rows_ip6[at].ip), &addr));
        bool is_denied = turn_peers_denial(&peers.trie, &addr, true) != TURN_REFUSAL_NONE;
        assert_int_equal(is_denied, reason != NULL && !is_private);
        if (is_ip4) {
            struct addr mapped = spell(MAPPED, &addr);
            is_denied = turn_peers_denial(&peers.trie, &mapped, true) != TURN_REFUSAL_NONE;
            assert_int_equal(is_denied, reason != NULL && !is_private);
        }
    }
    struct addr ruled = {{10, 9, 1, 1}, 0, ADDR_IP4, 0};
    struct addr host = {{10, 8, 0, 1}, 0, ADDR_IP4, 0};
    assert_int_equal(turn_peers_denial(&peers.trie, &ruled, true), TURN_REFUSAL_RULE);
    assert_int_equal(turn_peers_denial(&peers.trie, &host, true), TURN_REFUSAL_OWN);
    free(peers.memory);
}

static void does_not_look_at_ports(void **state)
{
    struct peers peers = make(NULL, 0);
    struct addr addr = {{127, 0, 0, 1}, 0, ADDR_IP4, 0};

    (void)state;
    for (unsigned port = 0; port < 65536; port += 5) {
        addr.port = (uint16_t)port;
        assert_int_equal(turn_peers_denial(&peers.trie, &addr, false), TURN_REFUSAL_LOOPBACK);
    }
    free(peers.memory);
}

static void judges_mapped_addresses_by_what_they_carry(void **state)
{
    static const char *const denied[] = {
        "::ffff:0.0.0.0",   "::ffff:127.0.0.1",       "::ffff:169.254.169.254",
        "::ffff:224.0.0.1", "::ffff:255.255.255.255", "::ffff:10.0.0.1",
    };
    static const char *const rules[] = {"-10.0.0.0/8"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(denied); i++) {
        assert_non_null(denial(&peers, denied[i]));
    }
    assert_null(denial(&peers, "::ffff:9.0.2.1"));
    free(peers.memory);
}

static void a_rule_for_mapped_addresses_is_one_for_what_they_carry(void **state)
{
    static const char *const rules[] = {"-::ffff:10.0.0.0/104", "+::ffff:127.0.0.1"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_non_null(denial(&peers, "::ffff:10.1.2.3"));
    assert_non_null(denial(&peers, "10.1.2.3"));
    assert_null(denial(&peers, "::ffff:127.0.0.1"));
    assert_null(denial(&peers, "127.0.0.1"));
    assert_non_null(denial(&peers, "127.0.0.2"));
    free(peers.memory);
}

static void the_longest_prefix_decides(void **state)
{
    static const char *const rules[] = {
        "-10.0.0.0/8", "+10.1.0.0/16",   "-10.1.2.0/24",
        "+10.1.2.3",   "-2a01:db8::/32", "+2a01:db8:1::/48",
    };

    (void)state;
    for (size_t first = 0; first < COUNT_OF(rules); first++) { // in whatever order they come
        const char *rotated[COUNT_OF(rules)];
        for (size_t i = 0; i < COUNT_OF(rules); i++) {
            rotated[i] = rules[(first + i) % COUNT_OF(rules)];
        }
        struct peers peers = make(rotated, COUNT_OF(rotated));
        assert_null(denial(&peers, "9.255.255.255"));
        assert_string_equal(denial(&peers, "10.0.255.255"), "denied by --deny-peer");
        assert_null(denial(&peers, "10.1.0.0"));
        assert_non_null(denial(&peers, "10.1.2.2"));
        assert_null(denial(&peers, "10.1.2.3"));
        assert_non_null(denial(&peers, "10.1.2.4"));
        assert_null(denial(&peers, "10.1.3.0"));
        assert_non_null(denial(&peers, "10.2.0.0"));
        assert_null(denial(&peers, "11.0.0.0"));
        assert_non_null(denial(&peers, "2a01:db8::1"));
        assert_null(denial(&peers, "2a01:db8:1::1"));
        assert_non_null(denial(&peers, "2a01:db8:2::1"));
        free(peers.memory);
    }
}

static void denying_stands_above_allowing(void **state)
{
    static const char *const one_way[] = {"+9.0.2.0/24", "-9.0.2.0/24"};
    static const char *const other_way[] = {"-9.0.2.0/24", "+9.0.2.0/24"};
    struct peers one = make(one_way, 2);
    struct peers other = make(other_way, 2);

    (void)state;
    assert_non_null(denial(&one, "9.0.2.1"));
    assert_non_null(denial(&other, "9.0.2.1"));
    free(one.memory);
    free(other.memory);
}

static void rules_stand_above_what_is_built_in(void **state)
{
    static const char *const rules[] = {"+127.0.0.0/8", "+::1", "-224.0.0.0/4"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_null(denial(&peers, "127.0.0.1"));
    assert_null(denial(&peers, "::ffff:127.0.0.1"));
    assert_null(denial(&peers, "::1"));
    assert_string_equal(denial(&peers, "224.0.0.1"), "denied by --deny-peer");
    assert_non_null(denial(&peers, "169.254.0.1"));
    free(peers.memory);
}

static void a_wide_allowance_opens_no_narrower_prohibition(void **state)
{
    static const char *const rules[] = {"+0.0.0.0/0", "+::/0"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_non_null(denial(&peers, "127.0.0.1"));
    assert_non_null(denial(&peers, "0.0.0.0"));
    assert_non_null(denial(&peers, "::1"));
    assert_non_null(denial(&peers, "::"));
    assert_null(denial(&peers, "9.0.2.1"));
    free(peers.memory);
}

static void can_deny_all_but_a_few(void **state)
{
    static const char *const rules[] = {"-0.0.0.0/0", "-::/0", "+9.0.2.1", "+2a01:db8::1"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_null(denial(&peers, "9.0.2.1"));
    assert_null(denial(&peers, "2a01:db8::1"));
    assert_non_null(denial(&peers, "9.0.2.0"));
    assert_non_null(denial(&peers, "9.0.2.2"));
    assert_non_null(denial(&peers, "2a01:db8::2"));
    assert_non_null(denial(&peers, "8.8.8.8"));
    free(peers.memory);
}

static void an_embedded_address_passes_no_rule_against_all_of_ipv6(void **state)
{
    static const char *const rules[] = {"-::/0"};
    struct peers peers = make(rules, COUNT_OF(rules));
    struct addr ip4 = {{9, 0, 2, 1}, 0, ADDR_IP4, 0};

    (void)state;
    for (enum spelling spelling = MAPPED; spelling < SPELLINGS; spelling++) {
        struct addr addr = spell(spelling, &ip4);
        expect(&peers, &addr, "denied by --deny-peer");
    }
    expect(&peers, &ip4, NULL);
    free(peers.memory);
}

static void a_rule_against_teredo_holds(void **state)
{
    static const char *const rules[] = {"-2001::/32"};
    static const char *const allowing[] = {"+2001::/32"};
    struct peers denying_peers = make(rules, COUNT_OF(rules));
    struct peers allowing_peers = make(allowing, COUNT_OF(allowing));
    struct addr ip4 = {{9, 0, 2, 1}, 0, ADDR_IP4, 0};
    struct addr inside = {{127, 0, 0, 1}, 0, ADDR_IP4, 0};
    struct addr teredo = spell(TEREDO, &ip4);
    struct addr hidden = spell(TEREDO, &inside);

    (void)state;
    expect(&denying_peers, &teredo, "denied by --deny-peer");
    expect(&denying_peers, &ip4, NULL);
    expect(&allowing_peers, &teredo, tunnel);   // RFC 8656 section 21.4 leaves no choice
    expect(&allowing_peers, &hidden, loopback); // what it carries still counts
    free(denying_peers.memory);
    free(allowing_peers.memory);
}

static void rules_that_differ_are_told_apart(void **state)
{
    static const char *const sets[][2] = {
        {"+10.0.0.0/8", "-192.0.2.0/24"}, {"+10.0.0.0/8", "-192.0.2.0/25"},
        {"+10.0.0.0/8", "+192.0.2.0/24"}, {"+10.0.0.0/8", "-2001:db8::/32"},
        {"-10.0.0.0/8", "-192.0.2.0/24"},
    };
    static const char *const own[] = {"10.0.0.0"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        for (size_t j = 0; j < COUNT_OF(sets); j++) {
            struct peers one = make(sets[i], 2);
            struct peers other = make(sets[j], 2);
            assert_int_equal(turn_peers_equal(&one.trie, &other.trie), i == j);
            free(one.memory);
            free(other.memory);
        }
    }
    struct peers one = make_with(sets[0], 2, own, 1);
    struct peers other = make_with(sets[0], 2, NULL, 0);
    assert_false(turn_peers_equal(&one.trie, &other.trie));
    free(one.memory);
    free(other.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denies_each_prefix_at_both_ends_and_nothing_beside_it),
        cmocka_unit_test(judges_every_embedded_address_by_what_it_carries),
        cmocka_unit_test(a_tunnel_is_denied_wherever_it_leads),
        cmocka_unit_test(the_ends_of_the_compatible_prefix_are_no_ipv4),
        cmocka_unit_test(a_rule_counts_in_every_spelling),
        cmocka_unit_test(denies_the_hosts_own_addresses_in_every_spelling),
        cmocka_unit_test(private_peers_are_reached_where_they_may_be),
        cmocka_unit_test(does_not_look_at_ports),
        cmocka_unit_test(judges_mapped_addresses_by_what_they_carry),
        cmocka_unit_test(a_rule_for_mapped_addresses_is_one_for_what_they_carry),
        cmocka_unit_test(the_longest_prefix_decides),
        cmocka_unit_test(denying_stands_above_allowing),
        cmocka_unit_test(rules_stand_above_what_is_built_in),
        cmocka_unit_test(a_wide_allowance_opens_no_narrower_prohibition),
        cmocka_unit_test(can_deny_all_but_a_few),
        cmocka_unit_test(an_embedded_address_passes_no_rule_against_all_of_ipv6),
        cmocka_unit_test(a_rule_against_teredo_holds),
        cmocka_unit_test(rules_that_differ_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
