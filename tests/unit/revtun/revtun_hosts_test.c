// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/revtun_pattern.h"
#include "support/rng.h"

enum { CAPACITY = 6 };

static struct revtun_hosts hosts;
static struct bytes last; // of a list that was refused
static void *memory;

static int make_hosts(void **state)
{
    (void)state;
    memory = calloc(1, revtun_hosts_size(CAPACITY));
    assert_non_null(memory);
    revtun_hosts_init(&hosts, memory, CAPACITY, (struct siphash_key){1, 2});
    return 0;
}

static int free_hosts(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static struct revtun_hosts_list list_of(uint32_t tunnel)
{
    return (struct revtun_hosts_list){.tunnel = tunnel, .first = POOL_NONE, .max = UINT32_MAX};
}

static uint32_t find(const char *host)
{
    return revtun_hosts_find(&hosts, bytes_of_text(host));
}

static enum revtun_hosts_outcome bind_them(const char *patterns, struct revtun_hosts_list *list)
{
    return revtun_hosts_bind(&hosts, bytes_of_text(patterns), list, &last);
}

static void finds_the_nearest_pattern(void **state)
{
    struct revtun_hosts_list one = list_of(1);
    struct revtun_hosts_list two = list_of(2);
    struct revtun_hosts_list three = list_of(3);

    (void)state;
    assert_int_equal(find("a.test"), REVTUN_HOSTS_NONE);
    assert_int_equal(bind_them("a.test,*.b.a.test", &one), REVTUN_HOSTS_OK);
    assert_int_equal(bind_them("*.a.test", &two), REVTUN_HOSTS_OK);
    assert_int_equal(find("a.test"), 1);
    assert_int_equal(find("x.a.test"), 2);
    assert_int_equal(find("b.a.test"), 2);
    assert_int_equal(find("c.b.a.test"), 1);
    assert_int_equal(find("d.c.b.a.test"), 1);
    assert_int_equal(find("test"), REVTUN_HOSTS_NONE);
    assert_int_equal(find("xa.test"), REVTUN_HOSTS_NONE);
    assert_int_equal(find("a.test.b"), REVTUN_HOSTS_NONE);
    assert_int_equal(bind_them("*", &three), REVTUN_HOSTS_OK);
    assert_int_equal(find("test"), 3);
    assert_int_equal(find("x.a.test"), 2);
    assert_int_equal(find(""), REVTUN_HOSTS_NONE); // no host is none of all
    revtun_hosts_release(&hosts, &two);
    assert_int_equal(find("x.a.test"), 3);
    revtun_hosts_release(&hosts, &one);
    assert_int_equal(find("c.b.a.test"), 3);
    assert_int_equal(one.first, POOL_NONE);
    assert_int_equal(revtun_hosts_count(&hosts), 1);
}

static void gives_all_of_a_list_or_none(void **state)
{
    struct revtun_hosts_list one = list_of(1);
    struct revtun_hosts_list two = list_of(2);

    (void)state;
    assert_int_equal(bind_them("a.test,b.test", &one), REVTUN_HOSTS_OK);
    assert_int_equal(bind_them("c.test,d.test,b.test", &two), REVTUN_HOSTS_TAKEN);
    assert_int_equal(revtun_hosts_count(&hosts), 2);
    assert_int_equal(find("c.test"), REVTUN_HOSTS_NONE);
    assert_int_equal(two.first, POOL_NONE);
    // What it has already is no obstacle, nor what comes twice.
    assert_int_equal(bind_them("b.test,c.test,c.test", &one), REVTUN_HOSTS_OK);
    assert_int_equal(revtun_hosts_count(&hosts), 3);
    assert_int_equal(bind_them("d.test,e.test,f.test,g.test", &one), REVTUN_HOSTS_FULL);
    assert_int_equal(revtun_hosts_count(&hosts), 3);
    assert_int_equal(find("a.test"), 1);
    assert_int_equal(bind_them("d.test,e.test,f.test", &two), REVTUN_HOSTS_OK);
    revtun_hosts_release(&hosts, &one);
    revtun_hosts_release(&hosts, &two);
    assert_int_equal(revtun_hosts_count(&hosts), 0);
}

static void gives_no_more_than_a_tunnel_may_have(void **state)
{
    struct revtun_hosts_list one = list_of(1);

    (void)state;
    one.max = 2;
    assert_int_equal(bind_them("a.test,b.test,c.test", &one), REVTUN_HOSTS_MANY);
    assert_true(bytes_equal_text(last, "c.test"));
    assert_int_equal(one.count, 0);
    assert_int_equal(bind_them("a.test,b.test,a.test", &one), REVTUN_HOSTS_OK);
    assert_int_equal(one.count, 2);
    assert_int_equal(bind_them("d.test", &one), REVTUN_HOSTS_MANY);
    assert_int_equal(find("b.test"), 1);
    revtun_hosts_release(&hosts, &one);
    assert_int_equal(one.count, 0);
    assert_int_equal(revtun_hosts_count(&hosts), 0);
}

static void holds_the_longest(void **state)
{
    struct revtun_hosts_list one = list_of(1);
    char text[REVTUN_HOST_MAX + 3] = "*.";
    char below[REVTUN_HOST_MAX + 1] = {0};

    (void)state;
    for (size_t i = 0; i < REVTUN_HOST_MAX; i++) {
        text[2 + i] = i % 2 == 1 ? '.' : 'a';
    }
    assert_int_equal(bind_them(text, &one), REVTUN_HOSTS_OK);
    assert_int_equal(bind_them(text + 2, &one), REVTUN_HOSTS_OK);
    assert_int_equal(find(text + 2), 1);
    // Nothing is below that, and what is above has many labels to look for.
    memcpy(below, text + 2, REVTUN_HOST_MAX);
    below[0] = 'b';
    assert_int_equal(find(below), REVTUN_HOSTS_NONE);
}

// Beside a list of all patterns, which is looked through one by one.
static void agrees_with_a_naive_search(void **state)
{
    static const char *const patterns[] = {"*",     "*.t",     "t",       "a.t",      "*.a.t",
                                           "b.a.t", "*.b.a.t", "c.b.a.t", "*.c.b.a.t"};
    static const char *const names[] = {"t", "a.t", "b.a.t", "c.b.a.t", "d.c.b.a.t", "x.t", "x"};
    uint32_t owner[COUNT_OF(patterns)] = {0};
    struct revtun_hosts_list lists[4] = {{0}};
    struct rng rng = rng_init(rng_seed("revtun_hosts_test"));

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(lists); i++) {
        lists[i] = list_of(i + 1);
    }
    for (size_t step = 0; step < 5000; step++) {
        const size_t who = rng_below(&rng, COUNT_OF(lists));
        const size_t what = rng_below(&rng, COUNT_OF(patterns));
        if (rng_chance(&rng, 30)) {
            revtun_hosts_release(&hosts, &lists[who]);
            for (size_t i = 0; i < COUNT_OF(owner); i++) {
                owner[i] = owner[i] == who + 1 ? 0 : owner[i];
            }
        } else if (bind_them(patterns[what], &lists[who]) == REVTUN_HOSTS_OK) {
            assert_true(owner[what] == 0 || owner[what] == who + 1);
            owner[what] = (uint32_t)who + 1;
        }
        for (size_t n = 0; n < COUNT_OF(names); n++) {
            uint32_t expected = 0;
            size_t longest = 0;
            for (size_t i = 0; i < COUNT_OF(patterns); i++) {
                const bool is_exact = strcmp(patterns[i], names[n]) == 0;
                const size_t rank = is_exact ? 1000 : strlen(patterns[i]);
                if (owner[i] != 0 && rank > longest &&
                    revtun_pattern_covers_host(bytes_of_text(patterns[i]),
                                               bytes_of_text(names[n]))) {
                    expected = owner[i];
                    longest = rank;
                }
            }
            assert_int_equal(find(names[n]), expected != 0 ? expected : REVTUN_HOSTS_NONE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_the_nearest_pattern, make_hosts, free_hosts),
        cmocka_unit_test_setup_teardown(gives_all_of_a_list_or_none, make_hosts, free_hosts),
        cmocka_unit_test_setup_teardown(gives_no_more_than_a_tunnel_may_have, make_hosts,
                                        free_hosts),
        cmocka_unit_test_setup_teardown(holds_the_longest, make_hosts, free_hosts),
        cmocka_unit_test_setup_teardown(agrees_with_a_naive_search, make_hosts, free_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
