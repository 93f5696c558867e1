// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_nonce.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto_equal.h"
#include "crypto/crypto_hmac.h"
#include "crypto/crypto_wipe.h"

enum {
    HEAD_LEN = 5, // bytes: stamp and zero
    MAC_LEN = 10, // bytes: 80 bits, more than can be tried online in an hour
    RAW_LEN = HEAD_LEN + MAC_LEN,
    HOUR_S = 3600,
    SKEW_S = 1, // another shard may have read the clock a moment later than the one that is asked
};
_Static_assert(BASE64_LEN(RAW_LEN) == (int)TURN_NONCE_TOKEN_LEN, "no padding and no spare bits");
_Static_assert((int)TURN_NONCE_KEY_LEN == (int)CRYPTO_SHA256_LEN, "a key is a whole HMAC-SHA256");
_Static_assert((int)TURN_NONCE_LIFETIME_S <= (int)HOUR_S, "a nonce never needs a third key");

// Up to 68 years, so that stamps do not wrap in the next 68.
static uint32_t derive_offset(const uint8_t secret[TURN_NONCE_SECRET_LEN])
{
    const struct bytes label = BYTES_LITERAL("offset");
    uint8_t mac[CRYPTO_SHA256_LEN];

    crypto_hmac_sha256((struct bytes){secret, TURN_NONCE_SECRET_LEN}, &label, 1, mac);
    struct rd rd = rd_init((struct bytes){mac, sizeof mac});
    return rd_u32(&rd) / 2;
}

void turn_nonce_init(struct turn_nonce *nonce, const uint8_t secret[TURN_NONCE_SECRET_LEN],
                     uint32_t features)
{
    memset(nonce, 0, sizeof *nonce);
    memcpy(nonce->secret, secret, TURN_NONCE_SECRET_LEN);
    nonce->offset_s = derive_offset(secret);
    turn_nonce_offer(nonce, features);
}

void turn_nonce_offer(struct turn_nonce *nonce, uint32_t features)
{
    struct wr wr = wr_init(nonce->cookie, sizeof nonce->cookie);

    stun_cookie_write(&wr, features);
    assert(wr_ok(&wr));
}

static struct bytes key_of(struct turn_nonce *nonce, uint32_t hour)
{
    struct turn_nonce_key *kept = &nonce->keys[hour % 2];

    if (!kept->is_made || kept->hour != hour) {
        uint8_t label[4];
        struct wr wr = wr_init(label, sizeof label);
        wr_u32(&wr, hour);
        struct bytes span = wr_done(&wr);
        struct bytes secret = {nonce->secret, sizeof nonce->secret};
        crypto_hmac_sha256(secret, &span, 1, kept->key);
        kept->hour = hour;
        kept->is_made = true;
    }
    return (struct bytes){kept->key, sizeof kept->key};
}

// The first MAC_LEN bytes of the proof for a head and a client.
static void prove(struct turn_nonce *nonce, uint32_t stamp_s, struct bytes head,
                  const struct addr *client, uint8_t out[MAC_LEN])
{
    uint8_t whole[CRYPTO_SHA256_LEN];
    const struct bytes spans[] = {head, {(const uint8_t *)client, sizeof *client}};

    crypto_hmac_sha256(key_of(nonce, stamp_s / HOUR_S), spans, COUNT_OF(spans), whole);
    memcpy(out, whole, MAC_LEN);
}

static uint32_t stamp_of(const struct turn_nonce *nonce, struct now now)
{
    return nonce->offset_s + (uint32_t)(now.mono_ns / SECOND_NS);
}

void turn_nonce_write(struct turn_nonce *nonce, struct now now, const struct addr *client,
                      uint8_t out[TURN_NONCE_LEN])
{
    uint8_t raw[RAW_LEN];
    struct wr wr = wr_init(raw, sizeof raw);
    uint32_t stamp_s = stamp_of(nonce, now);

    wr_u32(&wr, stamp_s);
    wr_u8(&wr, 0);
    prove(nonce, stamp_s, wr_done(&wr), client, raw + HEAD_LEN);
    struct wr text = wr_init(out, TURN_NONCE_LEN);
    wr_bytes(&text, (struct bytes){nonce->cookie, sizeof nonce->cookie});
    base64_write(&text, (struct bytes){raw, sizeof raw}, false);
    assert(wr_ok(&text));
}

bool turn_nonce_is_good(struct turn_nonce *nonce, struct now now, const struct addr *client,
                        struct bytes text)
{
    uint8_t raw[RAW_LEN];
    uint8_t expected[MAC_LEN];

    if (!bytes_equal(bytes_first(text, STUN_COOKIE_LEN),
                     (struct bytes){nonce->cookie, sizeof nonce->cookie}) ||
        !base64_read(bytes_from(text, STUN_COOKIE_LEN), raw, sizeof raw)) {
        return false;
    }
    struct rd rd = rd_init((struct bytes){raw, sizeof raw});
    uint32_t stamp_s = rd_u32(&rd);
    uint32_t now_s = stamp_of(nonce, now);
    if (stamp_s > now_s + SKEW_S || now_s + SKEW_S - stamp_s > TURN_NONCE_LIFETIME_S + SKEW_S) {
        return false;
    }
    prove(nonce, stamp_s, (struct bytes){raw, HEAD_LEN}, client, expected);
    bool is_equal =
        crypto_equal((struct bytes){raw + HEAD_LEN, MAC_LEN}, (struct bytes){expected, MAC_LEN});
    crypto_wipe(expected, sizeof expected);
    return is_equal;
}
