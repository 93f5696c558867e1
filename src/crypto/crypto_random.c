// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_random.h"

#include <assert.h>
#include <nettle/chacha.h>
#include <string.h>

#include "crypto/crypto_wipe.h"

_Static_assert(CRYPTO_RANDOM_SEED_LEN == CHACHA_KEY_SIZE, "the seed is the first key");

void crypto_random_init(struct crypto_random *random, const uint8_t seed[CRYPTO_RANDOM_SEED_LEN])
{
    memset(random, 0, sizeof *random);
    memcpy(random->stock, seed, CRYPTO_RANDOM_SEED_LEN);
}

static void refill(struct crypto_random *random)
{
    static const uint8_t nonce[CHACHA_NONCE_SIZE]; // each key serves for one stretch only
    struct chacha_ctx context;

    chacha_set_key(&context, random->stock);
    chacha_set_nonce(&context, nonce);
    memset(random->stock, 0, sizeof random->stock);
    chacha_crypt(&context, sizeof random->stock, random->stock, random->stock);
    random->left = sizeof random->stock - CRYPTO_RANDOM_SEED_LEN;
    crypto_wipe(&context, sizeof context);
}

void crypto_random_fill(struct crypto_random *random, uint8_t *to, size_t len)
{
    while (len > 0) {
        if (random->left == 0) {
            refill(random);
        }
        size_t part = len < random->left ? len : random->left;
        uint8_t *from = random->stock + sizeof random->stock - random->left;
        memcpy(to, from, part);
        crypto_wipe(from, part);
        random->left -= part;
        to += part;
        len -= part;
    }
}

uint32_t crypto_random_below(struct crypto_random *random, uint32_t limit)
{
    uint8_t raw[4];
    uint32_t value = 0;

    assert(limit >= 1);
    // Numbers below `unfair` would make small results likelier; fewer than half are thrown away.
    uint32_t unfair = (uint32_t)(-limit) % limit;
    do {
        crypto_random_fill(random, raw, sizeof raw);
        struct rd rd = rd_init((struct bytes){raw, sizeof raw});
        value = rd_u32(&rd);
    } while (value < unfair);
    return value % limit;
}
