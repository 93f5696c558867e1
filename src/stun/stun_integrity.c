// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_integrity.h"

#include <assert.h>

#include "crypto/crypto_hmac.h"
#include "stun/stun_attr.h"

enum { SPAN_COUNT = 3 };

// What a proof of `value_len` bytes covers: the head with another length field, which is written to
// `body_len`.
static void covered(struct bytes head, size_t value_len, uint8_t body_len[2],
                    struct bytes out[SPAN_COUNT])
{
    struct wr wr = wr_init(body_len, 2);

    assert(head.len >= STUN_HEADER_LEN);
    wr_u16(&wr, (uint16_t)(head.len - STUN_HEADER_LEN + STUN_ATTR_HEAD_LEN + value_len));
    out[0] = bytes_first(head, 2);
    out[1] = wr_done(&wr);
    out[2] = bytes_from(head, 4);
}

void stun_integrity(struct bytes head, struct bytes key, uint8_t out[STUN_INTEGRITY_LEN])
{
    uint8_t body_len[2];
    struct bytes spans[SPAN_COUNT];

    covered(head, STUN_INTEGRITY_LEN, body_len, spans);
    crypto_hmac_sha1(key, spans, COUNT_OF(spans), out);
}

void stun_integrity_sha256(struct bytes head, struct bytes key,
                           uint8_t out[STUN_INTEGRITY_SHA256_LEN])
{
    uint8_t body_len[2];
    struct bytes spans[SPAN_COUNT];

    covered(head, STUN_INTEGRITY_SHA256_LEN, body_len, spans);
    crypto_hmac_sha256(key, spans, COUNT_OF(spans), out);
}
