// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_inquiry.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/probe_baseline.h"
#include "probe/probe_crew.h"
#include "probe/probe_findings.h"
#include "stun/stun_error.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    PATH_MAX_BYTES = 4096,
    REPEAT_MAX = 20,
};

static const char *const formats[] = {"text", "json", "junit", "markdown"};

// --- options -------------------------------------------------------------------------------------

static bool is_among(const struct talk_check *check, const struct probe_inquiry_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        const struct probe_known_entry meant = {.id = ids->ids[i], .is_beginning = true};
        if (probe_known_means(&meant, check)) {
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
        const struct probe_known_entry meant = {.id = value->text, .is_beginning = true};
        bool is_there = false;
        for (size_t i = 0; i < subject_count; i++) {
            for (size_t j = 0; j < subjects[i]->count; j++) {
                is_there = is_there || probe_known_means(&meant, &subjects[i]->checks[j]);
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
    uint64_t repeat = 1;

    memset(out, 0, sizeof *out);
    out->is_list = conf_flag(conf, "list");
    if (!out->is_list) {
        probe_target_read(conf, &out->target);
    }
    read_ids(conf, "only", subjects, subject_count, &out->only);
    read_ids(conf, "except", subjects, subject_count, &out->except);
    probe_known_read(conf, subjects, subject_count, &out->known);
    out->is_strict = conf_flag(conf, "strict");
    out->allows_skips = conf_flag(conf, "allow-skips");
    out->is_slow = conf_flag(conf, "slow");
    out->has_hex = conf_flag(conf, "hex");
    out->has_details = out->has_hex || conf_flag(conf, "details");
    if (conf_value_word(&conf->errors, conf_find(conf, "format"), formats, COUNT_OF(formats),
                        &format)) {
        out->format = (enum probe_inquiry_format)format;
    }
    conf_value_text(&conf->errors, conf_find(conf, "output"), 1, PATH_MAX_BYTES - 1, &out->output);
    conf_value_text(&conf->errors, conf_find(conf, "write-known"), 1, PATH_MAX_BYTES - 1,
                    &out->write_known);
    conf_value_number(&conf->errors, conf_find(conf, "repeat"), 1, REPEAT_MAX, &repeat);
    out->repeat = (uint32_t)repeat;
    return conf->errors.count == 0;
}

// --- running -------------------------------------------------------------------------------------

static void greet(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask(talk);
    if (!talk->has_heard) { // it may serve TURN alone
        talk_request_udp(talk_request(talk, STUN_ALLOCATE));
        talk_ask(talk);
    }
}

static bool is_anybody_there(struct probe_crew *crew)
{
    static const struct talk_check check = {.id = "greet", .rule = "", .run = greet};
    static struct probe_inquiry_result result = {.check = &check};

    probe_crew_ask(crew, &result);
    return result.talk.has_heard;
}

// An Allocate that asks for nothing: who is known is told so by 400, and nothing is held for it.
static void ask_nothing(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
    talk_ask(talk);
    talk_answer_take(talk); // some grant even that
    if (!talk->is_decided && talk_answer_code(talk) == STUN_ERROR_UNAUTHENTICATED) {
        talk_fail(talk, bytes_of_text("the user is known"), bytes_of_text("401"));
    }
}

static void prove(struct talk *talk)
{
    talk_need_nonce(talk);
    ask_nothing(talk);
}

static void prove_other(struct talk *talk)
{
    talk_need_other_user(talk);
    ask_nothing(talk);
}

static bool is_refused(struct probe_crew *crew, const struct talk_check *check)
{
    static struct probe_inquiry_result result;

    result.check = check;
    probe_crew_ask(crew, &result);
    return result.talk.verdict == TALK_FAIL;
}

// Without a user that the server knows most is skipped, which must not pass for an all-clear. What
// is asked as a user whom it refuses would be a finding each, or pass where a refusal is wanted.
static void prove_users(struct probe_crew *crew, struct probe_inquiry *inquiry)
{
    static const struct talk_check one = {.id = "prove", .rule = "", .run = prove};
    static const struct talk_check other = {.id = "prove-other", .rule = "", .run = prove_other};

    if (is_refused(crew, &one)) {
        inquiry->is_refused = true;
        fprintf(stderr, "fairlead-probe: the server refuses the user by 401: look at --user and "
                        "--pass, or at --auth-secret; what takes a user cannot be judged\n");
    } else if (inquiry->config->target.other_username.len > 0 && is_refused(crew, &other)) {
        inquiry->is_other_refused = true;
        fprintf(stderr, "fairlead-probe: the server refuses the other user by 401: look at "
                        "--other-user and --other-pass; what takes two users cannot be judged\n");
    }
}

static bool is_meant(const struct talk_check *check, const struct probe_inquiry_config *config)
{
    return (config->only.count == 0 || is_among(check, &config->only)) &&
           !is_among(check, &config->except);
}

// Returns how many are left out for being slow.
static size_t choose(struct probe_inquiry *inquiry, const struct talk_subject *const *subjects,
                     size_t subject_count)
{
    size_t slow_count = 0;

    for (size_t i = 0; i < subject_count; i++) {
        for (size_t j = 0; j < subjects[i]->count; j++) {
            const struct talk_check *check = &subjects[i]->checks[j];
            if (!is_meant(check, inquiry->config)) {
                continue;
            }
            if (check->is_slow && !inquiry->config->is_slow) {
                slow_count++;
            } else {
                struct probe_inquiry_result *result = &inquiry->results[inquiry->count++];
                result->subject = subjects[i];
                result->check = check;
                result->talk.check = check;
                talk_skip(&result->talk, "it was not run: this host has no memory left");
            }
        }
    }
    return slow_count;
}

bool probe_inquiry_counts(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result)
{
    const enum talk_verdict verdict = result->talk.verdict;

    if (verdict == TALK_PASS || verdict == TALK_SKIP ||
        probe_baseline_find(inquiry, result) != NULL) {
        return false;
    }
    return inquiry->config->is_strict ||
           (verdict == TALK_FAIL && result->talk.severity != TALK_INFO);
}

typedef void (*print_fn)(const struct probe_inquiry *inquiry, FILE *out);

// Prints to a file, or to standard output without a path.
static bool print(const struct probe_inquiry *inquiry, struct bytes where, print_fn how)
{
    char path[PATH_MAX_BYTES] = {0};
    FILE *out = stdout;

    if (where.len > 0) {
        memcpy(path, where.ptr, where.len);
        out = fopen(path, "we");
        if (out == NULL) {
            fprintf(stderr, "fairlead-probe: %s: %s\n", path, strerror(errno));
            return false;
        }
    }
    how(inquiry, out);
    bool is_printed = fflush(out) == 0 && !ferror(out);
    if (out != stdout) {
        is_printed = fclose(out) == 0 && is_printed;
    }
    if (!is_printed) {
        fprintf(stderr, "fairlead-probe: the results cannot be written\n");
    }
    return is_printed;
}

static enum probe_inquiry_exit judge(const struct probe_inquiry *inquiry)
{
    const struct probe_inquiry_config *config = inquiry->config;
    const struct probe_baseline_counts counts = probe_baseline_count(inquiry);

    if (inquiry->is_refused || inquiry->is_other_refused) {
        return PROBE_INQUIRY_FINDINGS;
    }
    if (config->write_known.len > 0) {
        return print(inquiry, config->write_known, probe_baseline_write) ? PROBE_INQUIRY_GOOD
                                                                         : PROBE_INQUIRY_BROKEN;
    }
    if (counts.new_findings > 0) {
        return PROBE_INQUIRY_FINDINGS;
    }
    return counts.new_skips > 0 && !config->allows_skips ? PROBE_INQUIRY_UNTRIED
                                                         : PROBE_INQUIRY_GOOD;
}

static enum probe_inquiry_exit run(struct probe_inquiry *inquiry)
{
    const struct probe_inquiry_config *config = inquiry->config;
    struct probe_crew crew;

    probe_crew_init(&crew, inquiry);
    if (!is_anybody_there(&crew)) {
        fprintf(stderr, "fairlead-probe: the server does not answer, neither to Binding nor to "
                        "Allocate requests\n");
        return PROBE_INQUIRY_SILENCE;
    }
    prove_users(&crew, inquiry);
    probe_crew_run(&crew);
    if (!print(inquiry, config->output, probe_findings_print)) {
        return PROBE_INQUIRY_BROKEN;
    }
    if (config->output.len > 0 || config->format != PROBE_INQUIRY_TEXT) {
        probe_baseline_sum(inquiry, stderr);
    }
    const enum probe_inquiry_exit status = judge(inquiry);
    if (status == PROBE_INQUIRY_UNTRIED) {
        fprintf(stderr, "fairlead-probe: nothing was found, but not all could be tried, which is "
                        "no all-clear: --allow-skips if that is well, or a line with `skip` in "
                        "--known-file\n");
    }
    return status;
}

enum probe_inquiry_exit probe_inquiry_run(const char *name,
                                          const struct probe_inquiry_config *config,
                                          const struct talk_subject *const *subjects,
                                          size_t subject_count)
{
    struct probe_inquiry inquiry = {.name = name, .config = config};
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
    const size_t slow_count = choose(&inquiry, subjects, subject_count);
    enum probe_inquiry_exit how = PROBE_INQUIRY_USAGE;
    if (inquiry.count > 0) {
        how = run(&inquiry);
    } else { // nothing was found, as nothing was looked for
        fprintf(stderr, "fairlead-probe: no check is left to be run: %s\n",
                slow_count > 0 ? "these need --slow" : "--except leaves out all of them");
    }
    free(inquiry.results);
    return how;
}
