// SPDX-License-Identifier: Apache-2.0
#include "http/http_retry.h"

#include "base/ascii.h"
#include "http/http_date.h"

static bool is_number(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

bool http_retry_read(struct bytes text, int64_t wall_s, uint64_t *out_s)
{
    const struct bytes value = bytes_trim(text);
    uint64_t wait_s = HTTP_RETRY_MAX_S;
    int64_t then_s = 0;

    if (is_number(value)) {
        IGNORE(bytes_to_number(value, HTTP_RETRY_MAX_S, &wait_s)); // what is longer is that
    } else if (!http_date_read(value, wall_s, &then_s)) {
        return false;
    } else if (then_s <= wall_s) {
        wait_s = 0;
    } else if (then_s - wall_s < HTTP_RETRY_MAX_S) {
        wait_s = (uint64_t)(then_s - wall_s);
    }
    *out_s = wait_s;
    return true;
}
