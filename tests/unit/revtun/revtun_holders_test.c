// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_holders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CAPACITY = 2 };

static void counts_until_the_last_one_is_given_up(void **state)
{
    void *memory = calloc(1, revtun_holders_size(CAPACITY));
    struct revtun_holders holders;

    (void)state;
    assert_non_null(memory);
    revtun_holders_init(&holders, memory, CAPACITY, (struct siphash_key){1, 2});
    assert_int_equal(revtun_holders_find(&holders, bytes_of_text("a")), POOL_NONE);
    const uint32_t a = revtun_holders_add(&holders, bytes_of_text("a"));
    const uint32_t b = revtun_holders_add(&holders, bytes_of_text("b"));
    assert_int_not_equal(a, b);
    assert_int_equal(revtun_holders_add(&holders, bytes_of_text("a")), a);
    assert_int_equal(revtun_holders_at(&holders, a)->count, 2);
    assert_int_equal(revtun_holders_at(&holders, b)->count, 1);
    assert_int_equal(revtun_holders_find(&holders, bytes_of_text("b")), b);
    assert_true(bytes_equal_text(revtun_holders_owner(&holders, b), "b"));
    revtun_holders_remove(&holders, a);
    assert_int_equal(revtun_holders_find(&holders, bytes_of_text("a")), a);
    revtun_holders_remove(&holders, a);
    assert_int_equal(revtun_holders_find(&holders, bytes_of_text("a")), POOL_NONE);
    // There is room for another one, who begins anew.
    const uint32_t c = revtun_holders_add(&holders, bytes_of_text("c"));
    assert_int_equal(revtun_holders_at(&holders, c)->count, 1);
    assert_int_equal(revtun_holders_at(&holders, c)->resting.oldest, UINT32_MAX);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_until_the_last_one_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
