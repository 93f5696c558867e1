// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_response.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

static struct turn_response begin(struct turn_server *server, const struct turn_response_to *to,
                                  enum stun_class class)
{
    struct turn_response response = {.to = to};
    struct stun_header header = {
        .method = to->method,
        .class = (uint8_t) class,
        .transaction = to->transaction,
    };

    stun_writer_init(&response.writer, turn_outbox_message(&server->outbox),
                     TURN_COMMAND_MESSAGE_MAX, &header);
    return response;
}

struct turn_response turn_response_begin(struct turn_server *server,
                                         const struct turn_response_to *to)
{
    return begin(server, to, STUN_SUCCESS);
}

void turn_response_end(struct turn_server *server, struct turn_response *response)
{
    const struct turn_response_to *to = response->to;
    struct turn_command command = {.type = TURN_COMMAND_SEND, .send.tuple = to->tuple};

    if (to->is_signed) {
        stun_writer_integrity(&response->writer, (struct bytes){to->key, sizeof to->key});
    }
    if (to->has_fingerprint) {
        stun_writer_fingerprint(&response->writer);
    }
    bool has_fitted = stun_writer_finish(&response->writer, &command.send.message);
    assert(has_fitted); // TURN_COMMAND_MESSAGE_MAX is the longest response
    turn_outbox_add(&server->outbox, &command);
}

void turn_response_error(struct turn_server *server, const struct turn_response_to *to,
                         enum stun_error_code code)
{
    struct turn_response response = begin(server, to, STUN_ERROR);

    stun_error_write(&response.writer.wr, code);
    turn_response_end(server, &response);
}

void turn_response_challenge(struct turn_server *server, const struct turn_response_to *to,
                             struct now now, enum stun_error_code code)
{
    struct turn_response response = begin(server, to, STUN_ERROR);
    uint8_t nonce[TURN_NONCE_LEN];

    turn_nonce_write(&server->nonce, now, &to->tuple.client, nonce);
    stun_error_write(&response.writer.wr, code);
    stun_attr_write(&response.writer.wr, STUN_ATTR_REALM, server->config.realm);
    stun_attr_write(&response.writer.wr, STUN_ATTR_NONCE, (struct bytes){nonce, sizeof nonce});
    turn_response_end(server, &response);
}

void turn_response_unknown(struct turn_server *server, const struct turn_response_to *to,
                           const struct stun_message *message)
{
    struct turn_response response = begin(server, to, STUN_ERROR);

    stun_error_write(&response.writer.wr, STUN_ERROR_UNKNOWN_ATTRIBUTE);
    stun_error_unknown_write(&response.writer.wr, message->unknown, message->unknown_count);
    turn_response_end(server, &response);
}
