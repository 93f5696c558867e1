// SPDX-License-Identifier: Apache-2.0
// Reading a small text file whole.
#pragma once

#include "base/bytes.h"

enum { DAEMON_FILE_MAX = 1024 * 1024 }; // bytes

// Reads a file into memory that daemon_file_free() frees. -EFBIG when it is longer than
// DAEMON_FILE_MAX, -EISDIR, -ENOENT, -EACCES and so on. *out is untouched unless 0. A pipe is
// waited for.
MUST_USE int daemon_file_read(const char *path, struct bytes *out);
// The same for what has been read before. It waits for nothing; -ESPIPE for a pipe, which would be
// empty now, or be waited for without end.
MUST_USE int daemon_file_read_again(const char *path, struct bytes *out);
// The same for what the program has written itself, up to `most` bytes of it.
MUST_USE int daemon_file_read_most(const char *path, size_t most, struct bytes *out);
// Wipes and frees what was read, and empties the span; an empty span is left as it is.
void daemon_file_free(struct bytes *text);
