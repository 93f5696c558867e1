// SPDX-License-Identifier: Apache-2.0
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "stun/stun_error.h"
#include "stun/stun_icmp.h"

#define TRAVEL_NS (SECOND_NS / 1000)

static struct addr address(const char *text, uint16_t port)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr_with_port(addr, port);
}

static struct addr host_of(enum addr_family family)
{
    return family == ADDR_IP4 ? address("198.51.100.1", 0) : address("2001:db8:51::1", 0);
}

struct turn_config turn_world_config(void)
{
    static const struct turn_user users[] = {{BYTES_LITERAL("alice"), BYTES_LITERAL("wonder")},
                                             {BYTES_LITERAL("bob"), BYTES_LITERAL("builder")}};
    static struct turn_peer_rule rules[2];
    struct turn_config config = turn_config_default();

    assert_int_equal(cidr_read(bytes_of_text("198.51.100.0/24"), &rules[0].cidr), CIDR_OK);
    assert_int_equal(cidr_read(bytes_of_text("2001:db8:51::/64"), &rules[1].cidr), CIDR_OK);
    rules[0].is_allowed = true;
    rules[1].is_allowed = true;
    config.public_ip4 = address("203.0.113.7", 0);
    config.public_ip6 = address("2001:db8:7::7", 0);
    config.realm = bytes_of_text("fairlead");
    config.users = users;
    config.user_count = COUNT_OF(users);
    config.rules = rules;
    config.rule_count = COUNT_OF(rules);
    config.software = bytes_of_text("fairlead");
    return config;
}

// Puts a datagram into the queue of what is under way.
static void put(struct turn_world *world, uint32_t socket, uint64_t delay_ns,
                const struct addr *from, struct bytes bytes)
{
    for (size_t i = 0; i < TURN_WORLD_QUEUE; i++) {
        struct turn_world_parcel *parcel = &world->queue[i];
        if (parcel->is_there) {
            continue;
        }
        assert_true(bytes.len <= sizeof parcel->bytes);
        parcel->is_there = true;
        parcel->socket = socket;
        parcel->at_ns = world->now.mono_ns + delay_ns;
        parcel->from = *from;
        parcel->len = bytes.len;
        if (bytes.len > 0) {
            memcpy(parcel->bytes, bytes.ptr, bytes.len);
        }
        return;
    }
    // A full queue loses it.
}

static bool find_socket(const struct turn_world *world, const struct addr *local, uint32_t *out)
{
    for (uint32_t i = 0; i < TURN_WORLD_SOCKETS; i++) {
        if (world->sockets[i].is_open && addr_equal(&world->sockets[i].local, local)) {
            *out = i;
            return true;
        }
    }
    return false;
}

// Gives an error another code, as wrong as it is without its HMAC.
static struct bytes with_other_code(struct bytes bytes, uint8_t memory[TALK_DATAGRAM_MAX])
{
    struct stun_message message;
    struct bytes value;
    struct bytes reason;
    uint16_t code = 0;

    if (stun_message_read(bytes, &message) != STUN_MESSAGE_OK ||
        !stun_message_find(&message, STUN_ATTR_ERROR_CODE, &value) ||
        !stun_error_read(value, &code, &reason) || code == STUN_ERROR_UNAUTHENTICATED ||
        code == STUN_ERROR_STALE_NONCE) {
        return bytes;
    }
    memcpy(memory, bytes.ptr, bytes.len);
    memory[value.ptr - bytes.ptr + 3] = 99;
    return (struct bytes){memory, bytes.len};
}

static void to_client(struct turn_world *world, const struct turn_tuple *tuple, struct bytes bytes)
{
    uint8_t memory[TALK_DATAGRAM_MAX];
    static const struct bytes garbage = BYTES_LITERAL("\x13\x37 nothing");
    struct addr from = tuple->server;
    uint32_t socket = 0;

    if (!find_socket(world, &tuple->client, &socket)) {
        return;
    }
    switch (world->twist) {
    case TURN_WORLD_FAITHFUL:
    case TURN_WORLD_TWISTS:
        put(world, socket, TRAVEL_NS, &from, bytes);
        break;
    case TURN_WORLD_SILENT:
        break;
    case TURN_WORLD_TWICE:
        put(world, socket, TRAVEL_NS, &from, bytes);
        put(world, socket, TRAVEL_NS, &from, bytes);
        break;
    case TURN_WORLD_OTHER_PORT:
        from = addr_with_port(from, (uint16_t)(from.port + 1));
        put(world, socket, TRAVEL_NS, &from, bytes);
        break;
    case TURN_WORLD_GARBAGE:
        put(world, socket, TRAVEL_NS, &from, garbage);
        break;
    case TURN_WORLD_CUT:
        put(world, socket, TRAVEL_NS, &from, bytes_first(bytes, bytes.len - 4));
        break;
    case TURN_WORLD_ENDLESS:
        put(world, socket, TRAVEL_NS, &from, bytes);
        for (uint64_t i = 0; i < 100; i++) {
            put(world, socket, i * TRAVEL_NS / 10, &from, garbage);
        }
        break;
    case TURN_WORLD_SLOW:
        put(world, socket, 2 * SECOND_NS, &from, bytes);
        break;
    case TURN_WORLD_OTHER_CODE:
        put(world, socket, TRAVEL_NS, &from, with_other_code(bytes, memory));
        break;
    case TURN_WORLD_SPOILT:
        put(world, socket, TRAVEL_NS, &from, bytes);
        break;
    }
}

static void deliver(struct turn_world *world, const struct turn_forward *forward);

static void to_peer(struct turn_world *world, const struct turn_forward *forward,
                    struct bytes bytes)
{
    struct turn_forward out;
    uint32_t socket = 0;

    for (size_t i = 0; i < TURN_WORLD_ALLOCATIONS; i++) {
        if (!world->allocations[i].is_open ||
            memcmp(&world->allocations[i].ref, &forward->allocation, sizeof forward->allocation) !=
                0 ||
            world->allocations[i].relayed.family != forward->peer.family) {
            continue;
        }
        if (find_socket(world, &forward->peer, &socket)) {
            put(world, socket, TRAVEL_NS, &world->allocations[i].relayed, bytes);
            return;
        }
    }
    // Nobody is there: the host says that the port is closed.
    const struct addr host = host_of((enum addr_family)forward->peer.family);
    if (addr_same_ip(&forward->peer, &host)) {
        const struct stun_icmp icmp = forward->peer.family == ADDR_IP4
                                          ? (struct stun_icmp){.type = 3, .code = 3}
                                          : (struct stun_icmp){.type = 1, .code = 4};
        if (turn_server_icmp(world->server, forward->allocation, &forward->peer, &icmp, &out) ==
            TURN_FORWARD) {
            deliver(world, &out);
        }
    }
}

static void deliver(struct turn_world *world, const struct turn_forward *forward)
{
    uint8_t memory[TALK_DATAGRAM_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    wr_bytes(&wr, (struct bytes){forward->head, forward->head_len});
    wr_bytes(&wr, forward->payload);
    wr_zero(&wr, forward->padding_len);
    assert_true(wr_ok(&wr));
    struct bytes bytes = wr_done(&wr);
    if (world->twist == TURN_WORLD_SPOILT && forward->payload.len > 0) {
        memory[forward->head_len] ^= 0xFF;
    }
    if (forward->is_to_peer) {
        to_peer(world, forward, bytes);
    } else {
        to_client(world, &forward->tuple, bytes);
    }
}

static void open_relayed(struct turn_world *world, const struct turn_command_socket *socket)
{
    for (size_t i = 0; i < TURN_WORLD_ALLOCATIONS; i++) {
        if (!world->allocations[i].is_open) {
            world->allocations[i].is_open = true;
            world->allocations[i].relayed = socket->relayed;
            world->allocations[i].ref = socket->allocation;
            return;
        }
    }
    fail_msg("too many allocations");
}

static void close_relayed(struct turn_world *world, const struct turn_command_socket *socket)
{
    for (size_t i = 0; i < TURN_WORLD_ALLOCATIONS; i++) {
        if (addr_equal(&world->allocations[i].relayed, &socket->relayed)) {
            world->allocations[i].is_open = false;
        }
    }
}

static void obey(struct turn_world *world)
{
    struct turn_command command;

    while (turn_server_take(world->server, &command)) {
        switch (command.type) {
        case TURN_COMMAND_SEND:
            to_client(world, &command.send.tuple, command.send.message);
            break;
        case TURN_COMMAND_OPEN:
            open_relayed(world, &command.socket);
            turn_server_opened(world->server, world->now, command.socket.allocation, TURN_OPENED);
            break;
        case TURN_COMMAND_CLOSE:
            close_relayed(world, &command.socket);
            break;
        case TURN_COMMAND_BIND:
        case TURN_COMMAND_UNBIND:
        case TURN_COMMAND_WAKE:
        case TURN_COMMAND_REPORT:
            break;
        }
    }
}

// Lets the time pass, and the server do what is due.
static void pass(struct turn_world *world, uint64_t until_ns)
{
    while (turn_server_deadline(world->server) <= until_ns) {
        uint64_t due_ns = turn_server_deadline(world->server);
        if (due_ns > world->now.mono_ns) {
            world->now.wall_s += (int64_t)((due_ns - world->now.mono_ns) / SECOND_NS);
            world->now.mono_ns = due_ns;
        }
        turn_server_tick(world->server, world->now);
        obey(world);
    }
    if (until_ns > world->now.mono_ns) {
        world->now.wall_s += (int64_t)((until_ns - world->now.mono_ns) / SECOND_NS);
        world->now.mono_ns = until_ns;
    }
}

static bool open_socket(void *self, const struct addr *at, const struct addr *remote,
                        uint32_t *out_socket, struct addr *out_local)
{
    struct turn_world *world = self;
    enum addr_family family =
        (enum addr_family)(at->family != ADDR_NONE ? at->family : remote->family);

    for (uint32_t i = 0; i < TURN_WORLD_SOCKETS; i++) {
        if (!world->sockets[i].is_open) {
            world->sockets[i].is_open = true;
            world->sockets[i].local = addr_with_port(host_of(family), world->next_port++);
            *out_socket = i;
            *out_local = world->sockets[i].local;
            return true;
        }
    }
    return false;
}

static void close_socket(void *self, uint32_t socket)
{
    struct turn_world *world = self;

    assert_true(world->sockets[socket].is_open);
    world->sockets[socket].is_open = false;
}

// What stands between the server and a proven Allocate; STUN_ERROR_NONE when nothing does.
static enum stun_error_code refusal_of(struct turn_world *world, const struct addr *from,
                                       const struct stun_message *message)
{
    if (message->header.method != STUN_ALLOCATE || message->header.class != STUN_REQUEST ||
        !stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY)) {
        return STUN_ERROR_NONE;
    }
    if (from->port % 4 < world->taken_in_four) {
        return STUN_ERROR_ALLOCATION_MISMATCH;
    }
    if (world->refused_count > 0) {
        world->refused_count--;
        return STUN_ERROR_QUOTA_REACHED;
    }
    return STUN_ERROR_NONE;
}

// Refuses a request in the server's place, if it is to be refused.
static bool refuse(struct turn_world *world, const struct turn_tuple *tuple, struct bytes request)
{
    struct stun_message message;
    struct stun_writer writer;
    struct bytes whole = {0};
    uint8_t memory[TALK_DATAGRAM_MAX];

    if (stun_message_read(request, &message) != STUN_MESSAGE_OK) {
        return false;
    }
    const enum stun_error_code code = refusal_of(world, &tuple->client, &message);
    if (code == STUN_ERROR_NONE) {
        return false;
    }
    message.header.class = STUN_ERROR;
    stun_writer_init(&writer, memory, sizeof memory, &message.header);
    stun_error_write(&writer.wr, code);
    assert_true(stun_writer_finish(&writer, &whole));
    to_client(world, tuple, whole);
    return true;
}

static void send_to_server(struct turn_world *world, const struct addr *from, const struct addr *to,
                           struct bytes exact)
{
    struct turn_tuple tuple = {.client = *from, .server = *to};
    struct turn_forward forward;
    if (refuse(world, &tuple, exact)) {
        return;
    }
    enum turn_verdict verdict =
        turn_server_from_client(world->server, world->now, &tuple, exact, &forward);

    if (verdict == TURN_FORWARD) {
        deliver(world, &forward);
    } else if (verdict == TURN_COMMANDS) {
        obey(world);
    }
}

static void send_datagram(void *self, uint32_t socket, const struct addr *to, struct bytes datagram)
{
    struct turn_world *world = self;
    const struct addr from = world->sockets[socket].local;
    struct turn_forward forward;
    // Exactly as long as it is, so that a read beyond its end is seen.
    uint8_t *exact = malloc(datagram.len > 0 ? datagram.len : 1);

    assert_non_null(exact);
    assert_true(world->sockets[socket].is_open);
    if (datagram.len > 0) {
        memcpy(exact, datagram.ptr, datagram.len);
    }
    struct bytes bytes = {exact, datagram.len};
    pass(world, world->now.mono_ns + TRAVEL_NS / 10);
    world->sent_count++;
    if (world->lost_one_in > 0 && world->sent_count % world->lost_one_in == 0) {
        free(exact);
        return;
    }
    if (addr_equal(to, &world->server_ip4) || addr_equal(to, &world->server_ip6)) {
        send_to_server(world, &from, to, bytes);
    }
    for (size_t i = 0; i < TURN_WORLD_ALLOCATIONS; i++) {
        if (world->allocations[i].is_open && addr_equal(to, &world->allocations[i].relayed) &&
            turn_server_from_peer(world->server, world->now, world->allocations[i].ref, &from,
                                  bytes, &forward) == TURN_FORWARD) {
            deliver(world, &forward);
        }
    }
    free(exact);
}

static bool receive(void *self, uint64_t until_ns, struct talk_datagram *out)
{
    struct turn_world *world = self;
    struct turn_world_parcel *next = NULL;

    for (size_t i = 0; i < TURN_WORLD_QUEUE; i++) {
        struct turn_world_parcel *parcel = &world->queue[i];
        if (parcel->is_there && (next == NULL || parcel->at_ns < next->at_ns)) {
            next = parcel;
        }
    }
    if (next == NULL || (next->at_ns > until_ns && next->at_ns > world->now.mono_ns)) {
        pass(world, until_ns);
        return false;
    }
    pass(world, next->at_ns);
    world->out = *next;
    next->is_there = false;
    if (!world->sockets[world->out.socket].is_open) {
        return receive(self, until_ns, out);
    }
    *out = (struct talk_datagram){
        world->out.socket, world->out.from, {world->out.bytes, world->out.len}};
    return true;
}

static struct now read_clock(void *self)
{
    return ((struct turn_world *)self)->now;
}

struct turn_world *turn_world_open(const struct turn_config *config)
{
    static const uint8_t seed[TURN_SERVER_SEED_LEN] = {7};
    struct turn_world *world = calloc(1, sizeof *world);
    void *memory = calloc(1, turn_server_size(config));

    assert_non_null(world);
    assert_non_null(memory);
    world->server = turn_server_init(memory, config, seed);
    world->now = (struct now){.mono_ns = 1000 * SECOND_NS, .wall_s = 1700000000};
    world->server_ip4 = address("203.0.113.7", 3478);
    world->server_ip6 = address("2001:db8:7::7", 3478);
    world->next_port = 20001;
    world->world = (struct talk_world){.self = world,
                                       .open = open_socket,
                                       .close = close_socket,
                                       .send = send_datagram,
                                       .receive = receive,
                                       .now = read_clock};
    return world;
}

void turn_world_close(struct turn_world *world)
{
    turn_server_deinit(world->server);
    free(world->server);
    free(world);
}

struct talk_target turn_world_target(const struct turn_world *world)
{
    return (struct talk_target){
        .server = world->server_ip4,
        .username = bytes_of_text("alice"),
        .password = bytes_of_text("wonder"),
        .other_username = bytes_of_text("bob"),
        .other_password = bytes_of_text("builder"),
        .peer_ip4 = host_of(ADDR_IP4),
        .peer_ip6 = host_of(ADDR_IP6),
        .patience_ns = 3 * SECOND_NS,
        .quiet_ns = SECOND_NS / 2,
    };
}
