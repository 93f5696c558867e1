// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_userhash.h"

void stun_userhash(struct bytes username, struct bytes realm, uint8_t out[STUN_USERHASH_LEN])
{
    const struct bytes spans[] = {username, BYTES_LITERAL(":"), realm};

    crypto_digest_sha256(spans, COUNT_OF(spans), out);
}
