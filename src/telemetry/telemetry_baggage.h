// SPDX-License-Identifier: Apache-2.0
// Lists of the form "key=value,key=value", as OTEL_RESOURCE_ATTRIBUTES and
// OTEL_EXPORTER_OTLP_HEADERS have them: W3C Baggage without its properties.
//
// Keys are tokens of HTTP. Values are percent-decoded; they are UTF-8 without control characters
// then, so that each may be a string of protobuf or the value of a header. Blanks around keys and
// values do not count, nor do empty places between commas. More than W3C allows may stand bare in a
// value (blanks, quotes, semicolons), since people write it so.
#pragma once

#include "base/bytes.h"

enum telemetry_baggage_outcome {
    TELEMETRY_BAGGAGE_END,
    TELEMETRY_BAGGAGE_PAIR,
    TELEMETRY_BAGGAGE_WRONG_PAIR,    // no "=", or what stands before it is no key
    TELEMETRY_BAGGAGE_WRONG_PERCENT, // "%" without two hexadecimal digits
    TELEMETRY_BAGGAGE_WRONG_TEXT,    // not UTF-8, or with a control character
    TELEMETRY_BAGGAGE_WRONG_ROOM,    // it does not fit into the memory
};

// Takes the next pair off the front of *list. Its value is written to `memory`; the key is borrowed
// from the list. *key and *value are set with TELEMETRY_BAGGAGE_PAIR alone.
MUST_USE enum telemetry_baggage_outcome telemetry_baggage_next(struct bytes *list,
                                                               struct wr *memory, struct bytes *key,
                                                               struct bytes *value);

// What is wrong with a list, as the end of a sentence: "has a pair that is not of the form
// KEY=VALUE". For the four outcomes WRONG.
const char *telemetry_baggage_wrong(enum telemetry_baggage_outcome outcome);

// UTF-8 without control characters (RFC 3629: no surrogates, nothing overlong).
bool telemetry_baggage_is_text(struct bytes text);
