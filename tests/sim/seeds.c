// SPDX-License-Identifier: Apache-2.0
#include "sim/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_usage(FILE *out, const char *program, uint64_t default_count)
{
    fprintf(out,
            "Usage: %s [--seed N] [--count N] [--verbose]\n"
            "  --seed N     the first seed (1); alone, the only one\n"
            "  --count N    how many seeds (%" PRIu64 ")\n"
            "  --verbose    print every event\n",
            program, default_count);
}

struct seeds seeds_of(int argc, char **argv, uint64_t default_count)
{
    struct seeds seeds = {.first = 1};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seeds.first = strtoull(argv[++i], NULL, 0);
            seeds.count = seeds.count > 0 ? seeds.count : 1;
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            seeds.count = strtoull(argv[++i], NULL, 0);
        } else if (strcmp(argv[i], "--verbose") == 0) {
            seeds.is_verbose = true;
        } else {
            const bool is_asked = strcmp(argv[i], "--help") == 0;
            tell_usage(is_asked ? stdout : stderr, argv[0], default_count);
            exit(is_asked ? 0 : 2);
        }
    }
    seeds.count = seeds.count > 0 ? seeds.count : default_count;
    return seeds;
}
