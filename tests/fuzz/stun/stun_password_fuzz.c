// SPDX-License-Identifier: Apache-2.0
// Whatever is accepted as an algorithm or as our offer is what we write for it, byte by byte.
#include "stun/stun_password.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "stun/stun_attr.h"

// The value of the one attribute that a cursor wrote.
static struct bytes only_value(const struct wr *wr, uint16_t type)
{
    struct rd rd = rd_init(wr_done(wr));
    struct stun_attr attr = {0};

    assert(wr_ok(wr));
    bool is_read = stun_attr_read(&rd, &attr);
    assert(is_read);
    assert(rd_is_done(&rd));
    assert(attr.type == type);
    return attr.value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    uint8_t raw[16];
    struct wr wr = wr_init(raw, sizeof raw);
    enum stun_password_algorithm algorithm = STUN_PASSWORD_MD5;

    if (stun_password_read(input, &algorithm)) {
        stun_password_write(&wr, algorithm);
        assert(bytes_equal(only_value(&wr, STUN_ATTR_PASSWORD_ALGORITHM), input));
    } else {
        assert(algorithm == STUN_PASSWORD_MD5); // untouched
    }
    wr = wr_init(raw, sizeof raw);
    stun_password_offer_write(&wr);
    bool is_equal = bytes_equal(only_value(&wr, STUN_ATTR_PASSWORD_ALGORITHMS), input);
    assert(stun_password_is_offer(input) == is_equal);
    return 0;
}
