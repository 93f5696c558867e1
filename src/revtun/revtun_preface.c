// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_preface.h"

#include <assert.h>

#include "crypto/crypto_equal.h"
#include "crypto/crypto_hmac.h"

static const struct bytes magic = BYTES_LITERAL("TRD2");

_Static_assert(REVTUN_PREFACE_MAC_AT + CRYPTO_SHA256_LEN == REVTUN_PREFACE_LEN, "the MAC is last");

bool revtun_preface_is_likely(struct bytes start)
{
    return bytes_equal(bytes_first(start, magic.len), bytes_first(magic, start.len));
}

bool revtun_preface_read(const uint8_t raw[REVTUN_PREFACE_LEN], struct revtun_preface *out)
{
    struct rd rd = rd_init((struct bytes){raw, REVTUN_PREFACE_MAC_AT});
    struct revtun_preface preface = {0};
    const struct bytes start = rd_bytes(&rd, magic.len);
    const uint8_t type = rd_u8(&rd);
    const uint8_t flags = rd_u8(&rd);
    const uint16_t zero = rd_u16(&rd);

    rd_copy(&rd, preface.sid, sizeof preface.sid);
    preface.id = rd_u64(&rd);
    assert(rd_is_done(&rd));
    if (!bytes_equal(start, magic) || flags != 0 || zero != 0 ||
        (type != REVTUN_PREFACE_ACCEPT && type != REVTUN_PREFACE_STANDBY)) {
        return false;
    }
    preface.type = (enum revtun_preface_type)type;
    *out = preface;
    return true;
}

static void mac_of(const uint8_t raw[REVTUN_PREFACE_LEN], const uint8_t key[REVTUN_SECRETS_KEY_LEN],
                   uint8_t mac[CRYPTO_SHA256_LEN])
{
    const struct bytes covered = {raw, REVTUN_PREFACE_MAC_AT};

    crypto_hmac_sha256((struct bytes){key, REVTUN_SECRETS_KEY_LEN}, &covered, 1, mac);
}

bool revtun_preface_is_authentic(const uint8_t raw[REVTUN_PREFACE_LEN],
                                 const uint8_t key[REVTUN_SECRETS_KEY_LEN])
{
    const struct bytes whole = {raw, REVTUN_PREFACE_LEN};
    uint8_t mac[CRYPTO_SHA256_LEN];

    mac_of(raw, key, mac);
    return crypto_equal(bytes_from(whole, REVTUN_PREFACE_MAC_AT), (struct bytes){mac, sizeof mac});
}

void revtun_preface_write(const struct revtun_preface *preface,
                          const uint8_t key[REVTUN_SECRETS_KEY_LEN],
                          uint8_t raw[REVTUN_PREFACE_LEN])
{
    struct wr wr = wr_init(raw, REVTUN_PREFACE_LEN);
    uint8_t mac[CRYPTO_SHA256_LEN];

    wr_bytes(&wr, magic);
    wr_u8(&wr, (uint8_t)preface->type);
    wr_zero(&wr, 3);
    wr_bytes(&wr, (struct bytes){preface->sid, sizeof preface->sid});
    wr_u64(&wr, preface->id);
    assert(wr.len == REVTUN_PREFACE_MAC_AT);
    mac_of(raw, key, mac);
    wr_bytes(&wr, (struct bytes){mac, sizeof mac});
    assert(wr_ok(&wr));
}
