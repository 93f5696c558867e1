// SPDX-License-Identifier: Apache-2.0
// Who speaks: the attributes that OTLP sends with everything, each key once.
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "telemetry/telemetry_baggage.h"

enum {
    TELEMETRY_RESOURCE_MAX = 64,         // attributes
    TELEMETRY_RESOURCE_TEXT_MAX = 16384, // bytes of all keys and values
};

struct telemetry_attribute {
    struct bytes key;
    struct bytes value;
};

// Keys and values lie in `text`: it does not move.
struct telemetry_resource {
    struct telemetry_attribute attributes[TELEMETRY_RESOURCE_MAX];
    size_t count;
    uint8_t text[TELEMETRY_RESOURCE_TEXT_MAX];
    size_t text_len;
};

// Empties it.
void telemetry_resource_init(struct telemetry_resource *resource);

// Sets an attribute, in place of one of the same key. False, with nothing changed, when there are
// too many or they are too long. Both are UTF-8.
MUST_USE bool telemetry_resource_set(struct telemetry_resource *resource, struct bytes key,
                                     struct bytes value);

// Sets all of a list such as OTEL_RESOURCE_ATTRIBUTES. TELEMETRY_BAGGAGE_END when all is well; else
// what is wrong, and the pairs before it are set.
MUST_USE enum telemetry_baggage_outcome telemetry_resource_read(struct telemetry_resource *resource,
                                                                struct bytes list);
