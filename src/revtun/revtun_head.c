// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_head.h"

#include <assert.h>

#include "crypto/crypto_equal.h"
#include "crypto/crypto_hmac.h"

static const struct bytes magic = BYTES_LITERAL("TRS2");

_Static_assert(REVTUN_HEAD_MAC_LEN == (int)CRYPTO_SHA256_LEN, "the MAC is HMAC-SHA256");

static void mac_of(struct bytes head, const uint8_t preface[REVTUN_PREFACE_LEN],
                   const uint8_t key[REVTUN_SECRETS_KEY_LEN], uint8_t mac[REVTUN_HEAD_MAC_LEN])
{
    const struct bytes covered[] = {{preface, REVTUN_PREFACE_MAC_AT}, head};

    crypto_hmac_sha256((struct bytes){key, REVTUN_SECRETS_KEY_LEN}, covered, COUNT_OF(covered),
                       mac);
}

enum revtun_head_outcome revtun_head_read(struct bytes received,
                                          const uint8_t preface[REVTUN_PREFACE_LEN],
                                          const uint8_t key[REVTUN_SECRETS_KEY_LEN],
                                          struct bytes *line, size_t *len)
{
    struct rd rd = rd_init(received);
    const struct bytes start = bytes_first(received, magic.len);
    uint8_t mac[REVTUN_HEAD_MAC_LEN];

    if (!bytes_equal(start, bytes_first(magic, start.len))) {
        return REVTUN_HEAD_BAD;
    }
    rd_skip(&rd, magic.len);
    const uint16_t line_len = rd_u16(&rd);
    if (line_len > REVTUN_HEAD_LINE_MAX) {
        return REVTUN_HEAD_BAD;
    }
    const struct bytes text = rd_bytes(&rd, line_len);
    const struct bytes told = rd_bytes(&rd, sizeof mac);
    if (!rd_ok(&rd)) {
        return REVTUN_HEAD_PART;
    }
    mac_of(bytes_first(received, REVTUN_HEAD_START_LEN + (size_t)line_len), preface, key, mac);
    if (!crypto_equal(told, (struct bytes){mac, sizeof mac})) {
        return REVTUN_HEAD_BAD;
    }
    *line = text;
    *len = received.len - rd.left;
    return REVTUN_HEAD_WHOLE;
}

void revtun_head_write(struct wr *wr, struct bytes line, const uint8_t preface[REVTUN_PREFACE_LEN],
                       const uint8_t key[REVTUN_SECRETS_KEY_LEN])
{
    const size_t from = wr->len;
    uint8_t mac[REVTUN_HEAD_MAC_LEN];

    assert(line.len <= REVTUN_HEAD_LINE_MAX);
    wr_bytes(wr, magic);
    wr_u16(wr, (uint16_t)line.len);
    wr_bytes(wr, line);
    if (wr_ok(wr)) {
        mac_of(bytes_from(wr_done(wr), from), preface, key, mac);
        wr_bytes(wr, (struct bytes){mac, sizeof mac});
    }
}
