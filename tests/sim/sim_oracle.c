// SPDX-License-Identifier: Apache-2.0
// The naive server's requests, but for Allocate (RFC 8656 sections 7.3 to 12).
#include "sim/sim_oracle.h"

#include <string.h>

enum {
    BINDING = 0x001,
    ALLOCATE = 0x003,
    REFRESH = 0x004,
    SEND = 0x006,
    CREATE_PERMISSION = 0x008,
    CHANNEL_BIND = 0x009,

    CHANNEL_NUMBER = 0x0c,
    LIFETIME = 0x0d,
    XOR_PEER_ADDRESS = 0x12,
    REQUESTED_ADDRESS_FAMILY = 0x17,
    FINGERPRINT = 0x8028,

    CHANNEL_S = 600,
};

uint32_t sim_oracle_lifetime(const struct sim_oracle *oracle, const struct sim_naive *message)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct sim_naive_attr *attr = sim_naive_find(message, LIFETIME);
    uint32_t wish_s = attr != NULL ? sim_naive_number(attr, 4) : config->default_lifetime_s;

    if (wish_s == 0) {
        return 0;
    }
    wish_s = wish_s > config->min_lifetime_s ? wish_s : config->min_lifetime_s;
    return wish_s < config->max_lifetime_s ? wish_s : config->max_lifetime_s;
}

unsigned sim_oracle_family(const struct sim_naive *message)
{
    const struct sim_naive_attr *attr = sim_naive_find(message, REQUESTED_ADDRESS_FAMILY);

    if (attr == NULL) {
        return 0;
    }
    unsigned number = attr->value.ptr[0];
    return number == 1 ? ADDR_IP4 : number == 2 ? ADDR_IP6 : 400;
}

unsigned sim_oracle_full(const struct sim_oracle *oracle, enum sim_cover_point point)
{
    sim_cover_point(oracle->cover, point);
    return 508;
}

static unsigned refresh(struct sim_oracle *oracle, struct now now, const struct sim_naive *message,
                        unsigned allocation, struct sim_expect *out)
{
    unsigned family = sim_oracle_family(message);

    if (family == 400) {
        return 400;
    }
    if (family != 0 && family != oracle->allocations[allocation].family) {
        return 443;
    }
    out->lifetime_s = sim_oracle_lifetime(oracle, message);
    oracle->allocations[allocation].until_ns = now.mono_ns + out->lifetime_s * SECOND_NS;
    if (out->lifetime_s == 0) {
        sim_oracle_delete(oracle, allocation);
        sim_cover_point(oracle->cover, SIM_COVER_DELETED);
    }
    return 0;
}

static unsigned create_permission(struct sim_oracle *oracle, struct now now,
                                  const struct sim_naive *message, unsigned allocation)
{
    struct addr peers[SIM_NAIVE_ATTR_MAX];
    size_t count = 0;
    size_t new_count = 0;

    for (size_t i = 0; i < message->attr_count; i++) {
        if (message->attrs[i].type != XOR_PEER_ADDRESS) {
            continue;
        }
        unsigned code =
            sim_oracle_check_peer(oracle, message, &message->attrs[i], allocation, &peers[count]);
        if (code != 0) {
            return code;
        }
        new_count += sim_oracle_permission(oracle, allocation, &peers[count]) == NULL;
        count++;
    }
    if (count == 0) {
        return 400;
    }
    if (!sim_oracle_has_room(oracle, allocation, new_count)) {
        return 508;
    }
    if (new_count < count) {
        sim_cover_point(oracle->cover, SIM_COVER_PERMISSION_REFRESHED);
    }
    for (size_t i = 0; i < count; i++) {
        sim_oracle_permit(oracle, now, allocation, &peers[i]);
    }
    return 0;
}

// The slot for a number and a peer: theirs, or a free one, or NULL when one of the two is bound
// otherwise.
static struct sim_oracle_channel *slot_for(struct sim_oracle *oracle, unsigned allocation,
                                           unsigned number, const struct addr *peer)
{
    struct sim_oracle_channel *slot = NULL;

    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        struct sim_oracle_channel *channel = &oracle->channels[i];
        if (channel->until_ns == 0 || channel->allocation != allocation) {
            continue;
        }
        bool has_peer = addr_equal(&channel->peer, peer);
        if (has_peer && channel->number == number) {
            return channel;
        }
        if (has_peer || channel->number == number) {
            sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_CONFLICT);
            return NULL;
        }
    }
    for (size_t i = 0; slot == NULL && i <= SIM_SETUP_CHANNELS; i++) {
        // One more than there are, for the one that finds no room.
        static struct sim_oracle_channel none;
        slot = i == SIM_SETUP_CHANNELS             ? &none
               : oracle->channels[i].until_ns == 0 ? &oracle->channels[i]
                                                   : NULL;
    }
    return slot;
}

static bool has_channel_room(const struct sim_oracle *oracle, unsigned allocation)
{
    const struct turn_config *config = &oracle->setup->config;
    size_t own = 0;
    size_t all = 0;

    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        all += oracle->channels[i].until_ns != 0;
        own += oracle->channels[i].until_ns != 0 && oracle->channels[i].allocation == allocation;
    }
    return own < config->channels_per_allocation && all < config->max_channels;
}

// Numbers as RFC 5766 section 11 has them, whose clients are many: up to 0x7fff.
static unsigned channel_bind(struct sim_oracle *oracle, struct now now,
                             const struct sim_naive *message, unsigned allocation)
{
    const struct sim_naive_attr *number = sim_naive_find(message, CHANNEL_NUMBER);
    const struct sim_naive_attr *where = sim_naive_find(message, XOR_PEER_ADDRESS);
    struct addr peer = {0};

    if (number == NULL || where == NULL || number->value.ptr[0] < 0x40 ||
        number->value.ptr[0] > 0x7f) {
        return 400;
    }
    unsigned code = sim_oracle_check_peer(oracle, message, where, allocation, &peer);
    if (code != 0 || peer.port == 0) {
        return code != 0 ? code : 400;
    }
    struct sim_oracle_channel *slot =
        slot_for(oracle, allocation, sim_naive_number(number, 2), &peer);
    if (slot == NULL) {
        return 400;
    }
    bool is_new = slot->until_ns == 0;
    bool is_permitted = sim_oracle_permission(oracle, allocation, &peer) != NULL;
    if (is_new && !has_channel_room(oracle, allocation)) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_CHANNELS);
    }
    if (!is_permitted && !sim_oracle_has_room(oracle, allocation, 1)) {
        return 508;
    }
    *slot = (struct sim_oracle_channel){now.mono_ns + CHANNEL_S * SECOND_NS, allocation,
                                        sim_naive_number(number, 2), peer};
    sim_oracle_permit(oracle, now, allocation, &peer);
    sim_cover_point(oracle->cover,
                    is_permitted ? SIM_COVER_PERMISSION_REBOUND : SIM_COVER_PERMISSION_BOUND);
    if (!is_new) {
        sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_REFRESHED);
    }
    return 0;
}

static unsigned run(struct sim_oracle *oracle, struct now now, const struct sim_naive *message,
                    struct sim_expect *out)
{
    if (message->method != BINDING) {
        unsigned code = sim_oracle_authenticate(oracle, now, message, out);
        if (code != 0) {
            return code;
        }
    }
    if (message->unknown_count > 0) {
        memcpy(out->unknown, message->unknown, sizeof out->unknown);
        out->unknown_count = message->unknown_count;
        return 420;
    }
    if (message->method == BINDING) {
        return 0;
    }
    if (message->method == ALLOCATE) {
        return sim_oracle_allocate(oracle, message, out);
    }
    unsigned allocation = sim_oracle_find(oracle, &out->tuple);
    if (allocation == SIM_ORACLE_NONE) {
        return 437;
    }
    if (oracle->allocations[allocation].user != out->user) {
        return 441;
    }
    switch (message->method) {
    case REFRESH:
        return refresh(oracle, now, message, allocation, out);
    case CREATE_PERMISSION:
        return create_permission(oracle, now, message, allocation);
    default:
        return channel_bind(oracle, now, message, allocation);
    }
}

static void take_stun(struct sim_oracle *oracle, struct now now, struct bytes datagram,
                      struct sim_expect *out)
{
    struct sim_naive message;
    enum sim_naive_outcome outcome = sim_naive_read(datagram, &message);

    if (outcome == SIM_NAIVE_NONE ||
        (outcome == SIM_NAIVE_BAD && message.class != SIM_NAIVE_REQUEST)) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_GARBAGE);
        return;
    }
    if (message.class == SIM_NAIVE_INDICATION && message.method == SEND) {
        sim_oracle_data(oracle, &message, out);
        return;
    }
    if (message.class != SIM_NAIVE_REQUEST ||
        (message.method != BINDING && message.method != ALLOCATE && message.method != REFRESH &&
         message.method != CREATE_PERMISSION && message.method != CHANNEL_BIND)) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_UNEXPECTED);
        return;
    }
    out->kind = SIM_EXPECT_RESPONSE;
    out->method = message.method;
    memcpy(out->transaction, message.transaction, sizeof out->transaction);
    if (outcome == SIM_NAIVE_BAD) {
        out->code = 400;
        return;
    }
    out->has_fingerprint = sim_naive_find(&message, FINGERPRINT) != NULL;
    out->code = run(oracle, now, &message, out);
}

void sim_oracle_from_client(struct sim_oracle *oracle, struct now now,
                            const struct turn_tuple *tuple, struct bytes datagram,
                            struct sim_expect *out)
{
    *out = (struct sim_expect){.kind = SIM_EXPECT_NOTHING, .tuple = *tuple};
    if (datagram.len > 0 && datagram.ptr[0] >= 0x40 && datagram.ptr[0] <= 0x7f) {
        sim_oracle_chandata(oracle, datagram, out);
    } else {
        take_stun(oracle, now, datagram, out);
    }
}
