// SPDX-License-Identifier: Apache-2.0
// Whatever ChannelData is accepted lies inside its datagram, and its head written again is the same
// four bytes. What is refused leaves no trace.
#include "stun/stun_chandata.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "stun/stun_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    const struct bytes none = {0};
    struct bytes payload = none;
    uint16_t number = 1;
    uint8_t head[STUN_CHANDATA_HEAD_LEN];
    struct wr wr = wr_init(head, sizeof head);

    assert(!stun_chandata_is_likely(input) || !stun_header_is_likely(input));
    if (!stun_chandata_read(input, &number, &payload)) {
        assert(number == 1);
        assert(payload.ptr == NULL);
        return 0;
    }
    assert(stun_chandata_is_likely(input));
    assert(stun_chandata_is_number(number));
    assert(payload.ptr == data + STUN_CHANDATA_HEAD_LEN);
    assert(payload.len <= size - STUN_CHANDATA_HEAD_LEN);
    stun_chandata_head_write(&wr, number, (uint16_t)payload.len);
    assert(wr_ok(&wr));
    assert(bytes_equal(wr_done(&wr), bytes_first(input, STUN_CHANDATA_HEAD_LEN)));

    // Without its padding it reads the same, and one byte less is too little.
    const size_t exact_len = STUN_CHANDATA_HEAD_LEN + payload.len;
    struct bytes again = none;
    bool is_read = stun_chandata_read(bytes_first(input, exact_len), &number, &again);
    assert(is_read);
    assert(again.len == payload.len);
    is_read = stun_chandata_read(bytes_first(input, exact_len - 1), &number, &again);
    assert(!is_read);
    return 0;
}
