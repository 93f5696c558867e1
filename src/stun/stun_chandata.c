// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_chandata.h"

#include <assert.h>

bool stun_chandata_is_number(uint16_t number)
{
    return number >= STUN_CHANDATA_LOWEST && number <= STUN_CHANDATA_HIGHEST;
}

bool stun_chandata_is_likely(struct bytes datagram)
{
    return datagram.len > 0 && datagram.ptr[0] >= STUN_CHANDATA_LOWEST >> 8 &&
           datagram.ptr[0] <= STUN_CHANDATA_HIGHEST >> 8;
}

bool stun_chandata_read(struct bytes datagram, uint16_t *number, struct bytes *data)
{
    struct rd rd = rd_init(datagram);
    uint16_t channel = rd_u16(&rd);
    uint16_t len = rd_u16(&rd);
    struct bytes body = rd_bytes(&rd, len);

    if (!rd_ok(&rd) || !stun_chandata_is_number(channel)) {
        return false;
    }
    *number = channel;
    *data = body;
    return true;
}

void stun_chandata_head_write(struct wr *wr, uint16_t number, uint16_t data_len)
{
    assert(stun_chandata_is_number(number));
    wr_u16(wr, number);
    wr_u16(wr, data_len);
}
