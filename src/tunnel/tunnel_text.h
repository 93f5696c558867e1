// SPDX-License-Identifier: Apache-2.0
// Writes small files: as a whole, so that a reader, or a start after a crash, finds the former text
// or the new one, never half of it; and behind what is there.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

// Writes a file for its owner alone (0600), in the place of one that is there. With `is_lasting` it
// is waited for until the disk has it, so that it is whole after a power failure too; without, that
// may leave an empty one, as the file system has it. -ENAMETOOLONG; as open(2), write(2), fsync(2)
// and rename(2).
MUST_USE int tunnel_text_write(const char *path, struct bytes text, bool is_lasting);

// Writes a text in the place of a file of former_len bytes, whose owner and rights stay; the disk
// has it then. -EBUSY: somebody else has changed that file meanwhile, or is about to. -ELOOP: it is
// a symbolic link. As open(2), write(2), fsync(2), fchown(2) and rename(2).
MUST_USE int tunnel_text_replace(const char *path, size_t former_len, struct bytes text);

// Adds to the end of a file, whose owner and rights stay. One that is not there is made for its
// directory's owner alone (0600), as far as we may give it away. The disk has it then; where it
// fails, nothing of it is added. -ELOOP: it is a symbolic link. As open(2), write(2) and fsync(2).
MUST_USE int tunnel_text_add(const char *path, struct bytes text);
