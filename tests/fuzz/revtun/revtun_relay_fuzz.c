// SPDX-License-Identifier: Apache-2.0
// Any events in any order: no assertion fails, nothing is held beyond its limits, each connection
// gets one answer and no more, and when all have left nothing stays.
//
// An input is a list of events of three bytes: what happens, whom it is about, and an argument.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "revtun/revtun_relay.h"

enum { PAIRS = 3, CONTROLS = 5, CLIENTS = 24, HOSTS = 4, TICKS_MAX = 1000 };

// What has become of a data connection.
enum fate { UNBORN, WAITS, JOINED, ENDING, OVER };

struct story {
    struct revtun_relay *relay;
    struct revtun_config config;
    struct now now;
    struct pool_ref controls[CONTROLS]; // slots, each with its last life
    bool is_up[CONTROLS];
    struct pool_ref clients[CLIENTS];
    enum fate fates[CLIENTS];
    uint64_t reverse;  // the number of the reverse connection that just came, or 0
    bool is_answered;  // it, or the client that just came
    uint64_t newcomer; // the number of the client that just came, or 0
};

// Numbers of connections: a slot's, and its kind above.
enum { CONTROL_BASE = 1000, CLIENT_BASE = 2000, REVERSE_BASE = 3000 };

static struct addr host(uint8_t number)
{
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8};

    if (number % HOSTS == 0) {
        return addr_ip6(ip6, 1);
    }
    return addr_ip4((const uint8_t[]){192, 0, 2, number % HOSTS}, 1);
}

static enum fate *fate_of(struct story *story, uint64_t client)
{
    assert(client >= CLIENT_BASE);
    assert(client < CLIENT_BASE + CLIENTS);
    return &story->fates[client - CLIENT_BASE];
}

// A data connection is closed: the one that just came, or one that waits.
static void close_conn(struct story *story, uint64_t conn)
{
    if (conn == story->reverse || conn == story->newcomer) {
        assert(!story->is_answered);
        story->is_answered = true;
        return;
    }
    assert(*fate_of(story, conn) == WAITS);
    *fate_of(story, conn) = OVER;
}

static void obey(struct story *story, const struct revtun_command *command)
{
    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        assert(story->is_up[command->send.control - CONTROL_BASE]);
        assert(command->send.text.len > 2);
        assert(command->send.text.ptr[command->send.text.len - 1] == '\n');
        return;
    case REVTUN_COMMAND_CLOSE:
        assert(story->is_up[command->close.control - CONTROL_BASE]);
        story->is_up[command->close.control - CONTROL_BASE] = false;
        return;
    case REVTUN_COMMAND_REFUSE:
        close_conn(story, command->refuse.conn);
        return;
    case REVTUN_COMMAND_RESET:
        close_conn(story, command->reset.conn);
        return;
    case REVTUN_COMMAND_JOIN:
        assert(command->join.reverse == story->reverse);
        assert(!story->is_answered);
        story->is_answered = true;
        assert(*fate_of(story, command->join.client) == WAITS);
        *fate_of(story, command->join.client) = JOINED;
        return;
    case REVTUN_COMMAND_END:
        assert(*fate_of(story, command->end.client) == JOINED);
        *fate_of(story, command->end.client) = ENDING;
        return;
    case REVTUN_COMMAND_REPORT:
        return;
    }
}

static void take(struct story *story)
{
    struct revtun_command command;

    while (revtun_relay_take(story->relay, &command)) {
        obey(story, &command);
    }
}

static uint32_t count(const struct story *story, enum fate fate)
{
    uint32_t n = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        n += story->fates[i] == fate;
    }
    return n;
}

static void check(const struct story *story)
{
    const struct revtun_gauges gauges = revtun_relay_gauges(story->relay);

    assert(gauges.controls + gauges.pairs_free == PAIRS);
    assert(gauges.waiting == count(story, WAITS));
    assert(gauges.sessions == count(story, JOINED) + count(story, ENDING));
    assert(gauges.waiting <= story->config.max_waiting);
    assert(gauges.waiting + gauges.sessions <= story->config.max_sessions);
    assert((revtun_relay_deadline(story->relay) != NEVER) == (gauges.waiting > 0));
}

static void pass(struct story *story, uint64_t ns)
{
    story->now.mono_ns += ns;
    for (int i = 0; revtun_relay_deadline(story->relay) <= story->now.mono_ns; i++) {
        assert(i < TICKS_MAX);
        revtun_relay_tick(story->relay, story->now);
        take(story);
    }
}

static void up(struct story *story, size_t slot, uint8_t argument)
{
    const struct addr peer = host(argument);

    if (story->is_up[slot]) {
        return;
    }
    story->is_up[slot] = true;
    story->controls[slot] =
        revtun_relay_control_up(story->relay, story->now, CONTROL_BASE + slot, &peer);
    take(story);
    assert(story->is_up[slot] == (story->controls[slot].index != POOL_NONE));
}

static void down(struct story *story, size_t slot)
{
    story->is_up[slot] = false;
    revtun_relay_control_down(story->relay, story->now, story->controls[slot]);
    take(story);
}

static void client(struct story *story, uint32_t pair, uint8_t argument)
{
    const struct addr from = host(argument);
    size_t slot = 0;

    while (slot < CLIENTS && story->fates[slot] != UNBORN && story->fates[slot] != OVER) {
        slot++;
    }
    if (slot == CLIENTS) {
        return;
    }
    story->newcomer = CLIENT_BASE + slot;
    story->is_answered = false;
    const struct pool_ref ref =
        revtun_relay_client(story->relay, story->now, pair, story->newcomer, &from);
    take(story);
    assert(story->is_answered == (ref.index == POOL_NONE));
    story->newcomer = 0;
    if (ref.index != POOL_NONE) {
        story->clients[slot] = ref;
        story->fates[slot] = WAITS;
    }
}

static void reverse(struct story *story, uint32_t pair, uint8_t argument)
{
    const struct addr from = host(argument);

    story->reverse = REVERSE_BASE;
    story->is_answered = false;
    revtun_relay_reverse(story->relay, story->now, pair, story->reverse, &from);
    take(story);
    assert(story->is_answered);
    story->reverse = 0;
}

static void gone(struct story *story, size_t slot)
{
    if (story->fates[slot] == UNBORN) {
        return;
    }
    revtun_relay_gone(story->relay, story->now, story->clients[slot]);
    take(story);
    story->fates[slot] = OVER;
}

static void happen(struct story *story, const uint8_t event[3])
{
    static const char *const said[] = {"\r", "\n", "x\r\n", "x", "\r\r\n", ""};
    const size_t slot = event[1] % CONTROLS;

    switch (event[0] % 8) {
    case 0:
        up(story, slot, event[2]);
        break;
    case 1:
        down(story, slot);
        break;
    case 2:
    case 3:
        client(story, event[1] % PAIRS, event[2]);
        break;
    case 4:
        reverse(story, event[1] % PAIRS, event[2]);
        break;
    case 5:
        gone(story, event[1] % CLIENTS);
        break;
    case 6:
        pass(story, (uint64_t)event[1] * event[2] * (SECOND_NS / 1000));
        break;
    default:
        revtun_relay_control_read(story->relay, story->now, story->controls[slot],
                                  bytes_of_text(said[event[2] % 6]));
        take(story);
    }
    check(story);
}

static struct revtun_config config_of(uint8_t choice)
{
    struct revtun_config config = revtun_config_default();

    config.pair_count = PAIRS;
    config.host = bytes_of_text("relay.example");
    config.reverse_policy = choice & 1 ? REVTUN_CONFIG_ANY : REVTUN_CONFIG_SAME_IP;
    config.pending_timeout_ns = choice & 2 ? 3 * SECOND_NS : 0;
    config.max_sessions = choice & 4 ? CLIENTS - 4 : CLIENTS;
    config.max_waiting = choice & 8 ? 10 : CLIENTS;
    config.max_waiting_per_pair = choice & 16 ? 2 : 8;
    config.max_waiting_per_address = choice & 32 ? 3 : CLIENTS;
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[REVTUN_RELAY_SEED_LEN];
    struct story story = {.now.mono_ns = SECOND_NS};

    if (size < 1) {
        return 0;
    }
    story.config = config_of(data[0]);
    void *memory = calloc(1, revtun_relay_size(&story.config));
    assert(memory != NULL);
    story.relay = revtun_relay_init(memory, &story.config, seed);
    for (size_t i = 0; i < CONTROLS; i++) {
        story.controls[i].index = POOL_NONE;
    }
    for (size_t at = 1; at + 3 <= size; at += 3) {
        happen(&story, data + at);
    }
    for (size_t i = 0; i < CONTROLS; i++) {
        down(&story, i);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        gone(&story, i);
    }
    check(&story);
    assert(revtun_relay_gauges(story.relay).pairs_free == PAIRS);
    free(memory);
    return 0;
}
