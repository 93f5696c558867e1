// SPDX-License-Identifier: Apache-2.0
// An inquiry: checks that are asked of one server, side by side, and how each of them went. What
// the commands conform and attack have in common.
#pragma once

#include <stdint.h>

#include "conf/conf.h"
#include "probe/probe_known.h"
#include "probe/probe_target.h"
#include "talk/talk.h"
#include "talk/talk_check.h"

enum { PROBE_INQUIRY_IDS_MAX = 256 }; // of each list of ids

// How a command ends.
enum probe_inquiry_exit {
    PROBE_INQUIRY_GOOD = 0,
    PROBE_INQUIRY_FINDINGS = 1,
    PROBE_INQUIRY_USAGE = 2,
    PROBE_INQUIRY_SILENCE = 3, // the server has never answered
    PROBE_INQUIRY_BROKEN = 4,  // this host does not do what is needed
    PROBE_INQUIRY_UNTRIED = 5, // nothing was found, but not all could be tried
};

enum probe_inquiry_format {
    PROBE_INQUIRY_TEXT,
    PROBE_INQUIRY_JSON,
    PROBE_INQUIRY_JUNIT,
    PROBE_INQUIRY_MARKDOWN,
};

struct probe_inquiry_ids {
    struct bytes ids[PROBE_INQUIRY_IDS_MAX]; // borrowed
    size_t count;
};

// What is told by the options of probe_inquiry_options.h.
struct probe_inquiry_config {
    struct probe_target target;
    struct probe_inquiry_ids only; // empty: all
    struct probe_inquiry_ids except;
    struct probe_known known;
    bool is_strict;
    bool allows_skips;
    uint32_t repeat; // how often each check is run that is not slow, at least once
    bool is_slow;
    bool is_list;
    enum probe_inquiry_format format;
    struct bytes output;      // path, or empty
    struct bytes write_known; // path, or empty
    bool has_details;
    bool has_hex;
    uint32_t limit_s; // after which no further check is begun; 0: never
};

// One check, and how it went.
struct probe_inquiry_result {
    const struct talk_subject *subject;
    const struct talk_check *check;
    uint64_t took_ns;
    uint32_t asked_count; // how often it could be tried
    uint32_t found_count; // and how often of these it has not passed
    struct talk talk;     // of these the worst, and the first among equals
};

struct probe_inquiry {
    const char *name; // of the command
    const struct probe_inquiry_config *config;
    struct probe_inquiry_result *results; // in the order of the subjects
    size_t count;
    bool is_refused; // the server refuses the user by 401
    bool is_other_refused;
};

// Reads the options. False when there are errors, which stand in conf->errors. An id that no check
// of the subjects has is one.
MUST_USE bool probe_inquiry_read(struct conf *conf, const struct talk_subject *const *subjects,
                                 size_t subject_count, struct probe_inquiry_config *out);

// Whether a result makes the inquiry end with PROBE_INQUIRY_FINDINGS: it is grave enough, and new.
bool probe_inquiry_counts(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result);

// Runs all that the configuration wants of the subjects, and prints. What goes wrong is said on
// standard error.
enum probe_inquiry_exit probe_inquiry_run(const char *name,
                                          const struct probe_inquiry_config *config,
                                          const struct talk_subject *const *subjects,
                                          size_t subject_count);
