// SPDX-License-Identifier: Apache-2.0
// The table of paths that the kernel program looks up: the side that writes it.
//
// It is the program's map, mapped; a change needs no system call, and the program on any CPU sees
// either what was or what is. How it is laid out, relay_abi.h says. One thread writes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "uapi/relay_abi.h"

struct xdp_paths {
    struct relay_abi_entry *entries; // NULL: not open
    size_t len;                      // bytes that are mapped
    uint32_t max;                    // paths that it takes
    uint32_t count;                  // paths that it has
    uint32_t homes;
    __u64 secret[RELAY_ABI_SECRET_LEN];
};

// Chooses, before the program is loaded, how a table of up to `max` paths is searched: homes and
// secret of the settings. -errno when there is no randomness. The map has so many entries:
MUST_USE int xdp_paths_choose(uint32_t max, struct relay_abi_settings *settings);
uint32_t xdp_paths_entry_count(const struct relay_abi_settings *settings);

// Maps the table of a loaded program, which is empty. -errno as of mmap(2). *out is untouched
// unless 0.
MUST_USE int xdp_paths_open(int fd, uint32_t max, const struct relay_abi_settings *settings,
                            struct xdp_paths *out);
// Closing twice does nothing. What is in the table stays there.
void xdp_paths_close(struct xdp_paths *paths);

// Adds a path. -EEXIST: the key has one. -E2BIG: there are as many as it takes, or, by bad luck,
// too many of them have their homes here.
MUST_USE int xdp_paths_add(struct xdp_paths *paths, const struct relay_abi_key *key,
                           const struct relay_abi_path *path);
// Puts another path in the place of the key's (asserted to be there).
void xdp_paths_replace(struct xdp_paths *paths, const struct relay_abi_key *key,
                       const struct relay_abi_path *path);
// Removes the key's path (asserted to be there).
void xdp_paths_remove(struct xdp_paths *paths, const struct relay_abi_key *key);
