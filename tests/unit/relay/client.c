// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "stun/stun_error.h"
#include "stun/stun_key.h"

void client_open(struct client *client, const struct addr *server)
{
    const struct io_udp_options options = {.local =
                                               host_loopback((enum addr_family)server->family, 0)};

    client->server = *server;
    client->scope = 0;
    client->transaction = 0;
    client->nonce_len = 0;
    assert_int_equal(io_udp_open(&options, &client->udp), 0);
}

void client_close(struct client *client)
{
    io_udp_close(&client->udp);
}

void client_begin(struct client *client, struct client_draft *draft, enum stun_class class,
                  enum stun_method method)
{
    struct stun_header header = {.method = (uint16_t)method, .class = (uint8_t) class};
    struct wr id = wr_init(header.transaction.id, sizeof header.transaction.id);

    wr_u64(&id, UINT64_C(0x636c69656e740000));
    wr_u32(&id, ++client->transaction);
    draft->transaction = header.transaction;
    stun_writer_init(&draft->writer, draft->raw, sizeof draft->raw, &header);
}

void client_add_peer(struct client_draft *draft, const struct addr *peer)
{
    stun_attr_xor_addr_write(&draft->writer.wr, STUN_ATTR_XOR_PEER_ADDRESS, &draft->transaction,
                             peer);
}

void client_send_signed(struct client *client, struct client_draft *draft)
{
    static const struct bytes name = BYTES_LITERAL("alice");
    static const struct bytes realm = BYTES_LITERAL("fairlead");
    static const struct bytes password = BYTES_LITERAL("secret");
    uint8_t key[STUN_KEY_LEN];

    if (client->nonce_len > 0) {
        stun_key_long_term(name, realm, password, key);
        stun_attr_write(&draft->writer.wr, STUN_ATTR_USERNAME, name);
        stun_attr_write(&draft->writer.wr, STUN_ATTR_REALM, realm);
        stun_attr_write(&draft->writer.wr, STUN_ATTR_NONCE,
                        (struct bytes){client->nonce, client->nonce_len});
        stun_writer_integrity(&draft->writer, (struct bytes){key, sizeof key});
    }
    client_send(client, draft);
}

void client_send(struct client *client, struct client_draft *draft)
{
    struct bytes datagram = {0};

    assert_true(stun_writer_finish(&draft->writer, &datagram));
    client_send_bytes(client, datagram);
}

void client_send_bytes(struct client *client, struct bytes datagram)
{
    const struct io_udp_message message = {
        .to = &client->server, .scope = client->scope, .payload = datagram};

    assert_int_equal(io_udp_send(&client->udp, &message), 0);
}

void client_receive(struct client *client)
{
    const ssize_t got = recv(client->udp.fd, client->raw, sizeof client->raw, MSG_DONTWAIT);

    client->datagram = (struct bytes){client->raw, got > 0 ? (size_t)got : 0};
}

int client_response(struct client *client)
{
    struct bytes value = {0};
    struct bytes reason = {0};
    uint16_t code = 0;

    client_receive(client);
    if (client->datagram.len == 0) {
        return CLIENT_SILENCE;
    }
    assert_int_equal(stun_message_read(client->datagram, &client->response), STUN_MESSAGE_OK);
    if (client->response.header.class == STUN_SUCCESS) {
        return CLIENT_SUCCESS;
    }
    assert_int_equal(client->response.header.class, STUN_ERROR);
    assert_true(stun_message_find(&client->response, STUN_ATTR_ERROR_CODE, &value));
    assert_true(stun_error_read(value, &code, &reason));
    if (stun_message_find(&client->response, STUN_ATTR_NONCE, &value)) {
        assert_true(value.len <= sizeof client->nonce);
        memcpy(client->nonce, value.ptr, value.len);
        client->nonce_len = value.len;
    }
    return code;
}

struct addr client_address(const struct client *client, enum stun_attr_type type)
{
    struct bytes value = {0};
    struct addr addr = {0};

    assert_true(stun_message_find(&client->response, type, &value));
    assert_true(stun_attr_xor_addr_read(value, &client->response.header.transaction, &addr));
    return addr;
}
