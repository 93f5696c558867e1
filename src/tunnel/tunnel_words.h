// SPDX-License-Identifier: Apache-2.0
// What has become of a TLS connection that we have made, in words for a person, with what to do.
#pragma once

#include "io/io_tls_end.h"

enum { TUNNEL_WORDS_MAX = 1536 }; // bytes

// The other side.
struct tunnel_words_whom {
    const char *who;       // "relay"
    const char *where;     // "relay.example:12000"
    const char *folder;    // of our certificate and the CA
    const char *by_option; // what wants its certificate to be for a host; or NULL
};

// One line, without a line feed.
void tunnel_words_of_end(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                         char out[TUNNEL_WORDS_MAX]);
