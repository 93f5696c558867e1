// SPDX-License-Identifier: Apache-2.0
// A naive double of base/table.h: a list of who is in, beside the real table, compared throughout.
#pragma once

#include "base/bytes.h"

// Reads the bytes as operations on a table and on the list, and asserts that they agree:
// the first three choose the capacity, how strongly hashes cluster and where, the rest come in
// pairs of an operation and an item.
void table_model_run(struct bytes operations);
