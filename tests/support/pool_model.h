// SPDX-License-Identifier: Apache-2.0
// A naive double of base/pool.h: the list of all references ever handed out, beside the real pool.
#pragma once

#include "base/bytes.h"

// Reads the bytes as operations on a pool and on the list, and asserts that they agree: the first
// two choose capacity and item size, the rest come in pairs of an operation and its argument.
void pool_model_run(struct bytes operations);
