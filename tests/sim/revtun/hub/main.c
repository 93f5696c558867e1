// SPDX-License-Identifier: Apache-2.0
// revtun_hub_sim: lives through many worlds around the core of version 2, one for each seed.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/story.h"

static const char usage[] = "Usage: revtun_hub_sim [--seed N] [--count N] [--verbose]\n"
                            "  --seed N     the first seed (1); alone, the only one\n"
                            "  --count N    how many seeds (1500)\n"
                            "  --verbose    print every event\n";

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
    uint64_t seed = 1;
    uint64_t count = 0;
    bool is_verbose = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 0);
            count = count > 0 ? count : 1;
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            count = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--verbose") == 0) {
            is_verbose = true;
        } else {
            fputs(usage, strcmp(argv[i], "--help") == 0 ? stdout : stderr);
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    count = count > 0 ? count : DEFAULT_COUNT;
    printf("seeds %" PRIu64 " to %" PRIu64 "\n", seed, seed + count - 1);
    fflush(stdout);
    for (uint64_t i = 0; i < count; i++) {
        story_run(seed + i, is_verbose, &cover);
    }
    const bool is_complete = cover_print(&cover);
    printf("%" PRIu64 " worlds, %" PRIu64 " events, as the oracle foretold\n", count, cover.events);
    if (!is_complete && count >= COMPLETE_COUNT) {
        fputs("the worlds have stopped to exercise something: see above\n", stderr);
        return 1;
    }
    return 0;
}
