// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_why.h"

#include "base/plain.h"
#include "stun/stun_header.h"
#include "turn/turn_advice.h"

void relay_why_add(struct relay_why *why, const struct relay_refusal *refusal)
{
    uint32_t place = 0;

    while (place < why->count && why->refusals[place].last_s >= refusal->last_s) {
        place++;
    }
    if (place == RELAY_WHY_MAX) {
        return;
    }
    why->count += why->count < RELAY_WHY_MAX;
    for (uint32_t i = why->count - 1; i > place; i--) {
        why->refusals[i] = why->refusals[i - 1];
    }
    why->refusals[place] = *refusal;
}

static void client_write(struct wr *wr, const struct addr *client)
{
    if (client->port == 0) {
        addr_ip_write(wr, client);
    } else {
        addr_write(wr, client);
    }
}

// "3 times in 40 s, the last one 12 s ago", or "12 s ago".
static void times_write(struct wr *wr, const struct relay_refusal *refusal, int64_t wall_s)
{
    const int64_t ago_s = wall_s > refusal->last_s ? wall_s - refusal->last_s : 0;
    const int64_t span_s =
        refusal->last_s > refusal->first_s ? refusal->last_s - refusal->first_s : 0;

    if (refusal->count > 1) {
        wr_decimal(wr, refusal->count);
        wr_text(wr, " times in ");
        wr_decimal(wr, (uint64_t)span_s);
        wr_text(wr, " s, the last one ");
    }
    wr_decimal(wr, (uint64_t)ago_s);
    wr_text(wr, " s ago");
}

static void refusal_write(struct wr *wr, const struct relay_refusal *refusal, int64_t wall_s)
{
    const enum turn_refusal reason = (enum turn_refusal)refusal->refusal;
    const enum stun_error_code code = turn_advice_code(reason);
    const char *method = stun_header_method_name(refusal->method);

    addr_write(wr, &refusal->client);
    wr_text(wr, ": ");
    wr_text(wr, method == NULL ? "request" : method);
    if (refusal->name.len > 0) {
        wr_text(wr, " of ");
        plain_write(wr, turn_name_bytes(&refusal->name));
    }
    wr_text(wr, " refused with ");
    wr_decimal(wr, (uint64_t)code);
    wr_text(wr, " (");
    wr_text(wr, stun_error_reason(code));
    wr_text(wr, "), ");
    times_write(wr, refusal, wall_s);
    wr_text(wr, "\n  why: ");
    wr_text(wr, turn_refusal_words(reason));
    if (refusal->peer.family != ADDR_NONE) {
        wr_text(wr, ": ");
        client_write(wr, &refusal->peer);
    }
    wr_text(wr, "\n  what to do: ");
    wr_text(wr, turn_advice_words(reason));
    wr_text(wr, "\n");
    if (!refusal->is_certain) {
        wr_text(wr, "  note: whoever sent it may be elsewhere; its address is not proven.\n");
    }
}

void relay_why_write(struct wr *wr, const struct relay_why *why, const struct addr *client,
                     int64_t wall_s)
{
    if (why->count == 0) {
        wr_text(wr, "Nothing that was refused to ");
        client_write(wr, client);
        wr_text(wr, " is remembered. If it does not get through all the same, its packets may not "
                    "arrive: look at firewalls, and whether the relay sees them (tcpdump).\n");
    }
    for (uint32_t i = 0; i < why->count; i++) {
        wr_text(wr, i > 0 ? "\n" : "");
        refusal_write(wr, &why->refusals[i], wall_s);
    }
}
