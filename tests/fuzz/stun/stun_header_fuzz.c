// SPDX-License-Identifier: Apache-2.0
// Whatever header stun_header_read accepts, writing it gives the same bytes again.
#include "stun/stun_header.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct rd rd = rd_init(input);
    struct stun_header header = {.class = 0xab};
    uint8_t raw[STUN_HEADER_LEN];
    struct wr wr = wr_init(raw, sizeof raw);

    if (!stun_header_read(&rd, &header)) {
        assert(header.class == 0xab); // untouched
        return 0;
    }
    assert(stun_header_is_likely(input));
    assert(rd.left == size - STUN_HEADER_LEN);
    assert(header.method <= 0xfff);
    assert(header.class <= STUN_ERROR);
    assert(header.body_len % 4 == 0);
    stun_header_write(&wr, &header);
    assert(wr_ok(&wr));
    assert(bytes_equal(wr_done(&wr), bytes_first(input, STUN_HEADER_LEN)));
    return 0;
}
