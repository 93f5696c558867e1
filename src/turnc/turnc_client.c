// SPDX-License-Identifier: Apache-2.0
#include "turnc/turnc_client.h"

#include <assert.h>
#include <string.h>

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"

void turnc_client_init(struct turnc_client *client, struct bytes username, struct bytes password,
                       const uint8_t seed[CRYPTO_RANDOM_SEED_LEN])
{
    assert(username.len <= TURNC_CLIENT_NAME_MAX);
    memset(client, 0, sizeof *client);
    client->username = username;
    client->password = password;
    crypto_random_init(&client->random, seed);
}

static void write_arguments(const struct turnc_client *client, struct wr *wr,
                            const struct stun_transaction *transaction)
{
    switch ((enum stun_method)client->method) {
    case STUN_ALLOCATE:
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
        if (client->family == ADDR_IP6) {
            stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
        }
        break;
    case STUN_REFRESH:
        stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, client->wish_lifetime_s);
        break;
    case STUN_CHANNEL_BIND:
        stun_attr_u16_write(wr, STUN_ATTR_CHANNEL_NUMBER, client->channel_number);
        stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_PEER_ADDRESS, transaction, &client->peer);
        break;
    case STUN_CREATE_PERMISSION:
        stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_PEER_ADDRESS, transaction, &client->peer);
        break;
    case STUN_BINDING:
    case STUN_SEND:
    case STUN_DATA:
        break;
    }
}

// Writes the request anew, with what is known of the server by now, and opens a transaction.
static void ask(struct turnc_client *client, struct now now)
{
    uint8_t memory[TURNC_TRANSACTION_MESSAGE_MAX];
    struct stun_header header = {.method = client->method, .class = STUN_REQUEST};
    struct stun_writer writer;
    struct bytes message = {0};

    crypto_random_fill(&client->random, header.transaction.id, sizeof header.transaction.id);
    stun_writer_init(&writer, memory, sizeof memory, &header);
    write_arguments(client, &writer.wr, &header.transaction);
    if (client->has_key && client->method != STUN_BINDING) {
        stun_attr_write(&writer.wr, STUN_ATTR_USERNAME, client->username);
        stun_attr_write(&writer.wr, STUN_ATTR_REALM,
                        (struct bytes){client->realm, client->realm_len});
        stun_attr_write(&writer.wr, STUN_ATTR_NONCE,
                        (struct bytes){client->nonce, client->nonce_len});
        stun_writer_integrity(&writer, (struct bytes){client->key, sizeof client->key});
    }
    bool has_fitted = stun_writer_finish(&writer, &message);
    assert(has_fitted); // the limits of names and nonces see to it
    client->state = TURNC_WAITING;
    client->try_count++;
    turnc_transaction_begin(&client->transaction, now, &header, message);
}

static void begin(struct turnc_client *client, struct now now, enum stun_method method)
{
    assert(client->state != TURNC_WAITING);
    client->method = (uint16_t)method;
    client->try_count = 0;
    client->error_code = 0;
    ask(client, now);
}

void turnc_client_bind(struct turnc_client *client, struct now now)
{
    begin(client, now, STUN_BINDING);
}

void turnc_client_allocate(struct turnc_client *client, struct now now, enum addr_family family)
{
    assert(family != ADDR_NONE);
    client->family = family;
    begin(client, now, STUN_ALLOCATE);
}

void turnc_client_refresh(struct turnc_client *client, struct now now, uint32_t lifetime_s)
{
    client->wish_lifetime_s = lifetime_s;
    begin(client, now, STUN_REFRESH);
}

void turnc_client_permit(struct turnc_client *client, struct now now, const struct addr *peer)
{
    client->peer = *peer;
    begin(client, now, STUN_CREATE_PERMISSION);
}

void turnc_client_bind_channel(struct turnc_client *client, struct now now, uint16_t number,
                               const struct addr *peer)
{
    client->channel_number = number;
    client->peer = *peer;
    begin(client, now, STUN_CHANNEL_BIND);
}

bool turnc_client_take(struct turnc_client *client, struct bytes *out)
{
    return turnc_transaction_take(&client->transaction, out);
}

// Learns realm and nonce from a 401 or 438. False when they are missing or too long.
static bool learn(struct turnc_client *client, const struct stun_message *message)
{
    struct bytes realm = {client->realm, client->realm_len};
    struct bytes nonce = {0};

    if (!stun_message_find(message, STUN_ATTR_NONCE, &nonce) || nonce.len > sizeof client->nonce) {
        return false;
    }
    if (!stun_message_find(message, STUN_ATTR_REALM, &realm) && !client->has_key) {
        return false;
    }
    if (realm.len > sizeof client->realm) {
        return false;
    }
    memmove(client->realm, realm.ptr, realm.len);
    client->realm_len = (uint16_t)realm.len;
    memcpy(client->nonce, nonce.ptr, nonce.len);
    client->nonce_len = (uint16_t)nonce.len;
    stun_key_long_term(client->username, (struct bytes){client->realm, client->realm_len},
                       client->password, client->key);
    client->has_key = true;
    return true;
}

static void read_error(struct turnc_client *client, struct now now,
                       const struct stun_message *message, bool was_proven)
{
    struct bytes value = {0};
    struct bytes reason;
    uint16_t code = 0;

    if (!stun_message_find(message, STUN_ATTR_ERROR_CODE, &value) ||
        !stun_error_read(value, &code, &reason)) {
        client->state = TURNC_UNUSABLE;
        return;
    }
    // After a 401 to a request that has proven itself another try would be the same.
    bool is_worth_trying =
        code == STUN_ERROR_STALE_NONCE || (code == STUN_ERROR_UNAUTHENTICATED && !was_proven);
    if (is_worth_trying && client->try_count < TURNC_CLIENT_TRIES) {
        if (learn(client, message)) {
            ask(client, now);
        } else {
            client->state = TURNC_UNUSABLE;
        }
        return;
    }
    client->state = TURNC_REFUSED;
    client->error_code = code;
}

static bool find_address(const struct stun_message *message, enum stun_attr_type type,
                         struct addr *out)
{
    struct bytes value = {0};

    return stun_message_find(message, type, &value) &&
           stun_attr_xor_addr_read(value, &message->header.transaction, out);
}

static bool find_lifetime(const struct stun_message *message, uint32_t *out)
{
    struct bytes value = {0};

    return stun_message_find(message, STUN_ATTR_LIFETIME, &value) && stun_attr_u32_read(value, out);
}

static void read_success(struct turnc_client *client, const struct stun_message *message)
{
    struct addr relayed = client->relayed;
    struct addr mapped = client->mapped;
    uint32_t lifetime_s = client->lifetime_s;
    bool is_whole = true;

    if (client->method == STUN_ALLOCATE) {
        is_whole = find_address(message, STUN_ATTR_XOR_RELAYED_ADDRESS, &relayed) &&
                   find_address(message, STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped) &&
                   find_lifetime(message, &lifetime_s);
    } else if (client->method == STUN_REFRESH) {
        is_whole = find_lifetime(message, &lifetime_s);
    } else if (client->method == STUN_BINDING) {
        is_whole = find_address(message, STUN_ATTR_XOR_MAPPED_ADDRESS, &mapped);
    }
    if (!is_whole) {
        client->state = TURNC_UNUSABLE;
        return;
    }
    client->relayed = relayed;
    client->mapped = mapped;
    client->lifetime_s = lifetime_s;
    client->state = TURNC_DONE;
}

bool turnc_client_read(struct turnc_client *client, struct now now, struct bytes datagram)
{
    struct stun_message message;
    const bool was_proven = client->has_key && client->method != STUN_BINDING;

    if (stun_message_read(datagram, &message) != STUN_MESSAGE_OK ||
        !turnc_transaction_is_answer(&client->transaction, &message.header)) {
        return false;
    }
    // A success that does not prove itself is not from our server (RFC 8489 section 9.2.5).
    if (message.header.class == STUN_SUCCESS && was_proven &&
        !stun_message_is_intact(&message, (struct bytes){client->key, sizeof client->key})) {
        return false;
    }
    turnc_transaction_end(&client->transaction);
    if (message.header.class == STUN_SUCCESS) {
        read_success(client, &message);
    } else {
        read_error(client, now, &message, was_proven);
    }
    return true;
}

uint64_t turnc_client_deadline(const struct turnc_client *client)
{
    return turnc_transaction_deadline(&client->transaction);
}

void turnc_client_tick(struct turnc_client *client, struct now now)
{
    if (!turnc_transaction_tick(&client->transaction, now)) {
        client->state = TURNC_TIMED_OUT;
    }
}
