// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_grade.h"

#include "base/macro.h"

static const char *const severities[] = {"pass", "high", "medium", "low", "info", "skip"};

static const struct probe_grade_scale verdict_scale = {
    .names = talk_verdict_names,
    .count = TALK_VERDICTS,
    .legend = "(fail: a MUST is broken; warn: a SHOULD is not kept; lacks: a feature that servers "
              "may have;\n skip: could not be tried)\n",
};
static const struct probe_grade_scale severity_scale = {
    .names = severities,
    .count = COUNT_OF(severities),
    .legend = "(high: strangers or users reach what is not theirs, or bring it down; medium: they "
              "are helped to;\n low: little is lost; info: worth knowing; skip: could not be "
              "tried)\n",
};
_Static_assert((int)TALK_VERDICTS <= (int)PROBE_GRADE_MAX, "each has a place");
_Static_assert(COUNT_OF(severities) <= PROBE_GRADE_MAX, "each has a place");

static bool is_weighed(const struct probe_inquiry_result *result)
{
    return result->check->severity != TALK_UNWEIGHED;
}

static const struct probe_grade_scale *scale_of(const struct probe_inquiry_result *result)
{
    return is_weighed(result) ? &severity_scale : &verdict_scale;
}

const struct probe_grade_scale *probe_grade_scale_of(const struct probe_inquiry *inquiry)
{
    return inquiry->count > 0 ? scale_of(&inquiry->results[0]) : &verdict_scale;
}

size_t probe_grade_of(const struct probe_inquiry_result *result)
{
    const enum talk_verdict verdict = result->talk.verdict;

    if (!is_weighed(result)) {
        return verdict;
    }
    if (verdict == TALK_PASS) {
        return 0;
    }
    return verdict == TALK_SKIP ? COUNT_OF(severities) - 1
                                : (size_t)TALK_SEVERITIES - result->talk.severity;
}

const char *probe_grade_name(const struct probe_inquiry_result *result)
{
    return scale_of(result)->names[probe_grade_of(result)];
}

void probe_grade_count(const struct probe_inquiry *inquiry, const struct talk_subject *subject,
                       uint32_t out[PROBE_GRADE_MAX])
{
    for (int i = 0; i < PROBE_GRADE_MAX; i++) {
        out[i] = 0;
    }
    for (size_t i = 0; i < inquiry->count; i++) {
        if (subject == NULL || inquiry->results[i].subject == subject) {
            out[probe_grade_of(&inquiry->results[i])]++;
        }
    }
}
