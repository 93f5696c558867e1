// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_naive.h"

#include <assert.h>
#include <string.h>

#include "base/macro.h"
#include "crypto/crypto_digest.h"
#include "crypto/crypto_hmac.h"

enum { HEADER = 20, SHA1 = 0x0008, SHA256 = 0x001c, FINGERPRINT = 0x8028, LONGEST = 65535 };

// Lengths of the values that RFC 8489 section 14 and RFC 8656 section 18 name: from, to, in steps.
static const struct length {
    unsigned type;
    unsigned from;
    unsigned to;
    unsigned step;
} lengths[] = {
    {0x0001, 8, 20, 12}, {0x0006, 0, 763, 1},     {SHA1, 20, 20, 1},
    {0x0009, 4, 767, 1}, {0x000a, 0, LONGEST, 2}, {0x000c, 4, 4, 1},
    {0x000d, 4, 4, 1},   {0x0012, 8, 20, 12},     {0x0013, 0, LONGEST, 1},
    {0x0014, 0, 763, 1}, {0x0015, 0, 763, 1},     {0x0016, 8, 20, 12},
    {0x0017, 4, 4, 1},   {0x0018, 1, 4, 3},       {0x0019, 4, 4, 1},
    {0x001a, 0, 0, 1},   {SHA256, 32, 32, 1},     {0x001d, 4, LONGEST, 4},
    {0x001e, 32, 32, 1}, {0x0020, 8, 20, 12},     {0x0022, 8, 8, 1},
    {0x8000, 4, 4, 1},   {0x8001, 4, 767, 1},     {0x8002, 4, LONGEST, 4},
    {0x8003, 0, 255, 1}, {0x8004, 8, 8, 1},       {0x8022, 0, LONGEST, 1},
    {0x8023, 8, 20, 12}, {FINGERPRINT, 4, 4, 1},
};

static unsigned number_at(struct bytes bytes, size_t at)
{
    return bytes.ptr[at] * 256U + bytes.ptr[at + 1];
}

static const struct length *length_of(unsigned type)
{
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        if (lengths[i].type == type) {
            return &lengths[i];
        }
    }
    return NULL;
}

static bool is_hidden(const struct sim_naive *message, unsigned type)
{
    if (type == FINGERPRINT) {
        return false;
    }
    return sim_naive_find(message, SHA256) != NULL ||
           (sim_naive_find(message, SHA1) != NULL && type != SHA256);
}

static void add_unknown(struct sim_naive *message, unsigned type)
{
    if (type >= 0x8000 || message->unknown_count == SIM_NAIVE_UNKNOWN_MAX) {
        return;
    }
    for (size_t i = 0; i < message->unknown_count; i++) {
        if (message->unknown[i] == type) {
            return;
        }
    }
    message->unknown[message->unknown_count++] = type;
}

static enum sim_naive_outcome read_attrs(struct sim_naive *message)
{
    struct bytes whole = message->whole;
    size_t at = HEADER;

    while (at < whole.len) {
        if (at + 4 > whole.len || at + 4 + (number_at(whole, at + 2) + 3) / 4 * 4 > whole.len ||
            sim_naive_find(message, FINGERPRINT) != NULL) {
            return SIM_NAIVE_NONE;
        }
        unsigned type = number_at(whole, at);
        unsigned len = number_at(whole, at + 2);
        struct sim_naive_attr attr = {type, at, {whole.ptr + at + 4, len}};
        const struct length *length = length_of(type);

        at += 4 + (len + 3) / 4 * 4;
        if (is_hidden(message, type)) {
            continue;
        }
        if (length == NULL) {
            add_unknown(message, type);
        } else if (len < length->from || len > length->to ||
                   (len - length->from) % length->step != 0) {
            return SIM_NAIVE_BAD;
        } else {
            assert(message->attr_count < SIM_NAIVE_ATTR_MAX);
            message->attrs[message->attr_count++] = attr;
        }
    }
    return SIM_NAIVE_GOOD;
}

// What eight steps make of the low byte of a CRC-32 (ITU V.42).
static uint32_t crc32_step(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++) {
        crc = crc >> 1 ^ (crc % 2 != 0 ? UINT32_C(0xedb88320) : 0);
    }
    return crc;
}

// RFC 8489 section 14.7.
static uint32_t crc32_of(struct bytes bytes)
{
    static uint32_t steps[256];
    uint32_t crc = UINT32_MAX;

    if (steps[1] == 0) { // the first call
        for (uint32_t i = 0; i < COUNT_OF(steps); i++) {
            steps[i] = crc32_step(i);
        }
    }
    for (size_t i = 0; i < bytes.len; i++) {
        crc = crc >> 8 ^ steps[(crc ^ bytes.ptr[i]) % COUNT_OF(steps)];
    }
    return ~crc;
}

enum sim_naive_outcome sim_naive_read(struct bytes datagram, struct sim_naive *out)
{
    static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};

    out->whole = datagram;
    out->attr_count = 0;
    out->unknown_count = 0;
    if (datagram.len < HEADER || datagram.len > LONGEST || datagram.ptr[0] > 0x3f ||
        memcmp(datagram.ptr + 4, cookie, sizeof cookie) != 0 || number_at(datagram, 2) % 4 != 0 ||
        number_at(datagram, 2) + HEADER != datagram.len) {
        return SIM_NAIVE_NONE;
    }
    unsigned type = number_at(datagram, 0);
    out->class = (enum sim_naive_class)((type >> 4 & 1) | (type >> 7 & 2));
    out->method = (type & 0x0f) | (type >> 1 & 0x70) | (type >> 2 & 0xf80);
    out->transaction = datagram.ptr + 8;
    enum sim_naive_outcome outcome = read_attrs(out);
    const struct sim_naive_attr *print = sim_naive_find(out, FINGERPRINT);
    if (outcome == SIM_NAIVE_GOOD && print != NULL &&
        sim_naive_number(print, 4) !=
            (crc32_of(bytes_first(datagram, print->at)) ^ UINT32_C(0x5354554e))) {
        return SIM_NAIVE_NONE;
    }
    return outcome;
}

const struct sim_naive_attr *sim_naive_find(const struct sim_naive *message, unsigned type)
{
    for (size_t i = 0; i < message->attr_count; i++) {
        if (message->attrs[i].type == type) {
            return &message->attrs[i];
        }
    }
    return NULL;
}

uint32_t sim_naive_number(const struct sim_naive_attr *attr, size_t len)
{
    uint32_t number = 0;

    assert(attr->value.len >= len);
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | attr->value.ptr[i];
    }
    return number;
}

bool sim_naive_addr(const struct sim_naive *message, const struct sim_naive_attr *attr,
                    struct addr *out)
{
    const uint8_t *value = attr->value.ptr;
    uint8_t ip[ADDR_IP6_LEN] = {0};
    bool is_ip4 = attr->value.len == 8 && value[1] == 1;

    if (!is_ip4 && !(attr->value.len == 20 && value[1] == 2)) {
        return false;
    }
    for (size_t i = 0; i < attr->value.len - 4; i++) { // cookie and transaction stand in a row
        ip[i] = value[4 + i] ^ message->whole.ptr[4 + i];
    }
    uint16_t port = (uint16_t)(number_at(attr->value, 2) ^ 0x2112);
    *out = is_ip4 ? addr_ip4(ip, port) : addr_ip6(ip, port);
    return true;
}

struct sim_naive_key sim_naive_key(bool is_sha256, struct bytes user, struct bytes realm,
                                   struct bytes password)
{
    const struct bytes colon = BYTES_LITERAL(":");
    const struct bytes spans[] = {user, colon, realm, colon, password};
    struct sim_naive_key key = {.len = is_sha256 ? 32 : 16};

    if (is_sha256) {
        crypto_digest_sha256(spans, COUNT_OF(spans), key.bytes);
    } else {
        crypto_digest_md5(spans, COUNT_OF(spans), key.bytes);
    }
    return key;
}

enum sim_naive_proof sim_naive_proof(const struct sim_naive *message)
{
    if (sim_naive_find(message, SHA256) != NULL) {
        return SIM_NAIVE_SHA256;
    }
    return sim_naive_find(message, SHA1) != NULL ? SIM_NAIVE_SHA1 : SIM_NAIVE_UNSIGNED;
}

bool sim_naive_is_intact(const struct sim_naive *message, const struct sim_naive_key *key)
{
    bool is_sha256 = sim_naive_proof(message) == SIM_NAIVE_SHA256;
    const struct sim_naive_attr *proof = sim_naive_find(message, is_sha256 ? SHA256 : SHA1);
    const struct bytes secret = {key->bytes, key->len};
    uint8_t digest[32];

    if (proof == NULL) {
        return false;
    }
    size_t claimed = proof->at + 4 + proof->value.len - HEADER;
    const uint8_t length[2] = {(uint8_t)(claimed >> 8), (uint8_t)claimed};
    const struct bytes spans[] = {
        {message->whole.ptr, 2},
        {length, sizeof length},
        {message->whole.ptr + 4, proof->at - 4},
    };
    if (is_sha256) {
        crypto_hmac_sha256(secret, spans, COUNT_OF(spans), digest);
    } else {
        crypto_hmac_sha1(secret, spans, COUNT_OF(spans), digest);
    }
    return memcmp(digest, proof->value.ptr, proof->value.len) == 0;
}
