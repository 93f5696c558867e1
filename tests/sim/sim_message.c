// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_message.h"

#include <assert.h>

#include "stun/stun_key.h"
#include "stun/stun_userhash.h"

void sim_message_begin(struct sim_message *message, struct rng *rng, enum stun_class class,
                       enum stun_method method)
{
    message->header = (struct stun_header){.method = (uint16_t)method, .class = (uint8_t) class};
    rng_fill(rng, message->header.transaction.id, STUN_TRANSACTION_LEN);
    stun_writer_init(&message->writer, message->bytes, sizeof message->bytes, &message->header);
}

static void add(struct sim_message *message, enum stun_attr_type type, struct bytes value)
{
    if (value.ptr != NULL) {
        stun_attr_write(&message->writer.wr, (uint16_t)type, value);
    }
}

void sim_message_prove(struct sim_message *message, const struct sim_message_proof *proof)
{
    uint8_t key[STUN_KEY_SHA256_LEN];
    uint8_t hash[STUN_USERHASH_LEN];
    bool is_md5 = proof->algorithm == STUN_PASSWORD_MD5;
    struct bytes span = {key, is_md5 ? STUN_KEY_LEN : STUN_KEY_SHA256_LEN};

    if (proof->is_hashed && proof->user.ptr != NULL) {
        stun_userhash(proof->user, proof->realm, hash);
        add(message, STUN_ATTR_USERHASH, (struct bytes){hash, sizeof hash});
    } else {
        add(message, STUN_ATTR_USERNAME, proof->user);
    }
    add(message, STUN_ATTR_REALM, proof->realm);
    add(message, STUN_ATTR_NONCE, proof->nonce);
    add(message, STUN_ATTR_PASSWORD_ALGORITHMS, proof->offer);
    if (proof->has_choice) {
        stun_password_write(&message->writer.wr, proof->algorithm);
    }
    if (is_md5) {
        stun_key_long_term(proof->user, proof->realm, proof->password, key);
    } else {
        stun_key_long_term_sha256(proof->user, proof->realm, proof->password, key);
    }
    if (proof->has_sha1) {
        stun_writer_integrity(&message->writer, span);
    }
    if (proof->has_sha256) {
        stun_writer_integrity_sha256(&message->writer, span);
    }
}

struct bytes sim_message_end(struct sim_message *message, bool has_fingerprint)
{
    struct bytes whole = {0};

    if (has_fingerprint) {
        stun_writer_fingerprint(&message->writer);
    }
    bool has_fitted = stun_writer_finish(&message->writer, &whole);
    assert(has_fitted);
    return whole;
}
