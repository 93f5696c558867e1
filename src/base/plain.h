// SPDX-License-Identifier: Apache-2.0
// What strangers have named, in text for terminals and lines of fields.
#pragma once

#include "base/bytes.h"

// Writes printable ASCII as it is, but for the backslash, and all else as \xNN.
void plain_write(struct wr *wr, struct bytes text);
