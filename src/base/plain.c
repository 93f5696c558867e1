// SPDX-License-Identifier: Apache-2.0
#include "base/plain.h"

void plain_write(struct wr *wr, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = text.ptr[i];
        if (byte < ' ' || byte >= 0x7f || byte == '\\') {
            wr_text(wr, "\\x");
            wr_hex(wr, (struct bytes){&byte, 1});
        } else {
            wr_u8(wr, byte);
        }
    }
}
