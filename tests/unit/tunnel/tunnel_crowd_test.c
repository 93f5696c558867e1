// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MAX = 8, ADDRESS_MAX = 3 };

static struct tunnel_crowd crowd;

static int setup(void **state)
{
    (void)state;
    return tunnel_crowd_open(&crowd, MAX, ADDRESS_MAX);
}

static int teardown(void **state)
{
    (void)state;
    tunnel_crowd_close(&crowd);
    tunnel_crowd_close(&crowd);
    return 0;
}

static struct addr host(uint8_t last)
{
    return (struct addr){.ip = {192, 0, 2, last}, .family = ADDR_IP4, .port = last};
}

static void come(uint32_t number, struct addr from)
{
    tunnel_crowd_join(&crowd, number, &from);
}

static uint32_t displaced(struct addr from)
{
    return tunnel_crowd_displaced(&crowd, &from);
}

static void displaces_nobody_while_there_is_room(void **state)
{
    (void)state;
    assert_int_equal(tunnel_crowd_any(&crowd), TUNNEL_CROWD_NOBODY);
    for (uint32_t i = 0; i < MAX; i++) {
        assert_int_equal(displaced(host((uint8_t)i)), TUNNEL_CROWD_NOBODY);
        come(MAX - 1 - i, host((uint8_t)i));
    }
    assert_int_equal(crowd.count, MAX);
}

static void displaces_the_oldest_when_all_is_taken(void **state)
{
    displaces_nobody_while_there_is_room(state);
    for (uint32_t i = 0; i < MAX; i++) {
        assert_int_equal(displaced(host(100)), MAX - 1 - i);
        tunnel_crowd_leave(&crowd, MAX - 1 - i);
        assert_int_equal(displaced(host(100)), TUNNEL_CROWD_NOBODY);
        come(MAX - 1 - i, host((uint8_t)(50 + i)));
    }
}

static void displaces_its_own_oldest_when_an_address_has_its_share(void **state)
{
    (void)state;
    come(7, host(9));
    for (uint32_t i = 0; i < ADDRESS_MAX; i++) {
        assert_int_equal(displaced(host(1)), TUNNEL_CROWD_NOBODY);
        come(i, host(1));
    }
    assert_int_equal(displaced(host(1)), 0);
    assert_int_equal(displaced(host(9)), TUNNEL_CROWD_NOBODY);
    tunnel_crowd_leave(&crowd, 1);
    assert_int_equal(displaced(host(1)), TUNNEL_CROWD_NOBODY);
    come(1, host(1)); // the youngest now
    tunnel_crowd_leave(&crowd, 0);
    come(0, host(1));
    assert_int_equal(displaced(host(1)), 2);
}

static void counts_a_network_of_ip6_as_one(void **state)
{
    struct addr from = {.family = ADDR_IP6, .ip = {0x20, 0x01, 0x0d, 0xb8}};

    (void)state;
    for (uint32_t i = 0; i < ADDRESS_MAX; i++) {
        from.ip[15] = (uint8_t)i;
        come(i, from);
    }
    from.ip[15] = 200;
    assert_int_equal(displaced(from), 0);
    from.ip[7] = 1; // another /64
    assert_int_equal(displaced(from), TUNNEL_CROWD_NOBODY);
}

static void gives_out_all_that_are_in_it(void **state)
{
    uint32_t number = 0;
    uint32_t count = 0;

    displaces_nobody_while_there_is_room(state);
    while ((number = tunnel_crowd_any(&crowd)) != TUNNEL_CROWD_NOBODY) {
        tunnel_crowd_leave(&crowd, number);
        count++;
    }
    assert_int_equal(count, MAX);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(displaces_nobody_while_there_is_room),
        TEST(displaces_the_oldest_when_all_is_taken),
        TEST(displaces_its_own_oldest_when_an_address_has_its_share),
        TEST(counts_a_network_of_ip6_as_one),
        TEST(gives_out_all_that_are_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
