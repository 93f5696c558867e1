// SPDX-License-Identifier: Apache-2.0
// What each pair of ports of version 1, and each tunnel of version 2, has seen: who has it, who had
// it before, what was carried, and what went wrong since then. For one thread.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_command.h"
#include "tunnel/tunnel_session.h"

// Something that was met, how often, and when the last time.
struct tunnel_ledger_mark {
    uint64_t count;
    int64_t last_s; // Unix time
};

// Of a pair, since its server has it, or had it; or of a tunnel, since it was bound the first time.
struct tunnel_ledger_entry {
    struct addr server;                  // or agent; ADDR_NONE: nobody has had it yet
    uint32_t generation;                 // of a tunnel (struct pool_ref)
    uint64_t linked_ns;                  // monotonic
    int64_t linked_s;                    // Unix time
    int64_t gone_s;                      // 0: it has it still
    bool has_spoken;                     // it is gone since it sent what nobody understands
    uint64_t sessions;                   // that have begun, as far as they have ended
    uint64_t bytes[2];                   // of these: from clients, to clients
    struct tunnel_ledger_mark again;     // announcements that were repeated
    struct tunnel_ledger_mark timed_out; // clients that were closed, since nobody came for them
    struct tunnel_ledger_mark denied;    // clients that their agent refused
    struct tunnel_ledger_mark mute;      // sessions of a tunnel that carried nothing to the client
    struct tunnel_ledger_mark limited;   // clients that met a limit
    struct tunnel_ledger_mark foreign;   // reverse connections that came from elsewhere
    enum revtun_refusal limit;           // the last one that was met
    struct addr foreigner;               // the last one
};

struct tunnel_ledger {
    struct tunnel_ledger_entry *entries; // by pair
    uint32_t pair_count;
    struct tunnel_ledger_entry *tunnels; // by the index of a tunnel
    uint32_t tunnel_count;
};

// 0 or -ENOMEM.
MUST_USE int tunnel_ledger_open(struct tunnel_ledger *ledger, uint32_t pair_count,
                                uint32_t tunnel_count);
// Closing twice, or what is all zero, does nothing.
void tunnel_ledger_close(struct tunnel_ledger *ledger);

// Enters what a core reports of a pair or a tunnel; other reports change nothing.
void tunnel_ledger_report(struct tunnel_ledger *ledger, const struct revtun_command_report *report,
                          struct now now);
// Enters a session that has ended, if its pair is still of who had it then.
void tunnel_ledger_ended(struct tunnel_ledger *ledger, const struct tunnel_session *session);
// The same of a session of a tunnel.
void tunnel_ledger_tunnel_ended(struct tunnel_ledger *ledger, struct pool_ref tunnel,
                                const struct tunnel_session *session, int64_t wall_s);
// Of a tunnel that was bound, or NULL.
const struct tunnel_ledger_entry *tunnel_ledger_of(const struct tunnel_ledger *ledger,
                                                   struct pool_ref tunnel);
