// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_spans.h"

#include <assert.h>

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"

_Static_assert((RELAY_SPANS_MAX & (RELAY_SPANS_MAX - 1)) == 0, "counts wrap where indices do");

void relay_spans_init(struct relay_spans *spans, uint64_t sampled, uint64_t seed)
{
    *spans = (struct relay_spans){.sampled = sampled, .random = seed | 1};
}

bool relay_spans_chooses(struct relay_spans *spans)
{
    if (spans->sampled == 0) {
        return false;
    }
    // Marsaglia's xorshift64: what it chooses need not be hard to guess.
    spans->random ^= spans->random << 13;
    spans->random ^= spans->random >> 7;
    spans->random ^= spans->random << 17;
    return spans->random >> 32 < spans->sampled;
}

static bool is_traced(uint16_t method)
{
    return method == STUN_ALLOCATE || method == STUN_REFRESH || method == STUN_CREATE_PERMISSION ||
           method == STUN_CHANNEL_BIND;
}

// The code of an error response, which has one.
static uint16_t code_of(struct rd *rd)
{
    uint16_t code = 0;

    while (rd_ok(rd) && rd->left > 0) {
        const uint16_t type = rd_u16(rd);
        const uint16_t len = rd_u16(rd);
        const struct bytes value = rd_bytes(rd, len);
        struct bytes reason = {0};

        rd_skip(rd, -len & 3);
        if (type == STUN_ATTR_ERROR_CODE && stun_error_read(value, &code, &reason)) {
            break;
        }
    }
    return code;
}

void relay_spans_put(struct relay_spans *spans, struct bytes response, bool is_ip6,
                     uint64_t start_ns, uint64_t end_ns)
{
    const uint32_t written = atomic_load_explicit(&spans->written_count, memory_order_relaxed);
    const uint32_t read = atomic_load_explicit(&spans->read_count, memory_order_acquire);
    struct rd rd = rd_init(response);
    struct stun_header header;

    if (!stun_header_read(&rd, &header) || !is_traced(header.method) ||
        (header.class != STUN_SUCCESS && header.class != STUN_ERROR)) {
        return;
    }
    if (written - read == RELAY_SPANS_MAX) {
        atomic_fetch_add_explicit(&spans->lost_count, 1, memory_order_relaxed);
        return;
    }
    spans->items[written % RELAY_SPANS_MAX] = (struct relay_span){
        .start_ns = start_ns,
        .end_ns = end_ns > start_ns ? end_ns : start_ns,
        .method = header.method,
        .code = header.class == STUN_ERROR ? code_of(&rd) : 0,
        .is_ip6 = is_ip6,
    };
    atomic_store_explicit(&spans->written_count, written + 1, memory_order_release);
}

bool relay_spans_take(struct relay_spans *spans, struct relay_span *out)
{
    const uint32_t read = atomic_load_explicit(&spans->read_count, memory_order_relaxed);
    const uint32_t written = atomic_load_explicit(&spans->written_count, memory_order_acquire);

    assert(written - read <= RELAY_SPANS_MAX);
    if (written == read) {
        return false;
    }
    *out = spans->items[read % RELAY_SPANS_MAX];
    atomic_store_explicit(&spans->read_count, read + 1, memory_order_release);
    return true;
}
