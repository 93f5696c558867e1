// SPDX-License-Identifier: Apache-2.0
// The program beside the server: random clients, channels and packets. What the program sends is,
// byte for byte, what the server would have sent; and what the server would have sent over a
// channel, the program has.
//
// The glue is a naive one: each BIND is two entries of the map.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "support/rng.h"
#include "unit/turn/turn_fixture.h"

enum {
    CLIENTS = 6,
    PEERS = 3, // of each family
    CHANNELS = 16,
    STEPS = 30000,
    PAYLOAD_MAX = 1480,
    PADDING_MAX = 3, // bytes that the program takes for padding
    TTL = 9,
};

#define SECOND_NS UINT64_C(1000000000)

struct client {
    struct turn_tuple tuple;
    enum addr_family relay_family;
    bool is_allocated;
    struct pool_ref allocation;
    struct addr relayed;
};

struct binding {
    bool is_bound;
    struct relay_abi_key keys[2];
};

struct world {
    struct turn_fixture *f;
    struct kernel *kernel;
    struct rng rng;
    struct client clients[CLIENTS];
    struct binding bindings[CHANNELS];
    uint32_t relayed[RELAY_ABI_VERDICT_COUNT];
};

static struct addr own(enum addr_family family, uint16_t port)
{
    return kernel_own(family == ADDR_IP4 ? KERNEL_OWN_IP4 : KERNEL_OWN_IP6, port);
}

static struct addr stranger(enum addr_family family, uint32_t host, uint32_t port)
{
    const uint8_t ip4[] = {198, 51, 100, (uint8_t)host};
    const uint8_t ip6[] = {0x20, 1, 0x0D, 0xB8, 0, 0xC, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)host};

    return family == ADDR_IP4 ? addr_ip4(ip4, (uint16_t)port) : addr_ip6(ip6, (uint16_t)port);
}

static uint32_t pick(struct world *world, uint32_t bound)
{
    return (uint32_t)rng_below(&world->rng, bound);
}

// --- the glue ------------------------------------------------------------------------------------

static void put_u16(uint8_t out[2], uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static struct relay_abi_key key_of(enum relay_abi_from from, const struct addr *remote,
                                   uint32_t local)
{
    struct relay_abi_key key = {
        .own = remote->family == ADDR_IP4 ? KERNEL_OWN_IP4 : KERNEL_OWN_IP6,
        .from = (uint8_t)from,
    };

    memcpy(key.remote_ip, remote->ip, sizeof key.remote_ip);
    put_u16(key.remote_port, remote->port);
    put_u16(key.local, local);
    return key;
}

static void put_path(struct world *world, const struct relay_abi_key *key,
                     const struct relay_abi_key *back, uint32_t local_port, uint32_t channel,
                     bool is_turned)
{
    struct relay_abi_path path = {.own = back->own, .is_turned = is_turned, .hop = KERNEL_HOP_BACK};

    memcpy(path.remote_ip, back->remote_ip, sizeof path.remote_ip);
    memcpy(path.remote_port, back->remote_port, sizeof path.remote_port);
    memcpy(path.key_remote_port, key->remote_port, sizeof path.key_remote_port);
    memcpy(path.key_local, key->local, sizeof path.key_local);
    put_u16(path.local_port, local_port);
    put_u16(path.channel, channel);
    kernel_bind(world->kernel, key, &path);
}

static void bind_paths(struct world *world, const struct turn_command_bind *bind)
{
    struct binding *binding = &world->bindings[bind->channel];

    assert_false(binding->is_bound);
    binding->is_bound = true;
    binding->keys[0] = key_of(RELAY_ABI_FROM_CLIENT, &bind->tuple.client, bind->number);
    binding->keys[1] = key_of(RELAY_ABI_FROM_PEER, &bind->peer, bind->relayed.port);
    put_path(world, &binding->keys[0], &binding->keys[1], bind->relayed.port, 0, bind->is_turned);
    put_path(world, &binding->keys[1], &binding->keys[0], bind->tuple.server.port, bind->number,
             false);
}

static void unbind_paths(struct world *world, uint32_t channel)
{
    struct binding *binding = &world->bindings[channel];

    assert_true(binding->is_bound);
    binding->is_bound = false;
    kernel_unbind(world->kernel, &binding->keys[0]);
    kernel_unbind(world->kernel, &binding->keys[1]);
}

static void close_allocation(struct world *world, struct pool_ref allocation)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *client = &world->clients[i];
        if (client->is_allocated && client->allocation.index == allocation.index) {
            client->is_allocated = false;
        }
    }
}

// What the last call to the server brought.
static void carry_out(struct world *world)
{
    for (uint32_t i = 0; i < world->f->command_count; i++) {
        const struct turn_command *command = &world->f->commands[i];
        if (command->type == TURN_COMMAND_BIND) {
            bind_paths(world, &command->bind);
        } else if (command->type == TURN_COMMAND_UNBIND) {
            unbind_paths(world, command->unbind.channel);
        } else if (command->type == TURN_COMMAND_CLOSE) {
            close_allocation(world, command->socket.allocation);
        }
    }
}

// --- what clients do -----------------------------------------------------------------------------

static struct client *speak_as(struct world *world, uint32_t index)
{
    struct client *client = &world->clients[index];

    world->f->tuple = client->tuple;
    return client;
}

static void allocate(struct world *world, struct client *client)
{
    struct turn_fixture *f = world->f;
    struct turn_fixture_draft draft;
    bool is_ip6 = client->relay_family == ADDR_IP6;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                       is_ip6 ? STUN_ATTR_FAMILY_IP6 : STUN_ATTR_FAMILY_IP4);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_OPEN);
    client->allocation = f->commands[0].socket.allocation;
    client->relayed = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    client->is_allocated = true;
}

// A peer of the family: a stranger, or another client's relayed address.
static struct addr any_peer(struct world *world, enum addr_family family)
{
    const struct client *other = &world->clients[pick(world, CLIENTS)];

    if (other->is_allocated && other->relay_family == family) {
        return other->relayed;
    }
    uint32_t peer = pick(world, PEERS);
    return stranger(family, 200 + peer, 7000 + peer);
}

static uint16_t any_channel(struct world *world)
{
    return (uint16_t)(0x4000 + pick(world, 4));
}

// Whatever the server answers: that is for its own tests.
static void act(struct world *world)
{
    struct client *client = speak_as(world, pick(world, CLIENTS));
    uint32_t what = pick(world, 100);

    if (!client->is_allocated) {
        allocate(world, client);
    } else if (what < 70) {
        struct addr peer = any_peer(world, client->relay_family);
        (void)turn_fixture_bind(world->f, any_channel(world), &peer);
    } else if (what < 80) {
        (void)turn_fixture_refresh(world->f, 0);
    } else if (what < 90) {
        (void)turn_fixture_refresh(world->f, 600);
    } else {
        turn_fixture_wait(world->f, pick(world, 200) * SECOND_NS);
    }
    carry_out(world);
}

// --- packets -------------------------------------------------------------------------------------

static struct packet packet_of(struct world *world, struct addr from, struct addr to,
                               struct bytes payload)
{
    return (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        .from = from,
        .to = to,
        .tos = (uint8_t)rng_next(&world->rng),
        .ttl = TTL,
        .id = (uint16_t)rng_next(&world->rng),
        .channel = PACKET_CHANNEL_NONE,
        .data = payload.ptr,
        .data_len = payload.len,
    };
}

// What the program must have made of a packet for the server to have sent the same.
static struct packet sent(const struct packet *in, struct addr from, struct addr to,
                          struct bytes payload)
{
    struct packet out = *in;

    kernel_hop(KERNEL_HOP_BACK, out.to_mac, out.from_mac);
    out.from = from;
    out.to = to;
    out.ttl--;
    if (in->from.family != ADDR_IP4) {
        out.id = 0;
    }
    out.data = payload.ptr;
    out.data_len = payload.len;
    return out;
}

static void must_be_sent(const struct kernel_result *got, const struct packet *want)
{
    uint8_t frame[PACKET_MAX];
    size_t len = packet_write(want, frame);

    assert_int_equal(got->frame_len, len);
    assert_memory_equal(got->frame, frame, len);
}

static const struct client *owner_of(const struct world *world, struct pool_ref allocation)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (world->clients[i].is_allocated &&
            world->clients[i].allocation.index == allocation.index) {
            return &world->clients[i];
        }
    }
    fail_msg("an allocation that nobody has");
    return NULL;
}

static const struct client *owner_of_port(const struct world *world, uint16_t port)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (world->clients[i].is_allocated && world->clients[i].relayed.port == port) {
            return &world->clients[i];
        }
    }
    return NULL;
}

static bool is_own(const struct addr *addr)
{
    struct addr mine = own(addr->family, 0);

    return addr_same_ip(addr, &mine);
}

static bool has_relayed(const struct kernel_result *got)
{
    return got->verdict <= RELAY_ABI_VERDICT_turned;
}

// Compares with the server's verdict. `may_pass`: the program need not have relayed it.
static void compare(struct world *world, const struct packet *in, const struct kernel_result *got,
                    bool may_pass)
{
    const struct turn_forward *forward = &world->f->forward;
    uint8_t raw[PACKET_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    if (world->f->verdict != TURN_FORWARD) {
        assert_false(has_relayed(got));
        return;
    }
    if (!has_relayed(got)) {
        // Data indications are not for it, nor what does not fit the link, nor what is for an own
        // address at which no client is any more.
        bool is_for_nobody = forward->is_to_peer && is_own(&forward->peer);
        if (!may_pass && forward->head_len <= STUN_CHANDATA_HEAD_LEN && !is_for_nobody) {
            assert_int_equal(got->verdict, RELAY_ABI_VERDICT_pass_too_long);
        }
        return;
    }
    world->relayed[got->verdict]++;
    wr_bytes(&wr, (struct bytes){forward->head, forward->head_len});
    wr_bytes(&wr, forward->payload);
    assert_int_equal(forward->padding_len, 0);
    struct addr from =
        forward->is_to_peer ? owner_of(world, forward->allocation)->relayed : forward->tuple.server;
    struct addr to = forward->is_to_peer ? forward->peer : forward->tuple.client;
    struct packet out = sent(in, from, to, wr_done(&wr));
    must_be_sent(got, &out);
}

static struct bytes any_payload(struct world *world, uint8_t raw[PAYLOAD_MAX])
{
    size_t len = pick(world, rng_chance(&world->rng, 90) ? 200 : PAYLOAD_MAX);

    rng_fill(&world->rng, raw, PAYLOAD_MAX);
    return (struct bytes){raw, len};
}

static void send_chandata(struct world *world)
{
    const struct client *client = speak_as(world, pick(world, CLIENTS));
    uint8_t raw[PAYLOAD_MAX];
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;
    struct bytes payload = any_payload(world, raw);
    // Mostly right, or with padding; sometimes a length that lies.
    int32_t spare = (int32_t)pick(world, 20) - 8;
    int32_t data_len = (int32_t)payload.len - 4 - (spare < 0 ? 0 : spare);
    if (spare == 10 || data_len < 0) {
        data_len = (int32_t)payload.len;
    }
    put_u16(raw, any_channel(world));
    put_u16(raw + 2, (uint32_t)data_len);
    struct packet in = packet_of(world, client->tuple.client, client->tuple.server, payload);
    kernel_run(world->kernel, frame, packet_write(&in, frame), &got);
    (void)turn_fixture_send(world->f, payload);
    compare(world, &in, &got, (int32_t)payload.len - 4 - data_len > PADDING_MAX);
}

static void send_as_peer(struct world *world)
{
    const struct client *client = &world->clients[pick(world, CLIENTS)];
    struct addr peer = any_peer(world, client->relay_family);
    const struct client *owner = owner_of_port(world, client->relayed.port);
    uint8_t raw[PAYLOAD_MAX];
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;
    struct bytes payload = any_payload(world, raw);

    if (client->relayed.family == ADDR_NONE) {
        return;
    }
    struct packet in = packet_of(world, peer, client->relayed, payload);
    kernel_run(world->kernel, frame, packet_write(&in, frame), &got);
    if (owner == NULL) { // it had the port once
        assert_false(has_relayed(&got));
        return;
    }
    (void)turn_fixture_from_peer(world->f, owner->allocation, &peer, payload);
    compare(world, &in, &got, false);
}

static void send_binding(struct world *world)
{
    const struct client *client = speak_as(world, pick(world, CLIENTS));
    struct turn_fixture_draft draft;
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;

    turn_fixture_begin(world->f, &draft, STUN_REQUEST, STUN_BINDING);
    struct bytes payload = turn_fixture_finish(&draft);
    struct packet in = packet_of(world, client->tuple.client, client->tuple.server, payload);
    kernel_run(world->kernel, frame, packet_write(&in, frame), &got);
    assert_int_equal(turn_fixture_send(world->f, payload), TURN_FIXTURE_SUCCESS);
    assert_int_equal(got.verdict, RELAY_ABI_VERDICT_binding);
    struct bytes answer = world->f->response.whole;
    assert_int_equal(got.frame_len, packet_payload_at(&in) + answer.len);
    assert_memory_equal(got.frame + packet_payload_at(&in), answer.ptr, answer.len);
    world->relayed[got.verdict]++;
}

// --- the test ------------------------------------------------------------------------------------

static void open_world(struct world *world, struct turn_fixture *f)
{
    struct turn_config config = turn_fixture_config();

    config.public_ip4 = own(ADDR_IP4, 0);
    config.public_ip6 = own(ADDR_IP6, 0);
    config.listen_port = KERNEL_LISTEN_PORT;
    config.own_addr_count = 0;
    config.has_fast_path = true;
    config.software = (struct bytes){0};
    config.max_channels = CHANNELS;
    turn_fixture_restart(f, &config);
    *world = (struct world){.f = f, .kernel = kernel_open()};
    world->rng = rng_init(rng_seed("bpf_differential"));
    for (uint32_t i = 0; i < CLIENTS; i++) {
        enum addr_family family = i % 2 == 0 ? ADDR_IP4 : ADDR_IP6;
        world->clients[i].tuple.client = stranger(family, 10 + i, 4000 + i);
        world->clients[i].tuple.server = own(family, KERNEL_LISTEN_PORT);
        world->clients[i].relay_family = i / 2 % 2 == 0 ? ADDR_IP4 : ADDR_IP6;
    }
}

static void sends_what_the_server_would(void **state)
{
    static struct world world;

    open_world(&world, *state);
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t what = pick(&world, 100);
        if (what < 10) {
            act(&world);
        } else if (what < 60) {
            send_chandata(&world);
        } else if (what < 95) {
            send_as_peer(&world);
        } else {
            send_binding(&world);
        }
    }
    print_message(
        "relayed: %u to peers, %u to clients, %u turned; %u answered\n",
        world.relayed[RELAY_ABI_VERDICT_to_peer], world.relayed[RELAY_ABI_VERDICT_to_client],
        world.relayed[RELAY_ABI_VERDICT_turned], world.relayed[RELAY_ABI_VERDICT_binding]);
    for (uint32_t verdict = 0; verdict <= RELAY_ABI_VERDICT_binding; verdict++) {
        assert_true(world.relayed[verdict] > STEPS / 500);
    }
    kernel_close(world.kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(sends_what_the_server_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
