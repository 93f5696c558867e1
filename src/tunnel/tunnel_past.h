// SPDX-License-Identifier: Apache-2.0
// What the broker remembers: of each pair of ports and tunnel, of each address, of sessions that
// have ended. Each part has a header of its own. For the broker's thread, but for the spans.
#pragma once

#include "tunnel/tunnel_ledger.h"
#include "tunnel/tunnel_refusals.h"
#include "tunnel/tunnel_spans.h"

struct tunnel_past {
    struct tunnel_ledger ledger;     // of pairs and tunnels
    struct tunnel_refusals refusals; // by address
    struct tunnel_spans spans;       // of sessions, for traces
};

// `sampled` of 2^32 sessions become spans. 0 or -ENOMEM; tunnel_past_close() is due in any case.
MUST_USE int tunnel_past_open(struct tunnel_past *past, uint32_t pair_count, uint32_t tunnel_count,
                              uint64_t sampled);
// Closing twice, or what is all zero, does nothing.
void tunnel_past_close(struct tunnel_past *past);

// What a core reports.
void tunnel_past_report(struct tunnel_past *past, const struct revtun_command_report *report,
                        struct now now);
// A control connection did not come as far as to be reported: for what stands in `why`, which may
// be NULL.
void tunnel_past_refuse(struct tunnel_past *past, const struct addr *peer,
                        enum tunnel_refusal_kind kind, const char *why, struct now now);
// A session has ended, of either version.
void tunnel_past_end(struct tunnel_past *past, const struct tunnel_session *session,
                     struct now now);
