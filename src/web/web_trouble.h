// SPDX-License-Identifier: Apache-2.0
// What an operator reads when a WebSocket connection cannot be had: one line for each thing that
// can be wrong, in our own words. What is wrong with TLS and certificates io_tls_end.h says.
#pragma once

#include <stdint.h>

#include "web/web_race.h"

// How far a connection has come.
enum web_trouble_stage {
    WEB_TROUBLE_TCP,
    WEB_TROUBLE_TLS,
    WEB_TROUBLE_HTTP, // the request has been sent
};

struct web_trouble_way {
    enum web_trouble_stage stage;
    char address[WEB_RACE_ADDRESS_LEN]; // where it leads, in numbers
    uint16_t port;
    uint64_t end_ns; // how long TCP may take (monotonic)
};

// Why there is no address to connect to. Not for WEB_RACE_WON.
const char *web_trouble_of_race(enum web_race_outcome outcome);

// Why a connection has ended on its way, where nothing else says so. `text` is libwebsockets' own
// reason, which does not tell why TCP has failed: that is tried once more, for a second at most.
// NULL: it has none.
const char *web_trouble_of_way(const struct web_trouble_way *way, const char *text);

// What an HTTP status of a response that does not agree means here; "" if it speaks for itself.
const char *web_trouble_of_status(uint16_t status);
