// SPDX-License-Identifier: Apache-2.0
// A client: it does at random what clients do, well and badly, and believes what it is told.
#pragma once

#include "base/addr.h"
#include "sim/sim_credential.h"
#include "sim/sim_message.h"
#include "sim/sim_queue.h"

struct sim_world;

enum { SIM_CLIENT_SENT = 4, SIM_CLIENT_TEXT_MAX = 127, SIM_CLIENT_TOKEN_LEN = 8 };

struct sim_client {
    unsigned index;
    struct sim_credential credential;
    bool is_modern; // it knows RFC 8489
    struct addr addr;
    uint16_t first_port; // which its NAT may give it again
    struct addr server;
    unsigned rounds;
    // What it was told:
    size_t realm_len; // 0: nothing yet
    size_t nonce_len;
    uint8_t realm[SIM_CLIENT_TEXT_MAX];
    uint8_t nonce[SIM_CLIENT_TEXT_MAX];
    struct addr relayed; // the first; ADDR_NONE: it has none
    bool is_dual;        // and it has one of the other family
    bool has_token;
    uint8_t token[SIM_CLIENT_TOKEN_LEN];
    // Its last requests, to send them again:
    unsigned sent_count;
    struct {
        size_t len;
        uint8_t bytes[SIM_MESSAGE_MAX];
    } sent[SIM_CLIENT_SENT];
};

void sim_client_init(struct sim_client *client, struct sim_world *world, unsigned index);
void sim_client_wake(struct sim_client *client, struct sim_world *world);
void sim_client_receive(struct sim_client *client, struct sim_world *world,
                        const struct sim_datagram *datagram);

// Sends bytes to the server; what is a request can be sent again, and overheard.
void sim_client_send(struct sim_client *client, struct sim_world *world, struct bytes datagram);
// Gets another credential of the same kind.
void sim_client_renew(struct sim_client *client, struct sim_world *world);
// Some address to send to: a peer's, another client's relayed one, or one that is forbidden.
struct addr sim_client_some_peer(const struct sim_client *client, struct sim_world *world);

// Sends some request (sim_client_request.c).
void sim_client_request(struct sim_client *client, struct sim_world *world);
