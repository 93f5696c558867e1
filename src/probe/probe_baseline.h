// SPDX-License-Identifier: Apache-2.0
// What was known, beside what was found: what is new, what has gone, and both as a file.
#pragma once

#include <stdio.h>

#include "probe/probe_inquiry.h"

// The entry by which a result is known: a finding that is no worse than it says, or a skip that it
// names as one. NULL when it is new, and when the check has passed.
const struct probe_known_entry *probe_baseline_find(const struct probe_inquiry *inquiry,
                                                    const struct probe_inquiry_result *result);

// What is known has gone: of the checks that it means some were tried, and all have passed. What
// comes and goes never has.
bool probe_baseline_is_gone(const struct probe_inquiry *inquiry,
                            const struct probe_known_entry *entry);

// How many results are what, and how many entries have gone.
struct probe_baseline_counts {
    uint32_t new_findings; // of those that end the command with PROBE_INQUIRY_FINDINGS
    uint32_t known_findings;
    uint32_t new_skips;
    uint32_t known_skips;
    uint32_t gone;
};
struct probe_baseline_counts probe_baseline_count(const struct probe_inquiry *inquiry);

// Prints in a line or two what is new, what could not be tried, and what has gone, for people who
// look at the log of a pipeline.
void probe_baseline_sum(const struct probe_inquiry *inquiry, FILE *out);

// Writes the file of what was found now, with what was known of checks that were not tried.
void probe_baseline_write(const struct probe_inquiry *inquiry, FILE *out);
