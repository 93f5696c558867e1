// SPDX-License-Identifier: Apache-2.0
// The two tiers, held together: generated packets between generated requests, each judged by
// diff_judge.h. It also counts what it has seen, and wants to have seen everything.
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/diff_step.h"
#include "bpf/diff_traffic.h"
#include "bpf/diff_world.h"

enum {
    LIVES = 60,          // each with a seed and a server of its own
    STEPS = 250,         // in each
    PACKETS_OF_STEP = 8, // up to so many
    SKIPPED = 77,
};

static struct diff_world world;
static struct diff_cover cover;

static void both_tiers_agree(void **state)
{
    uint64_t seed = rng_seed("bpf_diff");

    (void)state;
    for (uint64_t life = 0; life < LIVES; life++) {
        diff_world_begin(&world, seed + life);
        for (int i = 0; i < STEPS; i++) {
            world.step++;
            diff_step(&world);
            for (uint64_t n = rng_below(&world.rng, PACKETS_OF_STEP + 1); n > 0; n--) {
                diff_traffic(&world);
            }
        }
    }
}

static const char *const verdict_names[] = {
#define VERDICT_NAME(name, help) #name,
    RELAY_ABI_VERDICTS(VERDICT_NAME)
#undef VERDICT_NAME
};

static void every_way_was_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        uint64_t count = cover.ways[i / 4][i / 2 % 2][i % 2];
        print_message("%s, IPv%d to IPv%d: %" PRIu64 "\n", verdict_names[i / 4],
                      i / 2 % 2 == 0 ? 4 : 6, i % 2 == 0 ? 4 : 6, count);
        assert_true(count > 0);
    }
    print_message("by another interface: %" PRIu64 ", with a wrong checksum: %" PRIu64 "\n",
                  cover.redirects, cover.wrong_sums);
    assert_true(cover.redirects > 0);
    assert_true(cover.wrong_sums > 0);
}

// But for the want of room in front of the packet (where the kernel runs the program for a test,
// there is always enough) and for limits, of which both sides have buckets and clocks of their own.
static bool may_be_missing(int verdict)
{
    return verdict == RELAY_ABI_VERDICT_pass_no_room || verdict == RELAY_ABI_VERDICT_drop_max_pps ||
           verdict == RELAY_ABI_VERDICT_drop_max_bps;
}

static void every_verdict_was_given(void **state)
{
    (void)state;
    for (int i = 0; i < RELAY_ABI_VERDICT_COUNT; i++) {
        print_message("%s: %" PRIu64 "\n", verdict_names[i], cover.verdicts[i]);
        assert_true(cover.verdicts[i] > 0 || may_be_missing(i));
    }
}

static void channels_were_closed_for_every_reason(void **state)
{
    static const char *const names[DIFF_CAUSE_COUNT] = {
        [DIFF_CAUSE_PERMISSION] = "permission expired",
        [DIFF_CAUSE_CHANNEL] = "channel expired",
        [DIFF_CAUSE_REST] = "channel rests",
        [DIFF_CAUSE_ALLOCATION] = "allocation expired",
        [DIFF_CAUSE_REFRESH] = "Refresh to zero",
        [DIFF_CAUSE_TAKEOVER] = "replaced by another allocation",
        [DIFF_CAUSE_FAMILY] = "family closed",
    };

    (void)state;
    for (int i = DIFF_CAUSE_PERMISSION; i < DIFF_CAUSE_COUNT; i++) {
        print_message("%s: %" PRIu64 "\n", names[i], cover.causes[i]);
        assert_true(cover.causes[i] > 0);
    }
}

static int close_world(void **state)
{
    (void)state;
    diff_world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_tiers_agree),
        cmocka_unit_test(every_way_was_taken),
        cmocka_unit_test(every_verdict_was_given),
        cmocka_unit_test(channels_were_closed_for_every_reason),
    };

    if (!diff_world_open(&world, &cover)) {
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, close_world);
}
