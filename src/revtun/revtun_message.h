// SPDX-License-Identifier: Apache-2.0
// The messages of version 2's control connection, as values (docs/tunnel-protocol.md).
//
// What a message says stands in the member that is named like its verb. A field that is not on
// the line is zero, and a field that is zero is not written, unless it is a required one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "revtun/revtun_fields.h"

enum {
    REVTUN_MESSAGE_SID_LEN = 16,     // bytes of what names a control connection
    REVTUN_MESSAGE_PROOF_LEN = 32,   // bytes
    REVTUN_MESSAGE_HOSTS_MAX = 1024, // bytes of a list of hosts
    REVTUN_MESSAGE_TEXT_MAX = 256,   // bytes of words for people
    REVTUN_MESSAGE_AT_MAX = 280,     // bytes of a public address: a host name and a port
    REVTUN_MESSAGE_POOL_MAX = 64,    // standing connections
};

// X(NAME, word, who says it)
#define REVTUN_MESSAGE_VERBS(X)                                                                    \
    X(HELLO, hello, AGENT)                                                                         \
    X(WELCOME, welcome, RELAY)                                                                     \
    X(BIND, bind, AGENT)                                                                           \
    X(BOUND, bound, RELAY)                                                                         \
    X(UNBIND, unbind, AGENT)                                                                       \
    X(UNBOUND, unbound, RELAY)                                                                     \
    X(ERROR, error, RELAY)                                                                         \
    X(NEW_CONNECTION, new_connection, RELAY)                                                       \
    X(STANDBY, standby, RELAY)                                                                     \
    X(REFUSE, refuse, AGENT)                                                                       \
    X(GONE, gone, RELAY)                                                                           \
    X(PING, ping, BOTH)                                                                            \
    X(PONG, pong, BOTH)                                                                            \
    X(DRAIN, drain, RELAY)                                                                         \
    X(BYE, bye, BOTH)

enum revtun_message_verb {
#define REVTUN_MESSAGE_VERB(NAME, word, side) REVTUN_MESSAGE_##NAME,
    REVTUN_MESSAGE_VERBS(REVTUN_MESSAGE_VERB)
#undef REVTUN_MESSAGE_VERB
};

// Who speaks, as a set.
enum revtun_message_side {
    REVTUN_MESSAGE_AGENT = 1,
    REVTUN_MESSAGE_RELAY = 2,
    REVTUN_MESSAGE_BOTH = 3,
};

// Why something was refused or has ended. A word that is not known is read as OTHER.
// X(NAME, word, what it means, for people)
#define REVTUN_MESSAGE_CODES(X)                                                                    \
    X(OTHER, "other", "for another reason")                                                        \
    X(DENIED, "denied", "the relay's access list does not allow it")                               \
    X(REVOKED, "revoked", "the relay's access list does not allow it any more")                    \
    X(REPLACED, "replaced", "another agent with the same credential has taken it over")            \
    X(NAME_TAKEN, "name_taken", "another agent with the same credential has this name")            \
    X(PORT_TAKEN, "port_taken", "the port is somebody else's")                                     \
    X(HOST_TAKEN, "host_taken", "the host is somebody else's")                                     \
    X(NO_PORT, "no_port", "the relay has no port left that this agent may have")                   \
    X(QUOTA, "quota", "this agent has as many as it may")                                          \
    X(BUSY, "busy", "the relay has no room at the moment")                                         \
    X(UNSUPPORTED, "unsupported", "the relay does not offer that")                                 \
    X(BAD_VALUE, "bad_value", "a field is missing, or its value cannot be right")                  \
    X(UNKNOWN_VERB, "unknown_verb", "the relay does not know this message")                        \
    X(PROTOCOL, "protocol", "the other side broke the rules of the protocol")                      \
    X(SILENT, "silent", "nothing was heard for too long")                                          \
    X(TIMEOUT, "timeout", "it took too long")                                                      \
    X(UNREACHABLE, "unreachable", "the service cannot be reached from the agent")                  \
    X(LEFT, "left", "the client has left")                                                         \
    X(ASKED, "asked", "it was asked for")                                                          \
    X(SHUTDOWN, "shutdown", "the program ends")

enum revtun_message_code {
#define REVTUN_MESSAGE_CODE(NAME, word, meaning) REVTUN_MESSAGE_CODE_##NAME,
    REVTUN_MESSAGE_CODES(REVTUN_MESSAGE_CODE)
#undef REVTUN_MESSAGE_CODE
};

enum revtun_message_auth {
    REVTUN_MESSAGE_AUTH_TOKEN = 1,
    REVTUN_MESSAGE_AUTH_CERT, // the certificate of the TLS handshake
};

enum revtun_message_kind {
    REVTUN_MESSAGE_KIND_TCP = 1, // a port of its own
    REVTUN_MESSAGE_KIND_SNI,     // the relay's shared TLS ports, by the name in the ClientHello
};

// How data connections are made.
enum revtun_message_data {
    REVTUN_MESSAGE_DATA_ANY = 0, // as the agent likes
    REVTUN_MESSAGE_DATA_PLAIN,
    REVTUN_MESSAGE_DATA_TLS,
};

// What a side can do beyond what each must, as a set; words that are not known are left out.
enum revtun_message_caps {
    REVTUN_MESSAGE_CAP_SNI = 1,     // relay: tunnels of kind sni
    REVTUN_MESSAGE_CAP_STANDBY = 2, // both: standing connections
    REVTUN_MESSAGE_CAP_TLS = 4,     // relay: data connections in TLS
};

struct revtun_message {
    enum revtun_message_verb verb;
    union {
        struct {
            uint64_t auth;                           // enum revtun_message_auth; required
            struct bytes id;                         // of the token; a name
            uint8_t proof[REVTUN_MESSAGE_PROOF_LEN]; // by the token (revtun_token.h)
            uint64_t instance;                       // random, of this process; required
            uint64_t pool;      // standing connections that the agent is ready to keep
            uint64_t caps;      // set of enum revtun_message_caps
            struct bytes agent; // program and version, for logs
        } hello;
        struct {
            uint8_t sid[REVTUN_MESSAGE_SID_LEN]; // of this control connection; required
            struct addr you;                     // whence the relay sees the agent; required
            uint64_t ping_s;                     // how often to ping; required
            uint64_t dead_s;  // silence after which the other side is gone; required
            uint64_t ttl_s;   // how long a client waits for its data connection; required
            uint64_t grace_s; // how long names are kept for an agent that is gone; required
            uint64_t data;    // enum revtun_message_data
            uint64_t caps;
            struct bytes relay; // program and version, for logs
        } welcome;
        struct {
            uint64_t rid;       // of the request, not 0; its answer repeats it; required
            struct bytes name;  // required
            uint64_t kind;      // enum revtun_message_kind; required
            uint64_t port;      // wanted, of kind TCP; 0: the one it had last, or any
            struct bytes hosts; // list of patterns, of kind SNI
            uint64_t max;       // clients at a time; 0: as many as the relay allows
            uint64_t take;      // 1: from another agent of the same credential, if need be
        } bind;
        struct {
            uint64_t rid;      // required
            struct bytes name; // required
            struct bytes at;   // HOST:PORT where clients find it; required
            uint64_t lease_s;  // how long it stays the name's own when it is not bound
        } bound;
        struct {
            uint64_t rid;      // not 0; required
            struct bytes name; // required
        } unbind;
        struct {
            uint64_t rid;      // 0: nobody asked
            struct bytes name; // required
            uint64_t code;     // enum revtun_message_code; required
        } unbound;
        struct {
            uint64_t rid;      // 0: of what was no request
            uint64_t code;     // required
            struct bytes key;  // of BAD_VALUE: whose value
            struct bytes text; // for people
            uint64_t retry_s;  // it may help to ask again, after so long; 0: it does not
        } error;
        struct {
            uint64_t id;       // required
            struct bytes name; // required
            struct addr src;   // the client; required
            struct addr dst;   // where it has connected to; required
            struct bytes sni;  // the host that it asked for, of kind SNI
        } new_connection;
        struct {
            uint64_t id; // required
        } standby;
        struct {
            uint64_t id;       // required
            uint64_t code;     // required
            struct bytes text; // for people
        } refuse;
        struct {
            uint64_t id;   // required
            uint64_t code; // required
        } gone;
        struct {
            uint64_t n; // required
        } ping;
        struct {
            uint64_t n; // of the ping; required
        } pong;
        struct {
            uint64_t in_s; // the session ends then; required
        } drain;
        struct {
            uint64_t code;     // required
            struct bytes text; // for people
            uint64_t retry_s;  // come back after so long; 0: not by yourself
        } bye;
    };
};

enum revtun_message_outcome {
    REVTUN_MESSAGE_OK,
    REVTUN_MESSAGE_UNKNOWN, // no verb that this side may say
    REVTUN_MESSAGE_BAD,     // a field is missing, or its value cannot be right
};

// What is wrong with a message.
struct revtun_message_fault {
    uint64_t rid;    // of the request, 0 if it has none that can be read
    const char *key; // of REVTUN_MESSAGE_BAD, one of ours; else NULL
};

// Reads what `from` has said (AGENT or RELAY). Texts are borrowed from `fields`. *out is untouched
// unless REVTUN_MESSAGE_OK, and *fault is set unless that.
enum revtun_message_outcome revtun_message_read(const struct revtun_fields *fields,
                                                enum revtun_message_side from,
                                                struct revtun_message *out,
                                                struct revtun_message_fault *fault);

// Writes a message, which must be as it may be read, as a line with its end. Any of them fits into
// REVTUN_STREAM_LINE_MAX bytes.
void revtun_message_write(struct wr *wr, const struct revtun_message *message);

// The words on the wire; and of a code, what it means.
const char *revtun_message_verb_word(enum revtun_message_verb verb);
const char *revtun_message_code_word(enum revtun_message_code code);
const char *revtun_message_code_meaning(enum revtun_message_code code);
