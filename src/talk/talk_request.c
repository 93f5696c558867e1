// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_request.h"

#include <assert.h>

#include "stun/stun_attr.h"
#include "stun/stun_password.h"
#include "stun/stun_userhash.h"

struct wr *talk_request_of_class(struct talk *talk, uint16_t method, enum stun_class class)
{
    talk->header = (struct stun_header){.method = method, .class = (uint8_t) class};
    crypto_random_fill(&talk->random, talk->header.transaction.id, STUN_TRANSACTION_LEN);
    stun_writer_init(&talk->writer, talk->message, sizeof talk->message, &talk->header);
    return &talk->writer.wr;
}

struct wr *talk_request(struct talk *talk, uint16_t method)
{
    return talk_request_of_class(talk, method, STUN_REQUEST);
}

struct wr *talk_request_indication(struct talk *talk, uint16_t method)
{
    return talk_request_of_class(talk, method, STUN_INDICATION);
}

static void hash_write(struct wr *wr, const struct talk_client *client)
{
    uint8_t hash[STUN_USERHASH_LEN];

    stun_userhash(client->username, (struct bytes){client->realm, client->realm_len}, hash);
    stun_attr_write(wr, STUN_ATTR_USERHASH, (struct bytes){hash, sizeof hash});
}

// Whether the message that is being made names a family, or something that stands for one.
static bool names_family(const struct talk *talk)
{
    struct rd rd = rd_init(bytes_from(wr_done(&talk->writer.wr), STUN_HEADER_LEN));

    while (rd_ok(&rd) && !rd_is_done(&rd)) {
        const uint16_t type = rd_u16(&rd);
        const uint16_t len = rd_u16(&rd);
        if (type == STUN_ATTR_REQUESTED_ADDRESS_FAMILY ||
            type == STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY || type == STUN_ATTR_RESERVATION_TOKEN) {
            return true;
        }
        rd_skip(&rd, (len + 3U) & ~3U);
    }
    return false;
}

void talk_request_prove(struct talk *talk, unsigned proof)
{
    const struct talk_client *client = talk_me(talk);
    struct wr *wr = &talk->writer.wr;
    struct bytes key = (proof & TALK_ALGORITHM_SHA256) != 0
                           ? (struct bytes){client->key_sha256, sizeof client->key_sha256}
                           : (struct bytes){client->key, sizeof client->key};

    if (talk->asks_ip6 && talk->header.method == STUN_ALLOCATE &&
        talk->header.class == STUN_REQUEST && !names_family(talk)) {
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    }
    if ((proof & TALK_USERNAME) != 0) {
        stun_attr_write(wr, STUN_ATTR_USERNAME, client->username);
    }
    if ((proof & TALK_USERHASH) != 0) {
        hash_write(wr, client);
    }
    if ((proof & TALK_REALM) != 0) {
        stun_attr_write(wr, STUN_ATTR_REALM, (struct bytes){client->realm, client->realm_len});
    }
    if ((proof & TALK_NONCE) != 0) {
        stun_attr_write(wr, STUN_ATTR_NONCE, (struct bytes){client->nonce, client->nonce_len});
    }
    if ((proof & TALK_ALGORITHMS) != 0) {
        stun_attr_write(wr, STUN_ATTR_PASSWORD_ALGORITHMS,
                        (struct bytes){client->offer, client->offer_len});
    }
    if ((proof & TALK_ALGORITHM_MD5) != 0) {
        stun_password_write(wr, STUN_PASSWORD_MD5);
    }
    if ((proof & TALK_ALGORITHM_SHA256) != 0) {
        stun_password_write(wr, STUN_PASSWORD_SHA256);
    }
    if ((proof & TALK_INTEGRITY) != 0) {
        stun_writer_integrity(&talk->writer, key);
    }
    if ((proof & TALK_INTEGRITY_SHA256) != 0) {
        stun_writer_integrity_sha256(&talk->writer, key);
    }
    if ((proof & TALK_FINGERPRINT) != 0) {
        stun_writer_fingerprint(&talk->writer);
    }
}

void talk_request_end(struct talk *talk)
{
    struct bytes whole = {0};
    bool has_fitted = stun_writer_finish(&talk->writer, &whole);

    assert(has_fitted); // TALK_NAME_MAX and what checks write leave room
    talk->message_len = whole.len;
}

void talk_request_seal(struct talk *talk, unsigned proof)
{
    talk_request_prove(talk, proof);
    talk_request_end(talk);
}

void talk_request_udp(struct wr *wr)
{
    stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
}

void talk_request_addr(struct talk *talk, const struct addr *addr)
{
    stun_attr_xor_addr_write(&talk->writer.wr, STUN_ATTR_XOR_PEER_ADDRESS,
                             &talk->header.transaction, addr);
}

void talk_request_peer(struct talk *talk, uint32_t peer)
{
    assert(peer < TALK_PEERS);
    if (!talk->is_decided) {
        talk_request_addr(talk, &talk->peers[peer].seen);
    }
}
