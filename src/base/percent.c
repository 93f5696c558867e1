// SPDX-License-Identifier: Apache-2.0
#include "base/percent.h"

#include <assert.h>

#include "base/ascii.h"

enum { ESCAPED_LEN = 3 }; // "%2C"

bool percent_take(struct bytes *text, uint8_t *out)
{
    assert(text->len > 0);
    if (text->ptr[0] != '%') {
        *out = text->ptr[0];
        *text = bytes_from(*text, 1);
        return true;
    }
    if (text->len < ESCAPED_LEN) {
        return false;
    }
    const uint8_t high = ascii_hex_digit(text->ptr[1]);
    const uint8_t low = ascii_hex_digit(text->ptr[2]);
    if (high == ASCII_NO_DIGIT || low == ASCII_NO_DIGIT) {
        return false;
    }
    *out = (uint8_t)(high << 4 | low);
    *text = bytes_from(*text, ESCAPED_LEN);
    return true;
}

void percent_write(struct wr *wr, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";

    wr_u8(wr, '%');
    wr_u8(wr, (uint8_t)digits[byte >> 4]);
    wr_u8(wr, (uint8_t)digits[byte & 0xF]);
}

bool percent_decode(struct bytes text, struct wr *out)
{
    uint8_t byte = 0;

    while (text.len > 0) {
        if (!percent_take(&text, &byte)) {
            return false;
        }
        wr_u8(out, byte);
    }
    return wr_ok(out);
}
