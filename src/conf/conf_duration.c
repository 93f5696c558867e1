// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_duration.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    uint8_t letter;
    uint32_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

// The position of the first byte that is no digit, or text.len.
static size_t digit_count(struct bytes text)
{
    size_t count = 0;

    while (count < text.len && text.ptr[count] >= '0' && text.ptr[count] <= '9') {
        count++;
    }
    return count;
}

bool conf_duration_read(struct bytes text, uint64_t *out_s)
{
    uint64_t total_s = 0;
    size_t unit = 0;

    text = bytes_trim(text);
    if (text.len == 0) {
        return false;
    }
    while (text.len > 0) {
        size_t digits = digit_count(text);
        uint64_t number = 0;

        if (digits == text.len ||
            !bytes_to_number(bytes_first(text, digits), UINT32_MAX, &number)) {
            return false;
        }
        while (unit < COUNT_OF(units) && units[unit].letter != text.ptr[digits]) {
            unit++;
        }
        if (unit == COUNT_OF(units)) {
            return false;
        }
        // Four products of 32 and 17 bits at most: no overflow.
        total_s += number * units[unit].seconds;
        unit++;
        text = bytes_trim(bytes_from(text, digits + 1));
    }
    *out_s = total_s;
    return true;
}
