// SPDX-License-Identifier: Apache-2.0
// URLs of HTTP and WebSocket servers, as operators write them (RFC 3986):
//
//      https://api.example.org:8443/base/path?query#fragment
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "http/http_authority.h"

enum http_url_scheme {
    HTTP_URL_HTTP,
    HTTP_URL_HTTPS,
    HTTP_URL_WS,
    HTTP_URL_WSS,
};

// All of it is borrowed.
struct http_url {
    enum http_url_scheme scheme;
    struct http_authority authority;
    struct bytes authority_text; // as it is written
    struct bytes path;           // with the slash at its start; empty: none
    struct bytes tail;           // query and fragment, as they come; not looked into
};

// Reads SCHEME://HOST[:PORT][/PATH][?QUERY][#FRAGMENT]; the scheme in any case. False, with *out
// untouched, for another scheme, what http_authority.h refuses, such as a user, and a path with a
// character that may not stand there.
MUST_USE bool http_url_read(struct bytes text, struct http_url *out);

// The connection is to be made by TLS.
bool http_url_is_tls(const struct http_url *url);
