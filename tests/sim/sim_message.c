// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_message.h"

#include <assert.h>

#include "stun/stun_key.h"

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
    uint8_t key[STUN_KEY_LEN];

    add(message, STUN_ATTR_USERNAME, proof->user);
    add(message, STUN_ATTR_REALM, proof->realm);
    add(message, STUN_ATTR_NONCE, proof->nonce);
    stun_key_long_term(proof->user, proof->realm, proof->password, key);
    stun_writer_integrity(&message->writer, (struct bytes){key, sizeof key});
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
