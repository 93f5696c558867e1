// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_answer.h"

#include <string.h>

#include "stun/stun_attr.h"
#include "stun/stun_cookie.h"
#include "stun/stun_error.h"
#include "talk/talk_words.h"

bool talk_answer_read(struct talk *talk, const struct talk_arrival *arrival)
{
    struct rd rd = rd_init((struct bytes){arrival->bytes, arrival->len});
    struct stun_header header;
    struct stun_message message = {0};

    if (!stun_header_read(&rd, &header) ||
        (header.class != STUN_SUCCESS && header.class != STUN_ERROR) ||
        memcmp(header.transaction.id, talk->header.transaction.id, STUN_TRANSACTION_LEN) != 0) {
        return false;
    }
    talk->answer_len = arrival->len;
    memcpy(talk->answer_bytes, arrival->bytes, arrival->len);
    message.header = header;
    talk->answer_outcome =
        stun_message_read((struct bytes){talk->answer_bytes, talk->answer_len}, &message);
    talk->answer = message;
    talk->has_answer = true;
    return true;
}

static bool is_whole(const struct talk *talk)
{
    return talk->has_answer && talk->answer_outcome == STUN_MESSAGE_OK &&
           talk->answer.header.method == talk->header.method;
}

bool talk_answer_is_success(const struct talk *talk)
{
    return is_whole(talk) && talk->answer.header.class == STUN_SUCCESS;
}

uint16_t talk_answer_code(const struct talk *talk)
{
    struct bytes value;
    struct bytes reason;
    uint16_t code = 0;

    if (!is_whole(talk) || talk->answer.header.class != STUN_ERROR ||
        !stun_message_find(&talk->answer, STUN_ATTR_ERROR_CODE, &value) ||
        !stun_error_read(value, &code, &reason)) {
        return 0;
    }
    return code;
}

bool talk_answer_find(const struct talk *talk, enum stun_attr_type type, struct bytes *out)
{
    return is_whole(talk) && stun_message_find(&talk->answer, type, out);
}

struct addr talk_answer_addr(const struct talk *talk, enum stun_attr_type type)
{
    struct addr addr = {0};
    struct bytes value;

    if (talk_answer_find(talk, type, &value)) {
        // What cannot be read stays ADDR_NONE.
        IGNORE(stun_attr_xor_addr_read(value, &talk->answer.header.transaction, &addr));
    }
    return addr;
}

bool talk_answer_lifetime(const struct talk *talk, uint32_t *out_s)
{
    struct bytes value;

    return talk_answer_find(talk, STUN_ATTR_LIFETIME, &value) && stun_attr_u32_read(value, out_s);
}

bool talk_answer_learn(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);
    struct bytes realm;
    struct bytes nonce;
    struct bytes offer = {0};

    if (!talk_answer_find(talk, STUN_ATTR_REALM, &realm) ||
        !talk_answer_find(talk, STUN_ATTR_NONCE, &nonce) || realm.len > TALK_NAME_MAX ||
        nonce.len > TALK_NAME_MAX) {
        return false;
    }
    if (!talk_answer_find(talk, STUN_ATTR_PASSWORD_ALGORITHMS, &offer) ||
        offer.len > TALK_OFFER_MAX) {
        offer = (struct bytes){0};
    }
    memcpy(client->realm, realm.ptr, realm.len);
    memcpy(client->nonce, nonce.ptr, nonce.len);
    memcpy(client->offer, offer.len > 0 ? offer.ptr : client->offer, offer.len);
    client->realm_len = (uint16_t)realm.len;
    client->nonce_len = (uint16_t)nonce.len;
    client->offer_len = (uint16_t)offer.len;
    client->features = 0;
    client->has_cookie = stun_cookie_read(nonce, &client->features);
    stun_key_long_term(client->username, realm, client->password, client->key);
    stun_key_long_term_sha256(client->username, realm, client->password, client->key_sha256);
    client->is_met = true;
    return true;
}

void talk_answer_take(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    if (talk_answer_is_success(talk)) {
        client->is_allocated = true;
        client->relayed = talk_answer_addr(talk, STUN_ATTR_XOR_RELAYED_ADDRESS);
        client->mapped = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    }
}

static const char *outcome_text(enum stun_message_outcome outcome)
{
    switch (outcome) {
    case STUN_MESSAGE_OK:
        return "";
    case STUN_MESSAGE_NOT_STUN:
        return "an answer of another length than its header says: ";
    case STUN_MESSAGE_MALFORMED:
        return "an answer whose attributes overrun it: ";
    case STUN_MESSAGE_BAD_VALUE:
        return "an answer with an attribute of a length that it cannot have: ";
    case STUN_MESSAGE_BAD_CHECKSUM:
        return "an answer with a wrong FINGERPRINT: ";
    }
    return "";
}

void talk_answer_write(struct talk *talk, struct wr *wr)
{
    if (!talk->has_answer) {
        wr_text(wr, "no answer within ");
        wr_decimal(wr, talk->target->patience_ns / (SECOND_NS / 1000));
        wr_text(wr, " ms");
        talk_leftover_write(talk, wr);
        return;
    }
    if (talk->answer.header.method != talk->header.method) {
        wr_text(wr, "an answer of another method: ");
    }
    wr_text(wr, outcome_text(talk->answer_outcome));
    talk_words_write(wr, (struct bytes){talk->answer_bytes, talk->answer_len});
}
