// SPDX-License-Identifier: Apache-2.0
// revtun_sim: lives through many worlds around a reverse relay's core, one for each seed.
#include <inttypes.h>
#include <stdio.h>

#include "sim/revtun/story.h"
#include "sim/seeds.h"

enum {
    DEFAULT_COUNT = 3000, // seeds
    COMPLETE_COUNT = 500, // from so many seeds on, all must have been seen
};

const char *__asan_default_options(void);

// Worlds live and die in their thousands on little memory.
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=8";
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
