// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 100 };

struct world {
    struct revtun_sources sources;
    void *memory;
};

static int setup(void **state)
{
    static struct world world;

    world.memory = calloc(1, revtun_sources_size(CAPACITY));
    revtun_sources_init(&world.sources, world.memory, CAPACITY, (struct siphash_key){1, 2});
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    free(w->memory);
    return 0;
}

static struct addr host(uint8_t number, uint16_t port)
{
    return addr_ip4((const uint8_t[ADDR_IP4_LEN]){192, 0, 2, number}, port);
}

static void counts_each_origin(void **state)
{
    struct world *w = *state;
    struct addr a = host(1, 10);
    struct addr b = host(2, 10);

    assert_int_equal(revtun_sources_count(&w->sources, &a), 0);
    const uint32_t of_a = revtun_sources_enter(&w->sources, &a);
    a.port = 11;
    assert_int_equal(revtun_sources_enter(&w->sources, &a), of_a);
    const uint32_t of_b = revtun_sources_enter(&w->sources, &b);
    assert_int_equal(revtun_sources_count(&w->sources, &a), 2);
    assert_int_equal(revtun_sources_count(&w->sources, &b), 1);
    revtun_sources_leave(&w->sources, of_a);
    assert_int_equal(revtun_sources_count(&w->sources, &a), 1);
    revtun_sources_leave(&w->sources, of_b);
    assert_int_equal(revtun_sources_count(&w->sources, &b), 0);
    assert_int_equal(w->sources.pool.used, 1); // nothing stays of who has nothing
    revtun_sources_leave(&w->sources, of_a);
    assert_int_equal(w->sources.pool.used, 0);
    assert_int_equal(w->sources.by_origin.count, 0);
}

static void has_room_for_as_many_origins_as_connections(void **state)
{
    struct world *w = *state;
    uint32_t entered[CAPACITY];

    for (int round = 0; round < 3; round++) {
        for (uint8_t i = 0; i < CAPACITY; i++) {
            const struct addr from = host(i, 1);
            entered[i] = revtun_sources_enter(&w->sources, &from);
        }
        for (uint8_t i = 0; i < CAPACITY; i++) {
            const struct addr from = host(i, 2);
            assert_int_equal(revtun_sources_count(&w->sources, &from), 1);
        }
        for (size_t i = 0; i < CAPACITY; i++) {
            revtun_sources_leave(&w->sources, entered[i]);
        }
        assert_int_equal(w->sources.pool.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_each_origin, setup, teardown),
        cmocka_unit_test_setup_teardown(has_room_for_as_many_origins_as_connections, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
