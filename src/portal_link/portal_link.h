// SPDX-License-Identifier: Apache-2.0
// The live connection of a relay to its portal: keeps it joined, and says when that changes.
//
// The room portal_link promises: what a portal sends, however long, deep or wrong, costs a bounded
// amount of memory and a line in the log. It knows JSON and the portal's URLs; when to do what is
// decided in phoenix. The token and the stamp secret are never logged, and wiped at the end.
//
// One thread runs it: while (portal_link_turn(link)) {}. Only portal_link_leave() may be called by
// others.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "phoenix/phoenix_channel.h"
#include "portal_link/portal_link_url.h"
#include "web/web_socket.h"

enum {
    PORTAL_LINK_TOKEN_MAX = 4096, // bytes
    PORTAL_LINK_SECRET_MAX = 128, // bytes
};

enum portal_link_state {
    PORTAL_LINK_CONNECTING, // it is not joined, for the first time or again
    PORTAL_LINK_JOINED,
    PORTAL_LINK_REFUSED, // for good, which is logged
    PORTAL_LINK_LEFT,    // as asked for
};

struct portal_link_options {
    struct portal_link_url url;
    struct portal_link_self self;
    struct bytes token;  // 1 to PORTAL_LINK_TOKEN_MAX printable characters, none of them a blank
    struct bytes secret; // 1 to PORTAL_LINK_SECRET_MAX bytes, plain as portal_link_frame.h says
    const char *ca_path; // as of web_socket_open()
    // Called by portal_link_turn() whenever the state is another one.
    void (*changed)(void *context, enum portal_link_state state);
    void *context;
};

struct portal_link {
    struct web_socket socket;
    struct phoenix_channel channel;
    enum portal_link_state state;
    void (*changed)(void *context, enum portal_link_state state);
    void *context;
    atomic_bool is_leaving; // asked for by any thread
    bool is_tls;
    uint16_t port;
    char address[WEB_SOCKET_HOST_MAX + 1];
    char host[WEB_SOCKET_HOST_MAX + 3];
    char path[WEB_SOCKET_PATH_MAX + 1];
    size_t headers_len;
    uint8_t headers[WEB_SOCKET_HEADERS_MAX];
    size_t secret_len;
    uint8_t secret[PORTAL_LINK_SECRET_MAX];
};

// Copies the options. Nothing is connected yet. As web_socket_open(); it does not move.
MUST_USE int portal_link_open(struct portal_link *link, const struct portal_link_options *options);
// Closing twice, or what is all zero, does nothing.
void portal_link_close(struct portal_link *link);

// Does what is due, and waits for more. False: it has ended, and is not to be called again.
MUST_USE bool portal_link_turn(struct portal_link *link);

// Has it leave the portal and end, which takes a second at most unless a name is just being looked
// up. From any thread, any number of times.
void portal_link_leave(struct portal_link *link);
