// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spans.h"

void tunnel_spans_init(struct tunnel_spans *spans, uint64_t sampled, uint64_t seed)
{
    *spans = (struct tunnel_spans){
        .lock = PTHREAD_MUTEX_INITIALIZER, .sampled = sampled, .random = seed | 1};
}

static bool chooses(struct tunnel_spans *spans)
{
    // Marsaglia's xorshift64: what it chooses need not be hard to guess.
    spans->random ^= spans->random << 13;
    spans->random ^= spans->random >> 7;
    spans->random ^= spans->random << 17;
    return spans->random >> 32 < spans->sampled;
}

void tunnel_spans_put(struct tunnel_spans *spans, const struct tunnel_session *session,
                      struct now now)
{
    const uint64_t joined_ns = session->begun_ns;
    const uint64_t waited_ns = session->waited_ns < joined_ns ? session->waited_ns : joined_ns;
    const struct tunnel_span span = {
        .start_ns = joined_ns - waited_ns,
        .joined_ns = joined_ns,
        .end_ns = now.mono_ns > joined_ns ? now.mono_ns : joined_ns,
        .bytes = {session->pump.flows[0].byte_count, session->pump.flows[1].byte_count},
        .why = session->why,
        .is_ip6 = session->from.family == ADDR_IP6,
    };

    if (spans->sampled == 0) {
        return;
    }
    pthread_mutex_lock(&spans->lock);
    if (chooses(spans)) {
        if (spans->count < TUNNEL_SPANS_MAX) {
            spans->items[(spans->first + spans->count++) % TUNNEL_SPANS_MAX] = span;
        } else {
            spans->lost_count++;
        }
    }
    pthread_mutex_unlock(&spans->lock);
}

bool tunnel_spans_take(struct tunnel_spans *spans, struct tunnel_span *out, uint64_t *lost_count)
{
    pthread_mutex_lock(&spans->lock);
    const bool has_one = spans->count > 0;
    if (has_one) {
        *out = spans->items[spans->first];
        spans->first = (spans->first + 1) % TUNNEL_SPANS_MAX;
        spans->count--;
    }
    *lost_count = spans->lost_count;
    spans->lost_count = 0;
    pthread_mutex_unlock(&spans->lock);
    return has_one;
}
