// SPDX-License-Identifier: Apache-2.0
// Whatever cidr_read accepts is written and read again as the same prefix, and contains exactly
// the addresses that differ from its base behind the prefix only.
#include "base/cidr.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cidr cidr;
    struct cidr before;
    struct cidr again = {0};
    uint8_t text[ADDR_TEXT_MAX + 4];
    struct wr wr = wr_init(text, sizeof text);

    memset(&cidr, 0x5a, sizeof cidr);
    before = cidr;
    if (cidr_read((struct bytes){data, size}, &cidr) != CIDR_OK) {
        assert(memcmp(&cidr, &before, sizeof cidr) == 0); // untouched
        return 0;
    }
    cidr_write(&wr, &cidr);
    assert(wr_ok(&wr));
    enum cidr_outcome outcome = cidr_read(wr_done(&wr), &again);
    assert(outcome == CIDR_OK);
    assert(addr_equal(&cidr.base, &again.base));
    assert(cidr.prefix_len == again.prefix_len);

    size_t bits = addr_ip(&cidr.base).len * 8;
    assert(cidr.base.port == 0);
    assert(cidr.prefix_len <= bits);
    assert(cidr_contains(&cidr, &cidr.base));
    for (size_t bit = 0; bit < bits; bit++) {
        struct addr addr = addr_with_port(cidr.base, (uint16_t)bit);
        assert(bit < cidr.prefix_len || (addr.ip[bit / 8] >> (7 - bit % 8)) % 2 == 0);
        addr.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        assert(cidr_contains(&cidr, &addr) == (bit >= cidr.prefix_len));
    }
    return 0;
}
