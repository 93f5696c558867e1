// SPDX-License-Identifier: Apache-2.0
// Every accessor of a message stays inside the datagram, and what reads well, written again
// attribute by attribute, reads the same.
//
// A blind fuzzer finds neither a CRC nor a HMAC, so both are also put right in a copy of the input.
#include "stun/stun_message.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "stun/stun_fingerprint.h"
#include "stun/stun_integrity.h"
#include "stun/stun_writer.h"

enum {
    INPUT_MAX = 4096,     // bytes; what is longer is only read, not rewritten
    FINGERPRINT_TAIL = 8, // bytes of the whole attribute
};

static const struct bytes right_key = BYTES_LITERAL("right");
static const struct bytes wrong_key = BYTES_LITERAL("wrong");

static const enum stun_attr_type known[] = {
    STUN_ATTR_MAPPED_ADDRESS,
    STUN_ATTR_USERNAME,
    STUN_ATTR_MESSAGE_INTEGRITY,
    STUN_ATTR_ERROR_CODE,
    STUN_ATTR_UNKNOWN_ATTRIBUTES,
    STUN_ATTR_CHANNEL_NUMBER,
    STUN_ATTR_LIFETIME,
    STUN_ATTR_XOR_PEER_ADDRESS,
    STUN_ATTR_DATA,
    STUN_ATTR_REALM,
    STUN_ATTR_NONCE,
    STUN_ATTR_XOR_RELAYED_ADDRESS,
    STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
    STUN_ATTR_EVEN_PORT,
    STUN_ATTR_REQUESTED_TRANSPORT,
    STUN_ATTR_DONT_FRAGMENT,
    STUN_ATTR_MESSAGE_INTEGRITY_SHA256,
    STUN_ATTR_PASSWORD_ALGORITHM,
    STUN_ATTR_USERHASH,
    STUN_ATTR_XOR_MAPPED_ADDRESS,
    STUN_ATTR_RESERVATION_TOKEN,
    STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
    STUN_ATTR_ADDRESS_ERROR_CODE,
    STUN_ATTR_PASSWORD_ALGORITHMS,
    STUN_ATTR_ALTERNATE_DOMAIN,
    STUN_ATTR_ICMP,
    STUN_ATTR_SOFTWARE,
    STUN_ATTR_ALTERNATE_SERVER,
    STUN_ATTR_FINGERPRINT,
};

static bool is_inside(struct bytes part, struct bytes whole)
{
    return part.ptr >= whole.ptr && part.len <= whole.len &&
           (size_t)(part.ptr - whole.ptr) <= whole.len - part.len;
}

// All attributes of one type that the message hands out.
static void try_type(const struct stun_message *message, enum stun_attr_type type)
{
    struct bytes first = {0};
    struct bytes value = {0};
    size_t at = 0;
    size_t count = 0;
    bool is_found = stun_message_find(message, type, &first);

    assert(is_found == stun_message_has(message, type));
    assert(!is_found || is_inside(first, message->whole));
    while (stun_message_next(message, type, &at, &value)) {
        assert(count > 0 || (value.ptr == first.ptr && value.len == first.len));
        assert(is_inside(value, message->whole));
        assert(at <= message->whole.len);
        count++;
    }
    assert(is_found == (count > 0));
    assert(count * STUN_ATTR_HEAD_LEN <= message->header.body_len);
}

static void try_accessors(const struct stun_message *message)
{
    const size_t whole_len = message->whole.len;
    size_t place_count = 0;
    size_t found_count = 0;

    assert(message->header.body_len == whole_len - STUN_HEADER_LEN);
    for (size_t i = 0; i < STUN_MESSAGE_PLACE_COUNT; i++) {
        if (message->at[i] != 0) {
            assert(message->at[i] % 4 == 0);
            assert(message->at[i] >= STUN_HEADER_LEN);
            assert(message->at[i] <= whole_len - STUN_ATTR_HEAD_LEN);
            place_count++;
        }
    }
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        try_type(message, known[i]);
        found_count += stun_message_has(message, known[i]);
    }
    assert(place_count == found_count); // nothing is indexed that cannot be found
    assert(message->unknown_count <= STUN_MESSAGE_UNKNOWN_MAX);
    for (size_t i = 0; i < message->unknown_count; i++) {
        assert(stun_attr_is_required(message->unknown[i]));
        for (size_t j = 0; j < i; j++) {
            assert(message->unknown[i] != message->unknown[j]);
        }
    }
}

// Attribute by attribute through the writer: the same view comes back.
static void try_rewriting(const struct stun_message *message)
{
    static uint8_t raw[INPUT_MAX];
    struct rd rd = rd_init(bytes_from(message->whole, STUN_HEADER_LEN));
    struct stun_writer writer;
    struct stun_attr attr;
    struct stun_message again;
    struct bytes written = {0};

    stun_writer_init(&writer, raw, message->whole.len, &message->header);
    while (stun_attr_read(&rd, &attr)) {
        if (attr.type == STUN_ATTR_FINGERPRINT) {
            stun_writer_fingerprint(&writer);
        } else {
            stun_attr_write(&writer.wr, attr.type, attr.value);
        }
    }
    bool is_written = stun_writer_finish(&writer, &written);
    assert(is_written);
    assert(written.len == message->whole.len);
    enum stun_message_outcome outcome = stun_message_read(written, &again);
    assert(outcome == STUN_MESSAGE_OK);
    assert(again.header.method == message->header.method);
    assert(again.header.class == message->header.class);
    assert(again.header.body_len == message->header.body_len);
    assert(memcmp(&again.header.transaction, &message->header.transaction,
                  sizeof again.header.transaction) == 0);
    assert(memcmp(again.at, message->at, sizeof again.at) == 0);
    assert(memcmp(again.unknown, message->unknown, sizeof again.unknown) == 0);
    assert(again.unknown_count == message->unknown_count);
}

// Overwrites the last attribute, which is a FINGERPRINT, so that it is right.
static void mend_fingerprint(uint8_t *raw, size_t len)
{
    struct wr wr = wr_init(raw + len - FINGERPRINT_TAIL, FINGERPRINT_TAIL);

    stun_attr_u32_write(&wr, STUN_ATTR_FINGERPRINT,
                        stun_fingerprint((struct bytes){raw, len - FINGERPRINT_TAIL}));
    assert(wr_ok(&wr));
}

// What is asked of a proof by SHA-1 is asked of the one by SHA-256 too.
static const struct proof {
    enum stun_attr_type type;
    size_t len; // bytes of its value
    void (*make)(struct bytes head, struct bytes key, uint8_t *out);
    bool (*is_intact)(const struct stun_message *message, struct bytes key);
} proofs[] = {
    // In the order in which they stand: the second covers the first.
    {STUN_ATTR_MESSAGE_INTEGRITY, STUN_INTEGRITY_LEN, stun_integrity, stun_message_is_intact},
    {STUN_ATTR_MESSAGE_INTEGRITY_SHA256, STUN_INTEGRITY_SHA256_LEN, stun_integrity_sha256,
     stun_message_is_intact_sha256},
};

// Puts the right HMAC in the place of each proof that the message in `raw` has.
static void mend_proofs(const struct stun_message *message, uint8_t *raw)
{
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        struct bytes value = {0};

        if (stun_message_find(message, proofs[i].type, &value)) {
            const size_t value_at = (size_t)(value.ptr - message->whole.ptr);
            assert(value.len == proofs[i].len);
            proofs[i].make((struct bytes){raw, value_at - STUN_ATTR_HEAD_LEN}, right_key,
                           raw + value_at);
        }
    }
}

// With the right HMACs in their places, the message is intact under that key and no other.
static void try_integrity(const struct stun_message *message, uint8_t *raw)
{
    struct stun_message mended;
    const size_t len = message->whole.len;

    memmove(raw, message->whole.ptr, len);
    mend_proofs(message, raw);
    if (stun_message_has(message, STUN_ATTR_FINGERPRINT)) {
        mend_fingerprint(raw, len);
    }
    enum stun_message_outcome outcome = stun_message_read((struct bytes){raw, len}, &mended);
    assert(outcome == STUN_MESSAGE_OK);
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        const bool is_there = stun_message_has(message, proofs[i].type);
        bool is_right = proofs[i].is_intact(&mended, right_key);
        bool is_wrong = proofs[i].is_intact(&mended, wrong_key);
        assert(is_right == is_there);
        assert(!is_wrong);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t raw[INPUT_MAX];
    const struct bytes input = {data, size};
    struct stun_message message = {.unknown_count = 99};
    enum stun_message_outcome outcome = stun_message_read(input, &message);

    if (outcome == STUN_MESSAGE_BAD_CHECKSUM && size <= INPUT_MAX) {
        assert(message.unknown_count == 99); // untouched
        memcpy(raw, data, size);
        mend_fingerprint(raw, size);
        outcome = stun_message_read((struct bytes){raw, size}, &message);
        assert(outcome == STUN_MESSAGE_OK);
    }
    switch (outcome) {
    case STUN_MESSAGE_OK:
        try_accessors(&message);
        if (size <= INPUT_MAX) {
            try_rewriting(&message);
            try_integrity(&message, raw);
        }
        break;
    case STUN_MESSAGE_MALFORMED:
    case STUN_MESSAGE_BAD_VALUE:
        try_accessors(&message); // which finds nothing
        assert(message.unknown_count == 0);
        break;
    case STUN_MESSAGE_NOT_STUN:
    case STUN_MESSAGE_BAD_CHECKSUM:
        assert(message.unknown_count == 99);
        break;
    }
    return 0;
}
