// SPDX-License-Identifier: Apache-2.0
#include "bpf/diff_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/diff_judge.h"
#include "log/log.h"
#include "turn/turn_server_priv.h"
#include "xdp/xdp_world.h"

enum {
    ALLOCATION_MAX = 8,
    NETWORK_IP4 = 10, // 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16
};

static const char *const own_ips[DIFF_OWN_COUNT] = {
    "192.0.2.1",
    "198.51.100.1",
    "2001:db8::1",
    "2001:db8:1::1",
};

// Networks lie behind routers: .254 and ::fe, and .253 and ::fd, of which nothing is known.
static const char *const set_up[] = {
    "ip address add 2001:db8:1::1/64 dev near1 nodad",
    "ip neighbour replace 192.0.2.254 lladdr 02:00:00:00:00:20 dev near0 nud permanent",
    "ip neighbour replace 2001:db8::fe lladdr 02:00:00:00:00:20 dev near0 nud permanent",
    "ip neighbour replace 198.51.100.254 lladdr 02:00:00:00:00:21 dev near1 nud permanent",
    "ip neighbour replace 2001:db8:1::fe lladdr 02:00:00:00:00:21 dev near1 nud permanent",
    "ip route add 10.1.0.0/16 via 192.0.2.254",
    "ip route add 10.2.0.0/16 via 198.51.100.254",
    "ip route add 10.3.0.0/16 via 192.0.2.253",
    "ip route add 2001:db8:a0::/48 via 2001:db8::fe",
    "ip route add 2001:db8:a1::/48 via 2001:db8:1::fe",
    "ip route add 2001:db8:a2::/48 via 2001:db8::fd",
};

static const struct turn_peer_rule rules[] = {
    {{{{NETWORK_IP4}, 0, ADDR_IP4, 0}, 8}, true},
    {{{{0x20, 0x01, 0x0d, 0xb8, 0x00, 0xa0}, 0, ADDR_IP6, 0}, 44}, true},
};

// Firezone's clients have one allocation for each name: two clients of a name take over.
static const struct {
    const char *user;
    bool is_firezone;
} clients[DIFF_CLIENT_COUNT] = {
    {"alice", false},
    {"alice", false},
    {"bob", false},
    {"alice", false},
    {"1892160000:n23JJ2wKKtt30oXi", true},
    {"1892160000:n23JJ2wKKtt30oXi", true},
    {"1892160000:another", true},
    {"1892160000:another", true},
};

struct addr diff_world_own(uint32_t index, uint16_t port)
{
    return xdp_world_addr(own_ips[index], port);
}

bool diff_world_is_own(const struct addr *addr)
{
    for (uint32_t i = 0; i < DIFF_OWN_COUNT; i++) {
        struct addr own = diff_world_own(i, 0);
        if (addr_same_ip(&own, addr)) {
            return true;
        }
    }
    return false;
}

struct addr diff_world_host(uint8_t family, uint32_t network, uint8_t host, uint16_t port)
{
    if (family == ADDR_IP4) {
        return addr_ip4((const uint8_t[]){NETWORK_IP4, (uint8_t)(network + 1), 7, host}, port);
    }
    return addr_ip6((const uint8_t[]){0x20, 1, 0x0D, 0xB8, 0, (uint8_t)(0xA0 + network), 0x76, 0x54,
                                      0xFE, 0xDC, 0xBA, 0x98, 0, 0xFF, 0, host},
                    port);
}

uint32_t diff_world_network(const struct addr *addr)
{
    for (uint32_t i = 0; i < DIFF_NETWORK_COUNT; i++) {
        struct addr host = diff_world_host(addr->family, i, 0, 0);
        if (memcmp(host.ip, addr->ip, addr->family == ADDR_IP4 ? 2 : 6) == 0) {
            return i;
        }
    }
    return DIFF_NETWORK_COUNT;
}

void diff_world_macs(uint32_t network, struct packet *packet)
{
    memcpy(packet->to_mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(0x20 + network)}, 6);
    memcpy(packet->from_mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(0x10 + network)}, 6);
}

const struct diff_socket *diff_world_socket(const struct diff_world *world,
                                            const struct addr *local)
{
    bool is_ip6 = local->family == ADDR_IP6;

    if (!addr_same_ip(&world->offload.relayed[is_ip6], local) || local->port < DIFF_LOWEST_PORT ||
        local->port >= DIFF_LOWEST_PORT + DIFF_PORT_COUNT) {
        return NULL;
    }
    const struct diff_socket *socket = &world->sockets[is_ip6][local->port - DIFF_LOWEST_PORT];
    return socket->is_open ? socket : NULL;
}

struct addr diff_world_relayed(const struct diff_world *world, struct pool_ref allocation,
                               uint8_t family)
{
    bool is_ip6 = family == ADDR_IP6;

    for (uint32_t i = 0; i < DIFF_PORT_COUNT; i++) {
        const struct diff_socket *socket = &world->sockets[is_ip6][i];
        if (socket->is_open && socket->allocation.index == allocation.index &&
            socket->allocation.generation == allocation.generation) {
            return addr_with_port(world->offload.relayed[is_ip6], (uint16_t)(DIFF_LOWEST_PORT + i));
        }
    }
    fail_msg("the server sends from a socket that is not open");
    return (struct addr){0};
}

void diff_world_speak(struct diff_world *world, const struct diff_client *client)
{
    struct turn_fixture *f = world->turn;

    f->tuple = client->tuple;
    if (client->is_firezone) {
        turn_fixture_use_firezone(f, client->user);
        return;
    }
    f->user = client->user;
    f->password = strcmp(client->user, "alice") == 0 ? "secret" : "hidden";
    f->realm = NULL;
}

// --- commands -----------------------------------------------------------------------------------

static void set_socket(struct diff_world *world, const struct turn_command *command)
{
    const struct addr *relayed = &command->socket.relayed;
    struct diff_socket *socket =
        &world->sockets[relayed->family == ADDR_IP6][relayed->port - DIFF_LOWEST_PORT];
    bool is_open = command->type == TURN_COMMAND_OPEN;

    assert_int_equal(socket->is_open, !is_open);
    *socket = (struct diff_socket){is_open, command->socket.allocation};
}

static void take_bind(struct diff_world *world, const struct turn_command_bind *bind)
{
    struct diff_channel *channel = &world->channels[bind->channel];

    assert_false(channel->is_open);
    relay_offload_bind(&world->offload, 0, bind);
    *channel = (struct diff_channel){.bind = *bind, .was_open = true, .is_open = true};
    assert_true(xdp_table_is_bound(&world->offload.table, bind->channel));
}

// After time has passed: what has become of a channel's client.
static enum diff_cause cause_of(const struct diff_world *world,
                                const struct turn_command_bind *bind)
{
    const struct turn_server *server = world->turn->server;
    uint32_t allocation = turn_allocation_find(server, &bind->tuple);

    if (allocation == POOL_NONE) {
        return DIFF_CAUSE_ALLOCATION;
    }
    uint32_t channel = turn_channel_find(server, allocation, bind->number);
    if (channel == POOL_NONE) {
        return DIFF_CAUSE_CHANNEL;
    }
    return turn_channel_at(server, channel)->is_resting ? DIFF_CAUSE_REST : DIFF_CAUSE_PERMISSION;
}

static void take_unbind(struct diff_world *world, const struct turn_command_unbind *unbind,
                        enum diff_cause cause)
{
    struct diff_channel *channel = &world->channels[unbind->channel];

    assert_true(channel->is_open);
    assert_int_not_equal(cause, DIFF_CAUSE_NONE);
    relay_offload_unbind(&world->offload, 0, unbind);
    channel->is_open = false;
    world->cover->causes[cause == DIFF_CAUSE_TIME ? cause_of(world, &channel->bind) : cause]++;
    diff_judge_unbound(world, &channel->bind);
}

// What the fast path is told comes before all other commands of a call. Only time may bring those
// of several calls.
static void check_order(const struct diff_world *world, enum diff_cause cause)
{
    bool has_others = false;

    for (uint32_t i = 0; i < world->turn->command_count; i++) {
        enum turn_command_type type = world->turn->commands[i].type;
        bool is_path = type == TURN_COMMAND_BIND || type == TURN_COMMAND_UNBIND;
        assert_false(is_path && has_others && cause != DIFF_CAUSE_TIME);
        has_others = has_others || !is_path;
    }
}

void diff_world_carry_out(struct diff_world *world, enum diff_cause cause)
{
    check_order(world, cause);
    for (uint32_t i = 0; i < world->turn->command_count; i++) {
        const struct turn_command *command = &world->turn->commands[i];
        switch (command->type) {
        case TURN_COMMAND_OPEN:
        case TURN_COMMAND_CLOSE:
            set_socket(world, command);
            break;
        case TURN_COMMAND_BIND:
            take_bind(world, &command->bind);
            break;
        case TURN_COMMAND_UNBIND:
            take_unbind(world, &command->unbind, cause);
            break;
        case TURN_COMMAND_SEND:
        case TURN_COMMAND_WAKE:
        case TURN_COMMAND_REPORT:
            break;
        }
    }
}

// --- opening ------------------------------------------------------------------------------------

static void open_offload(struct diff_world *world)
{
    struct addr own[DIFF_OWN_COUNT];
    struct xdp_reason reason;
    const struct xdp_program_options options = {
        .own = own,
        .own_count = DIFF_OWN_COUNT,
        .listen_port = DIFF_LISTEN_PORT,
        .lowest_port = DIFF_LOWEST_PORT,
        .highest_port = DIFF_LOWEST_PORT + DIFF_PORT_COUNT - 1,
        .answers_binding = true,
        .channel_max = DIFF_CHANNEL_MAX,
    };

    for (uint32_t i = 0; i < DIFF_OWN_COUNT; i++) {
        own[i] = diff_world_own(i, 0);
    }
    assert_int_equal(xdp_program_open(&options, &world->offload.program, &reason), 0);
    for (uint32_t i = 0; i < COUNT_OF(world->ifindexes); i++) {
        const char *name = i == 0 ? "near0" : "near1";
        assert_int_equal(
            xdp_program_attach(&world->offload.program, name, XDP_LINK_GENERIC, &reason), 0);
        world->ifindexes[i] = xdp_world_ifindex(name);
    }
    assert_int_equal(
        xdp_table_open(&world->offload.program, DIFF_CHANNEL_MAX, &world->offload.table), 0);
    // Peers send to the one interface over IPv4, and to the other over IPv6.
    world->offload.relayed[0] = diff_world_own(0, 0);
    world->offload.relayed[1] = diff_world_own(3, 0);
    world->offload.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    world->offload.worker_count = 1;
    world->offload.channels_per_worker = DIFF_CHANNEL_MAX;
    world->offload.is_open = true;
}

static void set_clients(struct diff_world *world)
{
    for (uint32_t i = 0; i < DIFF_CLIENT_COUNT; i++) {
        uint8_t family = i % 2 == 0 ? ADDR_IP4 : ADDR_IP6;
        uint32_t own = (family == ADDR_IP4 ? 0 : 2) + i / 4 % 2;
        world->clients[i] = (struct diff_client){
            .tuple.client = diff_world_host(family, i / 2 % 2, 200, (uint16_t)(40000 + i)),
            .tuple.server = diff_world_own(own, DIFF_LISTEN_PORT),
            .user = clients[i].user,
            .is_firezone = clients[i].is_firezone,
        };
    }
}

bool diff_world_open(struct diff_world *world, struct diff_cover *cover)
{
    void *fixture = NULL;

    *world = (struct diff_world){.cover = cover};
    if (!xdp_world_enter()) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(set_up); i++) {
        xdp_world_run("%s", set_up[i]);
    }
    log_open(STDOUT_FILENO, LOG_LEVEL_WARN, LOG_LINE_HUMAN);
    open_offload(world);
    set_clients(world);
    assert_int_equal(turn_fixture_setup(&fixture), 0);
    world->turn = fixture;
    return true;
}

void diff_world_close(struct diff_world *world)
{
    void *fixture = world->turn;

    xdp_table_close(&world->offload.table);
    xdp_program_close(&world->offload.program);
    assert_int_equal(turn_fixture_teardown(&fixture), 0);
}

static struct turn_config make_config(const struct diff_world *world, bool is_behind_nat,
                                      const struct addr own[DIFF_OWN_COUNT])
{
    struct turn_config config = turn_fixture_config();

    // Behind a one-to-one NAT clients and peers know the relay by other addresses than its own.
    if (!is_behind_nat) {
        config.public_ip4 = world->offload.relayed[0];
        config.public_ip6 = world->offload.relayed[1];
    }
    config.bind_ip4 = world->offload.relayed[0];
    config.bind_ip6 = world->offload.relayed[1];
    config.lowest_port = DIFF_LOWEST_PORT;
    config.highest_port = DIFF_LOWEST_PORT + DIFF_PORT_COUNT - 1;
    config.listen_port = DIFF_LISTEN_PORT;
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    config.rules = rules;
    config.rule_count = COUNT_OF(rules);
    config.own_addrs = own;
    config.own_addr_count = DIFF_OWN_COUNT;
    config.has_fast_path = true;
    config.max_allocations = ALLOCATION_MAX;
    config.max_channels = DIFF_CHANNEL_MAX;
    config.max_permissions = DIFF_CHANNEL_MAX;
    config.channels_per_allocation = 6;
    config.permissions_per_allocation = 8;
    config.min_lifetime_s = 60;
    return config;
}

void diff_world_begin(struct diff_world *world, uint64_t seed)
{
    struct addr own[DIFF_OWN_COUNT];

    world->rng = rng_init(seed);
    world->seed = seed;
    world->step = 0;
    for (uint32_t i = 0; i < DIFF_OWN_COUNT; i++) {
        own[i] = diff_world_own(i, 0);
    }
    for (uint32_t i = 0; i < DIFF_CHANNEL_MAX; i++) {
        xdp_table_unbind(&world->offload.table, i);
    }
    memset(world->channels, 0, sizeof world->channels);
    memset(world->sockets, 0, sizeof world->sockets);
    struct turn_config config = make_config(world, rng_chance(&world->rng, 30), own);
    turn_fixture_restart(world->turn, &config);
}
