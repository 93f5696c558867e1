// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_past.h"

#include "base/pool.h"
#include "io/io_random.h"

int tunnel_past_open(struct tunnel_past *past, uint32_t pair_count, uint32_t tunnel_count,
                     uint64_t sampled)
{
    struct siphash_key key;

    io_random_fill((uint8_t *)&key, sizeof key);
    tunnel_spans_init(&past->spans, sampled, key.k0 ^ key.k1);
    const int error = tunnel_refusals_open(&past->refusals, &key);
    return error == 0 ? tunnel_ledger_open(&past->ledger, pair_count, tunnel_count) : error;
}

void tunnel_past_close(struct tunnel_past *past)
{
    tunnel_ledger_close(&past->ledger);
    tunnel_refusals_close(&past->refusals);
}

void tunnel_past_report(struct tunnel_past *past, const struct revtun_command_report *report,
                        struct now now)
{
    tunnel_ledger_report(&past->ledger, report, now);
    tunnel_refusals_report(&past->refusals, report, now.wall_s);
}

void tunnel_past_refuse(struct tunnel_past *past, const struct addr *peer,
                        enum tunnel_refusal_kind kind, const char *why, struct now now)
{
    tunnel_refusals_keep(&past->refusals, kind, peer, POOL_NONE, why, now.wall_s);
}

void tunnel_past_end(struct tunnel_past *past, const struct tunnel_session *session, struct now now)
{
    tunnel_spans_put(&past->spans, session, now);
    tunnel_ledger_ended(&past->ledger, session);
}
