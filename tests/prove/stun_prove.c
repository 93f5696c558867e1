// SPDX-License-Identifier: Apache-2.0
// What tools/prove has Frama-C's Eva run: every reader of stun over all inputs of up to BOUND
// bytes.
//
// An input lies at the end of its memory, so that a byte read behind it is a byte read out of
// bounds. Its length is one number at a time, its content is all contents at once. What a reader
// hands out is read in turn. Each function named prove_* is an entry point of its own.
//
// PLANTED is 0 for a proof. Where it is 1, each line that uses it has an error that must be found.
#include <__fc_builtin.h>
#include <assert.h>

#include "base/base64.h"
#include "crypto/crypto_equal.h"
#include "crypto/crypto_hmac.h"
#include "crypto/crypto_wipe.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "stun/stun_cookie.h"
#include "stun/stun_error.h"
#include "stun/stun_fingerprint.h"
#include "stun/stun_header.h"
#include "stun/stun_icmp.h"
#include "stun/stun_message.h"
#include "stun/stun_password.h"

static volatile uint8_t sink;
static uint8_t memory[BOUND];

// All inputs of one length. None at all has no address, as in a cursor that failed.
static struct bytes input(size_t len)
{
    Frama_C_make_unknown(memory, BOUND);
    return len == 0 ? (struct bytes){0} : (struct bytes){memory + BOUND - len, len};
}

// Any length up to `max`, each by itself.
static size_t any_len(size_t max)
{
    size_t len = (size_t)Frama_C_interval(0, (int)max);

    //@ split len;
    return len;
}

// Reads both ends of a span, and so finds one that reaches out of its memory.
static void touch(struct bytes span)
{
    if (span.len > 0) {
        sink = span.ptr[0];
        sink = span.ptr[span.len - 1 + PLANTED];
    }
}

// --- in the place of crypto: any answer, and all that the real functions read and write ----------

void crypto_hmac_sha1(struct bytes key, const struct bytes *spans, size_t count,
                      uint8_t out[CRYPTO_SHA1_LEN])
{
    Frama_C_make_unknown(out, CRYPTO_SHA1_LEN + PLANTED);
    touch(key);
    for (size_t i = 0; i < count; i++) {
        touch(spans[i]);
    }
}

void crypto_hmac_sha256(struct bytes key, const struct bytes *spans, size_t count,
                        uint8_t out[CRYPTO_SHA256_LEN])
{
    Frama_C_make_unknown(out, CRYPTO_SHA256_LEN + PLANTED);
    touch(key);
    for (size_t i = 0; i < count; i++) {
        touch(spans[i]);
    }
}

bool crypto_equal(struct bytes a, struct bytes b)
{
    touch(a);
    touch(b);
    return a.len == b.len && Frama_C_nondet(0, 1) != 0;
}

void crypto_wipe(void *at, size_t len)
{
    Frama_C_make_unknown(at, len);
}

// --- values -----------------------------------------------------------------------------------

static void read_value(struct bytes value)
{
    const struct stun_transaction transaction = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    enum stun_password_algorithm algorithm;
    struct stun_icmp icmp;
    struct addr addr;
    struct bytes span;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;

    if (stun_attr_u8_read(value, &u8)) {
        sink = u8;
    }
    if (stun_attr_u16_read(value, &u16)) {
        sink = (uint8_t)u16;
    }
    if (stun_attr_u32_read(value, &u32)) {
        sink = (uint8_t)u32;
    }
    if (stun_attr_addr_read(value, &addr)) {
        touch(addr_ip(&addr));
    }
    if (stun_attr_xor_addr_read(value, &transaction, &addr)) {
        touch(addr_ip(&addr));
    }
    if (stun_error_read(value, &u16, &span)) {
        touch(span);
    }
    if (stun_error_address_read(value, &u8, &u16)) {
        sink = u8;
    }
    if (stun_password_read(value, &algorithm)) {
        sink = (uint8_t)algorithm;
    }
    sink = stun_password_is_offer(value);
    if (stun_icmp_read(value, &icmp)) {
        sink = (uint8_t)icmp.code;
    }
    if (stun_cookie_read(value, &u32)) {
        sink = (uint8_t)u32;
    }
}

void prove_values(void)
{
    read_value(input(any_len(BOUND)));
}

void prove_base64(void)
{
    uint8_t raw[BOUND] = {0};
    size_t raw_len = any_len(BOUND);

    if (base64_read(input(any_len(BOUND)), raw + BOUND - raw_len, raw_len)) {
        touch((struct bytes){raw + BOUND - raw_len, raw_len});
    }
}

void prove_chandata(void)
{
    struct bytes datagram = input(any_len(BOUND));
    uint16_t number;
    struct bytes data;

    sink = stun_chandata_is_likely(datagram);
    if (stun_chandata_read(datagram, &number, &data)) {
        touch(data);
    }
}

// --- messages ---------------------------------------------------------------------------------

// Each of the 16,384 types by itself, since the reader asserts that it could write it again. Types
// with a top bit set, which it refuses before that, are among the first bytes of prove_message.
void prove_header(void)
{
    //@ loop unroll 64;
    for (unsigned high = 0; high < (PLANTED == 1 ? 1 : 64); high++) {
        struct bytes datagram = input(STUN_HEADER_LEN);
        struct rd rd = rd_init(datagram);
        struct stun_header header;
        uint8_t low = memory[BOUND - STUN_HEADER_LEN + 1];

        //@ split low;
        memory[BOUND - STUN_HEADER_LEN] = (uint8_t)high;
        memory[BOUND - STUN_HEADER_LEN + 1] = low;
        sink = stun_header_is_likely(datagram);
        if (stun_header_read(&rd, &header)) {
            sink = header.transaction.id[STUN_TRANSACTION_LEN - 1 + PLANTED];
        }
        //@ merge low;
        Frama_C_make_unknown(memory, BOUND);
    }
}

static const enum stun_attr_type types[] = {
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

// Says the same in both branches, but Eva then keeps them apart.
static bool has(const struct stun_message *message, enum stun_attr_type type)
{
    const size_t place = type < 0x8000 ? (size_t)type : (size_t)type - 0x8000 + 0x30;

    return message->at[place] != 0 ? true : false;
}

enum { HEADS_LEN = STUN_HEADER_LEN + STUN_ATTR_HEAD_LEN };

static void find(const struct stun_message *message, enum stun_attr_type type)
{
    struct bytes value;

    if (stun_message_find(message, type, &value)) {
        touch(value);
        assert(value.len + HEADS_LEN <= message->whole.len - PLANTED);
    }
}

// From any number that it may have left in *at before, so that all of its calls are one.
static void find_next(const struct stun_message *message, enum stun_attr_type type)
{
    size_t at = (size_t)Frama_C_interval(0, BOUND / 4) * 4;
    struct bytes value;

    //@ split at;
    if (at <= message->whole.len && stun_message_next(message, type, &at, &value)) {
        touch(value);
        assert(at % 4 == 0);
        assert(at <= message->whole.len - PLANTED);
    }
}

void prove_message(void)
{
    static const uint8_t bytes[16];
    const struct bytes key = {bytes, sizeof bytes};
    struct stun_message message;

    if (stun_message_read(input(any_len(BOUND)), &message) != STUN_MESSAGE_OK) {
        return;
    }
    switch (Frama_C_interval(0, 3)) {
    case 0:
        find(&message, types[Frama_C_interval(0, COUNT_OF(types) - 1)]);
        break;
    case 1:
        find_next(&message, types[Frama_C_interval(0, COUNT_OF(types) - 1)]);
        break;
    case 2:
        if (has(&message, STUN_ATTR_MESSAGE_INTEGRITY)) {
            sink = stun_message_is_intact(&message, key);
        }
        break;
    default:
        if (has(&message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256)) {
            sink = stun_message_is_intact_sha256(&message, key);
        }
    }
}
