// SPDX-License-Identifier: Apache-2.0
// A naive TURN server: arrays and linear scans, after RFC 8489 and RFC 8656. It is given what the
// server under test is given, in the same order, and says beforehand what must come of it.
//
// What it cannot know, it learns from the server and judges: nonces, tokens, the choice of a port.
//
// The server under test may be several that serve together. The oracle is one: it only remembers by
// what name and in whose home each thing is, since a port is not free before whoever has it at home
// has closed its socket.
#pragma once

#include "base/now.h"
#include "base/pool.h"
#include "sim/sim_cover.h"
#include "sim/sim_credential.h"
#include "sim/sim_naive.h"
#include "sim/sim_setup.h"
#include "turn/turn_server.h"

enum {
    SIM_ORACLE_RESTING = 64, // refused ports that rest at once
    SIM_ORACLE_TRIES = 8,    // ports tried for one Allocate
    SIM_ORACLE_NONCE = 64,   // bytes of the longest nonce that is remembered
    SIM_ORACLE_NAME = 763,   // bytes of the longest username
};

// What --max-pps or --max-bps leaves: as many times a billionth of a token as there are.
struct sim_oracle_bucket {
    bool is_used; // else it is full
    int64_t left;
    uint64_t at_ns; // when that was
};

// What the server under test calls an allocation.
struct sim_name {
    unsigned home; // which of the servers has it
    struct pool_ref ref;
};

struct sim_oracle_allocation {
    bool is_live;
    struct turn_tuple tuple;
    unsigned user; // index
    bool is_firezone;
    unsigned bound;          // families that are relayed now, as bits (sim_oracle_bit)
    unsigned granted;        // families that its client was told of
    unsigned refused_family; // that it asked for and has not, or ADDR_NONE
    unsigned refused_code;
    uint16_t port;
    uint64_t until_ns;
    uint32_t granted_s;
    uint8_t transaction[12]; // of the Allocate
    bool has_token;
    uint8_t token[8];
    struct sim_name name;
    struct sim_oracle_bucket packets[2]; // to peers, to the client
    struct sim_oracle_bucket bytes[2];
};

struct sim_oracle_permission {
    uint64_t until_ns; // 0: no permission
    unsigned allocation;
    struct addr ip; // port 0
};

struct sim_oracle_channel {
    uint64_t until_ns; // of its binding, or of its rest; 0: no channel
    bool is_resting;
    unsigned allocation;
    unsigned number;
    struct addr peer;
};

struct sim_oracle_reservation {
    uint64_t until_ns; // 0: no reservation
    unsigned user;
    unsigned family;
    unsigned home; // of the allocation with which it was made
    uint16_t port;
    uint8_t token[8];
};

struct sim_oracle_user {
    enum sim_credential_kind kind;
    size_t len;
    uint8_t name[SIM_ORACLE_NAME];
};

struct sim_oracle_nonce {
    struct addr client;
    unsigned home; // where it was made
    uint64_t made_s;
    size_t len;
    uint8_t text[SIM_ORACLE_NONCE];
};

struct sim_oracle {
    const struct sim_setup *setup;
    struct sim_cover *cover;
    unsigned home;         // where the present datagram has come
    bool is_draining;      // there are to be no new allocations
    uint16_t closing_port; // of an allocation that this call has replaced, or 0
    uint64_t now_ns;       // of the datagram that is judged
    struct sim_oracle_allocation allocations[SIM_SETUP_ALLOCATIONS];
    struct sim_oracle_permission permissions[SIM_SETUP_PERMISSIONS];
    struct sim_oracle_channel channels[SIM_SETUP_CHANNELS];
    struct sim_oracle_reservation reservations[SIM_SETUP_RESERVATIONS];
    struct {
        uint16_t port;
        uint64_t until_ns;
    } resting[SIM_ORACLE_RESTING]; // the oldest first
    size_t resting_count;
    struct sim_oracle_nonce *nonces;
    size_t nonce_count;
    size_t nonce_room;
    struct sim_oracle_user *users; // who ever proved to be somebody
    unsigned user_count;
};

enum sim_expect_kind {
    SIM_EXPECT_NOTHING,
    SIM_EXPECT_SILENCE,  // no response to a request, and no drop either
    SIM_EXPECT_WITHHELD, // likewise, since it would amplify
    SIM_EXPECT_RESPONSE,
    SIM_EXPECT_OPEN, // a socket, then a response
    SIM_EXPECT_TO_PEER,
    SIM_EXPECT_TO_CLIENT,
};

enum sim_expect_port { SIM_EXPECT_ANY_PORT, SIM_EXPECT_EVEN_PORT, SIM_EXPECT_PAIR };

// What must come of one datagram.
struct sim_expect {
    enum sim_expect_kind kind;
    struct turn_tuple tuple;
    // Of a request:
    unsigned method;
    unsigned code; // 0: success
    uint8_t transaction[12];
    bool is_firezone;           // in the manner of Firezone's relay
    bool is_authentic;          // the request is
    unsigned user;              // who it is, if is_authentic
    enum turn_refusal refusal;  // the reason that must be reported, or TURN_REFUSAL_NONE
    bool is_reported;           // and it was
    bool is_client_certain;     // of a credential that is refused: the nonce is good
    struct bytes name;          // likewise: whose it would be; empty when there is no such user
    struct bytes realm;         // of a challenge
    enum sim_naive_proof proof; // what the response is signed with
    struct sim_naive_key key;
    bool has_fingerprint;
    unsigned unknown[SIM_NAIVE_UNKNOWN_MAX];
    size_t unknown_count;
    uint32_t lifetime_s; // of a successful Allocate or Refresh
    unsigned allocation; // index: of a successful Allocate, or the one that data is for
    bool is_waking;      // another home must be woken ...
    unsigned woken;      // ... which is this one
    // Of an opening:
    enum sim_expect_port port;
    unsigned families;       // bits
    unsigned bound;          // of these, what is bound already
    unsigned refused_family; // what else the client wished
    unsigned refused_code;
    bool is_reserved;
    uint16_t reserved_port;
    uint16_t opening_port; // that the server chose
    unsigned tries;
    // Of data:
    struct addr peer;
    struct bytes payload; // where it lies in the datagram
    bool is_unfragmented;
    unsigned channel; // 0: a Data indication
    bool is_icmp;     // with this error instead of a payload
    struct stun_icmp icmp;
};

void sim_oracle_init(struct sim_oracle *oracle, const struct sim_setup *setup,
                     struct sim_cover *cover);
void sim_oracle_deinit(struct sim_oracle *oracle);

// Forgets what has expired by now.
void sim_oracle_expire(struct sim_oracle *oracle, struct now now);
// When something expires next, or NEVER.
uint64_t sim_oracle_deadline(const struct sim_oracle *oracle);
struct turn_gauges sim_oracle_gauges(const struct sim_oracle *oracle);

// The rules have changed: forgets the permissions and channels of peers that are denied now.
void sim_oracle_sweep(struct sim_oracle *oracle);

// A datagram comes to one of the homes.
void sim_oracle_begin(struct sim_oracle *oracle, unsigned home);
// What must come of a datagram from a client, or on a relayed socket. The state moves with it,
// but for an opening, which waits for sim_oracle_opened().
void sim_oracle_from_client(struct sim_oracle *oracle, struct now now,
                            const struct turn_tuple *tuple, struct bytes datagram,
                            struct sim_expect *out);
void sim_oracle_from_peer(struct sim_oracle *oracle, struct now now, struct sim_name allocation,
                          const struct addr *peer, struct bytes datagram, struct sim_expect *out);
void sim_oracle_icmp(struct sim_oracle *oracle, struct sim_name allocation, const struct addr *peer,
                     const struct stun_icmp *icmp, struct sim_expect *out);
// How many relayed sockets are open.
uint32_t sim_oracle_sockets(const struct sim_oracle *oracle);

// The server wants to open a port. NULL when it may, else why not.
const char *sim_oracle_port_fault(const struct sim_oracle *oracle, const struct sim_expect *expect,
                                  const struct addr *relayed);
// The system has answered; *expect becomes what must come next.
void sim_oracle_opened(struct sim_oracle *oracle, struct now now, enum turn_opened opened,
                       struct sim_name name, struct sim_expect *expect);

// What the server said and is to be remembered.
void sim_oracle_learn_nonce(struct sim_oracle *oracle, struct now now, const struct addr *client,
                            struct bytes nonce);
void sim_oracle_learn_token(struct sim_oracle *oracle, struct now now, unsigned allocation,
                            struct bytes token);

// For the files of the oracle ---------------------------------------------------------------------

enum { SIM_ORACLE_NONE = 0xffff };

// 1 for IPv4, 2 for IPv6.
unsigned sim_oracle_bit(unsigned family);
unsigned sim_oracle_find(const struct sim_oracle *oracle, const struct turn_tuple *tuple);
struct sim_oracle_permission *sim_oracle_permission(struct sim_oracle *oracle, unsigned allocation,
                                                    const struct addr *peer);
void sim_oracle_delete(struct sim_oracle *oracle, unsigned allocation);
bool sim_oracle_has_port(const struct sim_oracle *oracle, enum sim_expect_port wish);
bool sim_oracle_is_free(const struct sim_oracle *oracle, uint32_t port);
void sim_oracle_data(struct sim_oracle *oracle, const struct sim_naive *message,
                     struct sim_expect *out);
void sim_oracle_chandata(struct sim_oracle *oracle, struct bytes datagram, struct sim_expect *out);

// Whether an allocation's limits let a packet with so many bytes of data pass; takes it if so.
bool sim_oracle_limit_pass(struct sim_oracle *oracle, unsigned allocation, bool is_to_peer,
                           size_t len);

// 0 when the request is authentic; then *out has the user and the key. Or when there is to be
// SIM_EXPECT_SILENCE.
unsigned sim_oracle_authenticate(struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out);
// 0 when an XOR-PEER-ADDRESS may be used for expect->allocation; then *peer is written.
unsigned sim_oracle_check_peer(const struct sim_oracle *oracle, const struct sim_naive *message,
                               const struct sim_naive_attr *attr, struct sim_expect *expect,
                               struct addr *peer);
// Why the rules refuse a peer, if they do; Firezone's clients may have private ones.
enum turn_refusal sim_oracle_denial(const struct sim_oracle *oracle, const struct addr *peer,
                                    bool is_firezone);
// An address of the relay, which becomes the public one.
bool sim_oracle_is_own(const struct sim_oracle *oracle, struct addr *peer);
// Where clients are listened to, on any address that leads to the relay's host.
bool sim_oracle_is_listener(const struct sim_oracle *oracle, const struct addr *peer);
// The allocation that relays at the port and family of an own address, or SIM_ORACLE_NONE.
unsigned sim_oracle_at_port(const struct sim_oracle *oracle, const struct addr *peer);
// Which limit is in the way of `count` permissions more, if there is one.
enum turn_refusal sim_oracle_limit(const struct sim_oracle *oracle, unsigned allocation,
                                   size_t count);
// Installs or refreshes a permission.
void sim_oracle_permit(struct sim_oracle *oracle, struct now now, unsigned allocation,
                       const struct addr *peer);
uint32_t sim_oracle_lifetime(const struct sim_oracle *oracle, const struct sim_naive *message);
// REQUESTED-ADDRESS-FAMILY: 0 when the message has none, 400 when it is none that there is.
unsigned sim_oracle_family(const struct sim_naive *message);
// 508; what ran out is counted, and must be reported.
unsigned sim_oracle_full(const struct sim_oracle *oracle, enum sim_cover_point point,
                         enum turn_refusal refusal, struct sim_expect *out);
unsigned sim_oracle_allocate(struct sim_oracle *oracle, const struct sim_naive *message,
                             struct sim_expect *out);
unsigned sim_oracle_channel_bind(struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out);
