// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_icmp.h"

#include <assert.h>

#include "stun/stun_attr.h"

enum {
    VALUE_LEN = 8,    // bytes
    CODE_COUNT = 512, // of 9 bits
    TYPE_COUNT = 128, // of 7 bits
};

bool stun_icmp_read(struct bytes value, struct stun_icmp *out)
{
    struct rd rd = rd_init(value);

    rd_skip(&rd, 2);
    uint16_t type_and_code = rd_u16(&rd);
    uint32_t data = rd_u32(&rd);
    if (!rd_is_done(&rd)) {
        return false;
    }
    *out = (struct stun_icmp){
        .type = (uint8_t)(type_and_code / CODE_COUNT),
        .code = type_and_code % CODE_COUNT,
        .data = data,
    };
    return true;
}

void stun_icmp_write(struct wr *wr, const struct stun_icmp *icmp)
{
    assert(icmp->type < TYPE_COUNT);
    assert(icmp->code < CODE_COUNT);
    wr_u16(wr, STUN_ATTR_ICMP);
    wr_u16(wr, VALUE_LEN);
    wr_u16(wr, 0);
    wr_u16(wr, (uint16_t)(icmp->type * CODE_COUNT + icmp->code));
    wr_u32(wr, icmp->data);
}
