// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_look.h"

#include <assert.h>

#include "revtun/revtun_relay_priv.h"

static uint64_t oldest_ns(const struct revtun_relay *relay, const struct revtun_queue *queue)
{
    if (queue->count == 0) {
        return NEVER;
    }
    const struct revtun_client *client = pool_at(&relay->clients, queue->first);
    return client->place.since_ns;
}

bool revtun_look_pair(const struct revtun_relay *relay, uint32_t pair, struct revtun_look *out)
{
    assert(pair < relay->config.pair_count);
    const uint32_t holder = revtun_pairs_holder(&relay->pairs, pair);

    if (holder == REVTUN_PAIRS_NONE) {
        return false;
    }
    const struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, holder);
    const struct revtun_control *control = pool_at(&relay->controls, tunnel->control);
    *out = (struct revtun_look){
        .server = control->peer,
        .waiting = tunnel->queue.count,
        .sessions = tunnel->session_count,
        .outstanding = tunnel->queue.outstanding,
        .waiting_since_ns = oldest_ns(relay, &tunnel->queue),
    };
    return true;
}
