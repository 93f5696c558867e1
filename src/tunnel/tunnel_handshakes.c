// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_handshakes.h"

#include <assert.h>

void tunnel_handshakes_init(struct tunnel_handshakes *handshakes, const struct siphash_key *key,
                            uint32_t per_second)
{
    const uint32_t share = per_second / TUNNEL_HANDSHAKES_SHARES;

    assert(per_second <= TUNNEL_HANDSHAKES_MAX);
    *handshakes = (struct tunnel_handshakes){
        .key = *key,
        .per_second = per_second,
        .rate = bucket_rate_of(per_second),
    };
    shares_init(&handshakes->shares, key, share > 0 ? share : 1);
}

void tunnel_handshakes_adopt(struct tunnel_handshakes *handshakes, uint32_t per_second)
{
    const struct siphash_key key = handshakes->key;

    if (per_second != handshakes->per_second) {
        tunnel_handshakes_init(handshakes, &key, per_second);
    }
}

static bool is_welcome(const struct tunnel_handshakes *handshakes, struct now now,
                       const struct addr *from)
{
    const uint64_t crowded = 1 + handshakes->rate.tokens / 2;

    if (bucket_has(&handshakes->all, &handshakes->rate, now.mono_ns, crowded)) {
        return true;
    }
    return bucket_has(&handshakes->all, &handshakes->rate, now.mono_ns, 1) &&
           shares_has(&handshakes->shares, now.mono_ns, from);
}

bool tunnel_handshakes_take(struct tunnel_handshakes *handshakes, struct now now,
                            const struct addr *from)
{
    if (handshakes->per_second == 0) {
        return true;
    }
    if (!is_welcome(handshakes, now, from)) {
        return false;
    }
    bucket_take(&handshakes->all, &handshakes->rate, now.mono_ns, 1);
    // What is taken beyond a share, while there is no crowd, is not held against anybody later.
    shares_take(&handshakes->shares, now.mono_ns, from);
    return true;
}
