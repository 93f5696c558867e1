// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

// Eight bytes, little-endian. Compilers make one load of this form, and none of a loop.
static uint64_t word_read(const uint8_t at[8])
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

// What is left behind the last whole word, 0 to 7 bytes.
static uint64_t tail_read(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    return word;
}

struct siphash_key siphash_key_read(const uint8_t bytes[SIPHASH_KEY_LEN])
{
    return (struct siphash_key){word_read(bytes), word_read(bytes + 8)};
}

static void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

uint64_t siphash(const struct siphash_key *key, struct bytes span)
{
    struct state s = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = span.len / 8 * 8;

    for (size_t i = 0; i < whole; i += 8) {
        absorb(&s, word_read(span.ptr + i));
    }
    uint64_t last = (uint64_t)(span.len % 256) << 56;
    if (span.len > whole) {
        last |= tail_read(span.ptr + whole, span.len - whole);
    }
    absorb(&s, last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
