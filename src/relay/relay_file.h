// SPDX-License-Identifier: Apache-2.0
// Reading a small text file whole.
#pragma once

#include "base/bytes.h"

enum { RELAY_FILE_MAX = 1024 * 1024 }; // bytes

// Reads a file into memory that relay_file_free() frees. -EFBIG when it is longer than
// RELAY_FILE_MAX, -EISDIR, -ENOENT, -EACCES and so on. *out is untouched unless 0.
MUST_USE int relay_file_read(const char *path, struct bytes *out);
// Wipes and frees what was read, and empties the span; an empty span is left as it is.
void relay_file_free(struct bytes *text);
