// SPDX-License-Identifier: Apache-2.0
// Erasure of secrets.
#pragma once

#include <stddef.h>

// Zeroes memory; the compiler may not leave it out.
void crypto_wipe(void *memory, size_t len);
