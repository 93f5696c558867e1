// SPDX-License-Identifier: Apache-2.0
// revtun_hub_sim: lives through many worlds around the core of version 2, one for each seed.
#include <inttypes.h>
#include <stdio.h>

#include "sim/revtun/hub/story.h"
#include "sim/seeds.h"

enum {
    DEFAULT_COUNT = 1500, // seeds
    COMPLETE_COUNT = 500, // from so many seeds on, all must have been seen
};

const char *__asan_default_options(void);

// Worlds live and die in their thousands on little memory. What is reported must outlive its call.
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=8:detect_stack_use_after_return=1";
}

int main(int argc, char **argv)
{
    static struct cover cover;
    const struct seeds seeds = seeds_of(argc, argv, DEFAULT_COUNT);

    printf("seeds %" PRIu64 " to %" PRIu64 "\n", seeds.first, seeds.first + seeds.count - 1);
    fflush(stdout);
    for (uint64_t i = 0; i < seeds.count; i++) {
        story_run(seeds.first + i, seeds.is_verbose, &cover);
    }
    const bool is_complete = cover_print(&cover);
    printf("%" PRIu64 " worlds, %" PRIu64 " events, as the oracle foretold\n", seeds.count,
           cover.events);
    if (!is_complete && seeds.count >= COMPLETE_COUNT) {
        fputs("the worlds have stopped to exercise something: see above\n", stderr);
        return 1;
    }
    return 0;
}
