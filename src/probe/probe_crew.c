// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_crew.h"

#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "io/io_thread.h"
#include "probe/probe_grade.h"

enum { THREADS_MAX = 32 };

enum turn { TURN_SLOW, TURN_QUICK, TURN_ALONE };
_Static_assert(TURN_ALONE + 1 == PROBE_CREW_TURNS, "each has a count");

static void run_once(struct probe_crew *crew, struct probe_world *world,
                     struct probe_inquiry_result *result)
{
    uint8_t seed[CRYPTO_RANDOM_SEED_LEN];
    struct probe_target_user users[2];
    struct talk_target target;
    struct now begun = io_clock_now();

    io_random_fill(seed, sizeof seed);
    probe_target_of(&crew->inquiry->config->target, result->check->id, begun.wall_s, users,
                    &target);
    target.is_refused = crew->inquiry->is_refused;
    target.is_other_refused = crew->inquiry->is_other_refused;
    talk_run(&result->talk, result->check, &target, &world->world, seed);
    result->took_ns += io_clock_now().mono_ns - begun.mono_ns;
}

// Whether it says more than what came before: what was found says most, and the worst of it; then
// that it has passed.
static bool says_more(const struct probe_inquiry_result *one,
                      const struct probe_inquiry_result *before)
{
    const enum talk_verdict verdict = one->talk.verdict;
    const enum talk_verdict other = before->talk.verdict;

    if (verdict == TALK_SKIP || other == TALK_SKIP) {
        return verdict != TALK_SKIP;
    }
    if (verdict == TALK_PASS || other == TALK_PASS) {
        return verdict != TALK_PASS;
    }
    return probe_grade_of(one) < probe_grade_of(before);
}

static void count_in(struct probe_inquiry_result *result, const struct talk *talk)
{
    result->asked_count += talk->verdict != TALK_SKIP;
    result->found_count += talk->verdict != TALK_SKIP && talk->verdict != TALK_PASS;
}

static void run_again(struct probe_crew *crew, struct probe_world *world,
                      struct probe_inquiry_result *result)
{
    struct probe_inquiry_result *again = calloc(1, sizeof *again);

    if (again == NULL) {
        return; // it was run once
    }
    again->check = result->check;
    run_once(crew, world, again);
    count_in(result, &again->talk);
    if (says_more(again, result)) {
        result->talk = again->talk;
    }
    result->took_ns += again->took_ns;
    free(again);
}

static void run_one(struct probe_crew *crew, struct probe_world *world,
                    struct probe_inquiry_result *result)
{
    const uint32_t times = result->check->is_slow ? 1 : crew->inquiry->config->repeat;

    if (io_clock_now().mono_ns >= crew->end_ns) {
        result->talk.is_decided = false; // that it was not run was its verdict so far
        talk_skip(&result->talk, "the time that was allowed was over");
        return;
    }
    run_once(crew, world, result);
    count_in(result, &result->talk);
    for (uint32_t i = 1; i < times && io_clock_now().mono_ns < crew->end_ns; i++) {
        run_again(crew, world, result);
    }
}

static enum turn turn_of(const struct talk_check *check)
{
    return check->is_alone ? TURN_ALONE : check->is_slow ? TURN_SLOW : TURN_QUICK;
}

// The result that is the `index`-th of its turn.
static struct probe_inquiry_result *result_of(const struct probe_inquiry *inquiry, enum turn turn,
                                              size_t index)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        if (turn_of(inquiry->results[i].check) == turn && index-- == 0) {
            return &inquiry->results[i];
        }
    }
    return NULL;
}

static struct probe_inquiry_result *next_of(struct probe_crew *crew)
{
    size_t index = atomic_fetch_add(&crew->next, 1);

    return index < crew->counts[TURN_SLOW]
               ? result_of(crew->inquiry, TURN_SLOW, index)
               : result_of(crew->inquiry, TURN_QUICK, index - crew->counts[TURN_SLOW]);
}

static void *work(void *context)
{
    struct probe_crew *crew = context;
    struct probe_world *world = calloc(1, sizeof *world);

    if (world == NULL) {
        return NULL;
    }
    probe_world_init(world, &crew->pace);
    for (struct probe_inquiry_result *result; (result = next_of(crew)) != NULL;) {
        run_one(crew, world, result);
    }
    probe_world_deinit(world);
    free(world);
    return NULL;
}

// Starts the others; works itself too, so that it works even if none can be started.
static void run_together(struct probe_crew *crew)
{
    struct io_thread threads[THREADS_MAX] = {0};
    uint32_t count = crew->inquiry->config->target.jobs - 1;

    for (uint32_t i = 0; i < count && i < THREADS_MAX; i++) {
        if (io_thread_start(&threads[i], "probe", work, crew) != 0) {
            break;
        }
    }
    work(crew);
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        io_thread_join(&threads[i]);
    }
}

static void run_alone(struct probe_crew *crew)
{
    static struct probe_world world;

    probe_world_init(&world, &crew->pace);
    for (size_t i = 0; i < crew->counts[TURN_ALONE]; i++) {
        run_one(crew, &world, result_of(crew->inquiry, TURN_ALONE, i));
    }
    probe_world_deinit(&world);
}

void probe_crew_init(struct probe_crew *crew, struct probe_inquiry *inquiry)
{
    const struct probe_inquiry_config *config = inquiry->config;

    *crew = (struct probe_crew){.inquiry = inquiry};
    probe_world_pace_init(&crew->pace, config->target.rate);
    crew->end_ns =
        config->limit_s > 0 ? io_clock_now().mono_ns + config->limit_s * SECOND_NS : UINT64_MAX;
    for (size_t i = 0; i < inquiry->count; i++) {
        crew->counts[turn_of(inquiry->results[i].check)]++;
    }
}

void probe_crew_ask(struct probe_crew *crew, struct probe_inquiry_result *out)
{
    static struct probe_world world;

    probe_world_init(&world, &crew->pace);
    run_once(crew, &world, out);
    probe_world_deinit(&world);
}

void probe_crew_run(struct probe_crew *crew)
{
    run_together(crew);
    run_alone(crew);
}
