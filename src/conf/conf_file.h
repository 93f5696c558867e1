// SPDX-License-Identifier: Apache-2.0
// The configuration file.
//
//     # a comment has a line of its own
//     listen-port = 3478
//     user = alice:secret # this is all part of the value
//     realm = " blanks kept "
//
// A line is `key = value`; keys are the long options without their dashes. Blanks around key and
// value do not count. A value in double quotes is what stands between the first and the last
// quote, as it is: nothing is escaped. So "" is an empty value, and a value that begins with a
// quote is quoted itself. Where the table has sections, a line `[name]` begins one. A repeated
// option is a repeated line; a flag is true or false. Lines end with LF or CRLF, the last one with
// either or nothing. A byte order mark is skipped.
#pragma once

#include "conf/conf.h"

enum {
    CONF_FILE_LINE_MAX = 4096, // bytes of a line without its end
};

// Reads a whole file, which outlives `conf`. `name` is for messages and may be NULL. A line with a
// mistake gives no value; reading goes on behind it. Call it last.
void conf_file_read(struct conf *conf, struct bytes text, const char *name);
