// SPDX-License-Identifier: Apache-2.0
// A TURN client of one allocation over UDP (RFC 8489, RFC 8656): the door of the room turnc.
//
// The room speaks to servers of any make, one request after another, and touches nothing: bytes,
// time and the seed of its randomness are arguments. It proves itself by long-term credentials with
// MD5 and SHA-1, which all servers know, and tries again by itself after 401 and 438. It keeps no
// allocation alive by itself, and relays no data: ChannelData is the caller's.
//
//      turnc_client_allocate(client, now, ADDR_IP4);
//      while (turnc_client_take(client, &datagram)) { send it to the server; }
//      a datagram came:    turnc_client_read(client, now, datagram)
//      the deadline came:  turnc_client_tick(client, now)
//      after each of them take and send again, until the state is TURNC_DONE or worse.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "crypto/crypto_random.h"
#include "stun/stun_key.h"
#include "turnc/turnc_transaction.h"

enum {
    TURNC_CLIENT_NAME_MAX = 128,  // bytes of a username, and of a realm
    TURNC_CLIENT_NONCE_MAX = 256, // bytes
    TURNC_CLIENT_TRIES = 3,       // of one request: first, after 401, after 438
};

// How the last request went.
enum turnc_state {
    TURNC_IDLE, // there was none
    TURNC_WAITING,
    TURNC_DONE,      // a success response came
    TURNC_REFUSED,   // an error response came: error_code says which
    TURNC_UNUSABLE,  // a response came that lacks what it must have, or is too long for us
    TURNC_TIMED_OUT, // none came
};

struct turnc_client {
    enum turnc_state state;
    uint16_t error_code;      // of TURNC_REFUSED, else 0
    uint8_t try_count;        // of this request
    bool has_key;             // a server has told its realm
    struct addr relayed;      // of the last success of Allocate, else ADDR_NONE
    struct addr mapped;       // likewise, or of Binding
    uint32_t lifetime_s;      // of the last success of Allocate or Refresh
    uint16_t method;          // of the request, and what it carries:
    uint16_t channel_number;  //  ChannelBind
    struct addr peer;         //  ChannelBind, CreatePermission
    enum addr_family family;  //  Allocate
    uint32_t wish_lifetime_s; //  Refresh
    struct bytes username;    // borrowed
    struct bytes password;    // borrowed
    uint8_t realm[TURNC_CLIENT_NAME_MAX];
    uint8_t nonce[TURNC_CLIENT_NONCE_MAX];
    uint16_t realm_len;
    uint16_t nonce_len;
    uint8_t key[STUN_KEY_LEN];
    struct crypto_random random;
    struct turnc_transaction transaction;
};

// Both texts outlive the client; the username has up to TURNC_CLIENT_NAME_MAX bytes.
void turnc_client_init(struct turnc_client *client, struct bytes username, struct bytes password,
                       const uint8_t seed[CRYPTO_RANDOM_SEED_LEN]);

// Each begins a request; none may be waiting.
void turnc_client_bind(struct turnc_client *client, struct now now); // Binding
// Allocate; of IPv6 by REQUESTED-ADDRESS-FAMILY, which is left out for IPv4 as the default.
void turnc_client_allocate(struct turnc_client *client, struct now now, enum addr_family family);
void turnc_client_refresh(struct turnc_client *client, struct now now, uint32_t lifetime_s);
void turnc_client_permit(struct turnc_client *client, struct now now, const struct addr *peer);
void turnc_client_bind_channel(struct turnc_client *client, struct now now, uint16_t number,
                               const struct addr *peer);

// The next datagram to send to the server. Borrowed until the next call.
MUST_USE bool turnc_client_take(struct turnc_client *client, struct bytes *out);

// A datagram has come from the server. False when it is not the answer that is waited for, and
// nothing has changed.
bool turnc_client_read(struct turnc_client *client, struct now now, struct bytes datagram);

// When turnc_client_tick() is due, or NEVER.
uint64_t turnc_client_deadline(const struct turnc_client *client);
void turnc_client_tick(struct turnc_client *client, struct now now);
