// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_refusals.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/shares.h"
#include "io/io_random.h"

enum { BUCKETS = RELAY_REFUSALS_BUCKETS + RELAY_REFUSALS_DOUBT_BUCKETS };

int relay_refusals_open(struct relay_refusals *refusals)
{
    *refusals = (struct relay_refusals){.lock = PTHREAD_MUTEX_INITIALIZER};
    refusals->entries = calloc((size_t)BUCKETS * RELAY_REFUSALS_DEPTH, sizeof *refusals->entries);
    if (refusals->entries == NULL) {
        return -ENOMEM;
    }
    io_random_fill((uint8_t *)&refusals->key, sizeof refusals->key);
    return 0;
}

void relay_refusals_close(struct relay_refusals *refusals)
{
    free(refusals->entries);
    refusals->entries = NULL;
}

static struct relay_refusal *bucket_of(const struct relay_refusals *refusals,
                                       const struct addr *client, bool is_certain)
{
    const uint64_t hash = siphash(&refusals->key, shares_network(client));
    const uint64_t bucket = is_certain
                                ? hash % RELAY_REFUSALS_BUCKETS
                                : RELAY_REFUSALS_BUCKETS + hash % RELAY_REFUSALS_DOUBT_BUCKETS;

    return &refusals->entries[bucket * RELAY_REFUSALS_DEPTH];
}

static bool is_same(const struct relay_refusal *a, const struct relay_refusal *b)
{
    return a->count > 0 && a->refusal == b->refusal && a->method == b->method &&
           addr_equal(&a->client, &b->client) && addr_equal(&a->peer, &b->peer);
}

// The entry of the same, or the one to give up for it: a free one, or the oldest.
static struct relay_refusal *place_of(struct relay_refusal *bucket,
                                      const struct relay_refusal *refusal)
{
    struct relay_refusal *oldest = &bucket[0];

    for (uint32_t i = 0; i < RELAY_REFUSALS_DEPTH; i++) {
        if (is_same(&bucket[i], refusal)) {
            return &bucket[i];
        }
        if (bucket[i].count == 0 || (oldest->count > 0 && bucket[i].last_s < oldest->last_s)) {
            oldest = &bucket[i];
        }
    }
    return oldest;
}

void relay_refusals_keep(struct relay_refusals *refusals, const struct turn_command_report *report,
                         int64_t wall_s)
{
    struct relay_refusal refusal = {
        .client = report->tuple.client,
        .peer = report->peer,
        .name = turn_name_of(report->username),
        .first_s = wall_s,
        .last_s = wall_s,
        .count = 1,
        .method = report->method,
        .refusal = (uint8_t)report->refusal,
        .is_certain = report->is_client_certain,
    };

    if (report->refusal == TURN_REFUSAL_NONE) {
        return;
    }
    pthread_mutex_lock(&refusals->lock);
    struct relay_refusal *place =
        place_of(bucket_of(refusals, &refusal.client, refusal.is_certain), &refusal);
    if (is_same(place, &refusal)) {
        refusal.first_s = place->first_s;
        refusal.count = place->count < UINT32_MAX ? place->count + 1 : place->count;
    }
    *place = refusal;
    pthread_mutex_unlock(&refusals->lock);
}

static bool is_of(const struct relay_refusal *refusal, const struct addr *client)
{
    return refusal->count > 0 && (client->port == 0 ? addr_same_ip(&refusal->client, client)
                                                    : addr_equal(&refusal->client, client));
}

uint32_t relay_refusals_find(struct relay_refusals *refusals, const struct addr *client,
                             struct relay_refusal out[RELAY_REFUSALS_FOUND_MAX])
{
    uint32_t count = 0;

    pthread_mutex_lock(&refusals->lock);
    for (int is_certain = 0; is_certain <= 1; is_certain++) {
        const struct relay_refusal *bucket = bucket_of(refusals, client, is_certain == 1);
        for (uint32_t i = 0; i < RELAY_REFUSALS_DEPTH; i++) {
            if (is_of(&bucket[i], client)) {
                assert(count < RELAY_REFUSALS_FOUND_MAX);
                out[count++] = bucket[i];
            }
        }
    }
    pthread_mutex_unlock(&refusals->lock);
    return count;
}
