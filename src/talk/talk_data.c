// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_data.h"

#include <string.h>

#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "talk/talk_need.h"
#include "talk/talk_request.h"
#include "talk/talk_words.h"

enum { TRIES = 4 }; // of data, of which UDP may lose some

// What is waited for.
struct wanted {
    uint32_t socket;
    const struct addr *from;
    const struct addr *peer;
    uint16_t number;
    struct bytes data;
};

void talk_data_send(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data)
{
    uint8_t memory[TALK_DATAGRAM_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    if (number == 0) {
        struct wr *send = talk_request_indication(talk, STUN_SEND);
        talk_request_peer(talk, peer);
        stun_attr_write(send, STUN_ATTR_DATA, data);
        talk_request_end(talk);
        talk_send(talk, (struct bytes){talk->message, talk->message_len});
        return;
    }
    stun_chandata_head_write(&wr, number, (uint16_t)data.len);
    wr_bytes(&wr, data);
    talk_send(talk, wr_done(&wr));
}

static bool is_at_peer(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    const struct wanted *wanted = arg;

    (void)talk;
    return arrival->socket == wanted->socket && addr_equal(&arrival->from, wanted->from) &&
           bytes_equal((struct bytes){arrival->bytes, arrival->len}, wanted->data);
}

static bool is_channel_data(const struct talk_arrival *arrival, const struct wanted *wanted)
{
    struct bytes data;
    uint16_t number = 0;

    return stun_chandata_read((struct bytes){arrival->bytes, arrival->len}, &number, &data) &&
           number == wanted->number && bytes_equal(data, wanted->data);
}

static bool is_indication(const struct talk_arrival *arrival, const struct wanted *wanted)
{
    struct stun_message message;
    struct bytes value;
    struct addr peer;

    return stun_message_read((struct bytes){arrival->bytes, arrival->len}, &message) ==
               STUN_MESSAGE_OK &&
           message.header.method == STUN_DATA && message.header.class == STUN_INDICATION &&
           stun_message_find(&message, STUN_ATTR_XOR_PEER_ADDRESS, &value) &&
           stun_attr_xor_addr_read(value, &message.header.transaction, &peer) &&
           addr_equal(&peer, wanted->peer) && stun_message_find(&message, STUN_ATTR_DATA, &value) &&
           bytes_equal(value, wanted->data);
}

static bool is_at_client(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    const struct wanted *wanted = arg;

    return arrival->socket == wanted->socket && addr_equal(&arrival->from, &talk->target->server) &&
           (wanted->number != 0 ? is_channel_data(arrival, wanted)
                                : is_indication(arrival, wanted));
}

// Holds the data in whatever form: for what must not come.
static bool holds_data(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    const struct wanted *wanted = arg;

    (void)talk;
    if (arrival->socket != wanted->socket || arrival->len < wanted->data.len) {
        return false;
    }
    for (size_t i = 0; i + wanted->data.len <= arrival->len; i++) {
        if (memcmp(arrival->bytes + i, wanted->data.ptr, wanted->data.len) == 0) {
            return true;
        }
    }
    return false;
}

static struct wanted wanted_at_peer(struct talk *talk, uint32_t peer, struct bytes data)
{
    return (struct wanted){
        .socket = talk->peers[peer].socket, .from = &talk_me(talk)->relayed, .data = data};
}

static struct wanted wanted_at_client(struct talk *talk, uint32_t peer, uint16_t number,
                                      struct bytes data)
{
    return (struct wanted){.socket = talk_me(talk)->socket,
                           .peer = &talk->peers[peer].seen,
                           .number = number,
                           .data = data};
}

static uint64_t after(struct talk *talk, uint64_t ns)
{
    return talk->world->now(talk->world->self).mono_ns + ns;
}

static void fail_lost(struct talk *talk, const char *expected, const char *came)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, came);
    talk_leftover_write(talk, &wr);
    talk_fail(talk, bytes_of_text(expected), wr_done(&wr));
}

// Sends the message or, without one, data, until it arrives at the peer.
static void push(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data,
                 bool is_message)
{
    struct wanted wanted = wanted_at_peer(talk, peer, data);

    for (int i = 0; i < TRIES && !talk->is_decided; i++) {
        if (is_message) {
            talk_send(talk, (struct bytes){talk->message, talk->message_len});
        } else {
            talk_data_send(talk, peer, number, data);
        }
        if (talk_wait(talk, after(talk, talk->target->patience_ns / TRIES), is_at_peer, &wanted) !=
            NULL) {
            return;
        }
    }
    if (number == 0) {
        talk_need_way(talk, peer);
    }
    fail_lost(talk, "the data at the peer, from the relayed address", "it did not arrive there");
}

void talk_data_up(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data)
{
    push(talk, peer, number, data, false);
}

void talk_data_message_up(struct talk *talk, uint32_t peer, struct bytes data)
{
    push(talk, peer, 0, data, true);
}

// Fails when data comes that must not.
static void expect_none(struct talk *talk, struct wanted *wanted, const char *expected)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (talk->is_decided) {
        return;
    }
    const struct talk_arrival *arrival =
        talk_wait(talk, after(talk, talk->target->quiet_ns), holds_data, wanted);
    if (arrival != NULL) {
        wr_text(&wr, "it came from ");
        addr_write(&wr, &arrival->from);
        wr_text(&wr, ": ");
        talk_words_write(&wr, (struct bytes){arrival->bytes, arrival->len});
        talk_fail(talk, bytes_of_text(expected), wr_done(&wr));
    }
}

void talk_data_is_dropped(struct talk *talk, uint32_t peer, struct bytes data)
{
    struct wanted wanted = wanted_at_peer(talk, peer, data);

    expect_none(talk, &wanted, "no data at the peer");
}

void talk_data_down(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data)
{
    struct wanted wanted = wanted_at_client(talk, peer, number, data);

    for (int i = 0; i < TRIES && !talk->is_decided; i++) {
        talk_send_from_peer(talk, peer, data);
        if (talk_wait(talk, after(talk, talk->target->patience_ns / TRIES), is_at_client,
                      &wanted) != NULL) {
            return;
        }
    }
    fail_lost(talk, number != 0 ? "the peer's data as ChannelData" : "a Data indication",
              "it did not reach the client so");
}

void talk_data_down_is_dropped(struct talk *talk, uint32_t peer, struct bytes data)
{
    struct wanted wanted = wanted_at_client(talk, peer, 0, data);

    talk_send_from_peer(talk, peer, data);
    expect_none(talk, &wanted, "no data at the client");
}
