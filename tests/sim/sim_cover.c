// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_cover.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"

static const char *const names[] = {
#define TEXT(name, what) what,
    SIM_COVER(TEXT)
#undef TEXT
};

// The responses that must be seen.
static const struct {
    const char *name;
    unsigned method;
    unsigned codes[12]; // the first is 0, success; ends with the next 0
} required[] = {
    {"Binding", 0x001, {0, 400, 420}},
    {"Allocate", 0x003, {0, 400, 401, 420, 437, 438, 440, 442, 486, 508}},
    {"Refresh", 0x004, {0, 400, 401, 420, 437, 438, 441, 443}},
    {"CreatePermission", 0x008, {0, 400, 401, 403, 420, 437, 438, 441, 443, 508}},
    {"ChannelBind", 0x009, {0, 400, 401, 403, 420, 437, 438, 441, 443, 508}},
};

void sim_cover_point(struct sim_cover *cover, enum sim_cover_point point)
{
    cover->points[point]++;
}

void sim_cover_response(struct sim_cover *cover, unsigned method, unsigned code)
{
    assert(method < SIM_COVER_METHODS);
    assert(code < SIM_COVER_CODES);
    cover->responses[method][code]++;
}

static bool print_responses(const struct sim_cover *cover)
{
    bool is_complete = true;

    for (size_t i = 0; i < COUNT_OF(required); i++) {
        const uint64_t *counts = cover->responses[required[i].method];

        printf("%-16s", required[i].name);
        for (size_t k = 0; k < COUNT_OF(required[i].codes); k++) {
            unsigned code = required[i].codes[k];
            if (k > 0 && code == 0) {
                break;
            }
            if (code == 0) {
                printf(" success %" PRIu64, counts[0]);
            } else {
                printf("  %u %" PRIu64, code, counts[code]);
            }
            is_complete = is_complete && counts[code] > 0;
        }
        putchar('\n');
    }
    return is_complete;
}

bool sim_cover_print(const struct sim_cover *cover)
{
    bool is_complete = print_responses(cover);

    for (size_t i = 0; i < SIM_COVER_COUNT; i++) {
        printf("%10" PRIu64 "  %s%s\n", cover->points[i], names[i],
               cover->points[i] == 0 ? "   <-- NEVER SEEN" : "");
        is_complete = is_complete && cover->points[i] > 0;
    }
    return is_complete;
}
