// SPDX-License-Identifier: Apache-2.0
// sim: lives through many worlds, one for each seed, and says how much of TURN they have seen.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "sim/seeds.h"
#include "sim/sim_world.h"

enum {
    DEFAULT_COUNT = 3000, // seeds
    TWICE_EACH = 20,      // one seed of so many is lived through twice
    COMPLETE_COUNT = 500, // from so many seeds on, all must have been seen
};

// The world that is alive, for whoever ends the program from outside: an assertion, a sanitizer.
static uint64_t living_seed;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
const char *__asan_default_options(void);

// Worlds live and die in their thousands on little memory. It comes back sooner than it would by
// default, and less of the stack is kept with each block: enough to see whose it was.
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=8";
}

static void say_seed(void)
{
    // Nothing goes on after this, so it may be said from a signal handler.
    fprintf(stderr, "\nseed %" PRIu64 " ended the program\n", living_seed);
    fprintf(stderr, "see it again: build-test/tests/sim/sim --seed %" PRIu64 " --verbose\n",
            living_seed);
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    say_seed(); // and abort() goes on
}

static uint64_t live(const struct sim_world_options *options, struct sim_cover *cover)
{
    living_seed = options->seed;
    return sim_world_run(options, cover);
}

// The same seed must give the same world.
static bool is_repeatable(uint64_t seed, uint64_t hash)
{
    const struct sim_world_options world = {.seed = seed, .is_hashed = true};
    struct sim_cover again = {0};

    if (live(&world, &again) == hash) {
        return true;
    }
    fprintf(stderr, "seed %" PRIu64 " gives another world the second time\n", seed);
    return false;
}

int main(int argc, char **argv)
{
    const struct seeds seeds = seeds_of(argc, argv, DEFAULT_COUNT);
    static struct sim_cover cover;
    bool is_good = true;

    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(say_seed);
    }
    if (!sim_credential_is_right()) {
        fputs("the oracle itself is wrong about Firezone's passwords\n", stderr);
        return 1;
    }
    printf("seeds %" PRIu64 " to %" PRIu64 "\n", seeds.first, seeds.first + seeds.count - 1);
    fflush(stdout);
    for (uint64_t i = 0; i < seeds.count; i++) {
        const struct sim_world_options world = {
            .seed = seeds.first + i,
            .is_verbose = seeds.is_verbose,
            .is_hashed = i % TWICE_EACH == 0,
        };
        uint64_t hash = live(&world, &cover);
        if (world.is_hashed) {
            is_good = is_repeatable(world.seed, hash) && is_good;
        }
    }
    bool is_complete = sim_cover_print(&cover);
    printf("%" PRIu64 " worlds, %" PRIu64 " events, as the oracle foretold\n", seeds.count,
           cover.events);
    if (!is_complete && seeds.count >= COMPLETE_COUNT) {
        fputs("the worlds have stopped to exercise something: see above\n", stderr);
        is_good = false;
    }
    return is_good ? 0 : 1;
}
