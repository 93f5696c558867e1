// SPDX-License-Identifier: Apache-2.0
// Whatever ERROR-CODE is accepted has a code in range and a reason inside its value; what this
// codec wrote it reads.
#include "stun/stun_error.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "stun/stun_attr.h"

// The input as a list of types, up to the limit of the writer.
static void list_unknown(struct bytes input)
{
    uint16_t types[63];
    uint8_t raw[STUN_ATTR_HEAD_LEN + sizeof types + 2];
    struct wr wr = wr_init(raw, sizeof raw);
    struct rd from = rd_init(input);
    size_t count = 0;

    while (from.left >= 2 && count < COUNT_OF(types)) {
        types[count++] = rd_u16(&from);
    }
    stun_error_unknown_write(&wr, types, count);
    assert(wr_ok(&wr));

    struct rd rd = rd_init(wr_done(&wr));
    struct stun_attr attr = {0};
    bool is_read = stun_attr_read(&rd, &attr);
    assert(is_read);
    assert(rd_is_done(&rd));
    assert(attr.type == STUN_ATTR_UNKNOWN_ATTRIBUTES);
    assert(bytes_equal(attr.value, bytes_first(input, count * 2)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct bytes reason = {0};
    uint16_t code = 1;

    if (stun_error_read(input, &code, &reason)) {
        assert(code >= 300);
        assert(code <= 699);
        assert(code % 100 == data[3]);
        assert(reason.ptr == data + 4);
        assert(reason.len == size - 4);
    } else {
        assert(code == 1);
        assert(reason.ptr == NULL);
    }
    list_unknown(input);
    return 0;
}
