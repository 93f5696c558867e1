// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_password.h"

#include "stun/stun_attr.h"

// In the order of preference.
static const uint8_t offer[] = {0, STUN_PASSWORD_SHA256, 0, 0, 0, STUN_PASSWORD_MD5, 0, 0};

bool stun_password_read(struct bytes value, enum stun_password_algorithm *out)
{
    struct rd rd = rd_init(value);
    uint16_t algorithm = rd_u16(&rd);
    uint16_t parameters_len = rd_u16(&rd);

    if (!rd_is_done(&rd) || parameters_len != 0 ||
        (algorithm != STUN_PASSWORD_MD5 && algorithm != STUN_PASSWORD_SHA256)) {
        return false;
    }
    *out = (enum stun_password_algorithm)algorithm;
    return true;
}

void stun_password_write(struct wr *wr, enum stun_password_algorithm algorithm)
{
    wr_u16(wr, STUN_ATTR_PASSWORD_ALGORITHM);
    wr_u16(wr, 4);
    wr_u16(wr, (uint16_t)algorithm);
    wr_u16(wr, 0);
}

void stun_password_offer_write(struct wr *wr)
{
    stun_attr_write(wr, STUN_ATTR_PASSWORD_ALGORITHMS, (struct bytes){offer, sizeof offer});
}

bool stun_password_is_offer(struct bytes value)
{
    return bytes_equal(value, (struct bytes){offer, sizeof offer});
}
