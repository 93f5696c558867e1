// SPDX-License-Identifier: Apache-2.0
// Where a portal is: the URL that an operator gives, and the one that the relay connects to.
//
//     https://api.example.org/base    becomes    wss://api.example.org:443/base/relay/websocket?...
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "web/web_socket.h"

enum {
    PORTAL_LINK_URL_PATH_MAX = 512, // bytes of the path that is given
    PORTAL_LINK_URL_NAME_MAX = 255, // bytes of a relay's name
};

struct portal_link_url {
    bool is_tls;       // https or wss
    struct bytes host; // a name, or an address without brackets; borrowed
    bool is_ip6;       // the host is an address of IPv6, which stands in brackets in Host
    uint16_t port;     // 443 if none is given, whatever the scheme
    struct bytes path; // without the slash at its end; empty or with one at its start; borrowed
};

// What a relay says of itself in the query.
struct portal_link_self {
    struct bytes name; // up to PORTAL_LINK_URL_NAME_MAX bytes; empty: none
    struct addr ip4;   // ADDR_NONE: none
    struct addr ip6;
    uint16_t port;
};

// Reads SCHEME://HOST[:PORT][/PATH][?...][#...], where the scheme is http, https, ws or wss, and
// what stands behind the path does not count. False, with *out untouched, for all else: a user, an
// empty host or port, a character that does not belong there, what is longer than web_socket.h
// allows; and an address of IPv6 with TLS, since certificates are for names here.
MUST_USE bool portal_link_url_read(struct bytes text, struct portal_link_url *out);

// Writes path and query of the request, with a NUL at the end: WEB_SOCKET_PATH_MAX + 1 bytes are
// enough.
void portal_link_url_target_write(struct wr *wr, const struct portal_link_url *url,
                                  const struct portal_link_self *self);
