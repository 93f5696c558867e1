// SPDX-License-Identifier: Apache-2.0
// A naive double of base/heap.h: an array of deadlines that is searched for its minimum.
#pragma once

#include "base/bytes.h"

// Reads the bytes as operations on a heap and on the array, and asserts that they agree: the
// first chooses the capacity, the rest come in threes of an operation, a timer and a deadline.
void heap_model_run(struct bytes operations);
