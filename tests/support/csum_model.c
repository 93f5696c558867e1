// SPDX-License-Identifier: Apache-2.0
#include "support/csum_model.h"

uint32_t csum_model_add(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum;
}

uint16_t csum_model_close(uint32_t sum)
{
    return (uint16_t)~sum;
}
