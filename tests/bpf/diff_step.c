// SPDX-License-Identifier: Apache-2.0
#include "bpf/diff_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "turn/turn_server_priv.h"

enum {
    PEER_HOSTS = 3,
    PEER_PORTS = 3,
    CHANNELS = 6, // numbers that each client uses
};

static struct diff_client *any_client(struct diff_world *world)
{
    return &world->clients[rng_below(&world->rng, DIFF_CLIENT_COUNT)];
}

static uint8_t any_family(struct diff_world *world)
{
    return rng_chance(&world->rng, 50) ? ADDR_IP4 : ADDR_IP6;
}

static uint32_t any_lifetime(struct diff_world *world)
{
    return (uint32_t)(rng_chance(&world->rng, 80) ? 3600 : 60 + rng_below(&world->rng, 600));
}

static struct addr any_peer(struct diff_world *world)
{
    uint32_t network =
        rng_chance(&world->rng, 90) ? (uint32_t)rng_below(&world->rng, 2) : DIFF_NETWORK_UNKNOWN;
    return diff_world_host(any_family(world), network,
                           (uint8_t)(1 + rng_below(&world->rng, PEER_HOSTS)),
                           (uint16_t)(1000 + rng_below(&world->rng, PEER_PORTS)));
}

// As clients know it.
static struct addr own_of(const struct diff_world *world, uint8_t family, uint16_t port)
{
    const struct turn_config *config = &world->turn->config;
    return addr_with_port(family == ADDR_IP4 ? config->public_ip4 : config->public_ip6, port);
}

// Somebody's relayed address, or as good as one.
static struct addr any_relayed(struct diff_world *world)
{
    uint8_t family = any_family(world);
    uint64_t first = rng_below(&world->rng, DIFF_PORT_COUNT);

    for (uint64_t i = 0; i < DIFF_PORT_COUNT; i++) {
        uint64_t port = (first + i) % DIFF_PORT_COUNT;
        if (world->sockets[family == ADDR_IP6][port].is_open) {
            return own_of(world, family, (uint16_t)(DIFF_LOWEST_PORT + port));
        }
    }
    return own_of(world, family, (uint16_t)(DIFF_LOWEST_PORT + first));
}

static struct addr any_target(struct diff_world *world)
{
    uint64_t kind = rng_below(&world->rng, 100);

    if (kind < 4) {
        return own_of(world, any_family(world), DIFF_LISTEN_PORT);
    }
    return kind < 30 ? any_relayed(world) : any_peer(world);
}

static void allocate(struct diff_world *world, const struct diff_client *client)
{
    struct turn_fixture_draft draft;
    struct wr *wr = &draft.writer.wr;
    uint64_t families = rng_below(&world->rng, 4);

    diff_world_speak(world, client);
    turn_fixture_begin_allocate(world->turn, &draft);
    if (families < 2) {
        stun_attr_u8_write(wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    } else if (families == 2) {
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    }
    stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, any_lifetime(world));
    IGNORE(turn_fixture_ask(world->turn, &draft)); // it may be refused
    diff_world_carry_out(world, DIFF_CAUSE_TAKEOVER);
}

static void permit(struct diff_world *world, const struct diff_client *client,
                   const struct addr *peer)
{
    diff_world_speak(world, client);
    IGNORE(turn_fixture_permit(world->turn, peer)); // it may be refused
    diff_world_carry_out(world, DIFF_CAUSE_NONE);
}

static void bind_channel(struct diff_world *world, const struct diff_client *client,
                         uint16_t number, const struct addr *peer)
{
    diff_world_speak(world, client);
    IGNORE(turn_fixture_bind(world->turn, number, peer)); // it may be refused
    diff_world_carry_out(world, DIFF_CAUSE_NONE);
}

static uint16_t any_number(struct diff_world *world)
{
    return (uint16_t)(0x4000 + rng_below(&world->rng, CHANNELS));
}

// The relayed address of a client, in a family in which both have one. False: there is none.
static bool find_relayed(const struct diff_world *world, const struct diff_client *client,
                         uint8_t family, struct addr *out)
{
    const struct turn_server *server = world->turn->server;
    uint32_t index = turn_allocation_find(server, &client->tuple);

    if (index == POOL_NONE ||
        !turn_allocation_has_family(turn_allocation_at(server, index), family)) {
        return false;
    }
    *out = turn_allocation_relayed(server, turn_allocation_at(server, index), family);
    return true;
}

// Two clients of this relay meet.
static void pair(struct diff_world *world)
{
    const struct diff_client *one = any_client(world);
    const struct diff_client *two = any_client(world);
    uint8_t family = any_family(world);
    struct addr ones;
    struct addr twos;

    if (one != two && find_relayed(world, one, family, &ones) &&
        find_relayed(world, two, family, &twos)) {
        bind_channel(world, one, any_number(world), &twos);
        bind_channel(world, two, any_number(world), &ones);
    }
}

static void close_family(struct diff_world *world, const struct diff_client *client)
{
    struct turn_fixture_draft draft;
    struct wr *wr = &draft.writer.wr;
    uint8_t family = rng_chance(&world->rng, 50) ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6;
    uint32_t index = turn_allocation_find(world->turn->server, &client->tuple);

    if (index == POOL_NONE || client->is_firezone ||
        turn_allocation_at(world->turn->server, index)->families !=
            (TURN_ALLOCATION_IP4 | TURN_ALLOCATION_IP6)) {
        return;
    }
    diff_world_speak(world, client);
    turn_fixture_begin(world->turn, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, 0);
    stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, family);
    assert_int_equal(turn_fixture_ask(world->turn, &draft), TURN_FIXTURE_SUCCESS);
    diff_world_carry_out(world, DIFF_CAUSE_FAMILY);
}

static void refresh(struct diff_world *world, const struct diff_client *client, uint32_t lifetime_s)
{
    diff_world_speak(world, client);
    IGNORE(turn_fixture_refresh(world->turn, lifetime_s)); // there may be no allocation
    diff_world_carry_out(world, lifetime_s == 0 ? DIFF_CAUSE_REFRESH : DIFF_CAUSE_NONE);
}

static void pass_time(struct diff_world *world)
{
    static const uint16_t spans_s[] = {1, 10, 60, 150, 299, 300, 301, 600};
    uint64_t span_s = spans_s[rng_below(&world->rng, COUNT_OF(spans_s))];

    turn_fixture_wait(world->turn, span_s * SECOND_NS + rng_below(&world->rng, SECOND_NS));
    diff_world_carry_out(world, DIFF_CAUSE_TIME);
}

void diff_step(struct diff_world *world)
{
    uint64_t kind = rng_below(&world->rng, 100);
    struct diff_client *client = any_client(world);
    struct addr target = any_target(world);

    if (kind < 20) {
        allocate(world, client);
    } else if (kind < 46) {
        bind_channel(world, client, any_number(world), &target);
    } else if (kind < 58) {
        pair(world);
    } else if (kind < 68) {
        permit(world, client, &target);
    } else if (kind < 79) {
        refresh(world, client, any_lifetime(world));
    } else if (kind < 82) {
        refresh(world, client, 0);
    } else if (kind < 89) {
        close_family(world, client);
    } else {
        pass_time(world);
    }
}
