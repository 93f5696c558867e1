// SPDX-License-Identifier: Apache-2.0
// What a result is called in a report: the verdict on a check of an RFC; of a check of an attack
// how much lies open.
#pragma once

#include "probe/probe_inquiry.h"

enum { PROBE_GRADE_MAX = 6 }; // grades of a kind of inquiry

struct probe_grade_scale {
    const char *const *names; // from good to bad, then what could not be tried
    size_t count;
    const char *legend; // what they mean, lines that end with a newline
};

// The grades that results of this inquiry can have.
const struct probe_grade_scale *probe_grade_scale_of(const struct probe_inquiry *inquiry);

// Which of them a result has: 0 is the best one.
size_t probe_grade_of(const struct probe_inquiry_result *result);
const char *probe_grade_name(const struct probe_inquiry_result *result);

// How many results have each grade, of one subject or, when it is NULL, of all.
void probe_grade_count(const struct probe_inquiry *inquiry, const struct talk_subject *subject,
                       uint32_t out[PROBE_GRADE_MAX]);
