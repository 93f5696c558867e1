// SPDX-License-Identifier: Apache-2.0
// The access list: which agents there are, and what each may have. Who is not on it has nothing.
//
//     # a comment has a line of its own
//     token laptop 5f1c...64 digits...  ports=*
//     token shop   09ab...64 digits...  names=web,api-* sni=shop.test,*.shop.test connections=100
//     cert  77d0...64 digits...         ports=12101-12110,12150 tunnels=4
//     cert  any                         ports=*
//
// An agent is a token, by its name and verifier (revtun_token.h), or a certificate, by the SHA-256
// of its SubjectPublicKeyInfo; `any` is each that the relay's CA has signed and that has no line of
// its own. What it may have:
//
//     names=        patterns of the names of its tunnels; all, if it is not there
//     ports=        patterns of public ports; none, if it is not there
//     sni=          patterns of hosts at the shared TLS ports; none, if it is not there
//     tunnels=      how many at a time, and ports that are kept for it; 16, if it is not there
//     hosts=        hosts and patterns of hosts at a time, over all of its tunnels; 256, if it is
//                   not there
//     connections=  clients at a time, over all of its tunnels; as many as the relay, if not there
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "revtun/revtun_token.h"

enum {
    REVTUN_ACCESS_HASH_LEN = 32,   // bytes of a verifier, or of a SHA-256
    REVTUN_ACCESS_LINE_MAX = 4096, // bytes of a line
    REVTUN_ACCESS_TUNNELS = 16,    // if nothing is said
    REVTUN_ACCESS_HOSTS = 256,     // likewise
    REVTUN_ACCESS_MISTAKE_MAX = 8, // kept; more are counted only
};

enum revtun_access_kind {
    REVTUN_ACCESS_TOKEN,
    REVTUN_ACCESS_CERT,
    REVTUN_ACCESS_ANY_CERT,
};

struct revtun_access_entry {
    enum revtun_access_kind kind;
    struct bytes id;                      // of a token, else empty
    uint8_t hash[REVTUN_ACCESS_HASH_LEN]; // verifier or SHA-256
    struct bytes names, ports, hosts;     // lists of patterns
    uint32_t tunnel_max;
    uint32_t host_max;       // patterns of hosts that are bound at a time
    uint32_t connection_max; // 0: as many as the relay
    size_t line;             // where it stands, from 1
    // How it is found, which concerns revtun_access.c alone: the places in `entries` plus one, or
    // 0, of the first one whose agent has the hash of this place, and of the next one behind it.
    size_t first_here, next;
};

// The list; entries in the caller's memory, whose texts are borrowed from what was read. An agent
// is found at once, however long it is.
struct revtun_access {
    struct revtun_access_entry *entries;
    size_t count;
    size_t capacity;
};

enum revtun_access_wrong {
    REVTUN_ACCESS_WRONG_KIND,   // a line begins with neither token nor cert
    REVTUN_ACCESS_WRONG_ID,     // no name behind `token`
    REVTUN_ACCESS_WRONG_HASH,   // not 64 hexadecimal digits
    REVTUN_ACCESS_WRONG_KEY,    // not one of the above with its =
    REVTUN_ACCESS_WRONG_VALUE,  // a value that its key does not take
    REVTUN_ACCESS_WRONG_TWICE,  // the agent, or the key, is there already
    REVTUN_ACCESS_WRONG_LENGTH, // a line is too long
    REVTUN_ACCESS_WRONG_COUNT,  // more agents than the relay has room for
};

struct revtun_access_mistake {
    enum revtun_access_wrong wrong;
    size_t line;
    struct bytes given; // the word; borrowed. A hash is never told, nor what may be one.
};

struct revtun_access_mistakes {
    struct revtun_access_mistake items[REVTUN_ACCESS_MISTAKE_MAX];
    size_t count;    // kept in items
    size_t left_off; // found after items was full
};

// Reads a whole list into entries[capacity], replacing what `access` had. The text outlives it.
// False when there is a mistake; *access is then without entries.
MUST_USE bool revtun_access_read(struct bytes text, struct revtun_access *access,
                                 struct revtun_access_mistakes *mistakes);

// How many entries a text may have, to make room for them: its lines.
size_t revtun_access_count_max(struct bytes text);

// Writes a mistake as a line without its end: "line 7: 'prots=' is not known here: names=, ports=,
// sni=, tunnels=, hosts=, connections=".
void revtun_access_mistake_write(struct wr *wr, const struct revtun_access_mistake *mistake);

// Writes the beginning of a line of the list, up to what the token may have.
void revtun_access_token_write(struct wr *wr, struct bytes id,
                               const uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN]);

// The agent with this token's name, or NULL.
const struct revtun_access_entry *revtun_access_find_token(const struct revtun_access *access,
                                                           struct bytes id);
// The agent with this certificate, which the relay's CA has signed, or NULL.
const struct revtun_access_entry *revtun_access_find_cert(
    const struct revtun_access *access, const uint8_t hash[REVTUN_ACCESS_HASH_LEN]);

// What an agent may have: a name, a port, all of a list of patterns of hosts.
bool revtun_access_may_name(const struct revtun_access_entry *entry, struct bytes name);
bool revtun_access_may_port(const struct revtun_access_entry *entry, uint16_t port);
bool revtun_access_may_hosts(const struct revtun_access_entry *entry, struct bytes hosts);
