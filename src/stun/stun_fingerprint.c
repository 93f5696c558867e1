// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_fingerprint.h"

// The remainders of the 16 half-bytes under the reversed polynomial of ITU V.42: two look-ups a
// byte, 64 bytes of table.
static const uint32_t crc_of[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t stun_fingerprint(struct bytes head)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < head.len; i++) {
        crc ^= head.ptr[i];
        crc = crc >> 4 ^ crc_of[crc % 16];
        crc = crc >> 4 ^ crc_of[crc % 16];
    }
    return ~crc ^ UINT32_C(0x5354554e); // "STUN"
}
