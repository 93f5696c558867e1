// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_error.h"

#include <assert.h>

#include "stun/stun_attr.h"

const char *stun_error_reason(enum stun_error_code code)
{
    switch (code) {
    case STUN_ERROR_NONE:
        break;
#define REASON(NAME, number, reason)                                                               \
    case STUN_ERROR_##NAME:                                                                        \
        return (reason);
        STUN_ERRORS(REASON)
#undef REASON
    }
    assert(!"no error on the wire");
    return "";
}

// ERROR-CODE and ADDRESS-ERROR-CODE differ in the first byte, which is zero in the one.
static void error_write(struct wr *wr, uint16_t type, uint8_t family, enum stun_error_code code,
                        const char *phrase)
{
    struct bytes reason = bytes_of_text(phrase);

    wr_u16(wr, type);
    wr_u16(wr, (uint16_t)(4 + reason.len));
    wr_u8(wr, family);
    wr_u8(wr, 0);
    wr_u8(wr, (uint8_t)(code / 100));
    wr_u8(wr, (uint8_t)(code % 100));
    wr_bytes(wr, reason);
    wr_zero(wr, STUN_ATTR_PADDED(reason.len) - reason.len);
}

void stun_error_write(struct wr *wr, enum stun_error_code code)
{
    error_write(wr, STUN_ATTR_ERROR_CODE, 0, code, stun_error_reason(code));
}

void stun_error_bare_write(struct wr *wr, enum stun_error_code code)
{
    error_write(wr, STUN_ATTR_ERROR_CODE, 0, code, "");
}

void stun_error_address_write(struct wr *wr, uint8_t family, enum stun_error_code code)
{
    assert(family == STUN_ATTR_FAMILY_IP4 || family == STUN_ATTR_FAMILY_IP6);
    error_write(wr, STUN_ATTR_ADDRESS_ERROR_CODE, family, code, stun_error_reason(code));
}

bool stun_error_address_read(struct bytes value, uint8_t *family, uint16_t *code)
{
    struct rd rd = rd_init(value);
    uint8_t claimed = rd_u8(&rd);
    struct bytes reason = {0};

    if ((claimed != STUN_ATTR_FAMILY_IP4 && claimed != STUN_ATTR_FAMILY_IP6) ||
        !stun_error_read(value, code, &reason)) {
        return false;
    }
    *family = claimed;
    return true;
}

bool stun_error_read(struct bytes value, uint16_t *code, struct bytes *reason)
{
    struct rd rd = rd_init(value);

    rd_skip(&rd, 2);
    unsigned hundreds = rd_u8(&rd) % 8;
    unsigned rest = rd_u8(&rd);
    struct bytes text = rd_bytes(&rd, rd.left);
    if (!rd_ok(&rd) || hundreds < 3 || hundreds > 6 || rest > 99) {
        return false;
    }
    *code = (uint16_t)(hundreds * 100 + rest);
    *reason = text;
    return true;
}

void stun_error_unknown_write(struct wr *wr, const uint16_t *types, size_t count)
{
    assert(count < 64);
    wr_u16(wr, STUN_ATTR_UNKNOWN_ATTRIBUTES);
    wr_u16(wr, (uint16_t)(count * 2));
    for (size_t i = 0; i < count; i++) {
        wr_u16(wr, types[i]);
    }
    wr_zero(wr, count % 2 * 2);
}
