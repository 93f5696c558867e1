// SPDX-License-Identifier: Apache-2.0
// What a TLS client asks for in its ClientHello (RFC 8446 section 4.1.2): which host (RFC 6066
// section 3) and which protocols (RFC 7301).
//
// A ClientHello may lie in several records, and come in pieces of any size. It is read again from
// its beginning with each piece, so both its bytes and its records have a limit: else who sends a
// byte in each record, and each in a packet of its own, would cost us far more than himself. With
// Encrypted Client Hello the host is the outer one, which is all that anybody can see but for whom
// it is meant.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "revtun/revtun_pattern.h"

enum {
    REVTUN_HELLO_MAX = 16384,     // bytes of records; browsers send two thousand
    REVTUN_HELLO_RECORD_MAX = 64, // records; nearly all send one
};

enum revtun_hello_outcome {
    REVTUN_HELLO_WHOLE,
    REVTUN_HELLO_PART, // more is to come
    REVTUN_HELLO_NONE, // this is not TLS
    REVTUN_HELLO_BAD,  // it begins as TLS, and is malformed
    REVTUN_HELLO_LONG, // it does not end within these limits
};

struct revtun_hello {
    uint8_t host[REVTUN_HOST_MAX]; // in lower case
    uint8_t host_len;              // bytes; 0: none, or one that is no host name, as an address
    bool is_encrypted;             // there is an Encrypted Client Hello, and `host` the outer one
    struct bytes protocols;        // ALPN's list, each with its length before it; may be empty
};

// What a connection begins with may become a ClientHello.
bool revtun_hello_is_likely(struct bytes start);

// Reads a ClientHello from all that has been received; what follows it is left alone. Its messages
// are put together in `scratch`, from which the result borrows. *out is untouched unless
// REVTUN_HELLO_WHOLE.
enum revtun_hello_outcome revtun_hello_read(struct bytes received,
                                            uint8_t scratch[REVTUN_HELLO_MAX],
                                            struct revtun_hello *out);

struct bytes revtun_hello_host(const struct revtun_hello *hello);

// The client offers this protocol by ALPN.
bool revtun_hello_offers(const struct revtun_hello *hello, const char *protocol);
