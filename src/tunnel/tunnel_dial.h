// SPDX-License-Identifier: Apache-2.0
// A TCP connection to a host, in time: its name is looked up, and its addresses are tried in turn.
#pragma once

#include <stdint.h>

#include "io/io_loop.h"
#include "tunnel/tunnel_names.h"
#include "tunnel/tunnel_timers.h"

enum {
    TUNNEL_DIAL_S = 30, // all of it
    // Of the time that is left, each address but the last has this part of it.
    TUNNEL_DIAL_SHARE = 3,
    TUNNEL_DIAL_WHY_MAX = 512, // bytes of words
};

struct tunnel_dial;

// `fd` is a connected non-blocking socket, which is the callee's, or -1: tunnel_dial_why() tells.
// The callee may free the dial, and begin it again.
typedef void (*tunnel_dial_fn)(struct tunnel_dial *dial, int fd);

// The caller sets the first three, zeroes all else, and does not move it while it dials.
struct tunnel_dial {
    struct tunnel_timers *timers;
    tunnel_dial_fn fn;
    void *context;
    struct tunnel_host *host;
    struct tunnel_asker asker;
    struct tunnel_timer timer;
    struct io_watch watch;
    uint32_t addr_index; // of the host's addresses: the one that is tried
    uint32_t addr_count;
    struct addr addrs[TUNNEL_NAMES_ADDR_MAX]; // as they were when it began
    uint64_t end_ns;
    int error;      // -errno of the last address that failed; 0: the name is not known
    int name_error; // of getaddrinfo()
};

// Begins. dial->fn is called later, or before this returns.
void tunnel_dial_begin(struct tunnel_dial *dial, struct tunnel_host *host, uint64_t now_ns);
// Gives it up; dial->fn is not called. Nothing happens if it does not dial.
void tunnel_dial_stop(struct tunnel_dial *dial);
// What has happened, in words that begin with the host: "relay.example:12000 refused ...".
void tunnel_dial_why(const struct tunnel_dial *dial, char out[TUNNEL_DIAL_WHY_MAX]);
