// SPDX-License-Identifier: Apache-2.0
// The channel beside a portal that does whatever comes to its mind, in a world with a seed and a
// virtual clock. Whatever happens, the channel keeps its own rules; and once the portal is well
// again, it is joined.
#include "phoenix/phoenix_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macro.h"
#include "support/rng.h"

enum {
    WORLDS = 300,
    STEPS = 400,
    CONNECTS = 24, // in a row, that are looked at
};

#define CALM_NS (300 * SECOND_NS)

struct world {
    struct rng rng;
    struct phoenix_channel channel;
    uint64_t now_ns;
    bool has_socket; // or one is being made
    bool is_open;
    uint64_t refs;                  // pushed on this connection
    uint64_t join_ref;              // of the last join
    uint64_t connects_ns[CONNECTS]; // when the last ones were, in a ring
    size_t connect_count;
    uint64_t heartbeat_ns; // the last push of one
    bool is_calm;          // the portal answers as it should
};

static struct phoenix_turn turn_of(struct world *world)
{
    return (struct phoenix_turn){world->now_ns, (uint32_t)rng_next(&world->rng)};
}

static void reply(struct world *world, const char *topic, uint64_t ref, const char *status,
                  const char *reason)
{
    const struct phoenix_turn turn = turn_of(world);

    phoenix_channel_read(&world->channel, &turn,
                         &(struct phoenix_message){.topic = bytes_of_text(topic),
                                                   .event = bytes_of_text("phx_reply"),
                                                   .status = bytes_of_text(status),
                                                   .reason = bytes_of_text(reason),
                                                   .has_ref = true,
                                                   .ref = ref});
}

static void note_connect(struct world *world)
{
    const size_t place = world->connect_count++ % CONNECTS;

    assert_false(world->has_socket);
    if (world->connect_count > CONNECTS) {
        // Of the waits between them one or two may be nothing, all others are 250 ms or longer.
        assert_true(world->now_ns - world->connects_ns[place] >= 5 * SECOND_NS);
    }
    world->connects_ns[place] = world->now_ns;
    world->has_socket = true;
}

static void note_push(struct world *world, const struct phoenix_push *push)
{
    assert_true(world->is_open);
    assert_int_equal(push->ref, world->refs);
    world->refs++;
    if (push->ref == 0) {
        assert_int_equal(push->event, PHOENIX_JOIN);
    }
    if (push->event == PHOENIX_JOIN) {
        world->join_ref = push->ref;
    } else if (push->event == PHOENIX_HEARTBEAT) {
        assert_int_equal(world->channel.state, PHOENIX_JOINED);
        world->heartbeat_ns = world->now_ns;
        if (world->is_calm) {
            reply(world, "phoenix", push->ref, "ok", NULL);
        }
    }
}

static void obey(struct world *world)
{
    struct phoenix_order order;

    while (phoenix_channel_take(&world->channel, &order)) {
        assert_true(world->channel.state != PHOENIX_ENDED || order.kind == PHOENIX_HANG_UP);
        switch (order.kind) {
        case PHOENIX_HANG_UP:
            world->has_socket = false;
            world->is_open = false;
            break;
        case PHOENIX_CONNECT:
            note_connect(world);
            break;
        case PHOENIX_PUSH:
            note_push(world, &order.push);
            break;
        }
    }
}

static void open_socket(struct world *world)
{
    const struct phoenix_turn turn = turn_of(world);

    world->is_open = true;
    world->refs = 0;
    phoenix_channel_opened(&world->channel, &turn);
    obey(world);
}

// What may become of a connection that is being made.
static void decide_connecting(struct world *world)
{
    const struct phoenix_turn turn = turn_of(world);

    switch (rng_below(&world->rng, 4)) {
    case 0:
        world->has_socket = false;
        phoenix_channel_lost(&world->channel, &turn);
        break;
    case 1:
        world->has_socket = false;
        phoenix_channel_refused(&world->channel, &turn, 503,
                                rng_chance(&world->rng, 50) ? NEVER : rng_below(&world->rng, 200));
        break;
    default:
        open_socket(world);
        break;
    }
}

// What a portal may say, fitting or not; but nothing that ends the channel.
static void say_something(struct world *world)
{
    static const char *const topics[] = {"relay", "phoenix", "other", ""};
    static const char *const events[] = {"phx_close", "phx_error", "init", "disconnect", "other"};
    const char *topic = topics[rng_below(&world->rng, COUNT_OF(topics))];
    const struct phoenix_turn turn = turn_of(world);

    switch (rng_below(&world->rng, 6)) {
    case 0:
        phoenix_channel_read(
            &world->channel, &turn,
            &(struct phoenix_message){
                .topic = bytes_of_text(topic),
                .event = bytes_of_text(events[rng_below(&world->rng, COUNT_OF(events))])});
        break;
    case 1:
        reply(world, "relay", world->join_ref, "error", "unmatched topic");
        break;
    case 2:
        reply(world, topic, rng_below(&world->rng, 8), "ok", NULL);
        break;
    default:
        reply(world, "relay", world->join_ref, "ok", NULL);
        break;
    }
}

static void wait_in(struct world *world, uint64_t most_ns)
{
    const uint64_t deadline_ns = phoenix_channel_deadline(&world->channel);
    const uint64_t end_ns = world->now_ns + rng_below(&world->rng, most_ns);

    if (deadline_ns > end_ns) {
        world->now_ns = end_ns;
        return;
    }
    world->now_ns = deadline_ns;
    const struct phoenix_turn turn = turn_of(world);
    phoenix_channel_tick(&world->channel, &turn);
    obey(world);
}

static void step(struct world *world)
{
    if (world->channel.state == PHOENIX_CONNECTING) {
        decide_connecting(world);
    } else if (world->is_open && rng_chance(&world->rng, 40)) {
        say_something(world);
    } else if (world->is_open && rng_chance(&world->rng, 10)) {
        const struct phoenix_turn turn = turn_of(world);
        world->has_socket = false;
        world->is_open = false;
        phoenix_channel_lost(&world->channel, &turn);
    }
    obey(world);
    wait_in(world, 12 * SECOND_NS);
}

// A portal that is well: how long it takes until the channel is joined, and that it stays so.
static void get_well(struct world *world)
{
    // Longer than the longest Retry-After of this world and the longest back-off together.
    const uint64_t end_ns = world->now_ns + CALM_NS;

    world->is_calm = true;
    while (world->now_ns < end_ns) {
        if (world->channel.state == PHOENIX_CONNECTING) {
            open_socket(world);
        }
        if (world->channel.state == PHOENIX_JOINING) {
            reply(world, "relay", world->join_ref, "ok", NULL);
        }
        obey(world);
        wait_in(world, 12 * SECOND_NS);
    }
    assert_int_equal(world->channel.state, PHOENIX_JOINED);
    assert_true(world->now_ns - world->heartbeat_ns <= 22 * SECOND_NS);
}

static void keeps_its_rules_and_is_joined_in_the_end(void **state)
{
    const uint64_t seed = rng_seed("phoenix_world");

    (void)state;
    for (uint64_t i = 0; i < WORLDS; i++) {
        struct world world = {.rng = rng_init(seed + i), .now_ns = SECOND_NS};
        phoenix_channel_init(&world.channel, bytes_of_text("relay"), world.now_ns);
        for (int j = 0; j < STEPS; j++) {
            step(&world);
            assert_true(world.channel.state != PHOENIX_ENDED);
        }
        get_well(&world);
        phoenix_channel_leave(&world.channel, world.now_ns);
        obey(&world);
        reply(&world, "relay", world.channel.join_ref, "ok", NULL);
        obey(&world);
        assert_int_equal(world.channel.cause, PHOENIX_LEFT);
        assert_false(world.has_socket);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_rules_and_is_joined_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
