// SPDX-License-Identifier: Apache-2.0
// The little JSON that the relay writes.
#pragma once

#include "base/bytes.h"

// Writes a string with its quotes. Bytes that are no ASCII are written as they are.
void relay_json_string_write(struct wr *wr, struct bytes text);
