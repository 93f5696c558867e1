// SPDX-License-Identifier: Apache-2.0
// What is known of a server and accepted, so that only what is new counts: ids on the command line,
// and a file that stands beside the server's configuration.
//
// The file has a line for each check:
//
//     ID [GRADE] [sometimes] [# REASON]
//
// ID is the whole name of a check. GRADE is the worst that is known of it (fail, warn, lacks; of an
// attack high, medium, low, info), so that it counts again when it becomes worse; `skip` says that
// it cannot be tried, and not that it may fail. Without a grade any finding of it is known, but no
// skip. `sometimes` says that it comes and goes: that it is not there is no news. Lines that are
// blank or begin with # are comments.
#pragma once

#include "base/bytes.h"
#include "conf/conf.h"
#include "talk/talk_check.h"

enum {
    PROBE_KNOWN_MAX = 512,             // entries
    PROBE_KNOWN_FILE_MAX = 128 * 1024, // bytes
};

struct probe_known_entry {
    struct bytes id;     // borrowed
    bool is_beginning;   // or the first words of one; on the command line only
    bool is_sometimes;   // may be there or not
    struct bytes grade;  // borrowed; empty: any finding
    struct bytes reason; // borrowed; may be empty
    uint32_t line;       // of the file, from 1; 0: of the command line
};

struct probe_known {
    struct probe_known_entry entries[PROBE_KNOWN_MAX];
    size_t count;
    struct bytes path; // of the file; empty: none
};

// Whether it is about that check.
bool probe_known_means(const struct probe_known_entry *entry, const struct talk_check *check);

// Reads a line. NULL, or what is wrong with it, as the end of a sentence that begins with the line;
// *out is written either way, its id empty when the line says nothing.
const char *probe_known_line(struct bytes line, struct probe_known_entry *out);

// Reads --known and --known-file. What is wrong goes to the errors of `conf`: lines that do not
// read, checks that there are not, grades that such a check cannot have. Spans are borrowed from
// `conf`, and from memory of this file, which the next call overwrites.
void probe_known_read(struct conf *conf, const struct talk_subject *const *subjects,
                      size_t subject_count, struct probe_known *out);
