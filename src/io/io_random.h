// SPDX-License-Identifier: Apache-2.0
// Random bytes from the kernel.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Fills memory by getrandom(2), waiting for the kernel's pool at early boot. A kernel that gives
// none ends the process: nothing here is safe without it.
void io_random_fill(uint8_t *ptr, size_t len);
