// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <assert.h>
#include <string.h>

struct bytes bytes_of_text(const char *text)
{
    if (text == NULL) {
        return (struct bytes){0};
    }
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of_text(text));
}

size_t bytes_index(struct bytes span, uint8_t byte)
{
    const uint8_t *at = span.len > 0 ? memchr(span.ptr, byte, span.len) : NULL;
    return at != NULL ? (size_t)(at - span.ptr) : span.len;
}

struct bytes bytes_from(struct bytes span, size_t from)
{
    if (from >= span.len) {
        return (struct bytes){0};
    }
    return (struct bytes){span.ptr + from, span.len - from};
}

struct bytes bytes_first(struct bytes span, size_t len)
{
    return (struct bytes){span.ptr, len < span.len ? len : span.len};
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

struct bytes bytes_trim(struct bytes span)
{
    while (span.len > 0 && is_blank(span.ptr[0])) {
        span = bytes_from(span, 1);
    }
    while (span.len > 0 && is_blank(span.ptr[span.len - 1])) {
        span.len--;
    }
    return span;
}

bool bytes_to_number(struct bytes text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (value > max) {
        return false;
    }
    *out = value;
    return true;
}

struct rd rd_init(struct bytes span)
{
    assert(span.ptr != NULL || span.len == 0);
    return (struct rd){.ptr = span.ptr, .left = span.len};
}

bool rd_ok(const struct rd *rd)
{
    return !rd->is_failed;
}

bool rd_is_done(const struct rd *rd)
{
    return !rd->is_failed && rd->left == 0;
}

// Moves past `len` bytes and returns where they start, or NULL once the cursor has failed.
//
// The annotations are for make prove: they keep states apart that differ in what they name, or Eva
// would take any place in the input together with any number of bytes left behind it.
static const uint8_t *advance(struct rd *rd, size_t len)
{
    if (rd->is_failed || rd->left < len) {
        rd->is_failed = true;
        //@ split rd->is_failed;
        return NULL;
    }
    const uint8_t *at = rd->ptr;
    if (len > 0) { // else the input may be none at all, and NULL + 0 is not defined
        //@ split len;
        rd->ptr += len;
        rd->left -= len;
    }
    //@ split rd->left;
    //@ merge len;
    return at;
}

uint8_t rd_u8(struct rd *rd)
{
    const uint8_t *at = advance(rd, 1);
    return at != NULL ? at[0] : 0;
}

uint16_t rd_u16(struct rd *rd)
{
    const uint8_t *at = advance(rd, 2);
    return at != NULL ? (uint16_t)(at[0] * 256 + at[1]) : 0;
}

uint32_t rd_u32(struct rd *rd)
{
    const uint8_t *at = advance(rd, 4);
    if (at == NULL) {
        return 0;
    }
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t rd_u64(struct rd *rd)
{
    const uint8_t *at = advance(rd, 8);
    uint64_t value = 0;

    for (int i = 0; at != NULL && i < 8; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

struct bytes rd_bytes(struct rd *rd, size_t len)
{
    const uint8_t *at = advance(rd, len);
    return at != NULL ? (struct bytes){at, len} : (struct bytes){0};
}

void rd_copy(struct rd *rd, uint8_t *to, size_t len)
{
    const uint8_t *at = advance(rd, len);
    if (at != NULL && len > 0) {
        memcpy(to, at, len);
    }
}

void rd_skip(struct rd *rd, size_t len)
{
    (void)advance(rd, len);
}

struct wr wr_init(uint8_t *ptr, size_t room)
{
    assert(ptr != NULL || room == 0);
    return (struct wr){.ptr = ptr, .room = room};
}

bool wr_ok(const struct wr *wr)
{
    return !wr->is_failed;
}

struct bytes wr_done(const struct wr *wr)
{
    return (struct bytes){wr->ptr, wr->len};
}

// Claims `len` bytes and returns where they start, or NULL once the cursor has failed.
static uint8_t *claim(struct wr *wr, size_t len)
{
    if (wr->is_failed || wr->room < len) {
        wr->is_failed = true;
        return NULL;
    }
    uint8_t *at = wr->ptr;
    if (len > 0) { // else the memory may be none at all, and NULL + 0 is not defined
        at += wr->len;
        wr->len += len;
        wr->room -= len;
    }
    return at;
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void wr_u8(struct wr *wr, uint8_t value)
{
    uint8_t *at = claim(wr, 1);
    if (at != NULL) {
        at[0] = value;
    }
}

void wr_u16(struct wr *wr, uint16_t value)
{
    uint8_t *at = claim(wr, 2);
    if (at != NULL) {
        put_u16(at, value);
    }
}

void wr_u32(struct wr *wr, uint32_t value)
{
    uint8_t *at = claim(wr, 4);
    if (at != NULL) {
        put_u16(at, (uint16_t)(value >> 16));
        put_u16(at + 2, (uint16_t)value);
    }
}

void wr_u64(struct wr *wr, uint64_t value)
{
    uint8_t *at = claim(wr, 8);
    if (at != NULL) {
        for (int i = 7; i >= 0; i--) {
            at[i] = (uint8_t)value;
            value >>= 8;
        }
    }
}

void wr_bytes(struct wr *wr, struct bytes span)
{
    uint8_t *at = claim(wr, span.len);
    if (at != NULL && span.len > 0) {
        memcpy(at, span.ptr, span.len);
    }
}

void wr_zero(struct wr *wr, size_t len)
{
    uint8_t *at = claim(wr, len);
    if (at != NULL && len > 0) {
        memset(at, 0, len);
    }
}

void wr_u16_at(struct wr *wr, size_t offset, uint16_t value)
{
    if (wr->is_failed || wr->len < 2 || offset > wr->len - 2) {
        wr->is_failed = true;
        return;
    }
    put_u16(wr->ptr + offset, value);
}

void wr_text(struct wr *wr, const char *text)
{
    wr_bytes(wr, bytes_of_text(text));
}

void wr_decimal(struct wr *wr, uint64_t value)
{
    uint8_t digits[20];
    size_t first = sizeof digits;

    do {
        digits[--first] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    wr_bytes(wr, (struct bytes){digits + first, sizeof digits - first});
}

void wr_hex(struct wr *wr, struct bytes span)
{
    static const char digits[] = "0123456789abcdef";
    // A length that cannot be doubled does not fit either.
    uint8_t *at = claim(wr, span.len <= SIZE_MAX / 2 ? span.len * 2 : SIZE_MAX);

    for (size_t i = 0; at != NULL && i < span.len; i++) {
        at[i * 2] = (uint8_t)digits[span.ptr[i] / 16];
        at[i * 2 + 1] = (uint8_t)digits[span.ptr[i] % 16];
    }
}
