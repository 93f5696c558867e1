// SPDX-License-Identifier: Apache-2.0
// What a collector has answered, from the bytes and headers that came, by the rules of OTLP 1.x:
// whether it took the data, and if not, whether it is of use to send them again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "telemetry/telemetry_arena.h"
#include "telemetry/telemetry_endpoint.h"

enum {
    TELEMETRY_ANSWER_TEXT_MAX = 256,    // bytes, with a NUL
    TELEMETRY_ANSWER_WAIT_MAX_S = 3600, // longer waits are cut to this
};

// As it came. All of it is foreign; what is missing is empty.
struct telemetry_reply {
    enum telemetry_protocol protocol;
    int64_t wall_s; // Unix time
    long http_status;
    struct bytes content_type;
    struct bytes retry_after;
    struct bytes grpc_status; // from the trailers, or from the headers if there are none
    struct bytes grpc_message;
    struct bytes body;
};

enum telemetry_answer_kind {
    TELEMETRY_ANSWER_TAKEN,       // all of it, or what the collector wanted of it
    TELEMETRY_ANSWER_LATER,       // it may do so later: the standard says to try again
    TELEMETRY_ANSWER_REFUSED,     // not this, whenever it is sent
    TELEMETRY_ANSWER_UNSUPPORTED, // nothing of this signal
};

struct telemetry_answer {
    enum telemetry_answer_kind kind;
    uint32_t wait_s;         // before the next try, as the collector wishes; 0: it does not say
    uint64_t rejected_count; // data points or spans that it has taken and thrown away
    char text[TELEMETRY_ANSWER_TEXT_MAX]; // why, for people; may be empty, and may be any bytes
};

// Judges a reply. The arena is emptied, and bounds what a reply may cost.
void telemetry_answer_read(const struct telemetry_reply *reply, struct telemetry_arena *arena,
                           struct telemetry_answer *out);

// An answer of our own making, where none came: LATER, with a text.
void telemetry_answer_none(struct telemetry_answer *out, const char *text);
