// SPDX-License-Identifier: Apache-2.0
// What servers and clients of each address were refused lately, kept for whoever asks why one does
// not get through.
//
// Memory is fixed, and nobody can push out much of it: a refusal is kept in a bucket that a secret
// hash of its network chooses (base/shares.h), so that whoever is refused without end displaces
// what happens to lie in the same bucket, and no more. The same once more is one entry with a
// greater count. For one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"
#include "base/siphash.h"
#include "revtun/revtun_command.h"
#include "revtun/revtun_pattern.h"

enum {
    TUNNEL_REFUSALS_BUCKETS = 128,
    TUNNEL_REFUSALS_DEPTH = 8, // entries of a bucket
    TUNNEL_REFUSALS_DETAIL_MAX = 160,
    TUNNEL_REFUSALS_ABOUT_MAX = REVTUN_HOST_MAX + 1, // bytes with their end
};

enum tunnel_refusal_kind {
    TUNNEL_REFUSAL_HANDSHAKE, // of a control connection: `detail` says why
    TUNNEL_REFUSAL_CROWDED,   // it did not begin (tunnel_handshakes.h)
    TUNNEL_REFUSAL_FULL,      // a server: all pairs of ports were taken
    TUNNEL_REFUSAL_SPOKE,     // a server was unlinked, since it sent what nobody understands
    TUNNEL_REFUSAL_LOST,      // a server was unlinked, since its control connection was gone
    TUNNEL_REFUSAL_LIMIT,     // a client: `detail` says of which limit
    TUNNEL_REFUSAL_TIMED_OUT, // a client: no reverse connection came for it
    TUNNEL_REFUSAL_FOREIGN,   // a reverse connection came from elsewhere than its server
    // Of version 2:
    TUNNEL_REFUSAL_AGENT,  // a control connection has ended: `detail` says why
    TUNNEL_REFUSAL_FORGED, // a data connection had no preface that is good
    TUNNEL_REFUSAL_SEALED, // one in TLS did not come to its preface: `detail` says why
    TUNNEL_REFUSAL_BIND,   // an agent asked for a name, port or host: `detail` says why not
    TUNNEL_REFUSAL_DENIED, // a client: its agent has refused it
    TUNNEL_REFUSAL_NOBODY, // a client: nobody has the port or host that it came for
};

struct tunnel_refusal {
    struct addr from;
    enum tunnel_refusal_kind kind;
    uint32_t pair;   // of ports; POOL_NONE: none
    uint16_t port;   // of version 2, which was asked for; 0: none
    uint32_t count;  // 0: a free entry
    int64_t first_s; // Unix time
    int64_t last_s;
    char detail[TUNNEL_REFUSALS_DETAIL_MAX]; // may be empty
    // Of version 2: "owner/name" of a tunnel, "owner" of an agent, or a host; may be empty.
    char about[TUNNEL_REFUSALS_ABOUT_MAX];
};

struct tunnel_refusals {
    struct siphash_key key;
    struct tunnel_refusal *entries; // bucket by bucket
};

// The key is secret. 0 or -ENOMEM.
MUST_USE int tunnel_refusals_open(struct tunnel_refusals *refusals, const struct siphash_key *key);
// Closing twice, or what is all zero, does nothing.
void tunnel_refusals_close(struct tunnel_refusals *refusals);

// Keeps one; the detail is cut off where there is no more room for it, and may be NULL.
void tunnel_refusals_keep(struct tunnel_refusals *refusals, enum tunnel_refusal_kind kind,
                          const struct addr *from, uint32_t pair, const char *detail,
                          int64_t wall_s);
// Keeps what a report says, if it is of a refusal.
void tunnel_refusals_report(struct tunnel_refusals *refusals,
                            const struct revtun_command_report *report, int64_t wall_s);

// Copies those of an address, whatever its ports, the newest first; how many.
uint32_t tunnel_refusals_find(const struct tunnel_refusals *refusals, const struct addr *from,
                              struct tunnel_refusal out[TUNNEL_REFUSALS_DEPTH]);
// The same of those that are of version 2 and about a port, unless that is 0, or about a word: a
// host, an agent, a tunnel by its name, or as "owner/name". It looks at all that are kept.
uint32_t tunnel_refusals_find_about(const struct tunnel_refusals *refusals, uint16_t port,
                                    struct bytes word,
                                    struct tunnel_refusal out[TUNNEL_REFUSALS_DEPTH]);
