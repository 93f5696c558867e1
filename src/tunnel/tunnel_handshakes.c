// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_handshakes.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_origin.h"

#define KNOWN_NS (TUNNEL_HANDSHAKES_KNOWN_S * SECOND_NS)

static uint32_t share_of(uint32_t per_second)
{
    const uint32_t share = per_second / TUNNEL_HANDSHAKES_SHARES;

    return share > 0 ? share : 1;
}

static void set_rate(struct tunnel_handshakes *handshakes, uint32_t per_second)
{
    assert(per_second <= TUNNEL_HANDSHAKES_MAX);
    handshakes->per_second = per_second;
    handshakes->rate = bucket_rate_of(per_second);
    handshakes->share_rate = bucket_rate_of(share_of(per_second));
    handshakes->all = (struct bucket){0};
    memset(&handshakes->shares, 0, sizeof handshakes->shares);
    shares_init(&handshakes->shares, &handshakes->key, share_of(per_second));
}

void tunnel_handshakes_init(struct tunnel_handshakes *handshakes, const struct siphash_key *key,
                            uint32_t per_second)
{
    memset(handshakes, 0, sizeof *handshakes);
    handshakes->key = *key;
    set_rate(handshakes, per_second);
}

void tunnel_handshakes_adopt(struct tunnel_handshakes *handshakes, uint32_t per_second)
{
    if (per_second != handshakes->per_second) {
        set_rate(handshakes, per_second);
    }
}

// --- who is known --------------------------------------------------------------------------------

static struct tunnel_handshakes_known *bucket_of(struct tunnel_handshakes *handshakes,
                                                 const struct addr *from)
{
    const uint64_t hash = siphash(&handshakes->key, shares_network(from));

    return handshakes->known[hash % TUNNEL_HANDSHAKES_BUCKETS];
}

static uint64_t tag_of(const struct tunnel_handshakes *handshakes, const struct addr *origin)
{
    const uint64_t hash = siphash(&handshakes->key, addr_ip(origin));

    return hash != 0 ? hash : 1;
}

// The place of an address, or NULL.
static struct tunnel_handshakes_known *find(struct tunnel_handshakes *handshakes,
                                            const struct addr *origin)
{
    struct tunnel_handshakes_known *bucket = bucket_of(handshakes, origin);
    const uint64_t tag = tag_of(handshakes, origin);

    for (size_t i = 0; i < TUNNEL_HANDSHAKES_DEPTH; i++) {
        if (bucket[i].tag == tag) {
            return &bucket[i];
        }
    }
    return NULL;
}

// A free place for an address, or that which was proven the longest ago.
static struct tunnel_handshakes_known *place_of(struct tunnel_handshakes *handshakes,
                                                const struct addr *origin)
{
    struct tunnel_handshakes_known *bucket = bucket_of(handshakes, origin);
    struct tunnel_handshakes_known *oldest = bucket;

    for (size_t i = 1; i < TUNNEL_HANDSHAKES_DEPTH; i++) {
        oldest = bucket[i].proven_ns < oldest->proven_ns ? &bucket[i] : oldest;
    }
    return oldest;
}

void tunnel_handshakes_prove(struct tunnel_handshakes *handshakes, struct now now,
                             const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);
    struct tunnel_handshakes_known *known = find(handshakes, &origin);

    if (known == NULL) {
        known = place_of(handshakes, &origin);
        *known = (struct tunnel_handshakes_known){.tag = tag_of(handshakes, &origin)};
    }
    known->proven_ns = now.mono_ns;
}

// --- who may begin -------------------------------------------------------------------------------

static bool is_welcome(const struct tunnel_handshakes *handshakes, struct now now,
                       const struct addr *from, const struct tunnel_handshakes_known *known)
{
    const uint64_t crowded = 1 + handshakes->rate.tokens / 2;
    const uint64_t share = handshakes->per_second / TUNNEL_HANDSHAKES_SHARES;
    const uint64_t kept = share * TUNNEL_HANDSHAKES_KEPT;

    if (bucket_has(&handshakes->all, &handshakes->rate, now.mono_ns, crowded)) {
        return true;
    }
    if (known != NULL && bucket_has(&known->bucket, &handshakes->share_rate, now.mono_ns, 1) &&
        bucket_has(&handshakes->all, &handshakes->rate, now.mono_ns, 1)) {
        return true;
    }
    return bucket_has(&handshakes->all, &handshakes->rate, now.mono_ns, 1 + kept) &&
           shares_has(&handshakes->shares, now.mono_ns, from);
}

bool tunnel_handshakes_take(struct tunnel_handshakes *handshakes, struct now now,
                            const struct addr *from)
{
    if (handshakes->per_second == 0) {
        return true;
    }
    const struct addr origin = revtun_origin_of(from);
    struct tunnel_handshakes_known *known = find(handshakes, &origin);
    if (known != NULL && now.mono_ns - known->proven_ns >= KNOWN_NS) {
        known = NULL;
    }
    if (!is_welcome(handshakes, now, from, known)) {
        return false;
    }
    bucket_take(&handshakes->all, &handshakes->rate, now.mono_ns, 1);
    // What is taken beyond a share, while there is no crowd, is not held against anybody later.
    shares_take(&handshakes->shares, now.mono_ns, from);
    if (known != NULL) {
        bucket_drain(&known->bucket, &handshakes->share_rate, now.mono_ns, 1);
    }
    return true;
}
