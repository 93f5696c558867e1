// SPDX-License-Identifier: Apache-2.0
// The lines of version 1, which a relay writes to a server on its control connection.
//
//      public_listener HOST:PORT\r\n       always first
//      reverse_listener HOST:PORT\r\n      always second, in the same piece
//      new_connection\r\n                  for each client, as it is accepted
//      no_available_listeners\r\n          instead of the first two; the relay closes then
//
// HOST is what the operator says, without brackets: servers cut at the last colon, take the first
// two in either order, and leave out lines that they do not know. A server writes nothing. What
// comes from it is not kept, but the first complete line ends the connection, and so does a line
// that does not end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "revtun/revtun_config.h"

enum {
    REVTUN_LINE_MAX = 16384, // bytes without an end that a server may send
    // Bytes of the longest greeting: two lines with the longest host.
    REVTUN_LINE_GREETING_MAX =
        2 * (sizeof "reverse_listener " + REVTUN_CONFIG_HOST_MAX + sizeof ":65535\r\n"),
    REVTUN_LINE_NEW_CONNECTION_LEN = sizeof "new_connection\r\n" - 1,
};

// It may be told to servers: 1 to REVTUN_CONFIG_HOST_MAX bytes, without spaces and controls.
bool revtun_line_is_host(struct bytes host);

// The two lines that tell a server its pair.
void revtun_line_greeting_write(struct wr *wr, struct bytes host, uint16_t public_port,
                                uint16_t reverse_port);
void revtun_line_new_connection_write(struct wr *wr);
void revtun_line_no_available_listeners_write(struct wr *wr);

// What is known of the line that a server has begun. All zero: nothing has come.
struct revtun_line_watch {
    uint32_t len; // bytes of it that have come
    bool is_cr;   // the last of them was a CR
    uint8_t zero[3];
};

enum revtun_line_outcome {
    REVTUN_LINE_OPEN,     // no end of a line yet
    REVTUN_LINE_COMPLETE, // a line has come
    REVTUN_LINE_TOO_LONG, // more than REVTUN_LINE_MAX bytes without an end
};

// Looks at the next bytes. After another outcome than REVTUN_LINE_OPEN the watch is over.
MUST_USE enum revtun_line_outcome revtun_line_watch(struct revtun_line_watch *watch,
                                                    struct bytes bytes);

// --- what a server reads -------------------------------------------------------------------------

enum revtun_line_kind {
    REVTUN_LINE_UNKNOWN, // to be ignored
    REVTUN_LINE_PUBLIC_LISTENER,
    REVTUN_LINE_REVERSE_LISTENER,
    REVTUN_LINE_NEW_CONNECTION,
    REVTUN_LINE_NO_AVAILABLE_LISTENERS,
    REVTUN_LINE_BAD_ADDRESS, // one of the listeners, with something that is no address
};

struct revtun_line_address {
    struct bytes host; // as revtun_line_is_host() says
    uint16_t port;     // not 0
};

// Reads a line without its end. *address is set, borrowed from the line, for the two listeners
// alone.
enum revtun_line_kind revtun_line_read(struct bytes line, struct revtun_line_address *address);
