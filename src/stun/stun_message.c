// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_message.h"

#include <assert.h>

#include "crypto/crypto_equal.h"
#include "crypto/crypto_wipe.h"
#include "stun/stun_fingerprint.h"
#include "stun/stun_integrity.h"
#include "stun/stun_userhash.h"

enum { PLACE_NONE = STUN_MESSAGE_PLACE_COUNT };

// All types that the codec knows are below 0x0030 or from 0x8000 to 0x802F, so a type's place in
// stun_message.at is found without a search.
#define PLACE(type) ((type) < 0x8000 ? (type) : 0x30 + ((type)-0x8000))

// What the codec knows, by place, and how long each value may be.
static const struct known {
    bool is_known;
    uint16_t min_len; // bytes
    uint16_t max_len;
    uint16_t step; // bytes from one allowed length to the next
} known[STUN_MESSAGE_PLACE_COUNT] = {
    [PLACE(STUN_ATTR_MAPPED_ADDRESS)] = {true, 8, 20, 12}, // of IPv4 or of IPv6
    // RFC 8489 section 14.3: fewer than 509 bytes, but up to 763 must be read for RFC 5389's sake.
    [PLACE(STUN_ATTR_USERNAME)] = {true, 0, 763, 1},
    [PLACE(STUN_ATTR_MESSAGE_INTEGRITY)] = {true, STUN_INTEGRITY_LEN, STUN_INTEGRITY_LEN, 1},
    [PLACE(STUN_ATTR_ERROR_CODE)] = {true, 4, 4 + 763, 1}, // section 14.8: reason of 763 bytes
    [PLACE(STUN_ATTR_UNKNOWN_ATTRIBUTES)] = {true, 0, UINT16_MAX, 2},
    [PLACE(STUN_ATTR_CHANNEL_NUMBER)] = {true, 4, 4, 1},
    [PLACE(STUN_ATTR_LIFETIME)] = {true, 4, 4, 1},
    [PLACE(STUN_ATTR_XOR_PEER_ADDRESS)] = {true, 8, 20, 12},
    [PLACE(STUN_ATTR_DATA)] = {true, 0, UINT16_MAX, 1},
    [PLACE(STUN_ATTR_REALM)] = {true, 0, 763, 1}, // sections 14.9 and 14.10: up to 763 bytes
    [PLACE(STUN_ATTR_NONCE)] = {true, 0, 763, 1},
    [PLACE(STUN_ATTR_XOR_RELAYED_ADDRESS)] = {true, 8, 20, 12},
    [PLACE(STUN_ATTR_REQUESTED_ADDRESS_FAMILY)] = {true, 4, 4, 1},
    [PLACE(STUN_ATTR_EVEN_PORT)] = {true, 1, 4, 3}, // one byte; four by those who count its padding
    [PLACE(STUN_ATTR_REQUESTED_TRANSPORT)] = {true, 4, 4, 1},
    [PLACE(STUN_ATTR_DONT_FRAGMENT)] = {true, 0, 0, 1},
    // Section 14.6 lets a usage of STUN truncate it; TURN does not.
    [PLACE(STUN_ATTR_MESSAGE_INTEGRITY_SHA256)] = {true, STUN_INTEGRITY_SHA256_LEN,
                                                   STUN_INTEGRITY_SHA256_LEN, 1},
    [PLACE(STUN_ATTR_PASSWORD_ALGORITHM)] = {true, 4, UINT16_MAX, 4},
    [PLACE(STUN_ATTR_USERHASH)] = {true, STUN_USERHASH_LEN, STUN_USERHASH_LEN, 1},
    [PLACE(STUN_ATTR_XOR_MAPPED_ADDRESS)] = {true, 8, 20, 12},
    [PLACE(STUN_ATTR_RESERVATION_TOKEN)] = {true, STUN_ATTR_RESERVATION_LEN,
                                            STUN_ATTR_RESERVATION_LEN, 1},
    [PLACE(STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY)] = {true, 4, 4, 1},
    [PLACE(STUN_ATTR_ADDRESS_ERROR_CODE)] = {true, 4, 4 + 763, 1},
    [PLACE(STUN_ATTR_PASSWORD_ALGORITHMS)] = {true, 4, UINT16_MAX, 4},
    [PLACE(STUN_ATTR_ALTERNATE_DOMAIN)] = {true, 0, 255, 1},
    [PLACE(STUN_ATTR_ICMP)] = {true, 8, 8, 1},
    [PLACE(STUN_ATTR_ALTERNATE_SERVER)] = {true, 8, 20, 12},
    [PLACE(STUN_ATTR_SOFTWARE)] = {true, 0, UINT16_MAX, 1}, // optional: not worth a refusal
    [PLACE(STUN_ATTR_FINGERPRINT)] = {true, STUN_FINGERPRINT_LEN, STUN_FINGERPRINT_LEN, 1},
};

// The place of a type in `known`, or PLACE_NONE.
static size_t place_of(uint16_t type)
{
    if (type >= 0x0030 && (type < 0x8000 || type > 0x802f)) {
        return PLACE_NONE;
    }
    size_t place = PLACE(type);
    return known[place].is_known ? place : PLACE_NONE;
}

static bool is_right_len(const struct known *type, size_t len)
{
    return len >= type->min_len && len <= type->max_len && (len - type->min_len) % type->step == 0;
}

// Whether an attribute counts, given what came before it.
static bool does_count(const struct stun_message *message, uint16_t type)
{
    if (type == STUN_ATTR_FINGERPRINT) {
        return true;
    }
    if (stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256)) {
        return false;
    }
    return type == STUN_ATTR_MESSAGE_INTEGRITY_SHA256 ||
           !stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY);
}

static void remember_unknown(struct stun_message *message, uint16_t type)
{
    if (!stun_attr_is_required(type) || message->unknown_count >= STUN_MESSAGE_UNKNOWN_MAX) {
        return;
    }
    for (uint8_t i = 0; i < message->unknown_count; i++) {
        if (message->unknown[i] == type) {
            return;
        }
    }
    message->unknown[message->unknown_count++] = type;
}

static enum stun_message_outcome index_attributes(struct stun_message *message)
{
    struct rd rd = rd_init(bytes_from(message->whole, STUN_HEADER_LEN));

    while (rd.left > 0) {
        size_t offset = message->whole.len - rd.left;
        struct stun_attr attr;

        if (!stun_attr_read(&rd, &attr) || stun_message_has(message, STUN_ATTR_FINGERPRINT)) {
            return STUN_MESSAGE_MALFORMED;
        }
        if (!does_count(message, attr.type)) {
            continue;
        }
        size_t place = place_of(attr.type);
        if (place == PLACE_NONE) {
            remember_unknown(message, attr.type);
            continue;
        }
        if (!is_right_len(&known[place], attr.value.len)) {
            return STUN_MESSAGE_BAD_VALUE;
        }
        if (message->at[place] == 0) {
            assert(offset <= UINT16_MAX);
            message->at[place] = (uint16_t)offset;
        }
    }
    return STUN_MESSAGE_OK;
}

static bool has_right_fingerprint(const struct stun_message *message)
{
    struct bytes value = {0};
    uint32_t claimed = 0;

    if (!stun_message_find(message, STUN_ATTR_FINGERPRINT, &value) ||
        !stun_attr_u32_read(value, &claimed)) {
        return false;
    }
    size_t head_len = message->whole.len - STUN_ATTR_HEAD_LEN - STUN_FINGERPRINT_LEN;
    return stun_fingerprint(bytes_first(message->whole, head_len)) == claimed;
}

enum stun_message_outcome stun_message_read(struct bytes datagram, struct stun_message *out)
{
    struct stun_message message = {.whole = datagram};
    struct rd rd = rd_init(datagram);

    if (datagram.len > UINT16_MAX) { // where offsets of 16 bits do not reach
        return STUN_MESSAGE_NOT_STUN;
    }
    if (!stun_header_read(&rd, &message.header) || rd.left != message.header.body_len) {
        return STUN_MESSAGE_NOT_STUN;
    }
    enum stun_message_outcome outcome = index_attributes(&message);
    if (outcome != STUN_MESSAGE_OK) {
        *out = (struct stun_message){.whole = datagram, .header = message.header};
        return outcome;
    }
    if (stun_message_has(&message, STUN_ATTR_FINGERPRINT) && !has_right_fingerprint(&message)) {
        return STUN_MESSAGE_BAD_CHECKSUM;
    }
    *out = message;
    return STUN_MESSAGE_OK;
}

// Where the first attribute of a known type stands, or 0 if there is none.
static size_t offset_of(const struct stun_message *message, enum stun_attr_type type)
{
    size_t place = place_of((uint16_t)type);

    assert(place != PLACE_NONE);
    return message->at[place];
}

bool stun_message_has(const struct stun_message *message, enum stun_attr_type type)
{
    return offset_of(message, type) != 0;
}

// Reads the attribute at an offset where one is known to stand. Make prove takes each by itself, as
// bytes.c says of a length.
static struct stun_attr attr_at(const struct stun_message *message, size_t offset)
{
    //@ split offset;
    assert(offset < message->whole.len);
    struct rd rd = rd_init(bytes_from(message->whole, offset));
    struct stun_attr attr = {0};
    bool is_there = stun_attr_read(&rd, &attr);

    assert(is_there);
    return attr;
}

bool stun_message_find(const struct stun_message *message, enum stun_attr_type type,
                       struct bytes *out)
{
    size_t offset = offset_of(message, type);

    if (offset == 0) {
        return false;
    }
    *out = attr_at(message, offset).value;
    return true;
}

// Where the attributes end of which more than the first count: at the first proof of integrity.
static size_t proof_at(const struct stun_message *message)
{
    size_t sha1_at = message->at[PLACE(STUN_ATTR_MESSAGE_INTEGRITY)];
    size_t sha256_at = message->at[PLACE(STUN_ATTR_MESSAGE_INTEGRITY_SHA256)];

    if (sha1_at != 0) { // one behind the SHA-256 does not count
        assert(sha256_at == 0 || sha256_at > sha1_at);
        return sha1_at;
    }
    return sha256_at != 0 ? sha256_at : message->whole.len;
}

bool stun_message_next(const struct stun_message *message, enum stun_attr_type type, size_t *at,
                       struct bytes *out)
{
    bool is_first = *at == 0; // which may be a proof itself
    size_t offset = is_first ? offset_of(message, type) : *at;
    size_t end = is_first ? message->whole.len : proof_at(message);

    while (offset != 0 && offset < end) {
        struct stun_attr attr = attr_at(message, offset);
        offset += STUN_ATTR_HEAD_LEN + STUN_ATTR_PADDED(attr.value.len);
        if (attr.type == type) {
            //@ split offset;
            *at = offset;
            *out = attr.value;
            return true;
        }
    }
    return false;
}

// Compares a proof with what it should be, and wipes that: of a forged message it is what the
// forger lacks.
static bool is_proof(struct bytes value, uint8_t *expected, size_t len)
{
    bool is_equal = crypto_equal(value, (struct bytes){expected, len});

    crypto_wipe(expected, len);
    return is_equal;
}

static struct bytes head_of(const struct stun_message *message, enum stun_attr_type type)
{
    return bytes_first(message->whole, offset_of(message, type));
}

bool stun_message_is_intact(const struct stun_message *message, struct bytes key)
{
    uint8_t expected[STUN_INTEGRITY_LEN];
    struct bytes value = {0};

    if (!stun_message_find(message, STUN_ATTR_MESSAGE_INTEGRITY, &value)) {
        return false;
    }
    stun_integrity(head_of(message, STUN_ATTR_MESSAGE_INTEGRITY), key, expected);
    return is_proof(value, expected, sizeof expected);
}

bool stun_message_is_intact_sha256(const struct stun_message *message, struct bytes key)
{
    uint8_t expected[STUN_INTEGRITY_SHA256_LEN];
    struct bytes value = {0};

    if (!stun_message_find(message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, &value)) {
        return false;
    }
    stun_integrity_sha256(head_of(message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256), key, expected);
    return is_proof(value, expected, sizeof expected);
}
