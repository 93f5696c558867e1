// SPDX-License-Identifier: Apache-2.0
// A server, one client that speaks to it, and the owner of the sockets: what a test of src/turn
// needs to say "allocate, permit, send" and to look at what came of it.
//
// The server lies in a zeroed block of exactly turn_server_size() bytes, and each datagram in one
// of exactly its length, so that the sanitizer sees every step beside them. All commands are
// carried out at once and kept for the test; an OPEN is answered as `refusals` has it.
#pragma once

#include "stun/stun_message.h"
#include "stun/stun_writer.h"
#include "turn/turn_credential.h"
#include "turn/turn_key.h"
#include "turn/turn_nonce.h"
#include "turn/turn_server.h"

enum {
    TURN_FIXTURE_SUCCESS = 0,  // a success response; other responses are told by their code
    TURN_FIXTURE_SILENCE = -1, // no response at all
    TURN_FIXTURE_COMMANDS_MAX = 128,
    TURN_FIXTURE_NONCE_LEN = TURN_NONCE_LEN,
};

// For tests that speak to a server: a fresh fixture is in *state.
#define TURN_FIXTURE_TEST(test)                                                                    \
    cmocka_unit_test_setup_teardown(test, turn_fixture_setup, turn_fixture_teardown)

// How requests are signed; a set.
enum {
    TURN_FIXTURE_SHA1 = 1,      // MESSAGE-INTEGRITY
    TURN_FIXTURE_SHA256 = 2,    // MESSAGE-INTEGRITY-SHA256
    TURN_FIXTURE_MD5_NAMED = 4, // PASSWORD-ALGORITHM: MD5, with what was offered
    TURN_FIXTURE_SHA_NAMED = 8, // PASSWORD-ALGORITHM: SHA-256, likewise; the key is its
    TURN_FIXTURE_HIDDEN = 16,   // USERHASH in place of USERNAME
};

struct turn_fixture {
    struct turn_config config;
    struct turn_server *server;
    struct turn_policy *policy;   // that it has adopted; NULL: the one inside
    struct turn_commons *commons; // of its own, which others may join; NULL: inside the server
    struct now now;
    struct turn_tuple tuple;  // the client that speaks, and the address to which it does
    const char *user;         // it signs with this name, "alice" at first; there is "bob" too
    const char *password;     // "secret" and "hidden" are theirs
    const char *realm;        // NULL: the server's
    unsigned signing;         // TURN_FIXTURE_SHA1 at first
    uint32_t refusals;        // OPEN commands, the next ones, that fail ...
    enum turn_opened refusal; // ... in this way
    // Told of each socket that is opened or closed, if it is not NULL.
    void (*on_socket)(void *context, const struct turn_command *command);
    void *on_socket_context;
    uint32_t transaction; // how many were begun
    uint8_t *datagram;    // the last one, which forward.payload borrows
    char firezone_password[TURN_CREDENTIAL_FIREZONE_LEN + 1];

    // What the last call brought.
    enum turn_verdict verdict;
    struct turn_forward forward;
    struct turn_command commands[TURN_FIXTURE_COMMANDS_MAX];
    uint32_t command_count;
    uint8_t raw_response[TURN_COMMAND_MESSAGE_MAX];
    struct stun_message response; // valid when there was one
};

// A message that is being written; attributes go to writer.wr.
struct turn_fixture_draft {
    uint8_t raw[4096];
    struct stun_writer writer;
    struct stun_transaction transaction;
};

int turn_fixture_setup(void **state);
int turn_fixture_teardown(void **state);
// A small server: relayed ports 50000 to 50099, IPv4 and IPv6, "alice" and "bob". Its own addresses
// and its peers are of the prefixes for documentation, of which rules allow those that tests use as
// peers: 192.0.2.0/24, 198.51.100.0/24 and 2001:db8::/32.
struct turn_config turn_fixture_config(void);
// Another server, in a fresh block. If it is to be one of several and the configuration has no
// commons, it has some in a block of their own.
void turn_fixture_restart(struct turn_fixture *f, const struct turn_config *config);

// The server adopts a policy of this configuration, in a block of its own that is freed with the
// fixture or when another one is adopted; its commands are kept as those of one call.
void turn_fixture_adopt(struct turn_fixture *f, const struct turn_config *config);

struct addr turn_fixture_addr(const char *ip, uint16_t port);
// The key of "alice" or of whoever else signs.
struct turn_key turn_fixture_key(const struct turn_fixture *f);
// The server serves Firezone's clients too, and the next requests come from one of them: a username
// with a date, the password that the stamp secret makes of it.
extern const char turn_fixture_stamp[];
void turn_fixture_become_firezone(struct turn_fixture *f);
// Who signs from now on: another username of that kind.
void turn_fixture_use_firezone(struct turn_fixture *f, const char *username);

// Begins a message with a new transaction.
void turn_fixture_begin(struct turn_fixture *f, struct turn_fixture_draft *draft,
                        enum stun_class class, uint16_t method);
void turn_fixture_add_peer(struct turn_fixture_draft *draft, const struct addr *peer);
// Asks the server for a nonce.
void turn_fixture_nonce(struct turn_fixture *f, uint8_t out[TURN_FIXTURE_NONCE_LEN]);
// Adds what shows who asks, as `signing` has it (at first USERNAME, REALM, NONCE and
// MESSAGE-INTEGRITY), with a fresh nonce or with a given one; an empty one is left out.
void turn_fixture_sign(struct turn_fixture *f, struct turn_fixture_draft *draft);
void turn_fixture_sign_with(const struct turn_fixture *f, struct turn_fixture_draft *draft,
                            struct bytes nonce);
struct bytes turn_fixture_finish(struct turn_fixture_draft *draft);

// Sends a datagram to the server as it is; says what response came.
int turn_fixture_send(struct turn_fixture *f, struct bytes datagram);
// Signs, finishes and sends.
int turn_fixture_ask(struct turn_fixture *f, struct turn_fixture_draft *draft);

// Begins an Allocate with REQUESTED-TRANSPORT.
void turn_fixture_begin_allocate(struct turn_fixture *f, struct turn_fixture_draft *draft);
// An allocation for the client, which must succeed; its reference.
struct pool_ref turn_fixture_allocate(struct turn_fixture *f);
int turn_fixture_refresh(struct turn_fixture *f, uint32_t lifetime_s);
int turn_fixture_permit(struct turn_fixture *f, const struct addr *peer);
int turn_fixture_bind(struct turn_fixture *f, uint16_t number, const struct addr *peer);

// Data on its way; the verdict.
enum turn_verdict turn_fixture_send_data(struct turn_fixture *f, const struct addr *peer,
                                         const char *data);
enum turn_verdict turn_fixture_chandata(struct turn_fixture *f, uint16_t number, const char *data);
enum turn_verdict turn_fixture_from_peer(struct turn_fixture *f, struct pool_ref allocation,
                                         const struct addr *peer, struct bytes data);

// Time passes; what is due expires, and its commands are kept as those of one call.
void turn_fixture_wait(struct turn_fixture *f, uint64_t ns);

// Looks at the last response: an attribute that must be there.
struct bytes turn_fixture_value(const struct turn_fixture *f, enum stun_attr_type type);
uint32_t turn_fixture_number(const struct turn_fixture *f, enum stun_attr_type type);
struct addr turn_fixture_address(const struct turn_fixture *f, enum stun_attr_type type);
// Looks at the last commands: how many there were of a type; a report's, or NULL.
uint32_t turn_fixture_count(const struct turn_fixture *f, enum turn_command_type type);
const struct turn_command_report *turn_fixture_report(const struct turn_fixture *f,
                                                      enum turn_event event);
// How often the server has refused for a reason.
uint64_t turn_fixture_refused(struct turn_fixture *f, enum turn_refusal refusal);
struct turn_gauges turn_fixture_gauges(const struct turn_fixture *f);
// The last response is intact under the key of who signs, in the way of TURN_FIXTURE_SHA1 or
// _SHA256.
bool turn_fixture_is_signed(const struct turn_fixture *f, unsigned way);
// The gauges are all zero: nothing is held.
bool turn_fixture_is_empty(const struct turn_fixture *f);
