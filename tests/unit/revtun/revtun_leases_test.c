// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FIRST = 100, COUNT = 3, LEASE_S = 10 };

static const struct revtun_leases_tunnel web = {BYTES_LITERAL("a"), BYTES_LITERAL("web")};
static const struct revtun_leases_tunnel ssh = {BYTES_LITERAL("a"), BYTES_LITERAL("ssh")};

static void *open_leases(struct revtun_leases *leases)
{
    const struct revtun_leases_config config = {
        .first_port = FIRST, .port_count = COUNT, .lease_s = LEASE_S, .key = {1, 2}};
    void *memory = calloc(1, revtun_leases_size(COUNT));

    assert_non_null(memory);
    revtun_leases_init(leases, memory, &config);
    return memory;
}

static uint32_t vacant(const struct revtun_leases *leases)
{
    return revtun_vacant_find(&leases->vacant, 0, COUNT - 1);
}

static void goes_through_the_states_of_a_port(void **state)
{
    struct revtun_leases leases;
    void *memory = open_leases(&leases);

    (void)state;
    assert_int_equal(vacant(&leases), 0);
    revtun_leases_give(&leases, 0, &web);
    revtun_leases_give(&leases, 1, &ssh);
    assert_int_equal(vacant(&leases), 2);
    assert_int_equal(leases.count, 2);
    assert_int_equal(revtun_leases_find(&leases, &ssh), 1);
    assert_int_equal(revtun_leases_port(&leases, 1), FIRST + 1);
    assert_int_equal(revtun_leases_index(&leases, FIRST + 2), 2);
    assert_int_equal(revtun_leases_index(&leases, FIRST + COUNT), REVTUN_LEASES_NONE);
    assert_int_equal(revtun_leases_index(&leases, FIRST - 1), REVTUN_LEASES_NONE);
    assert_true(bytes_equal_text(revtun_leases_owner(&leases, 1), "a"));
    assert_true(bytes_equal_text(revtun_leases_name(&leases, 1), "ssh"));
    revtun_leases_rest(&leases, 1, 5);
    revtun_leases_rest(&leases, 0, 6);
    const struct revtun_holder *holder = revtun_holders_at(&leases.holders, leases.at[0].holder);
    assert_int_equal(holder->count, 2);
    assert_int_equal(holder->bound_count, 0);
    assert_int_equal(holder->resting.oldest, 1);
    assert_int_equal(holder->resting.newest, 0);
    revtun_leases_wake(&leases, 1);
    assert_int_equal(holder->bound_count, 1);
    assert_int_equal(holder->resting.oldest, 0);
    revtun_leases_forget(&leases, 0);
    assert_int_equal(revtun_leases_find(&leases, &web), REVTUN_LEASES_NONE);
    assert_int_equal(holder->count, 1);
    assert_int_equal(leases.count, 1);
    // It was left behind the one that nobody ever had.
    assert_int_equal(vacant(&leases), 2);
    revtun_leases_give(&leases, 2, &web);
    assert_int_equal(vacant(&leases), 0);
    free(memory);
}

static void is_vacant_when_its_lease_is_over(void **state)
{
    struct revtun_leases leases;
    void *memory = open_leases(&leases);

    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint8_t name = (uint8_t)('a' + i);
        const struct revtun_leases_tunnel tunnel = {web.owner, {&name, 1}};
        revtun_leases_give(&leases, i, &tunnel);
    }
    revtun_leases_rest(&leases, 1, 100);
    revtun_leases_rest(&leases, 0, 103);
    revtun_leases_settle(&leases, 100 + LEASE_S - 1);
    assert_int_equal(vacant(&leases), REVTUN_LEASES_NONE);
    revtun_leases_settle(&leases, 100 + LEASE_S);
    assert_int_equal(vacant(&leases), 1);
    assert_int_equal(revtun_vacant_find(&leases.vacant, 0, 0), REVTUN_VACANT_NONE);
    // A clock that is set back ends none, and what it had ended is not over any more.
    revtun_leases_settle(&leases, 50);
    assert_int_equal(vacant(&leases), REVTUN_LEASES_NONE);
    revtun_leases_settle(&leases, 103 + LEASE_S);
    assert_int_equal(vacant(&leases), 1);
    revtun_leases_wake(&leases, 1); // its tunnel comes back all the same
    assert_int_equal(vacant(&leases), 0);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_the_states_of_a_port),
        cmocka_unit_test(is_vacant_when_its_lease_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
