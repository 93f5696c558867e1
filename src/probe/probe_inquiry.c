// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_inquiry.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "io/io_thread.h"
#include "probe/probe_findings.h"
#include "probe/probe_world.h"
#include "stun/stun_error.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    THREADS_MAX = 32,
    PATH_MAX_BYTES = 4096,
};

static const char *const formats[] = {"text", "json", "junit", "markdown"};

// --- options -------------------------------------------------------------------------------------

// The check has this id, or one that begins with it and a dash.
static bool is_meant(const struct talk_check *check, struct bytes id)
{
    struct bytes own = bytes_of_text(check->id);

    return bytes_equal(bytes_first(own, id.len), id) &&
           (own.len == id.len || own.ptr[id.len] == '-');
}

static bool is_among(const struct talk_check *check, const struct probe_inquiry_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (is_meant(check, ids->ids[i])) {
            return true;
        }
    }
    return false;
}

static void read_ids(struct conf *conf, const char *name,
                     const struct talk_subject *const *subjects, size_t subject_count,
                     struct probe_inquiry_ids *out)
{
    const struct conf_value *value = NULL;

    while ((value = conf_next(conf, name, value)) != NULL) {
        bool is_there = false;
        for (size_t i = 0; i < subject_count; i++) {
            for (size_t j = 0; j < subjects[i]->count; j++) {
                is_there = is_there || is_meant(&subjects[i]->checks[j], value->text);
            }
        }
        if (!is_there) {
            conf_error_value(&conf->errors, value, "is no check's id, nor the beginning of one");
        } else if (out->count == PROBE_INQUIRY_IDS_MAX) {
            conf_error_value(&conf->errors, value, "is one too many");
        } else {
            out->ids[out->count++] = value->text;
        }
    }
}

bool probe_inquiry_read(struct conf *conf, const struct talk_subject *const *subjects,
                        size_t subject_count, struct probe_inquiry_config *out)
{
    size_t format = 0;

    memset(out, 0, sizeof *out);
    out->is_list = conf_flag(conf, "list");
    if (!out->is_list) {
        probe_target_read(conf, &out->target);
    }
    read_ids(conf, "only", subjects, subject_count, &out->only);
    read_ids(conf, "except", subjects, subject_count, &out->except);
    read_ids(conf, "known", subjects, subject_count, &out->known);
    out->is_strict = conf_flag(conf, "strict");
    out->is_slow = conf_flag(conf, "slow");
    out->has_hex = conf_flag(conf, "hex");
    out->has_details = out->has_hex || conf_flag(conf, "details");
    if (conf_value_word(&conf->errors, conf_find(conf, "format"), formats, COUNT_OF(formats),
                        &format)) {
        out->format = (enum probe_inquiry_format)format;
    }
    conf_value_text(&conf->errors, conf_find(conf, "output"), 1, PATH_MAX_BYTES - 1, &out->output);
    return conf->errors.count == 0;
}

// --- running -------------------------------------------------------------------------------------

// Slow ones begin first; those that want to be alone come when all others are done.
enum turn { TURN_SLOW, TURN_QUICK, TURN_ALONE, TURNS };

struct crew {
    struct probe_inquiry *inquiry;
    struct probe_world_pace pace;
    atomic_size_t next; // result to be worked on, in the order of turns
    size_t counts[TURNS];
    uint64_t end_ns; // after which none is begun
};

static void run_one(struct crew *crew, struct probe_world *world,
                    struct probe_inquiry_result *result)
{
    uint8_t seed[CRYPTO_RANDOM_SEED_LEN];
    struct probe_target_user users[2];
    struct talk_target target;
    struct now begun = io_clock_now();

    io_random_fill(seed, sizeof seed);
    probe_target_of(&crew->inquiry->config->target, result->check->id, begun.wall_s, users,
                    &target);
    talk_run(&result->talk, result->check, &target, &world->world, seed);
    result->took_ns = io_clock_now().mono_ns - begun.mono_ns;
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

static struct probe_inquiry_result *next_of(struct crew *crew)
{
    size_t index = atomic_fetch_add(&crew->next, 1);

    return index < crew->counts[TURN_SLOW]
               ? result_of(crew->inquiry, TURN_SLOW, index)
               : result_of(crew->inquiry, TURN_QUICK, index - crew->counts[TURN_SLOW]);
}

static void run_in_time(struct crew *crew, struct probe_world *world,
                        struct probe_inquiry_result *result)
{
    if (io_clock_now().mono_ns < crew->end_ns) {
        run_one(crew, world, result);
        return;
    }
    result->talk.check = result->check;
    talk_skip(&result->talk, "the time that was allowed was over");
}

static void *work(void *context)
{
    struct crew *crew = context;
    struct probe_world *world = calloc(1, sizeof *world);

    if (world == NULL) {
        return NULL;
    }
    probe_world_init(world, &crew->pace);
    for (struct probe_inquiry_result *result; (result = next_of(crew)) != NULL;) {
        run_in_time(crew, world, result);
    }
    probe_world_deinit(world);
    free(world);
    return NULL;
}

// Starts the others; works itself too, so that it works even if none can be started.
static void run_all(struct crew *crew)
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

static void run_alone(struct crew *crew)
{
    static struct probe_world world;

    probe_world_init(&world, &crew->pace);
    for (size_t i = 0; i < crew->counts[TURN_ALONE]; i++) {
        run_in_time(crew, &world, result_of(crew->inquiry, TURN_ALONE, i));
    }
    probe_world_deinit(&world);
}

static void greet(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask(talk);
    if (!talk->has_heard) { // it may serve TURN alone
        talk_request_udp(talk_request(talk, STUN_ALLOCATE));
        talk_ask(talk);
    }
}

static bool is_anybody_there(struct crew *crew)
{
    static const struct talk_check check = {.id = "greet", .run = greet};
    static struct probe_inquiry_result result = {.check = &check};
    static struct probe_world world;

    probe_world_init(&world, &crew->pace);
    run_one(crew, &world, &result);
    probe_world_deinit(&world);
    return result.talk.has_heard;
}

// An Allocate that asks for nothing: who is known is told so by 400, and nothing is held for it.
static void prove(struct talk *talk)
{
    talk_need_nonce(talk);
    IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
    talk_ask(talk);
    if (!talk->is_decided && talk_answer_code(talk) == STUN_ERROR_UNAUTHENTICATED) {
        talk_fail(talk, bytes_of_text("the user is known"), bytes_of_text("401"));
    }
}

// Without a user that the server knows most is skipped, which must not pass for an all-clear.
static bool is_user_refused(struct crew *crew)
{
    static const struct talk_check check = {.id = "prove", .rule = "", .run = prove};
    static struct probe_inquiry_result result = {.check = &check};
    static struct probe_world world;

    probe_world_init(&world, &crew->pace);
    run_one(crew, &world, &result);
    probe_world_deinit(&world);
    return result.talk.verdict == TALK_FAIL;
}

static bool is_wanted(const struct talk_check *check, const struct probe_inquiry_config *config)
{
    return (config->only.count == 0 || is_among(check, &config->only)) &&
           !is_among(check, &config->except) && (config->is_slow || !check->is_slow);
}

static void choose(struct crew *crew, const struct talk_subject *const *subjects,
                   size_t subject_count)
{
    struct probe_inquiry *inquiry = crew->inquiry;
    const struct probe_inquiry_config *config = inquiry->config;

    for (size_t i = 0; i < subject_count; i++) {
        for (size_t j = 0; j < subjects[i]->count; j++) {
            const struct talk_check *check = &subjects[i]->checks[j];
            if (!is_wanted(check, config)) {
                continue;
            }
            struct probe_inquiry_result *result = &inquiry->results[inquiry->count++];
            result->subject = subjects[i];
            result->check = check;
            result->is_known = is_among(check, &config->known);
            crew->counts[turn_of(check)]++;
        }
    }
}

bool probe_inquiry_counts(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result)
{
    const enum talk_verdict verdict = result->talk.verdict;

    if (result->is_known) {
        return false;
    }
    if (verdict == TALK_FAIL && result->talk.severity == TALK_INFO) {
        return inquiry->config->is_strict;
    }
    return verdict == TALK_FAIL ||
           (inquiry->config->is_strict && (verdict == TALK_WARN || verdict == TALK_LACKS));
}

static enum probe_inquiry_exit print(const struct probe_inquiry *inquiry)
{
    char path[PATH_MAX_BYTES] = {0};
    struct bytes output = inquiry->config->output;
    FILE *out = stdout;
    bool has_findings = false;

    if (output.len > 0) {
        memcpy(path, output.ptr, output.len);
        out = fopen(path, "we");
        if (out == NULL) {
            fprintf(stderr, "fairlead-probe: %s: %s\n", path, strerror(errno));
            return PROBE_INQUIRY_BROKEN;
        }
    }
    probe_findings_print(inquiry, out);
    bool is_printed = fflush(out) == 0 && !ferror(out);
    if (out != stdout) {
        is_printed = fclose(out) == 0 && is_printed;
    }
    if (!is_printed) {
        fprintf(stderr, "fairlead-probe: the results cannot be written\n");
        return PROBE_INQUIRY_BROKEN;
    }
    for (size_t i = 0; i < inquiry->count; i++) {
        has_findings = has_findings || probe_inquiry_counts(inquiry, &inquiry->results[i]);
    }
    return has_findings ? PROBE_INQUIRY_FINDINGS : PROBE_INQUIRY_GOOD;
}

static enum probe_inquiry_exit run(struct crew *crew)
{
    const struct probe_inquiry_config *config = crew->inquiry->config;

    probe_world_pace_init(&crew->pace, config->target.rate);
    crew->end_ns =
        config->limit_s > 0 ? io_clock_now().mono_ns + config->limit_s * SECOND_NS : UINT64_MAX;
    if (!is_anybody_there(crew)) {
        fprintf(stderr, "fairlead-probe: the server does not answer, neither to Binding nor to "
                        "Allocate requests\n");
        return PROBE_INQUIRY_SILENCE;
    }
    const bool is_refused = is_user_refused(crew);
    if (is_refused) {
        fprintf(stderr, "fairlead-probe: the server refuses the user by 401: look at --user and "
                        "--pass, or at --auth-secret; what takes a user cannot be judged\n");
    }
    run_all(crew);
    run_alone(crew);
    const enum probe_inquiry_exit status = print(crew->inquiry);
    return status == PROBE_INQUIRY_GOOD && is_refused ? PROBE_INQUIRY_FINDINGS : status;
}

enum probe_inquiry_exit probe_inquiry_run(const char *name,
                                          const struct probe_inquiry_config *config,
                                          const struct talk_subject *const *subjects,
                                          size_t subject_count)
{
    struct probe_inquiry inquiry = {.name = name, .config = config};
    struct crew crew = {.inquiry = &inquiry};
    size_t count = 0;

    if (config->is_list) {
        probe_findings_list(subjects, subject_count, stdout);
        return fflush(stdout) == 0 ? PROBE_INQUIRY_GOOD : PROBE_INQUIRY_BROKEN;
    }
    for (size_t i = 0; i < subject_count; i++) {
        count += subjects[i]->count;
    }
    assert(count > 0);
    inquiry.results = calloc(count, sizeof *inquiry.results);
    if (inquiry.results == NULL) {
        fprintf(stderr, "fairlead-probe: %s\n", strerror(ENOMEM));
        return PROBE_INQUIRY_BROKEN;
    }
    choose(&crew, subjects, subject_count);
    enum probe_inquiry_exit how = run(&crew);
    free(inquiry.results);
    return how;
}
