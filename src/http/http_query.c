// SPDX-License-Identifier: Apache-2.0
#include "http/http_query.h"

#include <stdbool.h>

#include "base/percent.h"

static enum http_query_outcome decode(struct bytes value, struct wr *out)
{
    uint8_t byte = 0;

    while (value.len > 0) {
        const bool is_space = value.ptr[0] == '+';
        if (!percent_take(&value, &byte) || byte == 0) {
            return HTTP_QUERY_BAD;
        }
        wr_u8(out, is_space ? ' ' : byte);
    }
    return wr_ok(out) ? HTTP_QUERY_FOUND : HTTP_QUERY_LONG;
}

enum http_query_outcome http_query_find(struct bytes query, const char *name, struct wr *out)
{
    struct bytes found = {0};
    bool is_found = false;

    while (query.len > 0) {
        const struct bytes pair = bytes_first(query, bytes_index(query, '&'));
        const size_t equals = bytes_index(pair, '=');
        query = bytes_from(query, pair.len + 1);
        if (!bytes_equal_text(bytes_first(pair, equals), name)) {
            continue;
        }
        if (is_found) {
            return HTTP_QUERY_TWICE;
        }
        found = bytes_from(pair, equals + 1);
        is_found = true;
    }
    return is_found ? decode(found, out) : HTTP_QUERY_ABSENT;
}
