// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "revtun/revtun_fixture.h"

#define SERVER "192.0.2.1"
#define USER "198.51.100.7"

static void sees_nobody_where_no_server_is(void **state)
{
    const struct revtun_fixture *f = *state;
    struct revtun_look look;

    for (uint32_t pair = 0; pair < f->config.pair_count; pair++) {
        assert_false(revtun_look_pair(f->relay, pair, &look));
    }
}

static void sees_what_a_server_has(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_look look;

    const struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    assert_true(revtun_look_pair(f->relay, 0, &look));
    assert_true(
        addr_same_ip(&look.server, &(struct addr){.ip = {192, 0, 2, 1}, .family = ADDR_IP4}));
    assert_int_equal(look.waiting, 0);
    assert_int_equal(look.sessions, 0);
    assert_true(look.waiting_since_ns == NEVER);
    revtun_fixture_client(f, 0, 10, USER);
    const uint64_t first_ns = f->now.mono_ns;
    revtun_fixture_pass(f, SECOND_NS);
    revtun_fixture_client(f, 0, 11, USER);
    assert_true(revtun_look_pair(f->relay, 0, &look));
    assert_int_equal(look.waiting, 2);
    assert_int_equal(look.outstanding, 2);
    assert_int_equal(look.waiting_since_ns, first_ns);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    assert_true(revtun_look_pair(f->relay, 0, &look));
    assert_int_equal(look.waiting, 1);
    assert_int_equal(look.sessions, 1);
    assert_int_equal(look.waiting_since_ns, first_ns + SECOND_NS);
    revtun_fixture_down(f, control);
    assert_false(revtun_look_pair(f->relay, 0, &look));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REVTUN_FIXTURE_TEST(sees_nobody_where_no_server_is),
        REVTUN_FIXTURE_TEST(sees_what_a_server_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
