// SPDX-License-Identifier: Apache-2.0
// Why somebody gets no for an answer: he does not prove who he is (401, which does not tell him
// why), may not reach a peer or ask from where he does (403), asks for what cannot be (400, 420,
// 437, 440 to 443), or has met a limit (486, 508). Whoever asks without a credential is not refused
// here: what he did has no consequences, and anybody may say that it was he. Each reason has words
// for a log line, which name the option that would change it where there is one, and a counter in
// turn_stats.h.
#pragma once

#include <stdbool.h>

// X(NAME, name of the counter behind "refused_", words)
#define TURN_REFUSAL_CREDENTIALS(X)                                                                \
    X(STRANGER, stranger, "no such user by --user, nor by a name that --auth-secret makes")        \
    X(REALM, realm, "a realm that is not that of --realm")                                         \
    X(PASSWORD, password, "not the password of --user")                                            \
    X(REST_PASSWORD, rest_password, "not a password of --auth-secret")                             \
    X(REST_OVER, rest_over, "a credential of --auth-secret whose time is over")                    \
    X(FIREZONE_NAME, firezone_name, "not a username of --stamp-secret")                            \
    X(FIREZONE_PASSWORD, firezone_password, "not a password of --stamp-secret")                    \
    X(FIREZONE_OVER, firezone_over, "a credential of --stamp-secret whose time is over")

#define TURN_REFUSAL_PEERS(X)                                                                      \
    X(RULE, rule, "denied by --deny-peer")                                                         \
    X(LISTENER, listener, "the relay's own listening port")                                        \
    X(TUNNEL, tunnel, "an address of a tunnel (6to4 or Teredo)")                                   \
    X(OWN, own, "an address of the relay's own host")                                              \
    X(UNSPECIFIED, unspecified, "an unspecified address")                                          \
    X(LOOPBACK, loopback, "a loopback address")                                                    \
    X(LINK_LOCAL, link_local, "a link-local address")                                              \
    X(PRIVATE, private, "a private address")                                                       \
    X(SHARED, shared, "a shared address of a carrier's NAT")                                       \
    X(UNIQUE_LOCAL, unique_local, "a unique local address")                                        \
    X(MULTICAST, multicast, "a multicast address")                                                 \
    X(BROADCAST, broadcast, "the broadcast address")                                               \
    X(RESERVED, reserved, "a reserved address")                                                    \
    X(DOCUMENTATION, documentation, "an address for documentation")

#define TURN_REFUSAL_MISTAKES(X)                                                                   \
    X(NO_ALLOCATION, no_allocation, "the client has no allocation at this address and port")       \
    X(HAS_ALLOCATION, has_allocation, "the client has another allocation already")                 \
    X(WRONG_USER, wrong_user, "the allocation is another user's")                                  \
    X(FAMILY, family, "a family of addresses that the relay does not serve")                       \
    X(TRANSPORT, transport, "a transport to peers other than UDP")                                 \
    X(PEER_FAMILY, peer_family, "the allocation has no address of that family")                    \
    X(TOKEN, token, "no such reservation, or not any more")                                        \
    X(UNKNOWN_ATTRIBUTES, unknown_attributes, "attributes that the relay must know and does not")  \
    X(MALFORMED, malformed, "attributes that are missing, broken or contradictory")

#define TURN_REFUSAL_OTHERS(X)                                                                     \
    X(TUNNELLED_CLIENT, tunnelled_client, "the client's address is a tunnel's (6to4 or Teredo)")   \
    X(DRAINING, draining, "the relay ends as soon as its last allocation does")                    \
    X(USER_QUOTA, user_quota, "the user has all allocations that --user-quota allows")             \
    X(ALLOCATIONS, allocations, "all allocations that --max-allocations allows are in use")        \
    X(PORTS, ports, "no fitting port from --lowest-port to --highest-port is free")                \
    X(RESERVATIONS, reservations, "all reservations are in use")                                   \
    X(SOCKETS, sockets, "the system has no more sockets")                                          \
    X(BINDS, binds, "the system refuses relayed ports")                                            \
    X(PERMISSIONS, permissions, "all permissions that --max-permissions allows are in use")        \
    X(ALLOCATIONS_PERMISSIONS, allocations_permissions,                                            \
      "the allocation has all permissions that --permissions-per-allocation allows")               \
    X(CHANNELS, channels, "all channels that --max-channels allows are in use")                    \
    X(ALLOCATIONS_CHANNELS, allocations_channels,                                                  \
      "the allocation has all channels that --channels-per-allocation allows")

#define TURN_REFUSALS(X)                                                                           \
    TURN_REFUSAL_CREDENTIALS(X)                                                                    \
    TURN_REFUSAL_PEERS(X)                                                                          \
    TURN_REFUSAL_MISTAKES(X)                                                                       \
    TURN_REFUSAL_OTHERS(X)

enum turn_refusal {
    TURN_REFUSAL_NONE, // it is no refusal
#define TURN_REFUSAL_NAME(NAME, name, words) TURN_REFUSAL_##NAME,
    TURN_REFUSALS(TURN_REFUSAL_NAME)
#undef TURN_REFUSAL_NAME
        TURN_REFUSAL_END,
};

// The words for a log line; NULL of none.
const char *turn_refusal_words(enum turn_refusal refusal);
// It is about who asks.
bool turn_refusal_is_credential(enum turn_refusal refusal);
// It is about a peer.
bool turn_refusal_is_peer(enum turn_refusal refusal);
// It is about what the request asks for, whoever asks.
bool turn_refusal_is_mistake(enum turn_refusal refusal);
// --allow-peer would change it.
bool turn_refusal_is_liftable(enum turn_refusal refusal);
