// SPDX-License-Identifier: Apache-2.0
// What an inquiry has found, in words and a table for people, or in the form that was asked for.
#pragma once

#include <stdio.h>

#include "probe/probe_inquiry.h"

// Prints in the format of the configuration.
void probe_findings_print(const struct probe_inquiry *inquiry, FILE *out);

// Prints what could be asked: every check with its section, level and rule.
void probe_findings_list(const struct talk_subject *const *subjects, size_t subject_count,
                         FILE *out);

// With what a page of findings begins.
struct probe_findings_head {
    const char *title;
    const char *text;
};

// Prints the page that tells of each check what a finding of it means, in Markdown.
void probe_findings_page(const struct probe_findings_head *head,
                         const struct talk_subject *const *subjects, size_t subject_count,
                         FILE *out);

// A datagram of a conversation in words, as a C string.
enum { PROBE_FINDINGS_WORDS_MAX = 2048 };
const char *probe_findings_words(const struct talk_log_entry *entry,
                                 char text[PROBE_FINDINGS_WORDS_MAX]);
