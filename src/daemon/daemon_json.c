// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_json.h"

void daemon_json_string_write(struct wr *wr, struct bytes text)
{
    wr_u8(wr, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '"' || c == '\\') {
            wr_u8(wr, '\\');
            wr_u8(wr, c);
        } else if (c < 0x20) {
            wr_text(wr, "\\u00");
            wr_hex(wr, (struct bytes){&c, 1});
        } else {
            wr_u8(wr, c);
        }
    }
    wr_u8(wr, '"');
}

void daemon_json_number_write(struct wr *wr, const char *name, uint64_t value)
{
    wr_text(wr, ",\"");
    wr_text(wr, name);
    wr_text(wr, "\":");
    wr_decimal(wr, value);
}
