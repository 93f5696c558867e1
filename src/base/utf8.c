// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <assert.h>

// Unicode 15, table 3-7.
size_t utf8_len(struct bytes text)
{
    assert(text.len > 0);
    const uint8_t first = text.ptr[0];
    uint8_t low = 0x80; // what the second byte may be
    uint8_t high = 0xbf;
    size_t len = 0;

    if (first < 0x80) {
        return 1;
    } else if (first >= 0xc2 && first <= 0xdf) {
        len = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : low;   // overlong
        high = first == 0xed ? 0x9f : high; // surrogates
    } else if (first >= 0xf0 && first <= 0xf4) {
        len = 4;
        low = first == 0xf0 ? 0x90 : low;   // overlong
        high = first == 0xf4 ? 0x8f : high; // beyond U+10FFFF
    }
    if (len == 0 || len > text.len || text.ptr[1] < low || text.ptr[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (text.ptr[i] < 0x80 || text.ptr[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

bool utf8_is_text(struct bytes text)
{
    while (text.len > 0) {
        const size_t len = utf8_len(text);
        if (len == 0) {
            return false;
        }
        text = bytes_from(text, len);
    }
    return true;
}

bool utf8_is_control(struct bytes character)
{
    const uint8_t first = character.ptr[0];

    assert(utf8_len(character) > 0);
    return first < 0x20 || first == 0x7f || (first == 0xc2 && character.ptr[1] < 0xa0);
}

bool utf8_is_printable(struct bytes text)
{
    while (text.len > 0) {
        const size_t len = utf8_len(text);

        if (len == 0 || utf8_is_control(bytes_first(text, len))) {
            return false;
        }
        text = bytes_from(text, len);
    }
    return true;
}
