// SPDX-License-Identifier: Apache-2.0
// The ways that a channel's packet can take: what comes in, which paths are bound for it, and what
// must go out.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/kernel.h"
#include "bpf/packet.h"

enum way_kind {
    WAY_TO_PEER,
    WAY_TO_CLIENT,
    WAY_TURNED,
    WAY_KINDS,
};

enum {
    WAY_CHANNEL = 0x4001,       // of the client for its peer
    WAY_OTHER_CHANNEL = 0x7FFE, // of the other client for the first one
    WAY_RELAYED_PORT = 50010,   // of the client
    WAY_OTHER_PORT = 59999,     // relayed, of the other client
    WAY_TTL = 61,
    WAY_COUNT = 12,
};

struct way {
    enum way_kind kind;
    enum addr_family in;
    enum addr_family out;
    uint32_t hop; // by which it leaves
    bool is_torn; // its paths are just being written
};

// The twelve ways: index is less than WAY_COUNT. Each leaves by the interface that it came in by.
struct way way_of(uint32_t index);
const char *way_name(const struct way *way);

// Forgets all paths, and binds those of the way.
void way_bind(struct kernel *kernel, const struct way *way);

// Forgets the path of the other one of two clients.
void way_unbind_other(struct kernel *kernel, const struct way *way);

// How much data a packet can have that leaves by it.
size_t way_longest(const struct way *way);

// A packet that takes the way.
struct packet way_in(const struct way *way, const uint8_t *data, size_t data_len);
// What must become of it; `in` may have been changed, but for addresses, ports and channel.
struct packet way_out(const struct way *way, const struct packet *in);
enum relay_abi_verdict way_verdict(const struct way *way);
