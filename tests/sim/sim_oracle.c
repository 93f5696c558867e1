// SPDX-License-Identifier: Apache-2.0
// The naive server's requests, but for Allocate (RFC 8656 sections 8 to 12).
#include "sim/sim_oracle.h"

#include <string.h>

enum {
    BINDING = 0x001,
    ALLOCATE = 0x003,
    REFRESH = 0x004,
    SEND = 0x006,
    CREATE_PERMISSION = 0x008,
    CHANNEL_BIND = 0x009,

    LIFETIME = 0x0d,
    XOR_PEER_ADDRESS = 0x12,
    REQUESTED_ADDRESS_FAMILY = 0x17,
    FINGERPRINT = 0x8028,

    NONCE_LEN = 33, // characters of a nonce: the cookie of RFC 8489, and 20 more
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

unsigned sim_oracle_full(const struct sim_oracle *oracle, enum sim_cover_point point,
                         enum turn_refusal refusal, struct sim_expect *out)
{
    sim_cover_point(oracle->cover, point);
    out->refusal = refusal;
    return 508;
}

static unsigned refresh(struct sim_oracle *oracle, struct now now, const struct sim_naive *message,
                        struct sim_expect *out)
{
    struct sim_oracle_allocation *allocation = &oracle->allocations[out->allocation];
    unsigned family = sim_oracle_family(message);

    if (out->is_firezone) {
        family = 0; // those clients say what they said in their Allocate
    }
    if (family == 400 || (family != 0 && (allocation->bound & sim_oracle_bit(family)) == 0)) {
        return 443;
    }
    out->lifetime_s = sim_oracle_lifetime(oracle, message);
    if (out->lifetime_s != 0) {
        allocation->until_ns = now.mono_ns + out->lifetime_s * SECOND_NS;
    } else if (family != 0 && allocation->bound != sim_oracle_bit(family)) {
        allocation->bound &= ~sim_oracle_bit(family);
        sim_cover_point(oracle->cover, SIM_COVER_DELETED_FAMILY);
    } else {
        sim_oracle_delete(oracle, out->allocation);
        sim_cover_point(oracle->cover, SIM_COVER_DELETED);
    }
    return 0;
}

// Among the first `count` peers one has the IP address of the next.
static bool is_named_before(const struct addr *peers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (addr_same_ip(&peers[i], &peers[count])) {
            return true;
        }
    }
    return false;
}

static unsigned create_permission(struct sim_oracle *oracle, struct now now,
                                  const struct sim_naive *message, struct sim_expect *out)
{
    unsigned allocation = out->allocation;
    struct addr peers[SIM_NAIVE_ATTR_MAX];
    size_t count = 0;
    size_t new_count = 0;
    size_t known_count = 0;

    for (size_t i = 0; i < message->attr_count; i++) {
        if (message->attrs[i].type != XOR_PEER_ADDRESS) {
            continue;
        }
        unsigned code =
            sim_oracle_check_peer(oracle, message, &message->attrs[i], out, &peers[count]);
        if (code != 0) {
            return code;
        }
        bool is_twice = is_named_before(peers, count);
        bool is_known = sim_oracle_permission(oracle, allocation, &peers[count]) != NULL;
        new_count += !is_twice && !is_known;
        known_count += is_known;
        if (is_twice && !is_known) {
            sim_cover_point(oracle->cover, SIM_COVER_PERMISSION_TWICE);
        }
        count++;
    }
    if (count == 0) {
        return 400;
    }
    enum turn_refusal limit = sim_oracle_limit(oracle, allocation, new_count);
    if (limit != TURN_REFUSAL_NONE) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_PERMISSIONS, limit, out);
    }
    if (known_count > 0) {
        sim_cover_point(oracle->cover, SIM_COVER_PERMISSION_REFRESHED);
    }
    for (size_t i = 0; i < count; i++) {
        sim_oracle_permit(oracle, now, allocation, &peers[i]);
    }
    return 0;
}

// A request of a method that needs an allocation.
static unsigned use(struct sim_oracle *oracle, struct now now, const struct sim_naive *message,
                    struct sim_expect *out)
{
    out->allocation = sim_oracle_find(oracle, &out->tuple);
    if (out->allocation == SIM_ORACLE_NONE) {
        return 437;
    }
    const struct sim_oracle_allocation *allocation = &oracle->allocations[out->allocation];
    if (allocation->user != out->user && !allocation->is_firezone) {
        return 441;
    }
    if (allocation->user != out->user) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_TENANT);
    }
    switch (message->method) {
    case REFRESH:
        return refresh(oracle, now, message, out);
    case CREATE_PERMISSION:
        return create_permission(oracle, now, message, out);
    default:
        return sim_oracle_channel_bind(oracle, now, message, out);
    }
}

// Whoever has shown who he is and asks for what cannot be is refused for that.
static unsigned mistaken(const struct sim_naive *message, unsigned code, struct sim_expect *out)
{
    static const struct {
        unsigned code;
        enum turn_refusal refusal;
    } mistakes[] = {
        {400, TURN_REFUSAL_MALFORMED},     {420, TURN_REFUSAL_UNKNOWN_ATTRIBUTES},
        {437, TURN_REFUSAL_NO_ALLOCATION}, {440, TURN_REFUSAL_FAMILY},
        {441, TURN_REFUSAL_WRONG_USER},    {442, TURN_REFUSAL_TRANSPORT},
        {443, TURN_REFUSAL_PEER_FAMILY},
    };

    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        if (code == mistakes[i].code) {
            out->refusal = mistakes[i].refusal;
        }
    }
    if (code == 437 && message->method == ALLOCATE) {
        out->refusal = TURN_REFUSAL_HAS_ALLOCATION;
    }
    return code;
}

static unsigned run(struct sim_oracle *oracle, struct now now, const struct sim_naive *message,
                    struct sim_expect *out)
{
    if (message->method != BINDING) {
        unsigned code = sim_oracle_authenticate(oracle, now, message, out);
        if (code != 0 || out->kind == SIM_EXPECT_SILENCE) {
            return code;
        }
    }
    if (message->unknown_count > 0) {
        memcpy(out->unknown, message->unknown, sizeof out->unknown);
        out->unknown_count = message->unknown_count;
        return message->method == BINDING ? 420 : mistaken(message, 420, out);
    }
    if (message->method == BINDING) {
        return 0;
    }
    if (message->method == ALLOCATE) {
        return mistaken(message, sim_oracle_allocate(oracle, message, out), out);
    }
    unsigned code = use(oracle, now, message, out);
    if (code != 0 && message->method == CREATE_PERMISSION && out->is_firezone) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_BLIND);
        return 0;
    }
    return mistaken(message, code, out);
}

static size_t padded(size_t len)
{
    return (len + 3) / 4 * 4;
}

// Bytes of the shortest response of this kind: one without SOFTWARE and a reason phrase.
static size_t shortest(const struct sim_expect *expect)
{
    size_t len = 20;

    if (expect->code == 0) {
        len += expect->tuple.client.family == ADDR_IP4 ? 12 : 24; // only Binding is for everyone
    } else {
        len += 8;
    }
    if (expect->code == 401 || expect->code == 438) {
        len += 4 + padded(expect->realm.len) + 4 + padded(NONCE_LEN) + 12;
    }
    if (expect->code == 420) {
        len += 4 + padded(2 * expect->unknown_count);
    }
    return len + (expect->proof == SIM_NAIVE_UNSIGNED ? 0 : 24) + (expect->has_fingerprint ? 8 : 0);
}

// What would have too many bytes for its request is not sent to who may not have asked.
static void withhold(const struct sim_oracle *oracle, size_t request_len, struct sim_expect *out)
{
    uint32_t most = oracle->setup->config.max_amplification;

    if (out->kind != SIM_EXPECT_RESPONSE || out->is_authentic ||
        shortest(out) <= most * request_len) {
        return;
    }
    out->kind = SIM_EXPECT_WITHHELD;
    sim_cover_point(oracle->cover, most == 1 ? SIM_COVER_WITHHELD_STRICT : SIM_COVER_WITHHELD);
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
    } else {
        out->has_fingerprint = sim_naive_find(&message, FINGERPRINT) != NULL;
        out->code = run(oracle, now, &message, out);
    }
    withhold(oracle, datagram.len, out);
}

void sim_oracle_from_client(struct sim_oracle *oracle, struct now now,
                            const struct turn_tuple *tuple, struct bytes datagram,
                            struct sim_expect *out)
{
    oracle->now_ns = now.mono_ns;
    *out = (struct sim_expect){.kind = SIM_EXPECT_NOTHING, .tuple = *tuple};
    if (datagram.len > 0 && datagram.ptr[0] >= 0x40 && datagram.ptr[0] <= 0x7f) {
        sim_oracle_chandata(oracle, datagram, out);
    } else {
        take_stun(oracle, now, datagram, out);
    }
}
