// SPDX-License-Identifier: Apache-2.0
// What shards have in common, used by all of them at once. Run with -fsanitize=thread too
// (tools/run-tests).
#include "turn/turn_commons.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/rng.h"
#include "turn/turn_allocation.h"
#include "turn/turn_fixture.h"

enum {
    SHARDS = 4,
    LOWEST_PORT = 50000,
    HIGHEST_PORT = 50039,
    ROUNDS = 20000, // of each thread
    HELD_MAX = 8,   // by each thread at once
    USERS = 6,
    QUOTA = 4, // of each user
};

// What the threads must not do to one another, told by what only they know.
static atomic_bool is_taken[65536];
static atomic_uint held_count;
static atomic_uint replaced_count; // by enter()
static atomic_uint told_count;     // by find_replaced()

struct worker {
    pthread_t thread;
    struct turn_commons *commons;
    struct rng rng;
    struct crypto_random random;
    struct now now;
    uint32_t shard;
    struct {
        bool is_live;
        struct turn_commons_grant grant;
    } held[HELD_MAX];
    uint64_t granted;
    uint64_t refused;
};

static void take_mutex(void *context)
{
    assert_int_equal(pthread_mutex_lock(context), 0);
}

static void give_mutex(void *context)
{
    assert_int_equal(pthread_mutex_unlock(context), 0);
}

static void mark(uint16_t port)
{
    if (atomic_exchange(&is_taken[port], true)) {
        abort(); // the same port twice
    }
}

static void let_go(struct worker *worker, uint32_t index)
{
    struct turn_commons_grant *grant = &worker->held[index].grant;

    turn_commons_relay(worker->commons, grant->port, worker->shard, 0);
    turn_commons_leave(worker->commons, grant->holding);
    atomic_store(&is_taken[grant->port], false);
    turn_commons_give_port(worker->commons, grant->port);
    atomic_fetch_sub(&held_count, 1);
    worker->held[index].is_live = false;
}

static void let_replaced_go(struct worker *worker)
{
    uint32_t index = turn_commons_find_replaced(worker->commons, worker->shard);

    if (index != POOL_NONE) {
        let_go(worker, index);
        atomic_fetch_add(&told_count, 1);
    }
}

// A user of which each new allocation replaces the old one has an even number.
static void get(struct worker *worker, uint32_t index)
{
    uint32_t woken = TURN_COMMONS_NO_SHARD;
    struct turn_commons_wish wish = {
        .user_quota = QUOTA,
        .user = rng_below(&worker->rng, USERS),
        .shard = worker->shard,
        .allocation = index,
        .port = rng_chance(&worker->rng, 30) ? TURN_PORTS_PAIR : TURN_PORTS_ANY,
    };

    wish.has_takeover = wish.user % 2 == 0;
    if (wish.has_takeover) {
        uint32_t old = turn_commons_find(worker->commons, wish.user, worker->shard);
        if (old != POOL_NONE) {
            let_go(worker, old);
        }
    }
    struct turn_commons_grant *grant = &worker->held[index].grant;
    enum turn_commons_outcome outcome =
        turn_commons_enter(worker->commons, worker->now, &worker->random, &wish, grant, &woken);
    atomic_fetch_add(&replaced_count, woken != TURN_COMMONS_NO_SHARD);
    worker->granted += outcome == TURN_COMMONS_GRANTED;
    worker->refused += outcome != TURN_COMMONS_GRANTED;
    if (outcome != TURN_COMMONS_GRANTED) {
        return;
    }
    mark(grant->port);
    worker->held[index].is_live = true;
    atomic_fetch_add(&held_count, 1);
    turn_commons_relay(worker->commons, grant->port, worker->shard, TURN_ALLOCATION_IP4);
    if (grant->reservation != POOL_NONE) {
        mark((uint16_t)(grant->port + 1));
        turn_commons_drop(worker->commons, grant->reservation);
        atomic_store(&is_taken[grant->port + 1], false);
        turn_commons_give_port(worker->commons, (uint16_t)(grant->port + 1));
    }
}

static void *work(void *context)
{
    struct worker *worker = context;

    for (int i = 0; i < ROUNDS; i++) {
        uint32_t index = (uint32_t)rng_below(&worker->rng, HELD_MAX);
        let_replaced_go(worker);
        if (worker->held[index].is_live) {
            let_go(worker, index);
        } else {
            get(worker, index);
        }
        if (turn_commons_claim(worker->commons, 3, 2) == TURN_REFUSAL_NONE) {
            turn_commons_release(worker->commons, 3, 2);
        }
        IGNORE(turn_commons_relayed_by(worker->commons, (uint16_t)(LOWEST_PORT + index), 1) == 0);
    }
    return NULL;
}

static void threads_hold_no_port_twice_and_all_counts_are_right(void **state)
{
    static const uint8_t commons_seed[TURN_COMMONS_SEED_LEN] = {3};
    static struct worker workers[SHARDS];
    const struct now now = {.mono_ns = 1000 * SECOND_NS};
    struct turn_config config = turn_fixture_config();
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const struct turn_commons_lock lock = {take_mutex, give_mutex, &mutex};
    uint64_t seed = rng_seed("turn_commons");
    struct rng rng = rng_init(seed);
    uint32_t left = 0;

    (void)state;
    config.shard_count = SHARDS;
    config.lowest_port = LOWEST_PORT;
    config.highest_port = HIGHEST_PORT;
    config.max_allocations = 24;
    void *memory = calloc(1, turn_commons_size(&config));
    assert_non_null(memory);
    struct turn_commons *commons = turn_commons_init(memory, &config, &lock, commons_seed);
    for (uint32_t i = 0; i < SHARDS; i++) {
        uint8_t random_seed[CRYPTO_RANDOM_SEED_LEN];
        rng_fill(&rng, random_seed, sizeof random_seed);
        workers[i] = (struct worker){
            .commons = commons, .rng = rng_init(seed + i + 1), .now = now, .shard = i};
        crypto_random_init(&workers[i].random, random_seed);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_true(workers[i].granted > ROUNDS / 10);
        assert_true(workers[i].refused > 0);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        while (turn_commons_has_replaced(commons, i)) {
            let_replaced_go(&workers[i]);
        }
        for (uint32_t k = 0; k < HELD_MAX; k++) {
            left += workers[i].held[k].is_live;
        }
    }
    assert_true(replaced_count > 0);
    assert_true(told_count <= replaced_count); // some have left by themselves before
    assert_true(told_count > 0);
    assert_int_equal(held_count, left);
    assert_int_equal(turn_commons_gauges(commons, now).allocations, left);
    assert_int_equal(turn_commons_gauges(commons, now).ports_in_use, left);
    for (uint32_t i = 0; i < SHARDS * HELD_MAX; i++) {
        if (workers[i / HELD_MAX].held[i % HELD_MAX].is_live) {
            let_go(&workers[i / HELD_MAX], i % HELD_MAX);
        }
    }
    const struct turn_commons_gauges none = {0};
    struct turn_commons_gauges gauges = turn_commons_gauges(commons, now);
    assert_memory_equal(&gauges, &none, sizeof none);
    turn_commons_deinit(commons);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_hold_no_port_twice_and_all_counts_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
