// SPDX-License-Identifier: Apache-2.0
// PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): who a connection comes from,
// told before its first byte.
//
//   1   PROXY TCP4 192.0.2.1 198.51.100.2 50000 443 CR LF        at most 107 bytes
//   2   a signature of 12 bytes, version and command, family, u16 length; addresses; TLVs
//
// Of the TLVs the authority is kept, and a CRC32c that is there must be right.
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "base/bytes.h"

enum {
    REVTUN_PROXY_LINE_MAX = 107,  // bytes of version 1 with its end
    REVTUN_PROXY_START_LEN = 16,  // bytes of version 2 before the addresses
    REVTUN_PROXY_READ_MAX = 2048, // bytes of version 2 that are waited for
    REVTUN_PROXY_WRITE_MAX = 512, // bytes of the longest that is written
};

enum revtun_proxy_version {
    REVTUN_PROXY_NO = 0,
    REVTUN_PROXY_V1 = 1,
    REVTUN_PROXY_V2 = 2,
};

struct revtun_proxy {
    enum revtun_proxy_version version;
    bool is_local;          // the proxy's own connection, as for a health check: there is no client
    struct addr src;        // the client; none if it is not told, or no TCP over IP
    struct addr dst;        // where it has connected to; likewise
    struct bytes authority; // the host that it asked for by TLS; may be empty
};

enum revtun_proxy_outcome {
    REVTUN_PROXY_WHOLE,
    REVTUN_PROXY_PART, // more is to come
    REVTUN_PROXY_NONE, // it does not begin as a header does
    REVTUN_PROXY_BAD,  // it does, and is malformed or too long
};

// Reads a header of either version from all that has been received. The connection's own bytes
// begin at *len. Both are untouched unless REVTUN_PROXY_WHOLE.
enum revtun_proxy_outcome revtun_proxy_read(struct bytes received, struct revtun_proxy *out,
                                            size_t *len);

// Writes the header of its version, V1 or V2; nothing for NO. Addresses of two families, or none,
// cannot be told: then it is UNKNOWN in version 1, and LOCAL in version 2, where haproxy resets a
// client without addresses. Version 1 has no place for the authority, nor for is_local.
void revtun_proxy_write(struct wr *wr, const struct revtun_proxy *proxy);
