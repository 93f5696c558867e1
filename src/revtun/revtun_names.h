// SPDX-License-Identifier: Apache-2.0
// Which public port belongs to which tunnel: leases that outlive connections and restarts.
//
// A tunnel is named by its owner (an agent, as the access list knows it) and its name, so owners
// have nothing to do with one another's names. Each public port is free, or leased: bound, or
// resting since its tunnel was last bound. A resting port stays its tunnel's own for the time of
// the lease. Of the ports that may be given away the one is taken that was left the longest ago.
// No step on the way of a request goes through all ports, however many there are.
//
// An owner holds so many ports at most; for a further name its own longest-resting lease gives way.
// Leases are kept in the caller's memory, and as text in a file of the caller's:
//
//     12101 laptop web 0             port, owner, name, Unix time at which it was released; 0:
//     bound
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/siphash.h"
#include "revtun/revtun_holders.h"

enum {
    REVTUN_NAMES_OWNER_MAX = REVTUN_HOLDERS_OWNER_MAX,
    REVTUN_NAMES_LINE_MAX = 168, // bytes of a line of the text, with its end
};

struct revtun_names_config {
    uint16_t first_port;    // 1 to 65535
    uint16_t port_count;    // at least 1; the last port is at most 65535
    uint32_t lease_s;       // how long a port rests for its tunnel
    struct siphash_key key; // random, secret
};

struct revtun_names;

// Bytes of memory for so many ports, aligned for uint64_t.
size_t revtun_names_size(uint16_t port_count);
// `memory` is zeroed. All ports are free.
struct revtun_names *revtun_names_init(void *memory, const struct revtun_names_config *config);

// A tunnel that is to be bound.
struct revtun_names_wish {
    struct bytes owner; // 1 to REVTUN_NAMES_OWNER_MAX bytes of visible ASCII
    struct bytes name;  // a name (revtun_pattern.h)
    struct bytes ports; // list of patterns: what its owner may have
    uint16_t port;      // 0: the one that it had, or any
    uint32_t owner_max; // ports that the owner may hold
};

enum revtun_names_outcome {
    REVTUN_NAMES_OK,
    REVTUN_NAMES_BOUND,      // it is bound already
    REVTUN_NAMES_DENIED,     // the wanted port is none that its owner may have
    REVTUN_NAMES_PORT_TAKEN, // the wanted port is another tunnel's
    REVTUN_NAMES_NO_PORT,    // none is left of those that its owner may have
    REVTUN_NAMES_QUOTA,      // its owner has bound as many as it may
};

// Binds a tunnel to a port. *port is untouched unless REVTUN_NAMES_OK.
enum revtun_names_outcome revtun_names_bind(struct revtun_names *names,
                                            const struct revtun_names_wish *wish, int64_t wall_s,
                                            uint16_t *port);

// Lets the port of a tunnel, which is bound, rest.
void revtun_names_release(struct revtun_names *names, uint16_t port, int64_t wall_s);

// The port of a tunnel, bound or resting, or 0.
uint16_t revtun_names_find(const struct revtun_names *names, struct bytes owner, struct bytes name);

// Whose a port is. Of a lease that is over nobody has the port, though it may get it again.
struct revtun_names_lease {
    struct bytes owner, name; // borrowed until the next change
    bool is_bound;
    int64_t released_s; // when it began to rest, of one that is not bound
};
// False, with *out untouched: nobody's, or it is none of these ports.
MUST_USE bool revtun_names_look(const struct revtun_names *names, uint16_t port, int64_t wall_s,
                                struct revtun_names_lease *out);
// Ports that are neither bound nor rest for anybody.
uint32_t revtun_names_free_count(struct revtun_names *names, int64_t wall_s);

// Grows with each change of what is written: when to write again.
uint64_t revtun_names_change_count(const struct revtun_names *names);
// Leases that there are, bound and resting; at most port_count.
size_t revtun_names_count(const struct revtun_names *names);

// Writes all leases that are not over, in up to REVTUN_NAMES_LINE_MAX bytes for each.
void revtun_names_write(const struct revtun_names *names, int64_t wall_s, struct wr *wr);

// Lines of a text that were left out: malformed, over, not of these ports, or contradicting others.
struct revtun_names_dropped {
    size_t count;
    size_t first_line; // from 1; 0: none
};

// Reads leases where there are none yet. What was bound when it was written rests from now on.
struct revtun_names_dropped revtun_names_read(struct revtun_names *names, struct bytes text,
                                              int64_t wall_s);
