// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_expiry.h"

#include <assert.h>

static uint32_t timer_count(const struct turn_config *config)
{
    return config->max_allocations + config->max_permissions + config->max_channels;
}

size_t turn_expiry_size(const struct turn_config *config)
{
    return heap_size(timer_count(config));
}

void turn_expiry_init(struct turn_expiry *expiry, void *memory, const struct turn_config *config)
{
    const uint32_t counts[TURN_EXPIRY_KINDS] = {
        [TURN_EXPIRY_ALLOCATION] = config->max_allocations,
        [TURN_EXPIRY_PERMISSION] = config->max_permissions,
        [TURN_EXPIRY_CHANNEL] = config->max_channels,
    };

    heap_init(&expiry->heap, memory, timer_count(config));
    expiry->first[0] = 0;
    for (int kind = 0; kind < TURN_EXPIRY_KINDS; kind++) {
        expiry->first[kind + 1] = expiry->first[kind] + counts[kind];
    }
}

static uint32_t timer_of(const struct turn_expiry *expiry, enum turn_expiry_kind kind,
                         uint32_t index)
{
    assert(kind < TURN_EXPIRY_KINDS);
    assert(index < expiry->first[kind + 1] - expiry->first[kind]);
    return expiry->first[kind] + index;
}

void turn_expiry_set(struct turn_expiry *expiry, enum turn_expiry_kind kind, uint32_t index,
                     uint64_t deadline_ns)
{
    heap_set(&expiry->heap, timer_of(expiry, kind, index), deadline_ns);
}

void turn_expiry_clear(struct turn_expiry *expiry, enum turn_expiry_kind kind, uint32_t index)
{
    heap_clear(&expiry->heap, timer_of(expiry, kind, index));
}

uint64_t turn_expiry_at(const struct turn_expiry *expiry, enum turn_expiry_kind kind,
                        uint32_t index)
{
    return heap_at(&expiry->heap, timer_of(expiry, kind, index));
}

uint64_t turn_expiry_deadline(const struct turn_expiry *expiry)
{
    return heap_deadline(&expiry->heap);
}

bool turn_expiry_take(struct turn_expiry *expiry, struct now now, enum turn_expiry_kind *kind,
                      uint32_t *index)
{
    uint32_t timer = 0;
    int of = 0;

    if (!heap_take(&expiry->heap, now.mono_ns, &timer)) {
        return false;
    }
    while (timer >= expiry->first[of + 1]) {
        of++;
    }
    assert(of < TURN_EXPIRY_KINDS);
    *kind = (enum turn_expiry_kind)of;
    *index = timer - expiry->first[of];
    return true;
}
