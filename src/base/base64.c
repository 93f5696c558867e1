// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <assert.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct wr *wr, struct bytes span, bool is_padded)
{
    for (size_t i = 0; i < span.len; i += 3) {
        size_t count = span.len - i < 3 ? span.len - i : 3;
        uint32_t bits = (uint32_t)span.ptr[i] << 16;

        bits |= count > 1 ? (uint32_t)span.ptr[i + 1] << 8 : 0;
        bits |= count > 2 ? span.ptr[i + 2] : 0;
        for (size_t k = 0; k <= count; k++) {
            wr_u8(wr, (uint8_t)alphabet[bits >> (18 - 6 * k) & 63]);
        }
        for (size_t k = count; is_padded && k < 3; k++) {
            wr_u8(wr, '=');
        }
    }
}

// The value of a character, or 64 when it is not in the alphabet.
static uint32_t value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - (uint32_t)'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - (uint32_t)'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - (uint32_t)'0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_read(struct bytes text, uint8_t *to, size_t len)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;

    if (text.len != BASE64_LEN(len)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = value_of(text.ptr[i]);
        if (value == 64) {
            return false;
        }
        bits = bits << 6 | value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            assert(written < len);
            to[written++] = (uint8_t)(bits >> bit_count);
            bits &= (UINT32_C(1) << bit_count) - 1;
        }
    }
    assert(written == len);
    return bits == 0;
}
