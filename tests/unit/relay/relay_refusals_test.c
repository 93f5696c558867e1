// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct relay_refusals refusals;

static int open_refusals(void **state)
{
    (void)state;
    return relay_refusals_open(&refusals);
}

static int close_refusals(void **state)
{
    (void)state;
    relay_refusals_close(&refusals);
    relay_refusals_close(&refusals);
    return 0;
}

static struct addr ip4(uint32_t ip, uint16_t port)
{
    const uint8_t bytes[] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
                             (uint8_t)ip};

    return addr_ip4(bytes, port);
}

static void keep(struct addr client, enum turn_refusal refusal, bool is_certain, int64_t wall_s)
{
    const struct turn_command_report report = {
        .tuple.client = client,
        .username = BYTES_LITERAL("alice"),
        .refusal = refusal,
        .method = 3,
        .is_client_certain = is_certain,
    };

    relay_refusals_keep(&refusals, &report, wall_s);
}

static uint32_t found(struct addr client)
{
    struct relay_refusal out[RELAY_REFUSALS_FOUND_MAX];

    return relay_refusals_find(&refusals, &client, out);
}

static void counts_what_is_repeated(void **state)
{
    const struct addr client = ip4(0xc0000207, 5000);
    struct relay_refusal out[RELAY_REFUSALS_FOUND_MAX];

    (void)state;
    for (int64_t at = 100; at < 150; at++) {
        keep(client, TURN_REFUSAL_USER_QUOTA, true, at);
    }
    assert_int_equal(relay_refusals_find(&refusals, &client, out), 1);
    assert_int_equal(out[0].count, 50);
    assert_int_equal(out[0].first_s, 100);
    assert_int_equal(out[0].last_s, 149);
    assert_int_equal(out[0].refusal, TURN_REFUSAL_USER_QUOTA);
    assert_int_equal(out[0].method, 3);
    assert_true(out[0].is_certain);
    assert_true(bytes_equal_text(turn_name_bytes(&out[0].name), "alice"));
}

static void finds_a_client_by_address_with_and_without_its_port(void **state)
{
    (void)state;
    keep(ip4(0xc0000207, 5000), TURN_REFUSAL_USER_QUOTA, true, 1);
    keep(ip4(0xc0000207, 5001), TURN_REFUSAL_USER_QUOTA, true, 2);
    keep(ip4(0xc0000207, 5001), TURN_REFUSAL_PASSWORD, false, 3);
    keep(ip4(0xc0000208, 5000), TURN_REFUSAL_USER_QUOTA, true, 4);
    assert_int_equal(found(ip4(0xc0000207, 5000)), 1);
    assert_int_equal(found(ip4(0xc0000207, 5001)), 2);
    assert_int_equal(found(ip4(0xc0000207, 5002)), 0);
    assert_int_equal(found(ip4(0xc0000207, 0)), 3);
    assert_int_equal(found(ip4(0xc0000208, 0)), 1);
    assert_int_equal(found(ip4(0x0a000001, 0)), 0);
}

static void keeps_nothing_of_what_is_no_refusal(void **state)
{
    (void)state;
    keep(ip4(0xc0000207, 5000), TURN_REFUSAL_NONE, true, 1);
    assert_int_equal(found(ip4(0xc0000207, 0)), 0);
}

static void gives_up_the_oldest_of_a_bucket(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < RELAY_REFUSALS_DEPTH + 2; i++) {
        keep(ip4(0xc0000207, (uint16_t)(5000 + i)), TURN_REFUSAL_USER_QUOTA, true, i);
    }
    assert_int_equal(found(ip4(0xc0000207, 0)), RELAY_REFUSALS_DEPTH);
    assert_int_equal(found(ip4(0xc0000207, 5001)), 0);
    assert_int_equal(found(ip4(0xc0000207, 5002)), 1);
}

// Nothing that comes from forged addresses, and nothing that a whole network of others does, hides
// what a client was refused.
static void no_flood_pushes_out_what_others_have_met(void **state)
{
    enum { CLIENTS = 20 };
    uint32_t kept_count = 0;

    (void)state;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        keep(ip4(0xc0000001 + (i << 8), 5000), TURN_REFUSAL_USER_QUOTA, true, 1);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        keep(ip4(0x0a000000 + i * 77777, (uint16_t)(1 + i % 60000)), TURN_REFUSAL_PASSWORD, false,
             2);
        keep(ip4(0xcb007100 + i % 256, (uint16_t)(1 + i % 60000)), TURN_REFUSAL_NO_ALLOCATION, true,
             2);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        kept_count += found(ip4(0xc0000001 + (i << 8), 5000));
    }
    assert_true(kept_count >= CLIENTS - 3); // a few may lie in the flood's own bucket
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_what_is_repeated, open_refusals, close_refusals),
        cmocka_unit_test_setup_teardown(finds_a_client_by_address_with_and_without_its_port,
                                        open_refusals, close_refusals),
        cmocka_unit_test_setup_teardown(keeps_nothing_of_what_is_no_refusal, open_refusals,
                                        close_refusals),
        cmocka_unit_test_setup_teardown(gives_up_the_oldest_of_a_bucket, open_refusals,
                                        close_refusals),
        cmocka_unit_test_setup_teardown(no_flood_pushes_out_what_others_have_met, open_refusals,
                                        close_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
