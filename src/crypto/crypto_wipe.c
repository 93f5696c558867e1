// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_wipe.h"

#include <stdint.h>
#include <string.h>

void crypto_wipe(void *memory, size_t len)
{
    memset(memory, 0, len);
    __asm__ volatile("" : : "r"(memory) : "memory"); // the zeroes are looked at, as far as it knows
}

void crypto_wipe_used(void *memory, size_t len)
{
    static const uint8_t zeros[4096];
    uint8_t *bytes = memory;

    for (size_t at = 0; at < len; at += sizeof zeros) {
        size_t part_len = len - at < sizeof zeros ? len - at : sizeof zeros;
        if (memcmp(bytes + at, zeros, part_len) != 0) {
            crypto_wipe(bytes + at, part_len);
        }
    }
}
