// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_response.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

enum { BINDING_MAX = 52 }; // bytes of a Binding response: header, XOR-MAPPED-ADDRESS, FINGERPRINT

// SOFTWARE is for people to read: it must not be why a stranger gets no response.
static bool has_room_for_software(const struct turn_server *server,
                                  const struct turn_response_to *to)
{
    size_t len = STUN_ATTR_HEAD_LEN + STUN_ATTR_PADDED(server->config.software.len);

    return to->is_proven ||
           BINDING_MAX + len <= (size_t)to->request_len * server->config.max_amplification;
}

static struct turn_response begin(struct turn_server *server, const struct turn_response_to *to,
                                  enum stun_error_code code, bool has_software)
{
    struct turn_response response = {.to = to, .code = code};
    struct stun_header header = {
        .method = to->method,
        .class = code == STUN_ERROR_NONE ? STUN_SUCCESS : STUN_ERROR,
        .transaction = to->transaction,
    };

    stun_writer_init(&response.writer, turn_outbox_message(&server->outbox),
                     TURN_COMMAND_MESSAGE_MAX, &header);
    if (has_software && server->config.software.len > 0 && has_room_for_software(server, to)) {
        stun_attr_write(&response.writer.wr, STUN_ATTR_SOFTWARE, server->config.software);
    }
    return response;
}

struct turn_response turn_response_begin(struct turn_server *server,
                                         const struct turn_response_to *to)
{
    return begin(server, to, STUN_ERROR_NONE, true);
}

// Finishes a response and orders it sent; false when it is too long for who may have asked.
static bool is_sent(struct turn_server *server, struct turn_response *response)
{
    const struct turn_response_to *to = response->to;
    struct turn_command command = {.type = TURN_COMMAND_SEND, .send.tuple = to->tuple};

    switch (to->proof) {
    case TURN_RESPONSE_UNSIGNED:
        break;
    case TURN_RESPONSE_SHA1:
        stun_writer_integrity(&response->writer, turn_key_bytes(&to->key));
        break;
    case TURN_RESPONSE_SHA256:
        stun_writer_integrity_sha256(&response->writer, turn_key_bytes(&to->key));
        break;
    }
    if (to->has_fingerprint) {
        stun_writer_fingerprint(&response->writer);
    }
    bool has_fitted = stun_writer_finish(&response->writer, &command.send.message);
    assert(has_fitted); // TURN_COMMAND_MESSAGE_MAX is the longest response
    if (!to->is_proven &&
        command.send.message.len > (size_t)to->request_len * server->config.max_amplification) {
        return false;
    }
    turn_outbox_add(&server->outbox, &command);
    (*turn_stats_response(&server->stats, to->method, response->code))++;
    return true;
}

void turn_response_end(struct turn_server *server, struct turn_response *response)
{
    if (!is_sent(server, response)) {
        server->stats.responses_withheld++;
    }
}

// What an error response has beside its code.
struct details {
    bool is_challenge;
    const uint8_t *nonce;               // TURN_NONCE_LEN characters, of a challenge
    const struct stun_message *message; // whose unknown attributes are listed, or NULL
};

static void add_details(struct wr *wr, const struct turn_response_to *to,
                        const struct details *details)
{
    if (details->is_challenge) {
        stun_attr_write(wr, STUN_ATTR_REALM, to->realm);
        stun_attr_write(wr, STUN_ATTR_NONCE, (struct bytes){details->nonce, TURN_NONCE_LEN});
        stun_password_offer_write(wr);
    }
    if (details->message != NULL) {
        stun_error_unknown_write(wr, details->message->unknown, details->message->unknown_count);
    }
}

static void send_error(struct turn_server *server, const struct turn_response_to *to,
                       enum stun_error_code code, const struct details *details)
{
    struct turn_response response = begin(server, to, code, true);

    stun_error_write(&response.writer.wr, code);
    add_details(&response.writer.wr, to, details);
    if (is_sent(server, &response)) {
        return;
    }
    // Once more without what is only to be read by people: the reason, and SOFTWARE.
    response = begin(server, to, code, false);
    stun_error_bare_write(&response.writer.wr, code);
    add_details(&response.writer.wr, to, details);
    turn_response_end(server, &response);
}

void turn_response_error(struct turn_server *server, const struct turn_response_to *to,
                         enum stun_error_code code)
{
    send_error(server, to, code, &(struct details){0});
}

void turn_response_challenge(struct turn_server *server, const struct turn_response_to *to,
                             struct now now, enum stun_error_code code)
{
    uint8_t nonce[TURN_NONCE_LEN];

    turn_nonce_write(&server->nonce, now, &to->tuple.client, nonce);
    send_error(server, to, code, &(struct details){.is_challenge = true, .nonce = nonce});
}

void turn_response_unknown(struct turn_server *server, const struct turn_response_to *to,
                           const struct stun_message *message)
{
    send_error(server, to, STUN_ERROR_UNKNOWN_ATTRIBUTE, &(struct details){.message = message});
}
