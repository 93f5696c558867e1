// SPDX-License-Identifier: Apache-2.0
// Small files as a whole: read into memory, and written anew so that a reader, or a start after a
// crash, finds the former text or the new one, never half of it.
#pragma once

#include <stddef.h>

#include "base/bytes.h"

enum { TUNNEL_TEXT_MAX = 16 * 1024 * 1024 }; // bytes of a file that is read

// Reads a file into memory of its own: the caller frees out->ptr. -EAGAIN: somebody writes it now.
// -EFBIG: it has more than TUNNEL_TEXT_MAX bytes. As open(2) and read(2), -ENOMEM.
MUST_USE int tunnel_text_read(const char *path, struct bytes *out);

// Writes a file for its owner alone (0600), in the place of one that is there. It is not waited for
// until the disk has it. -ENAMETOOLONG; as open(2), write(2) and rename(2).
MUST_USE int tunnel_text_write(const char *path, struct bytes text);
