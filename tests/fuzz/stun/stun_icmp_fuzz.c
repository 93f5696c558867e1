// SPDX-License-Identifier: Apache-2.0
// Whatever ICMP value is accepted is written as the same bytes, but for the reserved ones.
#include "stun/stun_icmp.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "stun/stun_attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    uint8_t raw[STUN_ATTR_HEAD_LEN + 8];
    struct wr wr = wr_init(raw, sizeof raw);
    struct stun_icmp icmp = {.type = 0xff, .code = 0xffff};
    struct stun_attr attr = {0};

    if (!stun_icmp_read(input, &icmp)) {
        assert(size != 8);
        assert(icmp.type == 0xff);
        assert(icmp.code == 0xffff);
        assert(icmp.data == 0);
        return 0;
    }
    assert(size == 8);
    assert(icmp.type < 128);
    assert(icmp.code < 512);
    stun_icmp_write(&wr, &icmp);
    struct rd rd = rd_init(wr_done(&wr));
    bool is_read = stun_attr_read(&rd, &attr);
    assert(is_read);
    assert(rd_is_done(&rd));
    assert(attr.type == STUN_ATTR_ICMP);
    assert(attr.value.ptr[0] == 0);
    assert(attr.value.ptr[1] == 0);
    assert(bytes_equal(bytes_from(attr.value, 2), bytes_from(input, 2)));
    return 0;
}
