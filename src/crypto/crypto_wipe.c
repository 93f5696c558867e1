// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_wipe.h"

#include <string.h>

void crypto_wipe(void *memory, size_t len)
{
    memset(memory, 0, len);
    __asm__ volatile("" : : "r"(memory) : "memory"); // the zeroes are looked at, as far as it knows
}
