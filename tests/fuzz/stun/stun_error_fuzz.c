// SPDX-License-Identifier: Apache-2.0
// Whatever ERROR-CODE is accepted has a code in range and a reason inside its value, and so has
// ADDRESS-ERROR-CODE, with one of two families before it; what this codec wrote it reads.
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

// The two attributes differ in their first byte alone.
static void try_address(struct bytes input, bool is_error)
{
    uint8_t family = 0;
    uint16_t code = 1;
    uint16_t same = 1;
    struct bytes reason = {0};

    if (!stun_error_address_read(input, &family, &code)) {
        assert(!is_error || input.ptr[0] == 0 || input.ptr[0] > STUN_ATTR_FAMILY_IP6);
        assert(family == 0);
        assert(code == 1);
        return;
    }
    assert(is_error);
    assert(family == input.ptr[0]);
    assert(family == STUN_ATTR_FAMILY_IP4 || family == STUN_ATTR_FAMILY_IP6);
    bool is_read = stun_error_read(input, &same, &reason);
    assert(is_read);
    assert(code == same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct bytes reason = {0};
    uint16_t code = 1;

    bool is_error = stun_error_read(input, &code, &reason);

    if (is_error) {
        assert(code >= 300);
        assert(code <= 699);
        assert(code % 100 == data[3]);
        assert(reason.ptr == data + 4);
        assert(reason.len == size - 4);
    } else {
        assert(code == 1);
        assert(reason.ptr == NULL);
    }
    try_address(input, is_error);
    list_unknown(input);
    return 0;
}
