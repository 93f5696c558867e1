// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_crowd.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "revtun/revtun_origin.h"

int tunnel_crowd_open(struct tunnel_crowd *crowd, uint32_t max, uint32_t address_max)
{
    assert(crowd->places == NULL);
    crowd->places = calloc(max, sizeof crowd->places[0]);
    crowd->members = calloc(max, sizeof crowd->members[0]);
    crowd->max = max;
    crowd->address_max = address_max;
    return crowd->places == NULL || crowd->members == NULL ? -ENOMEM : 0;
}

void tunnel_crowd_close(struct tunnel_crowd *crowd)
{
    free(crowd->places);
    free(crowd->members);
    *crowd = (struct tunnel_crowd){0};
}

static bool is_older(const struct tunnel_crowd *crowd, uint32_t number, uint32_t than)
{
    return than == TUNNEL_CROWD_NOBODY ||
           crowd->places[number].joined_count < crowd->places[than].joined_count;
}

uint32_t tunnel_crowd_displaced(const struct tunnel_crowd *crowd, const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);
    uint32_t oldest = TUNNEL_CROWD_NOBODY;
    uint32_t oldest_there = TUNNEL_CROWD_NOBODY;
    uint32_t count_there = 0;

    for (uint32_t i = 0; i < crowd->count; i++) {
        const uint32_t number = crowd->members[i];

        if (is_older(crowd, number, oldest)) {
            oldest = number;
        }
        if (!addr_equal(&crowd->places[number].origin, &origin)) {
            continue;
        }
        count_there++;
        if (is_older(crowd, number, oldest_there)) {
            oldest_there = number;
        }
    }
    if (count_there >= crowd->address_max) {
        return oldest_there;
    }
    return crowd->count < crowd->max ? TUNNEL_CROWD_NOBODY : oldest;
}

void tunnel_crowd_join(struct tunnel_crowd *crowd, uint32_t number, const struct addr *from)
{
    assert(number < crowd->max);
    assert(crowd->count < crowd->max);
    crowd->places[number] = (struct tunnel_crowd_place){
        .origin = revtun_origin_of(from),
        .joined_count = crowd->joined_count++,
        .at = crowd->count,
    };
    crowd->members[crowd->count++] = number;
}

void tunnel_crowd_leave(struct tunnel_crowd *crowd, uint32_t number)
{
    const uint32_t at = crowd->places[number].at;

    assert(crowd->count > 0);
    assert(crowd->members[at] == number);
    const uint32_t last = crowd->members[--crowd->count];
    crowd->members[at] = last;
    crowd->places[last].at = at;
}

uint32_t tunnel_crowd_any(const struct tunnel_crowd *crowd)
{
    return crowd->count > 0 ? crowd->members[0] : TUNNEL_CROWD_NOBODY;
}
