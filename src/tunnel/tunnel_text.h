// SPDX-License-Identifier: Apache-2.0
// Writes small files as a whole, so that a reader, or a start after a crash, finds the former text
// or the new one, never half of it.
#pragma once

#include "base/bytes.h"

// Writes a file for its owner alone (0600), in the place of one that is there. It is not waited for
// until the disk has it. -ENAMETOOLONG; as open(2), write(2) and rename(2).
MUST_USE int tunnel_text_write(const char *path, struct bytes text);
