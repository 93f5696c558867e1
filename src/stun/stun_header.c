// SPDX-License-Identifier: Apache-2.0
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |0 0|M M M M M|C|M M M|C|M M M M|        length of the body     |
// +---------------------------------------------------------------+
// |                          magic cookie                         |
// +---------------------------------------------------------------+
// |                     transaction id, 96 bits                   |
//
// The class bits stand in the middle of the method (RFC 8489 figure 3):
// type bits 13..9 are method bits 11..7, bit 8 is class bit 1, 7..5 are method bits 6..4,
// bit 4 is class bit 0, 3..0 are method bits 3..0.
#include "stun/stun_header.h"

#include <assert.h>

bool stun_header_is_likely(struct bytes datagram)
{
    return datagram.len > 0 && datagram.ptr[0] < 0x40;
}

static uint16_t type_of(const struct stun_header *header)
{
    unsigned m = header->method;
    unsigned c = header->class;

    return (uint16_t)((m & 0xf80) << 2 | (m & 0x070) << 1 | (m & 0x00f) | (c & 2) << 7 |
                      (c & 1) << 4);
}

bool stun_header_read(struct rd *rd, struct stun_header *out)
{
    struct stun_header header = {0};
    uint16_t type = rd_u16(rd);
    header.body_len = rd_u16(rd);
    uint32_t cookie = rd_u32(rd);
    rd_copy(rd, header.transaction.id, STUN_TRANSACTION_LEN);

    if (!rd_ok(rd) || type > 0x3fff || cookie != STUN_MAGIC_COOKIE || header.body_len % 4 != 0) {
        return false;
    }
    header.method = (uint16_t)((type & 0x3e00) >> 2 | (type & 0x00e0) >> 1 | (type & 0x000f));
    header.class = (uint8_t)((type & 0x0100) >> 7 | (type & 0x0010) >> 4);
    assert(type_of(&header) == type);
    *out = header;
    return true;
}

void stun_header_write(struct wr *wr, const struct stun_header *header)
{
    assert(header->method <= 0xfff);
    assert(header->class <= STUN_ERROR);
    assert(header->body_len % 4 == 0);
    wr_u16(wr, type_of(header));
    wr_u16(wr, header->body_len);
    wr_u32(wr, STUN_MAGIC_COOKIE);
    wr_bytes(wr, (struct bytes){header->transaction.id, STUN_TRANSACTION_LEN});
}

const char *stun_header_method_name(uint16_t method)
{
    switch (method) {
    case STUN_BINDING:
        return "Binding";
    case STUN_ALLOCATE:
        return "Allocate";
    case STUN_REFRESH:
        return "Refresh";
    case STUN_SEND:
        return "Send";
    case STUN_DATA:
        return "Data";
    case STUN_CREATE_PERMISSION:
        return "CreatePermission";
    case STUN_CHANNEL_BIND:
        return "ChannelBind";
    default:
        return NULL;
    }
}
