// SPDX-License-Identifier: Apache-2.0
// Copies of exactly their own size on the heap, so that the sanitizer sees each byte read or
// written behind them.
#pragma once

#include "base/bytes.h"

// Memory of `len` bytes, 0 too, each of them 0xEE; the caller frees it.
uint8_t *exact_room(size_t len);

// A copy of `span`; the caller frees its ptr with exact_free.
struct bytes exact_copy(struct bytes span);
void exact_free(struct bytes copy);
