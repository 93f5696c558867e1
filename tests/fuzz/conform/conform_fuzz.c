// SPDX-License-Identifier: Apache-2.0
// Whatever a server answers, each check comes to an end and to a verdict.
//
//      input:      check, 2 bytes | answers
//      an answer:  flags, 1 byte | length, 1 byte | a datagram of four times that length
//
// Each datagram that a check sends draws the next answer, the first one again behind the last. A
// blind fuzzer does not guess what an answer must have of its request, so flags put it there.
#include "conform/conform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "fuzz/fuzz.h"
#include "talk/talk.h"

enum {
    WITH_ID = 1 << 0,         // the request's transaction id
    WITH_METHOD = 1 << 1,     // its method
    FROM_SERVER = 1 << 2,     // else from elsewhere
    TO_ALL = 1 << 3,          // to every socket, peers too
    SOCKETS = 16,             // at most open at once
    SENT_MAX = 20000,         // a bound on what a check sends
    TYPE_MASK_CLASS = 0x0110, // bits of a message's type that are its class
};

struct world {
    struct rd answers;
    struct bytes all; // answers
    struct now now;
    uint32_t sent_count;
    bool is_open[SOCKETS];
    bool is_waiting[SOCKETS]; // for `reply`
    struct addr from;
    size_t reply_len;
    uint8_t reply[TALK_DATAGRAM_MAX];
};

static const struct addr server = {.ip = {203, 0, 113, 7}, .port = 3478, .family = ADDR_IP4};

static bool open_socket(void *self, const struct addr *at, const struct addr *remote,
                        uint32_t *out_socket, struct addr *out_local)
{
    struct world *world = self;

    (void)at;
    (void)remote;
    for (uint32_t i = 0; i < SOCKETS; i++) {
        if (!world->is_open[i]) {
            world->is_open[i] = true;
            *out_socket = i;
            *out_local = addr_with_port((struct addr){.ip = {198, 51, 100, 1}, .family = ADDR_IP4},
                                        (uint16_t)(1000 + i));
            return true;
        }
    }
    return false;
}

static void close_socket(void *self, uint32_t socket)
{
    struct world *world = self;

    assert(world->is_open[socket]);
    world->is_open[socket] = false;
    world->is_waiting[socket] = false;
}

// Gives the reply what it must have of the request.
static void adapt(struct world *world, struct bytes request, uint8_t flags)
{
    if (request.len < STUN_HEADER_LEN || world->reply_len < STUN_HEADER_LEN) {
        return;
    }
    if ((flags & WITH_ID) != 0) {
        memcpy(world->reply + 8, request.ptr + 8, STUN_TRANSACTION_LEN);
    }
    if ((flags & WITH_METHOD) != 0) {
        unsigned own = (unsigned)world->reply[0] << 8 | world->reply[1];
        unsigned asked = (unsigned)request.ptr[0] << 8 | request.ptr[1];
        unsigned type = (own & TYPE_MASK_CLASS) | (asked & ~(unsigned)TYPE_MASK_CLASS);
        world->reply[0] = (uint8_t)(type >> 8);
        world->reply[1] = (uint8_t)type;
    }
}

static void send_datagram(void *self, uint32_t socket, const struct addr *to, struct bytes datagram)
{
    struct world *world = self;

    (void)to;
    assert(world->is_open[socket]);
    assert(++world->sent_count < SENT_MAX);
    world->now.mono_ns += 1000;
    if (world->answers.left < 2) {
        world->answers = rd_init(world->all);
    }
    uint8_t flags = rd_u8(&world->answers);
    size_t wanted = (size_t)4 * rd_u8(&world->answers);
    size_t len = wanted < world->answers.left ? wanted : world->answers.left;
    struct bytes reply = rd_bytes(&world->answers, len);
    if (reply.len > 0) {
        memcpy(world->reply, reply.ptr, reply.len);
    }
    world->reply_len = reply.len;
    world->from = (flags & FROM_SERVER) != 0 ? server : addr_with_port(server, 9);
    adapt(world, datagram, flags);
    for (uint32_t i = 0; i < SOCKETS; i++) {
        world->is_waiting[i] = world->is_open[i] && (i == socket || (flags & TO_ALL) != 0);
    }
}

static bool receive(void *self, uint64_t until_ns, struct talk_datagram *out)
{
    struct world *world = self;

    for (uint32_t i = 0; i < SOCKETS; i++) {
        if (world->is_waiting[i]) {
            world->is_waiting[i] = false;
            *out = (struct talk_datagram){i, world->from, {world->reply, world->reply_len}};
            return true;
        }
    }
    if (until_ns > world->now.mono_ns) {
        world->now.mono_ns = until_ns;
    }
    return false;
}

static struct now read_clock(void *self)
{
    return ((struct world *)self)->now;
}

static const struct talk_check *check_of(size_t number)
{
    size_t left = number % conform_count();

    for (size_t i = 0; i < conform_subject_count; i++) {
        if (left < conform_subjects[i]->count) {
            return &conform_subjects[i]->checks[left];
        }
        left -= conform_subjects[i]->count;
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {3};
    static struct talk talk;
    struct rd rd = rd_init((struct bytes){data, size});
    const struct talk_check *check = check_of(rd_u16(&rd));
    struct world world = {.now = {.mono_ns = SECOND_NS}};
    const struct talk_world door = {&world,        open_socket, close_socket,
                                    send_datagram, receive,     read_clock};
    const struct talk_target target = {
        .server = server,
        .username = bytes_of_text("alice"),
        .password = bytes_of_text("wonder"),
        .other_username = bytes_of_text("bob"),
        .other_password = bytes_of_text("builder"),
        .patience_ns = 3 * SECOND_NS,
        .quiet_ns = SECOND_NS / 2,
    };

    world.all = rd_bytes(&rd, rd.left);
    world.answers = rd_init(world.all);
    talk_run(&talk, check, &target, &door, seed);
    assert(talk.verdict < TALK_VERDICTS);
    assert(talk.is_decided);
    if (talk.verdict != TALK_PASS) {
        assert(talk.expected[0] != '\0');
        assert(talk.came[0] != '\0');
    }
    for (uint32_t i = 0; i < SOCKETS; i++) {
        assert(!world.is_open[i]);
    }
    return 0;
}
