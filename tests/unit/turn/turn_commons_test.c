// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "turn/turn_commons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "turn/turn_allocation.h"
#include "turn/turn_fixture.h"

enum {
    SHARDS = 4,
    LOWEST_PORT = 50000,
    HIGHEST_PORT = 50039,
    QUOTA = 4, // of each user
};

struct fixture {
    struct turn_config config;
    struct turn_commons *commons;
    struct crypto_random random;
    struct now now;
    unsigned takes; // of the lock
    bool is_held;
};

static void take(void *context)
{
    struct fixture *f = context;

    assert_false(f->is_held); // never taken twice
    f->is_held = true;
    f->takes++;
}

static void give(void *context)
{
    struct fixture *f = context;

    assert_true(f->is_held);
    f->is_held = false;
}

static void start(struct fixture *f, const struct turn_commons_lock *lock)
{
    static const uint8_t seed[TURN_COMMONS_SEED_LEN] = {3};
    void *memory = calloc(1, turn_commons_size(&f->config));

    assert_non_null(memory);
    f->commons = turn_commons_init(memory, &f->config, lock, seed);
}

static void stop(struct fixture *f)
{
    const size_t len = turn_commons_size(&f->config);
    uint8_t *memory = (uint8_t *)f->commons;

    turn_commons_deinit(f->commons);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(memory[i], 0);
    }
    free(memory);
}

static int setup(void **state)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {7};
    struct fixture *f = calloc(1, sizeof *f);
    const struct turn_commons_lock lock = {take, give, f};

    assert_non_null(f);
    crypto_random_init(&f->random, seed);
    f->now.mono_ns = 1000 * SECOND_NS;
    f->config = turn_fixture_config();
    f->config.shard_count = SHARDS;
    f->config.lowest_port = LOWEST_PORT;
    f->config.highest_port = HIGHEST_PORT;
    start(f, &lock);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_false(f->is_held);
    stop(f);
    free(f);
    return 0;
}

static enum turn_commons_outcome enter(struct fixture *f, const struct turn_commons_wish *wish,
                                       struct turn_commons_grant *grant)
{
    uint32_t woken = TURN_COMMONS_NO_SHARD;
    enum turn_commons_outcome outcome =
        turn_commons_enter(f->commons, f->now, &f->random, wish, grant, &woken);

    assert_int_equal(woken, TURN_COMMONS_NO_SHARD);
    return outcome;
}

// --- one after the other ------------------------------------------------------------------------

static void counts_a_user_over_all_shards(void **state)
{
    struct fixture *f = *state;
    struct turn_commons_grant grants[4];
    struct turn_commons_grant none = {0};

    for (uint32_t i = 0; i < 4; i++) {
        const struct turn_commons_wish wish = {
            .user_quota = QUOTA, .user = 5, .shard = i % SHARDS, .allocation = i};
        assert_int_equal(enter(f, &wish, &grants[i]), TURN_COMMONS_GRANTED);
    }
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        const struct turn_commons_wish wish = {
            .user_quota = QUOTA, .user = 5, .shard = shard, .allocation = 4};
        assert_int_equal(enter(f, &wish, &none), TURN_COMMONS_USER_QUOTA);
        const struct turn_commons_wish other = {
            .user_quota = QUOTA, .user = 6 + shard, .shard = shard};
        assert_int_equal(enter(f, &other, &none), TURN_COMMONS_GRANTED);
        assert_int_equal(enter(f, &other, &none),
                         shard == 3 ? TURN_COMMONS_ALLOCATIONS : TURN_COMMONS_GRANTED);
        turn_commons_leave(f->commons, none.holding);
    }
    turn_commons_leave(f->commons, grants[2].holding);
    const struct turn_commons_wish wish = {
        .user_quota = QUOTA, .user = 5, .shard = 1, .allocation = 4};
    assert_int_equal(enter(f, &wish, &none), TURN_COMMONS_GRANTED);
    assert_int_equal(enter(f, &wish, &none), TURN_COMMONS_USER_QUOTA);
    assert_true(f->takes > 0);
}

static void no_port_is_given_to_two_shards(void **state)
{
    struct fixture *f = *state;
    bool is_given[65536] = {false};
    uint16_t port = 0;

    for (int i = 0; i <= HIGHEST_PORT - LOWEST_PORT; i++) {
        assert_true(turn_commons_take_port(f->commons, f->now, TURN_PORTS_ANY, &f->random, &port));
        assert_false(is_given[port]);
        is_given[port] = true;
    }
    assert_false(turn_commons_take_port(f->commons, f->now, TURN_PORTS_ANY, &f->random, &port));
    turn_commons_rest_port(f->commons, port, f->now);
    f->now.mono_ns += 60 * SECOND_NS - 1;
    assert_false(turn_commons_take_port(f->commons, f->now, TURN_PORTS_ANY, &f->random, &port));
    f->now.mono_ns++;
    assert_true(turn_commons_take_port(f->commons, f->now, TURN_PORTS_ANY, &f->random, &port));
}

static void a_new_allocation_replaces_the_old_one_in_another_shard(void **state)
{
    struct fixture *f = *state;
    struct turn_commons_grant first = {0};
    struct turn_commons_grant second = {0};
    struct turn_commons_wish wish = {
        .user_quota = QUOTA, .user = 5, .shard = 1, .allocation = 3, .has_takeover = true};
    uint32_t woken = TURN_COMMONS_NO_SHARD;

    assert_int_equal(enter(f, &wish, &first), TURN_COMMONS_GRANTED);
    assert_int_equal(turn_commons_find(f->commons, 5, 1), 3);
    assert_int_equal(turn_commons_find(f->commons, 5, 2), POOL_NONE);
    wish.shard = 2;
    wish.allocation = 6;
    assert_int_equal(turn_commons_enter(f->commons, f->now, &f->random, &wish, &second, &woken),
                     TURN_COMMONS_GRANTED);
    assert_int_equal(woken, 1);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).allocations, 1);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).ports_in_use, 2); // it is still bound
    assert_true(turn_commons_has_replaced(f->commons, 1));
    assert_false(turn_commons_has_replaced(f->commons, 2));
    assert_int_equal(turn_commons_find_replaced(f->commons, 1), 3);
    turn_commons_leave(f->commons, first.holding);
    assert_false(turn_commons_has_replaced(f->commons, 1));
    assert_int_equal(turn_commons_find_replaced(f->commons, 1), POOL_NONE);
    assert_int_equal(turn_commons_find(f->commons, 5, 2), 6);
    turn_commons_leave(f->commons, second.holding);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).users, 0);
}

// Whatever else is refused, the old one has gone first.
static void it_is_replaced_though_there_is_no_room(void **state)
{
    struct fixture *f = *state;
    struct turn_commons_grant grant = {0};
    struct turn_commons_wish wish = {
        .user_quota = QUOTA, .user = 5, .shard = 1, .has_takeover = true};
    uint32_t woken = TURN_COMMONS_NO_SHARD;

    assert_int_equal(enter(f, &wish, &grant), TURN_COMMONS_GRANTED);
    wish.shard = 0;
    wish.allocation = POOL_NONE;
    assert_int_equal(turn_commons_enter(f->commons, f->now, &f->random, &wish, &grant, &woken),
                     TURN_COMMONS_ALLOCATIONS);
    assert_int_equal(woken, 1);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).allocations, 0);
}

static void a_port_reserved_in_one_shard_is_redeemed_in_another(void **state)
{
    static const uint8_t token[STUN_ATTR_RESERVATION_LEN] = {1, 2, 3};
    struct fixture *f = *state;
    struct turn_commons_grant pair = {0};
    struct turn_commons_grant redeemed = {0};
    const struct turn_commons_wish wish = {
        .user_quota = QUOTA, .user = 5, .shard = 0, .port = TURN_PORTS_PAIR};
    struct turn_commons_wish again = {.user_quota = QUOTA,
                                      .user = 5,
                                      .shard = 3,
                                      .has_token = true,
                                      .token = {token, sizeof token}};

    assert_int_equal(enter(f, &wish, &pair), TURN_COMMONS_GRANTED);
    assert_int_equal(enter(f, &again, &redeemed), TURN_COMMONS_TOKEN); // it is not offered yet
    turn_commons_offer(f->commons, f->now, pair.reservation, (uint16_t)(pair.port + 1), ADDR_IP6,
                       token);
    again.user = 6;
    assert_int_equal(enter(f, &again, &redeemed), TURN_COMMONS_TOKEN);
    again.user = 5;
    assert_int_equal(enter(f, &again, &redeemed), TURN_COMMONS_GRANTED);
    assert_int_equal(redeemed.port, pair.port + 1);
    assert_int_equal(redeemed.family, ADDR_IP6);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).reservations, 0);
    assert_int_equal(enter(f, &again, &redeemed), TURN_COMMONS_TOKEN);
    turn_commons_leave(f->commons, pair.holding);
    turn_commons_leave(f->commons, redeemed.holding);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).users, 0);
}

static void a_place_for_a_reservation_counts_and_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct turn_commons_grant pair = {0};
    const struct turn_commons_wish wish = {
        .user_quota = 3, .user = 5, .shard = 0, .port = TURN_PORTS_PAIR};

    assert_int_equal(enter(f, &wish, &pair), TURN_COMMONS_GRANTED);
    assert_int_equal(enter(f, &wish, &pair), TURN_COMMONS_USER_QUOTA);
    turn_commons_drop(f->commons, pair.reservation);
    assert_int_equal(enter(f, &wish, &pair), TURN_COMMONS_GRANTED);
}

static void permissions_and_channels_are_counted_for_all(void **state)
{
    struct fixture *f = *state; // 16 of each

    assert_int_equal(turn_commons_claim(f->commons, 15, 16), TURN_REFUSAL_NONE);
    assert_int_equal(turn_commons_claim(f->commons, 0, 1), TURN_REFUSAL_CHANNELS);
    assert_int_equal(turn_commons_claim(f->commons, 2, 0), TURN_REFUSAL_PERMISSIONS);
    assert_int_equal(turn_commons_claim(f->commons, 1, 0), TURN_REFUSAL_NONE);
    turn_commons_release(f->commons, 0, 1);
    assert_int_equal(turn_commons_claim(f->commons, 1, 1), TURN_REFUSAL_PERMISSIONS); // nor half
    assert_int_equal(turn_commons_gauges(f->commons, f->now).channels, 15);
    assert_int_equal(turn_commons_gauges(f->commons, f->now).permissions, 16);
}

static void tells_who_relays_at_a_port_without_the_lock(void **state)
{
    struct fixture *f = *state;
    unsigned takes = f->takes;

    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        uint16_t port = (uint16_t)(50000 + shard);
        turn_commons_relay(f->commons, port, shard, TURN_ALLOCATION_IP6);
        assert_int_equal(turn_commons_relayed_by(f->commons, port, TURN_ALLOCATION_IP6), shard);
        assert_int_equal(turn_commons_relayed_by(f->commons, port, TURN_ALLOCATION_IP4),
                         TURN_COMMONS_NO_SHARD);
        turn_commons_relay(f->commons, port, shard, 0);
        assert_int_equal(turn_commons_relayed_by(f->commons, port, TURN_ALLOCATION_IP6),
                         TURN_COMMONS_NO_SHARD);
    }
    assert_false(turn_commons_has_replaced(f->commons, 0));
    assert_int_equal(turn_commons_find_replaced(f->commons, 0), POOL_NONE);
    assert_int_equal(f->takes, takes);
}

// --- memory -------------------------------------------------------------------------------------

// Bytes of a mapping that the system has had to provide.
static size_t resident(void *memory, size_t len)
{
    const size_t page_len = (size_t)sysconf(_SC_PAGESIZE);
    size_t page_count = (len + page_len - 1) / page_len;
    unsigned char *pages = calloc(1, page_count);
    size_t count = 0;

    assert_non_null(pages);
    assert_int_equal(mincore(memory, len, pages), 0);
    for (size_t i = 0; i < page_count; i++) {
        count += pages[i] & 1;
    }
    free(pages);
    return count * page_len;
}

static void *map(size_t len)
{
    void *memory =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

// Each shard has places for all that the relay may hold, and none costs anything before it is used.
static void a_shard_that_serves_nobody_costs_next_to_nothing(void **state)
{
    static const uint8_t seed[TURN_SERVER_SEED_LEN] = {1};
    struct turn_config config = turn_fixture_config();
    struct turn_config defaults = turn_config_default();

    (void)state;
    config.max_allocations = 8 * defaults.max_allocations;
    config.max_permissions = 8 * defaults.max_permissions;
    config.max_channels = 8 * defaults.max_channels;
    config.lowest_port = 1024;
    config.highest_port = 65535;
    config.shard_count = 64;
    size_t common_len = turn_commons_size(&config);
    void *common = map(common_len);
    config.commons = turn_commons_init(common, &config, NULL, seed);
    assert_in_range(resident(common, common_len), 4096, 512 * 1024); // the ports, above all
    size_t len = turn_server_size(&config);
    void *memory = map(len);
    assert_non_null(turn_server_init(memory, &config, seed));
    assert_true(len > 64U * 1024 * 1024);
    assert_in_range(resident(memory, len), 4096, 128 * 1024);
    munmap(memory, len);
    munmap(common, common_len);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void tells_what_it_may_hold(void **state)
{
    struct fixture *f = *state;
    const struct turn_commons_capacity capacity = turn_commons_capacity(f->commons);

    assert_int_equal(capacity.allocations, f->config.max_allocations);
    assert_int_equal(capacity.permissions, f->config.max_permissions);
    assert_int_equal(capacity.channels, f->config.max_channels);
    assert_int_equal(capacity.ports, f->config.highest_port - f->config.lowest_port + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_a_user_over_all_shards),
        TEST(no_port_is_given_to_two_shards),
        TEST(a_new_allocation_replaces_the_old_one_in_another_shard),
        TEST(it_is_replaced_though_there_is_no_room),
        TEST(a_port_reserved_in_one_shard_is_redeemed_in_another),
        TEST(a_place_for_a_reservation_counts_and_is_dropped),
        TEST(permissions_and_channels_are_counted_for_all),
        TEST(tells_who_relays_at_a_port_without_the_lock),
        TEST(a_shard_that_serves_nobody_costs_next_to_nothing),
        TEST(tells_what_it_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
