// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_refusals.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shares.h"

int tunnel_refusals_open(struct tunnel_refusals *refusals, const struct siphash_key *key)
{
    refusals->key = *key;
    refusals->entries = calloc((size_t)TUNNEL_REFUSALS_BUCKETS * TUNNEL_REFUSALS_DEPTH,
                               sizeof refusals->entries[0]);
    return refusals->entries == NULL ? -ENOMEM : 0;
}

void tunnel_refusals_close(struct tunnel_refusals *refusals)
{
    free(refusals->entries);
    refusals->entries = NULL;
}

static struct tunnel_refusal *bucket_of(const struct tunnel_refusals *refusals,
                                        const struct addr *from)
{
    const uint64_t hash = siphash(&refusals->key, shares_network(from));

    return &refusals->entries[hash % TUNNEL_REFUSALS_BUCKETS * TUNNEL_REFUSALS_DEPTH];
}

static bool is_same(const struct tunnel_refusal *a, const struct tunnel_refusal *b)
{
    return a->count > 0 && a->kind == b->kind && a->pair == b->pair && a->port == b->port &&
           addr_same_ip(&a->from, &b->from) && strcmp(a->detail, b->detail) == 0 &&
           strcmp(a->about, b->about) == 0;
}

// The entry of the same, or the one to give up for it: a free one, or the oldest.
static struct tunnel_refusal *place_of(struct tunnel_refusal *bucket,
                                       const struct tunnel_refusal *refusal)
{
    struct tunnel_refusal *oldest = &bucket[0];

    for (uint32_t i = 0; i < TUNNEL_REFUSALS_DEPTH; i++) {
        if (is_same(&bucket[i], refusal)) {
            return &bucket[i];
        }
        if (bucket[i].count == 0 || (oldest->count > 0 && bucket[i].last_s < oldest->last_s)) {
            oldest = &bucket[i];
        }
    }
    return oldest;
}

// Keeps one that is whole but for its count and times.
static void keep(struct tunnel_refusals *refusals, struct tunnel_refusal *refusal,
                 const char *detail, int64_t wall_s)
{
    snprintf(refusal->detail, sizeof refusal->detail, "%s", detail == NULL ? "" : detail);
    refusal->count = 1;
    refusal->first_s = wall_s;
    refusal->last_s = wall_s;
    struct tunnel_refusal *place = place_of(bucket_of(refusals, &refusal->from), refusal);
    if (is_same(place, refusal)) {
        refusal->first_s = place->first_s;
        refusal->count = place->count < UINT32_MAX ? place->count + 1 : place->count;
    }
    *place = *refusal;
}

void tunnel_refusals_keep(struct tunnel_refusals *refusals, enum tunnel_refusal_kind kind,
                          const struct addr *from, uint32_t pair, const char *detail,
                          int64_t wall_s)
{
    struct tunnel_refusal refusal = {.from = *from, .kind = kind, .pair = pair};

    keep(refusals, &refusal, detail, wall_s);
}

// An agent has gone for a reason that it may want to hear of.
static bool is_trouble(enum revtun_message_code code)
{
    return code != REVTUN_MESSAGE_CODE_ASKED && code != REVTUN_MESSAGE_CODE_SHUTDOWN &&
           code != REVTUN_MESSAGE_CODE_LEFT;
}

static const char *text_of(struct bytes words, char text[TUNNEL_REFUSALS_DETAIL_MAX])
{
    snprintf(text, TUNNEL_REFUSALS_DETAIL_MAX, "%.*s", (int)words.len, (const char *)words.ptr);
    return text;
}

void tunnel_refusals_report(struct tunnel_refusals *refusals,
                            const struct revtun_command_report *report, int64_t wall_s)
{
    enum tunnel_refusal_kind kind = TUNNEL_REFUSAL_FULL;
    const char *detail = revtun_refusal_words(report->refusal);
    char text[TUNNEL_REFUSALS_DETAIL_MAX];

    switch (report->event) {
    case REVTUN_EVENT_FULL:
        kind = TUNNEL_REFUSAL_FULL;
        break;
    case REVTUN_EVENT_SPOKE:
        kind = TUNNEL_REFUSAL_SPOKE;
        break;
    case REVTUN_EVENT_LOST:
        kind = TUNNEL_REFUSAL_LOST;
        break;
    case REVTUN_EVENT_REFUSED:
        kind = TUNNEL_REFUSAL_LIMIT;
        break;
    case REVTUN_EVENT_TIMED_OUT:
        kind = TUNNEL_REFUSAL_TIMED_OUT;
        break;
    case REVTUN_EVENT_FOREIGN:
        kind = TUNNEL_REFUSAL_FOREIGN;
        break;
    case REVTUN_EVENT_AGENT_DOWN:
        kind = TUNNEL_REFUSAL_AGENT;
        detail = report->detail.len > 0 ? text_of(report->detail, text)
                                        : revtun_message_code_meaning(report->code);
        if (!is_trouble(report->code)) {
            return;
        }
        break;
    case REVTUN_EVENT_BIND_REFUSED:
        kind = TUNNEL_REFUSAL_BIND;
        detail = text_of(report->detail, text);
        break;
    case REVTUN_EVENT_DENIED:
        kind = TUNNEL_REFUSAL_DENIED;
        break;
    case REVTUN_EVENT_NOBODY:
        kind = TUNNEL_REFUSAL_NOBODY;
        break;
    case REVTUN_EVENT_FORGED:
        kind = TUNNEL_REFUSAL_FORGED;
        break;
    default:
        return; // nobody was refused anything
    }
    if (report->from.family != ADDR_NONE) {
        struct tunnel_refusal refusal = {
            .from = report->from, .kind = kind, .pair = report->pair, .port = report->port};
        struct wr about = wr_init((uint8_t *)refusal.about, sizeof refusal.about - 1);
        wr_bytes(&about, report->owner);
        wr_text(&about, report->owner.len > 0 && report->name.len > 0 ? "/" : "");
        wr_bytes(&about, report->name);
        assert(wr_ok(&about)); // each of them has its limit
        keep(refusals, &refusal, detail, wall_s);
    }
}

// Puts one among the newest; how many there are then.
static uint32_t add(struct tunnel_refusal out[TUNNEL_REFUSALS_DEPTH], uint32_t count,
                    const struct tunnel_refusal *refusal)
{
    uint32_t place = count;

    if (count == TUNNEL_REFUSALS_DEPTH) {
        if (out[count - 1].last_s >= refusal->last_s) {
            return count;
        }
        place--;
    }
    for (; place > 0 && out[place - 1].last_s < refusal->last_s; place--) {
        out[place] = out[place - 1];
    }
    out[place] = *refusal;
    return count < TUNNEL_REFUSALS_DEPTH ? count + 1 : count;
}

uint32_t tunnel_refusals_find(const struct tunnel_refusals *refusals, const struct addr *from,
                              struct tunnel_refusal out[TUNNEL_REFUSALS_DEPTH])
{
    const struct tunnel_refusal *bucket = bucket_of(refusals, from);
    uint32_t count = 0;

    for (uint32_t i = 0; i < TUNNEL_REFUSALS_DEPTH; i++) {
        if (bucket[i].count > 0 && addr_same_ip(&bucket[i].from, from)) {
            count = add(out, count, &bucket[i]);
        }
    }
    return count;
}

static bool is_about(const struct tunnel_refusal *refusal, uint16_t port, struct bytes word)
{
    const struct bytes whole = bytes_of_text(refusal->about);
    const struct bytes owner = bytes_first(whole, bytes_index(whole, '/'));

    return (port != 0 && refusal->port == port) ||
           (word.len > 0 && (bytes_equal(whole, word) || bytes_equal(owner, word) ||
                             bytes_equal(bytes_from(whole, owner.len + 1), word)));
}

uint32_t tunnel_refusals_find_about(const struct tunnel_refusals *refusals, uint16_t port,
                                    struct bytes word,
                                    struct tunnel_refusal out[TUNNEL_REFUSALS_DEPTH])
{
    const uint32_t place_count = TUNNEL_REFUSALS_BUCKETS * TUNNEL_REFUSALS_DEPTH;
    uint32_t count = 0;

    for (uint32_t i = 0; i < place_count; i++) {
        if (refusals->entries[i].count > 0 && is_about(&refusals->entries[i], port, word)) {
            count = add(out, count, &refusals->entries[i]);
        }
    }
    return count;
}
