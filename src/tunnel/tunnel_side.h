// SPDX-License-Identifier: Apache-2.0
// What each of the programs beside the relay runs in: one thread with its loop, names, timers and
// signals, and words for whoever has started it.
#pragma once

#include <stdbool.h>

#include "daemon/daemon_load.h"
#include "io/io_loop.h"
#include "io/io_pump.h"
#include "tunnel/tunnel_folder.h"
#include "tunnel/tunnel_names.h"
#include "tunnel/tunnel_timers.h"

enum { TUNNEL_SIDE_END_S = 5 }; // so long the end may take, once it is told to, unless end_s says

// In static memory: see tunnel_names.
struct tunnel_side {
    const char *program; // in front of what it says
    struct io_loop loop;
    struct tunnel_names names;
    struct tunnel_timers timers;
    struct io_pumps pumps;
    struct io_watch signals;
    uint32_t end_s; // so long the end may take
    // Called when it is told to end; it has end_s then, or until it is told again.
    void (*on_end)(void *context);
    // Called in each turn, after the events and the timers. When it is to be called next (monotonic
    // ns), or NEVER.
    uint64_t (*on_turn)(void *context, uint64_t now_ns);
    void *context;
    struct tunnel_timer timer; // of the end
    bool is_ending;
    bool is_over;
    int status; // to exit with
};

// Prepares it, for so many connections at a time. False, which is told: it cannot be.
MUST_USE bool tunnel_side_open(struct tunnel_side *side, const char *program,
                               uint32_t connection_max);
void tunnel_side_close(struct tunnel_side *side);

// Goes on until tunnel_side_over().
void tunnel_side_run(struct tunnel_side *side);
// It is over after this turn, with that exit status, unless it was already.
void tunnel_side_over(struct tunnel_side *side, int status);

// Opens certificates, and tells what is wrong with them, and what to do.
MUST_USE bool tunnel_side_certify(const struct tunnel_side *side, struct bytes folder,
                                  enum io_tls_role role, struct io_tls_context **out);

// The program's name: `name`, which is "fairlead-tunnel COMMAND", or that of the link by which it
// was called.
const char *tunnel_side_name(const struct daemon_load_sources *sources, const char *name);
