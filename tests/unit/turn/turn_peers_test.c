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

static struct peers make(const char *const *texts, size_t count)
{
    struct turn_peer_rule rules[16];
    struct peers peers;

    assert_true(count <= COUNT_OF(rules));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cidr_read(bytes_of_text(texts[i] + 1), &rules[i].cidr), CIDR_OK);
        rules[i].is_allowed = texts[i][0] == '+';
    }
    peers.memory = calloc(1, turn_peers_size(rules, count));
    assert_non_null(peers.memory);
    turn_peers_init(&peers.trie, peers.memory, rules, count);
    return peers;
}

static const char *denial(const struct peers *peers, const char *ip)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(ip), &addr));
    return turn_peers_denial(&peers->trie, &addr);
}

static void denies_what_only_the_host_can_reach(void **state)
{
    static const char unspecified[] = "an unspecified address";
    static const char loopback[] = "a loopback address";
    static const char link_local[] = "a link-local address";
    static const char multicast[] = "a multicast address";
    static const struct {
        const char *ip;
        const char *reason; // NULL: allowed
    } rows[] = {
        // Each prefix at both ends, and what stands beside it.
        {"0.0.0.0", unspecified},
        {"0.255.255.255", unspecified},
        {"1.0.0.0", NULL},
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
        {"223.255.255.255", NULL},
        {"224.0.0.0", multicast},
        {"239.255.255.255", multicast},
        {"240.0.0.0", NULL},
        {"255.255.255.254", NULL},
        {"255.255.255.255", "the broadcast address"},
        {"::", unspecified},
        {"::1", loopback},
        {"::2", NULL},
        {"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"fe80::", link_local},
        {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", link_local},
        {"fec0::", NULL},
        {"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"ff00::", multicast},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", multicast},
        {"192.0.2.1", NULL},
        {"2001:db8::1", NULL},
        {"7f00:1::", NULL}, // IPv6, whose first bits are those of 127.0.0.1
    };
    struct peers peers = make(NULL, 0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *reason = denial(&peers, rows[i].ip);
        if (rows[i].reason == NULL) {
            assert_null(reason);
        } else {
            assert_non_null(reason);
            assert_string_equal(reason, rows[i].reason);
        }
    }
    free(peers.memory);
}

static void does_not_look_at_ports(void **state)
{
    struct peers peers = make(NULL, 0);
    struct addr addr = {{127, 0, 0, 1}, 0, ADDR_IP4, 0};

    (void)state;
    for (unsigned port = 0; port < 65536; port += 5) {
        addr.port = (uint16_t)port;
        assert_non_null(turn_peers_denial(&peers.trie, &addr));
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
    assert_null(denial(&peers, "::ffff:192.0.2.1"));
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
        "+10.1.2.3",   "-2001:db8::/32", "+2001:db8:1::/48",
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
        assert_non_null(denial(&peers, "2001:db8::1"));
        assert_null(denial(&peers, "2001:db8:1::1"));
        assert_non_null(denial(&peers, "2001:db8:2::1"));
        free(peers.memory);
    }
}

static void denying_stands_above_allowing(void **state)
{
    static const char *const one_way[] = {"+192.0.2.0/24", "-192.0.2.0/24"};
    static const char *const other_way[] = {"-192.0.2.0/24", "+192.0.2.0/24"};
    struct peers one = make(one_way, 2);
    struct peers other = make(other_way, 2);

    (void)state;
    assert_non_null(denial(&one, "192.0.2.1"));
    assert_non_null(denial(&other, "192.0.2.1"));
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
    assert_null(denial(&peers, "192.0.2.1"));
    free(peers.memory);
}

static void can_deny_all_but_a_few(void **state)
{
    static const char *const rules[] = {"-0.0.0.0/0", "-::/0", "+192.0.2.1", "+2001:db8::1"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_null(denial(&peers, "192.0.2.1"));
    assert_null(denial(&peers, "2001:db8::1"));
    assert_non_null(denial(&peers, "192.0.2.0"));
    assert_non_null(denial(&peers, "192.0.2.2"));
    assert_non_null(denial(&peers, "2001:db8::2"));
    assert_non_null(denial(&peers, "8.8.8.8"));
    free(peers.memory);
}

static void a_mapped_address_passes_no_rule_against_all_of_ipv6(void **state)
{
    static const char *const rules[] = {"-::/0"};
    struct peers peers = make(rules, COUNT_OF(rules));

    (void)state;
    assert_non_null(denial(&peers, "::ffff:192.0.2.1"));
    assert_null(denial(&peers, "192.0.2.1"));
    free(peers.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denies_what_only_the_host_can_reach),
        cmocka_unit_test(does_not_look_at_ports),
        cmocka_unit_test(judges_mapped_addresses_by_what_they_carry),
        cmocka_unit_test(a_rule_for_mapped_addresses_is_one_for_what_they_carry),
        cmocka_unit_test(the_longest_prefix_decides),
        cmocka_unit_test(denying_stands_above_allowing),
        cmocka_unit_test(rules_stand_above_what_is_built_in),
        cmocka_unit_test(a_wide_allowance_opens_no_narrower_prohibition),
        cmocka_unit_test(can_deny_all_but_a_few),
        cmocka_unit_test(a_mapped_address_passes_no_rule_against_all_of_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
