// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_ledger.h"

#include <errno.h>
#include <stdlib.h>

int tunnel_ledger_open(struct tunnel_ledger *ledger, uint32_t pair_count)
{
    ledger->entries = calloc((size_t)pair_count + 1, sizeof ledger->entries[0]);
    ledger->pair_count = pair_count;
    return ledger->entries == NULL ? -ENOMEM : 0;
}

void tunnel_ledger_close(struct tunnel_ledger *ledger)
{
    free(ledger->entries);
    ledger->entries = NULL;
}

static void mark(struct tunnel_ledger_mark *mark, uint64_t count, int64_t wall_s)
{
    mark->count += count;
    mark->last_s = wall_s;
}

void tunnel_ledger_report(struct tunnel_ledger *ledger, const struct revtun_command_report *report,
                          struct now now)
{
    const int64_t wall_s = now.wall_s;

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
        mark(&entry->timed_out, 1, wall_s);
        break;
    case REVTUN_EVENT_REFUSED:
        mark(&entry->limited, 1, wall_s);
        entry->limit = report->refusal;
        break;
    case REVTUN_EVENT_FOREIGN:
        mark(&entry->foreign, 1, wall_s);
        entry->foreigner = report->from;
        break;
    default:
        break; // of no pair, or nothing that is kept
    }
}

void tunnel_ledger_ended(struct tunnel_ledger *ledger, const struct tunnel_session *session)
{
    if (session->pair >= ledger->pair_count) {
        return;
    }
    struct tunnel_ledger_entry *entry = &ledger->entries[session->pair];
    // One that a former server of the pair has left behind is not the new one's.
    if (session->begun_ns >= entry->linked_ns) {
        entry->sessions++;
        entry->bytes[0] += session->pump.flows[0].byte_count;
        entry->bytes[1] += session->pump.flows[1].byte_count;
    }
}
