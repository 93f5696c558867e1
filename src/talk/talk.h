// SPDX-License-Identifier: Apache-2.0
// A conversation with a STUN/TURN server of any make: the door of the room talk.
//
// The room says to servers what a well-behaved client never would, hears what they answer, and
// judges it. It knows no socket and no clock: those are a talk_world. What is asked stands in
// checks (talk_check.h): scripts of steps, each of which does nothing once a verdict has been
// found, so that a check is the list of what is said and expected and asks nothing in between:
//
//      talk_need_allocation(talk);                                // talk_need.h
//      talk_request_udp(talk_request(talk, STUN_ALLOCATE));       // talk_request.h
//      talk_ask(talk);                                            // talk_ask.h
//      talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);   // talk_expect.h
//
// A conversation has up to three clients, of which one speaks at a time, and up to three peers,
// each at a socket of its own.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "crypto/crypto_random.h"
#include "stun/stun_key.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"
#include "talk/talk_check.h"
#include "talk/talk_log.h"
#include "talk/talk_world.h"

enum {
    TALK_CLIENTS = 3,
    TALK_PEERS = 3,
    TALK_DATAGRAM_MAX = 2048, // bytes; longer ones are cut
    TALK_WAITING_MAX = 16,    // datagrams that came and were not asked for yet
    TALK_NAME_MAX = 768,      // bytes of a realm and of a nonce
    TALK_OFFER_MAX = 64,      // bytes of PASSWORD-ALGORITHMS
    TALK_TEXT_MAX = 320,      // characters of a sentence
};

// How a check went.
enum talk_verdict {
    TALK_PASS,
    TALK_FAIL,  // a MUST is broken
    TALK_WARN,  // a SHOULD is not kept
    TALK_LACKS, // a feature that servers may have is not there
    TALK_SKIP,  // it could not be tried
    TALK_VERDICTS,
};
extern const char *const talk_verdict_names[TALK_VERDICTS];

// What keeps a check from being asked though the server is not at fault (talk_hindrance.h).
enum talk_hindrance {
    TALK_UNHINDERED,
    TALK_PORT_TAKEN,    // 437 for the first allocation of a port, which is remembered as another's
    TALK_QUOTA_REACHED, // 486
    TALK_IP4_MISSING,   // 440 for an Allocate that names no family
};

// The server, and who comes to it. All is borrowed.
struct talk_target {
    struct addr server;
    struct bytes username; // empty: no user is known
    struct bytes password;
    struct bytes realm;          // named before the server names its own; empty: not
    struct bytes other_username; // another user of the server, or empty
    struct bytes other_password;
    bool is_refused; // the server is known to refuse the user: nothing is asked as him
    bool is_other_refused;
    struct addr peer_ip4; // where peers are, as the server reaches them; ADDR_NONE: where this
    struct addr peer_ip6; // host reaches the server from, if that is of the family
    uint64_t patience_ns; // how long an answer may take
    uint64_t quiet_ns;    // how long nothing must come, where nothing may
};

struct talk_client {
    bool is_open;
    bool is_met;       // a challenge has told realm and nonce, of which `key` is made
    bool has_held;     // an Allocate from its port has been granted
    bool is_allocated; // the server holds something for it, which is given back at the end
    uint32_t socket;
    struct addr local;
    struct bytes username; // borrowed
    struct bytes password; // borrowed
    uint16_t realm_len;
    uint16_t nonce_len;
    uint16_t offer_len; // of PASSWORD-ALGORITHMS; 0: none was offered
    uint32_t features;  // of the nonce's cookie
    bool has_cookie;
    struct addr relayed; // of the last success of Allocate, or ADDR_NONE
    struct addr mapped;
    uint8_t realm[TALK_NAME_MAX];
    uint8_t nonce[TALK_NAME_MAX];
    uint8_t offer[TALK_OFFER_MAX];
    uint8_t key[STUN_KEY_LEN];               // by MD5
    uint8_t key_sha256[STUN_KEY_SHA256_LEN]; // by SHA-256
};

struct talk_peer {
    bool is_open;
    uint32_t socket;
    struct addr local;
    struct addr seen; // as the server sees it
};

// A datagram that came.
struct talk_arrival {
    bool is_there; // came, and nobody has asked for it yet
    uint32_t socket;
    struct addr from;
    size_t len;
    uint8_t bytes[TALK_DATAGRAM_MAX];
};

struct talk {
    const struct talk_check *check;
    const struct talk_target *target;
    const struct talk_world *world;
    struct crypto_random random;
    uint64_t begun_ns;

    bool is_decided;
    enum talk_verdict verdict;
    enum talk_severity severity;      // of the check, unless talk_weigh() has said otherwise
    char expected[TALK_TEXT_MAX + 1]; // unless it passed: what should have come
    char came[TALK_TEXT_MAX + 1];     // and what came instead, or why it was skipped
    bool has_heard;                   // anything came from the server's address

    enum talk_hindrance hindrance;  // in the answer to what was asked last
    enum talk_hindrance decided_by; // the same when the verdict was found
    unsigned hindrances;            // a bit for each that was met and not overcome since
    bool asks_ip6;                  // an Allocate that names no family is given IPv6

    uint32_t me; // the client that speaks
    struct talk_client clients[TALK_CLIENTS];
    struct talk_peer peers[TALK_PEERS];

    struct stun_writer writer; // of the message that is being made
    struct stun_header header;
    size_t message_len;
    uint8_t message[TALK_DATAGRAM_MAX];

    bool has_answer; // to what was asked last
    enum stun_message_outcome answer_outcome;
    struct stun_message answer;
    size_t answer_len;
    uint8_t answer_bytes[TALK_DATAGRAM_MAX];

    struct talk_arrival waiting[TALK_WAITING_MAX];
    struct talk_log log;
};

// Holds the conversation of one check to its end, and gives back what the server holds. What was
// hindered is held again, some times, as talk_hindrance.h has it. `talk` is written whole, and
// tells how it went. All arguments outlive it; the seed makes its randomness.
void talk_run(struct talk *talk, const struct talk_check *check, const struct talk_target *target,
              const struct talk_world *world, const uint8_t seed[CRYPTO_RANDOM_SEED_LEN]);

// The client that speaks; another one does from now on, 0 to TALK_CLIENTS - 1.
struct talk_client *talk_me(struct talk *talk);
void talk_be(struct talk *talk, uint32_t client);
// Random bytes, so that they can be told from all else.
struct bytes talk_payload(struct talk *talk, uint8_t *memory, size_t len);
// Waits; for what expires.
void talk_sleep(struct talk *talk, uint64_t seconds);

// --- for steps and expectations ----------------------------------------------------------------

// Ends the check with a verdict. Both texts are sentences without a full stop.
void talk_decide(struct talk *talk, enum talk_verdict verdict, struct bytes expected,
                 struct bytes came);
// Something else came than was expected: what that means is the check's level.
void talk_fail(struct talk *talk, struct bytes expected, struct bytes came);
// What fails from now on lies less open, or more, than the check says.
void talk_weigh(struct talk *talk, enum talk_severity severity);
// It cannot be tried.
void talk_skip(struct talk *talk, const char *why);

// Opens the socket of the client that speaks, unless it is open.
void talk_open(struct talk *talk);
// Closes it, and forgets the server: who speaks next as this client comes from another port. What
// the server holds for it is not given back by this.
void talk_close(struct talk *talk);

void talk_send(struct talk *talk, struct bytes datagram);                      // of the client
void talk_send_from_peer(struct talk *talk, uint32_t peer, struct bytes data); // to its relayed one

// Whether a datagram is what is waited for.
typedef bool (*talk_match_fn)(struct talk *talk, const struct talk_arrival *arrival, void *arg);

// Waits for a datagram until `until_ns`, among those that came before too. NULL when none comes;
// else it is taken, and stays until the next wait.
const struct talk_arrival *talk_wait(struct talk *talk, uint64_t until_ns, talk_match_fn is_it,
                                     void *arg);
// What came and nobody asked for, in words: the first one; nothing when there is none.
void talk_leftover_write(struct talk *talk, struct wr *wr);
