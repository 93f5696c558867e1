// SPDX-License-Identifier: Apache-2.0
// Writes small files: as a whole, so that a reader, or a start after a crash, finds the former text
// or the new one, never half of it; and behind what is there.
#pragma once

#include "base/bytes.h"

// Writes a file for its owner alone (0600), in the place of one that is there. It is not waited for
// until the disk has it. -ENAMETOOLONG; as open(2), write(2) and rename(2).
MUST_USE int tunnel_text_write(const char *path, struct bytes text);

// Adds to the end of a file, whose owner and rights stay. One that is not there is made for its
// directory's owner alone (0600), as far as we may give it away. -ELOOP: it is a symbolic link. As
// open(2) and write(2).
MUST_USE int tunnel_text_add(const char *path, struct bytes text);
