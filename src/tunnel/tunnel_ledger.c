// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_ledger.h"

#include <errno.h>
#include <stdlib.h>

int tunnel_ledger_open(struct tunnel_ledger *ledger, uint32_t pair_count, uint32_t tunnel_count)
{
    ledger->entries = calloc((size_t)pair_count + 1, sizeof ledger->entries[0]);
    ledger->pair_count = pair_count;
    ledger->tunnels = calloc((size_t)tunnel_count + 1, sizeof ledger->tunnels[0]);
    ledger->tunnel_count = tunnel_count;
    return ledger->entries == NULL || ledger->tunnels == NULL ? -ENOMEM : 0;
}

void tunnel_ledger_close(struct tunnel_ledger *ledger)
{
    free(ledger->entries);
    free(ledger->tunnels);
    ledger->entries = NULL;
    ledger->tunnels = NULL;
}

static void mark(struct tunnel_ledger_mark *mark, uint64_t count, int64_t wall_s)
{
    mark->count += count;
    mark->last_s = wall_s;
}

static void count_clients(struct tunnel_ledger_entry *entry,
                          const struct revtun_command_report *report, int64_t wall_s)
{
    if (report->event == REVTUN_EVENT_TIMED_OUT) {
        mark(&entry->timed_out, 1, wall_s);
    } else if (report->event == REVTUN_EVENT_DENIED) {
        mark(&entry->denied, 1, wall_s);
    } else if (report->event == REVTUN_EVENT_REFUSED) {
        mark(&entry->limited, 1, wall_s);
        entry->limit = report->refusal;
    }
}

static bool is_of_client(enum revtun_event event)
{
    return event == REVTUN_EVENT_TIMED_OUT || event == REVTUN_EVENT_REFUSED ||
           event == REVTUN_EVENT_DENIED;
}

// An agent that binds its tunnel again, after it was lost, goes on with the former entry.
static void report_tunnel(struct tunnel_ledger *ledger, const struct revtun_command_report *report,
                          struct now now)
{
    const struct pool_ref tunnel = report->tunnel;

    if (report->event == REVTUN_EVENT_BOUND && tunnel.index < ledger->tunnel_count) {
        struct tunnel_ledger_entry *entry = &ledger->tunnels[tunnel.index];
        if (tunnel_ledger_of(ledger, tunnel) == NULL) {
            *entry = (struct tunnel_ledger_entry){
                .generation = tunnel.generation, .linked_ns = now.mono_ns, .linked_s = now.wall_s};
        }
        entry->server = report->from;
    } else if (is_of_client(report->event) && tunnel_ledger_of(ledger, tunnel) != NULL) {
        count_clients(&ledger->tunnels[tunnel.index], report, now.wall_s);
    }
}

void tunnel_ledger_report(struct tunnel_ledger *ledger, const struct revtun_command_report *report,
                          struct now now)
{
    const int64_t wall_s = now.wall_s;

    if (report->pair == POOL_NONE) {
        report_tunnel(ledger, report, now);
        return;
    }
    if (report->pair >= ledger->pair_count) {
        return;
    }
    struct tunnel_ledger_entry *entry = &ledger->entries[report->pair];
    switch (report->event) {
    case REVTUN_EVENT_LINKED:
        *entry = (struct tunnel_ledger_entry){
            .server = report->from, .linked_ns = now.mono_ns, .linked_s = wall_s};
        break;
    case REVTUN_EVENT_SPOKE:
    case REVTUN_EVENT_LOST:
        entry->gone_s = wall_s;
        entry->has_spoken = report->event == REVTUN_EVENT_SPOKE;
        break;
    case REVTUN_EVENT_AGAIN:
        mark(&entry->again, report->count, wall_s);
        break;
    case REVTUN_EVENT_TIMED_OUT:
    case REVTUN_EVENT_REFUSED:
        count_clients(entry, report, wall_s);
        break;
    case REVTUN_EVENT_FOREIGN:
        mark(&entry->foreign, 1, wall_s);
        entry->foreigner = report->from;
        break;
    default:
        break; // of no pair, or nothing that is kept
    }
}

static void add_session(struct tunnel_ledger_entry *entry, const struct tunnel_session *session)
{
    // One that a former server of the pair has left behind is not the new one's.
    if (session->begun_ns >= entry->linked_ns) {
        entry->sessions++;
        entry->bytes[0] += session->pump.flows[0].byte_count;
        entry->bytes[1] += session->pump.flows[1].byte_count;
    }
}

void tunnel_ledger_ended(struct tunnel_ledger *ledger, const struct tunnel_session *session)
{
    if (session->pair < ledger->pair_count) {
        add_session(&ledger->entries[session->pair], session);
    }
}

void tunnel_ledger_tunnel_ended(struct tunnel_ledger *ledger, struct pool_ref tunnel,
                                const struct tunnel_session *session, int64_t wall_s)
{
    if (tunnel_ledger_of(ledger, tunnel) == NULL) {
        return;
    }
    struct tunnel_ledger_entry *entry = &ledger->tunnels[tunnel.index];
    add_session(entry, session);
    if (session->pump.flows[1].byte_count == 0) {
        mark(&entry->mute, 1, wall_s);
    }
}

const struct tunnel_ledger_entry *tunnel_ledger_of(const struct tunnel_ledger *ledger,
                                                   struct pool_ref tunnel)
{
    if (tunnel.index >= ledger->tunnel_count) {
        return NULL;
    }
    const struct tunnel_ledger_entry *entry = &ledger->tunnels[tunnel.index];
    return entry->server.family != ADDR_NONE && entry->generation == tunnel.generation ? entry
                                                                                       : NULL;
}
