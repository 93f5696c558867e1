// SPDX-License-Identifier: Apache-2.0
// Erasure of secrets.
#pragma once

#include <stddef.h>

// Zeroes memory; the compiler may not leave it out. And the vector registers (x86-64 with AVX), in
// which copies of a secret stay.
void crypto_wipe(void *memory, size_t len);

// Zeroes memory of which much may never have been written: looks before it writes. What was never
// used is read only, which costs a system that provides memory on first use nothing, where it may
// be a thousand times what was used.
void crypto_wipe_used(void *memory, size_t len);
