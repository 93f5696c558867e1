// SPDX-License-Identifier: Apache-2.0
// A TURN client with a real UDP socket on loopback, that speaks to a relay of this same process.
#pragma once

#include "io/io_udp.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"

enum {
    CLIENT_SUCCESS = 0,  // a success response; other responses are told by their code
    CLIENT_SILENCE = -1, // nothing came
};

struct client {
    struct io_udp udp;
    struct addr server;
    uint32_t scope;       // the interface of a link-local server
    uint32_t transaction; // how many were begun
    uint8_t nonce[128];   // of the last challenge
    size_t nonce_len;
    uint8_t raw[65536]; // what was received last
    struct bytes datagram;
    struct stun_message response;
};

// A request that is being written; attributes go to writer.wr.
struct client_draft {
    uint8_t raw[2048];
    struct stun_writer writer;
    struct stun_transaction transaction;
};

void client_open(struct client *client, const struct addr *server);
void client_close(struct client *client);

void client_begin(struct client *client, struct client_draft *draft, enum stun_class class,
                  enum stun_method method);
void client_add_peer(struct client_draft *draft, const struct addr *peer);
// Signs as "alice" with "secret" and the nonce of the last challenge, if one came, and sends.
void client_send_signed(struct client *client, struct client_draft *draft);
// Sends as it is.
void client_send(struct client *client, struct client_draft *draft);
void client_send_bytes(struct client *client, struct bytes datagram);

// Takes one datagram that is there, or nothing; the client's `datagram` is empty then.
void client_receive(struct client *client);
// Takes a response: CLIENT_SUCCESS, its error code, or CLIENT_SILENCE. Keeps a challenge's nonce.
int client_response(struct client *client);
// An address attribute of the last response.
struct addr client_address(const struct client *client, enum stun_attr_type type);
