// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_baggage.h"

#include <assert.h>

#include "base/percent.h"
#include "base/utf8.h"
#include "http/http_text.h"

bool telemetry_baggage_is_text(struct bytes text)
{
    while (text.len > 0) {
        const size_t len = utf8_len(text);
        if (len == 0 || utf8_is_control(text)) {
            return false;
        }
        text = bytes_from(text, len);
    }
    return true;
}

static enum telemetry_baggage_outcome read_pair(struct bytes pair, struct wr *memory,
                                                struct bytes *key, struct bytes *value)
{
    const size_t equals = bytes_index(pair, '=');
    const struct bytes name = bytes_trim(bytes_first(pair, equals));
    const size_t from = memory->len;

    if (equals == pair.len || !http_text_is_token(name)) {
        return TELEMETRY_BAGGAGE_WRONG_PAIR;
    }
    if (!percent_decode(bytes_trim(bytes_from(pair, equals + 1)), memory)) {
        return wr_ok(memory) ? TELEMETRY_BAGGAGE_WRONG_PERCENT : TELEMETRY_BAGGAGE_WRONG_ROOM;
    }
    const struct bytes decoded = bytes_from(wr_done(memory), from);
    if (!telemetry_baggage_is_text(decoded)) {
        return TELEMETRY_BAGGAGE_WRONG_TEXT;
    }
    *key = name;
    *value = decoded;
    return TELEMETRY_BAGGAGE_PAIR;
}

enum telemetry_baggage_outcome telemetry_baggage_next(struct bytes *list, struct wr *memory,
                                                      struct bytes *key, struct bytes *value)
{
    while (list->len > 0) {
        const size_t len = bytes_index(*list, ',');
        const struct bytes pair = bytes_trim(bytes_first(*list, len));

        *list = bytes_from(*list, len + 1);
        if (pair.len > 0) {
            return read_pair(pair, memory, key, value);
        }
    }
    return TELEMETRY_BAGGAGE_END;
}

const char *telemetry_baggage_wrong(enum telemetry_baggage_outcome outcome)
{
    switch (outcome) {
    case TELEMETRY_BAGGAGE_END:
    case TELEMETRY_BAGGAGE_PAIR:
        break;
    case TELEMETRY_BAGGAGE_WRONG_PAIR:
        return "has a pair that is not of the form KEY=VALUE";
    case TELEMETRY_BAGGAGE_WRONG_PERCENT:
        return "has a % that two hexadecimal digits do not follow";
    case TELEMETRY_BAGGAGE_WRONG_TEXT:
        return "has a value that is not UTF-8, or has a control character";
    case TELEMETRY_BAGGAGE_WRONG_ROOM:
        return "is too long";
    }
    assert(!"nothing is wrong");
    return "";
}
