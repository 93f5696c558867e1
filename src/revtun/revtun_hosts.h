// SPDX-License-Identifier: Apache-2.0
// Which tunnel has which host of the shared TLS ports, of which each has one tunnel.
//
// The host as it is goes before patterns, and a longer pattern before a shorter one: for b.a.test
// they are b.a.test, *.a.test, *.test and *.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"

#define REVTUN_HOSTS_NONE UINT32_MAX // no tunnel

struct revtun_hosts {
    struct siphash_key key;
    struct pool pool;
    struct table by_pattern;
};

// The hosts of one tunnel; its owner's to keep.
struct revtun_hosts_list {
    uint32_t tunnel; // its number, which is the caller's; not REVTUN_HOSTS_NONE
    uint32_t first;  // POOL_NONE: it has none
    uint32_t count;  // of its patterns
    uint32_t max;    // of those, when it gets more
};

enum revtun_hosts_outcome {
    REVTUN_HOSTS_OK,
    REVTUN_HOSTS_TAKEN, // one of them is another tunnel's
    REVTUN_HOSTS_MANY,  // with them it would have more than `max`
    REVTUN_HOSTS_FULL,
};

// `capacity`: of patterns, all tunnels together; at least 1.
size_t revtun_hosts_size(uint32_t capacity);
// `memory` is zeroed, aligned for uint64_t and has revtun_hosts_size() bytes. The key is secret.
void revtun_hosts_init(struct revtun_hosts *hosts, void *memory, uint32_t capacity,
                       struct siphash_key key);

// Gives a tunnel all of a list of patterns (revtun_pattern.h), beside those that it has; or none.
// *last is the one that it was refused for; borrowed from the list.
enum revtun_hosts_outcome revtun_hosts_bind(struct revtun_hosts *hosts, struct bytes patterns,
                                            struct revtun_hosts_list *list, struct bytes *last);
// Takes all of them from it.
void revtun_hosts_release(struct revtun_hosts *hosts, struct revtun_hosts_list *list);

// The next of a tunnel's patterns, from *cursor on, which begins as list->first. False at the end.
MUST_USE bool revtun_hosts_next(const struct revtun_hosts *hosts, uint32_t *cursor,
                                struct bytes *pattern);

// The tunnel that a client is for who asks for this host, or REVTUN_HOSTS_NONE.
uint32_t revtun_hosts_find(const struct revtun_hosts *hosts, struct bytes host);

// Patterns that are bound.
uint32_t revtun_hosts_count(const struct revtun_hosts *hosts);
