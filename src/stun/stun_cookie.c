// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_cookie.h"

#include <assert.h>

#include "base/base64.h"

static const struct bytes prefix = BYTES_LITERAL("obMatJos2");

enum { FEATURES_LEN = 3 }; // bytes
_Static_assert(STUN_COOKIE_LEN == 9 + BASE64_LEN(FEATURES_LEN), "as the RFC has it");

void stun_cookie_write(struct wr *wr, uint32_t features)
{
    const uint8_t raw[FEATURES_LEN] = {(uint8_t)(features >> 16), (uint8_t)(features >> 8),
                                       (uint8_t)features};

    assert(features < 1 << 24);
    wr_bytes(wr, prefix);
    base64_write(wr, (struct bytes){raw, sizeof raw}, false);
}

bool stun_cookie_read(struct bytes nonce, uint32_t *out)
{
    uint8_t raw[FEATURES_LEN];
    struct bytes text = bytes_from(bytes_first(nonce, STUN_COOKIE_LEN), prefix.len);

    if (!bytes_equal(bytes_first(nonce, prefix.len), prefix) ||
        !base64_read(text, raw, sizeof raw)) {
        return false;
    }
    *out = (uint32_t)raw[0] << 16 | (uint32_t)raw[1] << 8 | raw[2];
    return true;
}
