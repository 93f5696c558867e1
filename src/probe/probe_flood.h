// SPDX-License-Identifier: Apache-2.0
// Floods: datagrams that prove nothing, sent in trains from a few addresses.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"

enum probe_flood_kind {
    PROBE_FLOOD_ALLOCATE,  // each would be answered 401
    PROBE_FLOOD_BINDING,   // each would be answered
    PROBE_FLOOD_MALFORMED, // an attribute overruns the message
    PROBE_FLOOD_KIND_COUNT,
};
extern const char *const probe_flood_names[PROBE_FLOOD_KIND_COUNT];

enum {
    PROBE_FLOOD_SOCKETS = 16,
    PROBE_FLOOD_TRAIN = 32, // messages of one call
    PROBE_FLOOD_MESSAGE_MAX = 32,
};

struct probe_flood {
    int fds[PROBE_FLOOD_SOCKETS];
    uint32_t next; // the socket whose turn it is
    uint32_t message_len;
    uint32_t serial; // so that transactions are different
    uint8_t train[PROBE_FLOOD_TRAIN * PROBE_FLOOD_MESSAGE_MAX];
};

// Opens sockets towards the server. -errno; close it all the same.
MUST_USE int probe_flood_open(struct probe_flood *flood, const struct addr *local,
                              const struct addr *server);
void probe_flood_close(struct probe_flood *flood);

void probe_flood_begin(struct probe_flood *flood, enum probe_flood_kind kind);
// Sends a train; how many messages the system has taken.
uint32_t probe_flood_send(struct probe_flood *flood);
