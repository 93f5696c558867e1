// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_integrity.h"

#include <assert.h>

#include "crypto/crypto_hmac.h"
#include "stun/stun_attr.h"

void stun_integrity(struct bytes head, struct bytes key, uint8_t out[STUN_INTEGRITY_LEN])
{
    uint8_t body_len[2];
    struct wr wr = wr_init(body_len, sizeof body_len);

    assert(head.len >= STUN_HEADER_LEN);
    wr_u16(&wr, (uint16_t)(head.len - STUN_HEADER_LEN + STUN_ATTR_HEAD_LEN + STUN_INTEGRITY_LEN));
    const struct bytes spans[] = {bytes_first(head, 2), wr_done(&wr), bytes_from(head, 4)};
    crypto_hmac_sha1(key, spans, COUNT_OF(spans), out);
}
