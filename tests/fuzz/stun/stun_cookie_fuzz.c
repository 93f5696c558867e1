// SPDX-License-Identifier: Apache-2.0
// Whatever begins with a cookie begins with what its features are written as; what is refused
// leaves no trace.
#include "stun/stun_cookie.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    uint8_t raw[STUN_COOKIE_LEN];
    struct wr wr = wr_init(raw, sizeof raw);
    uint32_t features = UINT32_MAX;
    uint32_t again = 0;

    if (!stun_cookie_read(input, &features)) {
        assert(features == UINT32_MAX);
        return 0;
    }
    assert(features < 1 << 24);
    stun_cookie_write(&wr, features);
    assert(wr_ok(&wr));
    assert(bytes_equal(wr_done(&wr), bytes_first(input, STUN_COOKIE_LEN)));
    bool is_read = stun_cookie_read(wr_done(&wr), &again); // without what follows it
    assert(is_read);
    assert(again == features);
    is_read = stun_cookie_read(bytes_first(input, STUN_COOKIE_LEN - 1), &again);
    assert(!is_read);
    return 0;
}
