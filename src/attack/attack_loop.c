// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_loop.h"

#include <string.h>

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    NUMBER = 0x4000,
    PAYLOAD = 31,
    MUCH = 3, // datagrams that come of one, which is a loop
};

// Binds a channel to an address of the server itself. That it is refused is right, and ends the
// check with a pass: what follows has nothing to go by.
static bool bind_to(struct talk *talk, const struct addr *addr)
{
    if (talk->is_decided) {
        return false;
    }
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, NUMBER);
    talk_request_addr(talk, addr);
    talk_ask(talk);
    return talk_answer_is_success(talk);
}

static void send_channel(struct talk *talk, struct bytes data)
{
    uint8_t memory[TALK_DATAGRAM_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    stun_chandata_head_write(&wr, NUMBER, (uint16_t)data.len);
    wr_bytes(&wr, data);
    talk_send(talk, wr_done(&wr));
}

// A Binding request, as the data that are relayed.
static struct bytes request_write(struct talk *talk, uint8_t *memory, size_t room, uint16_t method)
{
    struct wr *wr = talk_request(talk, method);

    if (method == STUN_ALLOCATE) {
        talk_request_udp(wr);
    }
    talk_request_seal(talk, TALK_NOTHING);
    struct wr copy = wr_init(memory, room);
    wr_bytes(&copy, (struct bytes){talk->message, talk->message_len});
    return wr_done(&copy);
}

static bool is_relayed_answer(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    const struct bytes *id = arg;

    (void)talk;
    // The transaction's id, in whatever is around it.
    for (size_t i = 0; i + id->len <= arrival->len; i++) {
        if (memcmp(arrival->bytes + i, id->ptr, id->len) == 0) {
            return true;
        }
    }
    return false;
}

// Asks the listener through the relay, and waits for what it says.
static void ask_listener(struct talk *talk, const struct addr *listener)
{
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE};
    uint8_t memory[256];

    if (!bind_to(talk, listener)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(methods) && !talk->is_decided; i++) {
        struct bytes request = request_write(talk, memory, sizeof memory, methods[i]);
        struct bytes id = {talk->header.transaction.id, STUN_TRANSACTION_LEN};
        send_channel(talk, request);
        const uint64_t until_ns =
            talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
        if (talk_wait(talk, until_ns, is_relayed_answer, &id) != NULL) {
            talk_fail(talk, bytes_of_text("the server is no peer of its own"),
                      bytes_of_text("its listener answered what was relayed to it"));
        }
    }
}

static void listener(struct talk *talk)
{
    talk_need_allocation(talk);
    ask_listener(talk, &talk->target->server);
}

static void listener_at_relayed_ip(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_that(
        talk, talk->is_decided || !addr_same_ip(&talk_me(talk)->relayed, &talk->target->server),
        "the server relays from the address at which it listens");
    struct addr addr = addr_with_port(talk_me(talk)->relayed, talk->target->server.port);
    ask_listener(talk, &addr);
}

// What comes of one datagram, wherever it comes.
static void expect_one(struct talk *talk, struct bytes data)
{
    const uint64_t until_ns = talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
    uint32_t count = 0;

    send_channel(talk, data);
    while (!talk->is_decided && count < MUCH &&
           talk_wait(talk, until_ns, is_relayed_answer, &data) != NULL) {
        count++;
    }
    if (count >= MUCH) {
        talk_fail(talk, bytes_of_text("data comes back once at most"),
                  bytes_of_text("one datagram came back three times and more"));
    }
}

static void own_relayed(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    if (bind_to(talk, &talk_me(talk)->relayed)) {
        expect_one(talk, talk_payload(talk, memory, sizeof memory));
    }
}

static void pair(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_be(talk, 1);
    talk_need_allocation(talk);
    if (!bind_to(talk, &talk->clients[0].relayed)) {
        return;
    }
    talk_be(talk, 0);
    if (bind_to(talk, &talk->clients[1].relayed)) {
        expect_one(talk, talk_payload(talk, memory, sizeof memory));
    }
}

static const struct talk_cure listener_cure = {
    .coturn =
        "add denied-peer-ip=ADDRESS for each address that it listens at; who relays from the same "
        "address then loses calls between two relayed clients, so relay from another one "
        "(relay-ip)",
    .pion = "return false from PermissionHandler for the listener's address, or relay from another "
            "address and deny the listener's",
    .fairlead = "always denied at addresses of the host: with --public-ip4-addr behind a NAT that "
                "leads back, add --deny-peer for that address",
};
static const struct talk_cure loop_cure = {
    .coturn = "tell coturn: no configuration does this",
    .pion = "tell pion: no configuration does this",
    .fairlead = "tell us: no configuration does this",
};

static const struct talk_check checks[] = {
    {
        .id = "loop-listener",
        .section = "RFC 8656, 21.3.2",
        .severity = TALK_MEDIUM,
        .rule = "Nothing is relayed to the port at which the server listens.",
        .words = "The server is then its own client, whose address is its own: allocations within "
                 "allocations lead round and round, and limits by address count the server itself.",
        .cure = &listener_cure,
        .run = listener,
    },
    {
        .id = "loop-listener-relayed",
        .section = "RFC 8656, 21.3.2",
        .severity = TALK_MEDIUM,
        .rule = "Nor to that port at the address from which it relays.",
        .words = "The same by another of its addresses.",
        .cure = &listener_cure,
        .run = listener_at_relayed_ip,
    },
    {
        .id = "loop-own-relayed",
        .section = "RFC 8656, 21.3.2",
        .severity = TALK_HIGH,
        .rule = "What an allocation sends to itself does not go round.",
        .words = "One datagram makes the server busy for ever.",
        .cure = &loop_cure,
        .run = own_relayed,
    },
    {
        .id = "loop-pair",
        .section = "RFC 8656, 21.3.2",
        .severity = TALK_HIGH,
        .rule = "What passes between two allocations that have each other as peers passes once.",
        .words = "One datagram makes the server busy for ever.",
        .cure = &loop_cure,
        .run = pair,
    },
};

const struct talk_subject attack_loop = {
    .name = "loops",
    .about = "A server that is its own client or its own peer can be kept busy with one "
             "datagram.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
