// SPDX-License-Identifier: Apache-2.0
// The section OPTIONS of a man page, as scdoc(5) source, from the table that --help uses.
#pragma once

#include "base/bytes.h"
#include "conf/conf_option.h"

// Writes "# OPTIONS" and the options by group; wr fails when it is full. Another section must
// follow behind an empty line, since scdoc leaves an indentation open at a file's end.
void conf_scdoc_write(struct wr *wr, const struct conf_table *table);

// Writes text so that nothing in it is markup. It has no control characters.
void conf_scdoc_text_write(struct wr *wr, const char *text);
