// SPDX-License-Identifier: Apache-2.0
// The little JSON that daemons write.
#pragma once

#include "base/bytes.h"

// Writes a string with its quotes. Bytes that are no ASCII are written as they are.
void daemon_json_string_write(struct wr *wr, struct bytes text);
// Writes a further member of an object, a number, with the comma before it.
void daemon_json_number_write(struct wr *wr, const char *name, uint64_t value);
