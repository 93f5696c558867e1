// SPDX-License-Identifier: Apache-2.0
// The text of --help, wrapped to 80 columns.
#pragma once

#include "base/bytes.h"
#include "conf/conf_option.h"

// What help says around the options.
struct conf_program {
    const char *name;    // "fairlead-relay"
    const char *summary; // one or more sentences
    const char *note;    // stands at the end, wrapped; or NULL
};

// Writes name, summary, usage, the options by group, and the note; wr fails when it is full.
// 16 KiB are plenty for a full table.
void conf_help_write(struct wr *wr, const struct conf_table *table,
                     const struct conf_program *program);
