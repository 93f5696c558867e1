// SPDX-License-Identifier: Apache-2.0
// What the kernel program has relayed for each relayed port: the side that reads it.
//
// It is the program's map, mapped, so that reading takes no system call, in any thread. A port
// belongs to one allocation at a time: whoever gets it begins by clearing what was of the last one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "uapi/relay_abi.h"

struct xdp_usage {
    struct relay_abi_usage *entries; // NULL: not open
    size_t len;                      // bytes that are mapped
    uint16_t lowest_port;
    uint16_t highest_port;
};

// Entries of the map for the settings' ports.
uint32_t xdp_usage_entry_count(const struct relay_abi_settings *settings);

// Maps the counts of a loaded program. -errno as of mmap(2). *out is untouched unless 0.
MUST_USE int xdp_usage_open(int fd, const struct relay_abi_settings *settings,
                            struct xdp_usage *out);
// Closing twice, or what is all zero, does nothing.
void xdp_usage_close(struct xdp_usage *usage);

// Of one of the settings' ports (asserted). What packets add meanwhile may be in it or not.
struct relay_abi_usage xdp_usage_at(const struct xdp_usage *usage, uint16_t port,
                                    enum relay_abi_from from);
void xdp_usage_clear(struct xdp_usage *usage, uint16_t port);
