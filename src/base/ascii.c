// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <assert.h>

uint8_t ascii_lower(uint8_t character)
{
    const bool is_upper = character >= 'A' && character <= 'Z';

    return is_upper ? (uint8_t)(character - 'A' + 'a') : character;
}

bool ascii_is_digit(uint8_t character)
{
    return character >= '0' && character <= '9';
}

bool ascii_is_alphanumeric(uint8_t character)
{
    const uint8_t lower = ascii_lower(character);

    return (lower >= 'a' && lower <= 'z') || ascii_is_digit(character);
}

bool ascii_has_only(struct bytes text, const char *others)
{
    const struct bytes allowed = bytes_of_text(others);

    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_alphanumeric(text.ptr[i]) &&
            bytes_index(allowed, text.ptr[i]) == allowed.len) {
            return false;
        }
    }
    return true;
}

bool ascii_is_same(struct bytes text, const char *word)
{
    const struct bytes other = bytes_of_text(word);

    if (text.len != other.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        assert(ascii_lower(other.ptr[i]) == other.ptr[i]);
        if (ascii_lower(text.ptr[i]) != other.ptr[i]) {
            return false;
        }
    }
    return true;
}

uint8_t ascii_hex_digit(uint8_t character)
{
    const uint8_t lower = ascii_lower(character);

    if (ascii_is_digit(character)) {
        return (uint8_t)(character - '0');
    }
    return lower >= 'a' && lower <= 'f' ? (uint8_t)(lower - 'a' + 10) : ASCII_NO_DIGIT;
}
