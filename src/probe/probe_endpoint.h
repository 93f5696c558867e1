// SPDX-License-Identifier: Apache-2.0
// A server as it is named on the command line: by an address, or by a name that is looked up once,
// before anything is sent, so that all that follows is about one address.
#pragma once

#include "base/addr.h"
#include "conf/conf.h"

enum {
    PROBE_ENDPOINT_PORT = 3478,    // of STUN and TURN over UDP
    PROBE_ENDPOINT_NAME_MAX = 253, // characters of a host's name in DNS
};

struct probe_endpoint {
    struct addr addr;        // ADDR_NONE: of a name that was not looked up yet
    struct bytes name;       // borrowed; empty: an address was given
    uint16_t port;           // the same as of `addr`
    enum addr_family family; // that is wanted of a name; ADDR_NONE: whichever comes first
};

// Reads "HOST", "HOST:PORT" or "[ADDR]:PORT". False, with *out untouched, when it is none of them.
MUST_USE bool probe_endpoint_read(struct bytes text, struct probe_endpoint *out);

// Reads the options of probe_server_options.h that say where the server is; what is wrong goes to
// the errors of `conf`.
void probe_endpoint_take(struct conf *conf, struct probe_endpoint *out);

// Looks the name up, if it is one, and says on standard error which address was taken, and which
// others there are. False, after saying why, when there is none.
MUST_USE bool probe_endpoint_find(struct probe_endpoint *endpoint);

// It in words, "turn.example.org (192.0.2.1:3478)" or "192.0.2.1:3478", as a C string.
enum { PROBE_ENDPOINT_TEXT_MAX = PROBE_ENDPOINT_NAME_MAX + ADDR_TEXT_MAX + 4 };
const char *probe_endpoint_text(const struct probe_endpoint *endpoint,
                                char text[PROBE_ENDPOINT_TEXT_MAX]);
