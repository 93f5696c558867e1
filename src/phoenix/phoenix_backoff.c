// SPDX-License-Identifier: Apache-2.0
#include "phoenix/phoenix_backoff.h"

#include <assert.h>

uint64_t phoenix_backoff_next(struct phoenix_backoff *backoff, uint32_t random)
{
    const uint64_t grown = backoff->interval_ns + backoff->interval_ns / 2;

    assert(backoff->interval_ns <= PHOENIX_BACKOFF_MAX_NS);
    backoff->interval_ns = grown < PHOENIX_BACKOFF_FIRST_NS ? PHOENIX_BACKOFF_FIRST_NS : grown;
    if (backoff->interval_ns > PHOENIX_BACKOFF_MAX_NS) {
        backoff->interval_ns = PHOENIX_BACKOFF_MAX_NS;
    }
    // The interval takes 36 bits: with 16 of the number's there is room for the product.
    const uint64_t chance = (backoff->interval_ns * (random >> 16)) >> 16;
    const uint64_t wait = backoff->interval_ns / 2 + chance;
    return wait < PHOENIX_BACKOFF_MAX_NS ? wait : PHOENIX_BACKOFF_MAX_NS;
}

uint64_t phoenix_backoff_after_join(struct phoenix_backoff *backoff, uint64_t now_ns,
                                    uint64_t joined_ns, uint32_t random)
{
    assert(joined_ns <= now_ns);
    if (now_ns - joined_ns >= PHOENIX_BACKOFF_STEADY_NS) {
        backoff->interval_ns = 0;
    }
    if (now_ns < backoff->again_ns) {
        return phoenix_backoff_next(backoff, random);
    }
    backoff->again_ns = now_ns + PHOENIX_BACKOFF_STEADY_NS;
    return 0;
}
