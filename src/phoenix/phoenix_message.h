// SPDX-License-Identifier: Apache-2.0
// Messages of a Phoenix channel as values: who decodes them from JSON, and writes them, is
// elsewhere.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

// What has come. Spans are empty where the message has nothing of the kind.
struct phoenix_message {
    struct bytes topic;
    struct bytes event;
    struct bytes status; // of the payload: of a reply, "ok" or "error"
    struct bytes reason; // of the payload, or of the response in it
    bool has_ref;        // false for what answers nothing
    uint64_t ref;
};

enum phoenix_event {
    PHOENIX_JOIN,      // phx_join: the payload is the caller's
    PHOENIX_HEARTBEAT, // heartbeat, on the topic "phoenix"
    PHOENIX_LEAVE,     // phx_leave
};

// What is to be sent.
struct phoenix_push {
    enum phoenix_event event;
    uint64_t ref; // counts from 0 on each connection
};
