// SPDX-License-Identifier: Apache-2.0
// How much of the protocol the worlds have exercised, over all seeds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// X(name, what it counts). Each must be seen at least once in a full run.
#define SIM_COVER(X)                                                                               \
    X(TO_PEER_SEND, "to a peer, from a Send indication")                                           \
    X(TO_PEER_CHANNEL, "to a peer, from ChannelData")                                              \
    X(TO_PEER_UNFRAGMENTED, "to a peer, with DF")                                                  \
    X(HAIRPIN, "to another client of the relay, by its relayed address")                           \
    X(HANDED_OVER, "likewise, to a client of another server")                                      \
    X(HANDED_OVER_DROPPED, "dropped: likewise, without a permission there")                        \
    X(HAIRPIN_DROPPED, "dropped: to a client that has not permitted the sender")                   \
    X(DROP_DEAD_PORT, "dropped: to an own address, at a port that is not relayed")                 \
    X(LISTENER_BOUND, "a channel for the port where clients are listened to was refused")          \
    X(LISTENER_DROPPED, "dropped: to the port where clients are listened to")                      \
    X(TO_OWN_HOST, "to an own address that a rule allows")                                         \
    X(OWN_PERMITTED, "a permission for an own address")                                            \
    X(OWN_BOUND, "a channel for another client's relayed address")                                 \
    X(OWN_DEAD, "a channel for an own address at a port that is not relayed")                      \
    X(ICMP, "an ICMP error passed on")                                                             \
    X(ICMP_OTHER, "dropped: an ICMP message of another type")                                      \
    X(ICMP_NO_PERMISSION, "dropped: an ICMP error of a peer without a permission")                 \
    X(TO_CLIENT_DATA, "to a client, as a Data indication")                                         \
    X(TO_CLIENT_CHANNEL, "to a client, as ChannelData")                                            \
    X(PEER_RECEIVED, "payload arrived whole at a peer")                                            \
    X(CLIENT_RECEIVED, "payload arrived whole at a client")                                        \
    X(DROP_GARBAGE, "dropped: neither STUN nor ChannelData, or broken")                            \
    X(DROP_UNEXPECTED, "dropped: STUN that a server does not expect")                              \
    X(DROP_MALFORMED_SEND, "dropped: a Send indication without what it needs")                     \
    X(DROP_MALFORMED_CHANNEL, "dropped: ChannelData cut short or without a number")                \
    X(DROP_NO_ALLOCATION, "dropped: data without an allocation")                                   \
    X(DROP_NO_CHANNEL, "dropped: ChannelData on a number that is not bound")                       \
    X(DROP_NO_PERMISSION, "dropped: to a peer without a permission")                               \
    X(DROP_PEER_NO_PERMISSION, "dropped: from a peer without a permission")                        \
    X(DROP_STALE_SOCKET, "dropped: from a relayed socket that is closed")                          \
    X(DROP_STALE_FAMILY, "dropped: from the closed socket of one of two families")                 \
    X(DROP_MAX_PPS, "dropped: more packets than an allocation may relay")                          \
    X(DROP_MAX_BPS, "dropped: more bytes than an allocation may relay")                            \
    X(LIMIT_LONG, "passed: a packet longer than a second's worth of bytes")                        \
    X(DROP_TOO_LONG, "dropped: too long with its head")                                            \
    X(CHANNEL_WITHOUT_PERMISSION, "a channel that outlived its permission was used")               \
    X(ALLOCATED_AGAIN, "an Allocate was sent again, and answered the same")                        \
    X(RESERVED, "a port was reserved")                                                             \
    X(REDEEMED, "a reserved port was redeemed")                                                    \
    X(REDEEMED_ELSEWHERE, "likewise, at another server")                                           \
    X(TOKEN_UNKNOWN, "a token that is not valid was refused")                                      \
    X(TOKEN_FOREIGN, "another user's token was refused")                                           \
    X(DUAL, "an allocation of both families")                                                      \
    X(DUAL_NOT_SERVED, "of two families only one is served")                                       \
    X(DUAL_REFUSED, "the system refused a port to the second family")                              \
    X(DUAL_NO_SOCKET, "the system had a socket for the first family only")                         \
    X(DELETED_FAMILY, "one of two families was deleted by its client")                             \
    X(DELETED, "an allocation was deleted by its client")                                          \
    X(EXPIRED_ALLOCATION, "an allocation expired")                                                 \
    X(EXPIRED_PERMISSION, "a permission expired")                                                  \
    X(EXPIRED_CHANNEL, "a channel expired")                                                        \
    X(EXPIRED_RESERVATION, "a reservation expired")                                                \
    X(PERMISSION_REFRESHED, "a permission was refreshed by CreatePermission")                      \
    X(PERMISSION_TWICE, "a new peer was named twice in one CreatePermission")                      \
    X(PERMISSION_BOUND, "a permission was installed by ChannelBind")                               \
    X(PERMISSION_REBOUND, "a permission was refreshed by ChannelBind")                             \
    X(CHANNEL_REFRESHED, "a channel was refreshed")                                                \
    X(CHANNEL_RESTS, "an expired channel rests")                                                   \
    X(CHANNEL_RESTING, "a channel was used while it rested")                                       \
    X(CHANNEL_WOKEN, "a resting channel was bound again")                                          \
    X(CHANNEL_CONFLICT, "a number or a peer was bound otherwise")                                  \
    X(NONCE_FOREIGN, "a nonce made for another address")                                           \
    X(NONCE_ELSEWHERE, "a nonce made by another server")                                           \
    X(NONCE_OLD, "a nonce that was too old")                                                       \
    X(USER_UNKNOWN, "a user who does not exist")                                                   \
    X(PASSWORD_WRONG, "a password that is wrong, or a message that was changed")                   \
    X(CREDENTIAL_OVER, "a credential whose time is over")                                          \
    X(USER_NAMESAKE, "a user with the name of one by another kind of credential")                  \
    X(KEY_MD5, "a key by MD5")                                                                     \
    X(KEY_SHA256, "a key by SHA-256")                                                              \
    X(PROOF_SHA256, "a request proven by MESSAGE-INTEGRITY-SHA256")                                \
    X(SECRET_SECOND, "a password under the second of two secrets")                                 \
    X(USERHASH, "a user known by USERHASH")                                                        \
    X(BID_DOWN, "an offer of algorithms that came back cut down")                                  \
    X(WITHHELD, "a response withheld from a stranger")                                             \
    X(WITHHELD_STRICT, "likewise, where none may amplify")                                         \
    X(FIREZONE_SIGNED, "Firezone: a response for a name that can be told")                         \
    X(FIREZONE_FIRST, "Firezone: a first request, without a nonce")                                \
    X(FIREZONE_NAMELESS, "Firezone: a request without a name")                                     \
    X(FIREZONE_SILENCE, "Firezone: no answer to a malformed name")                                 \
    X(FIREZONE_TAKEOVER, "Firezone: a user's new allocation replaced the old one")                 \
    X(FIREZONE_TAKEOVER_ELSEWHERE, "likewise, at another server")                                  \
    X(FIREZONE_TENANT, "Firezone: another user used an allocation")                                \
    X(FIREZONE_BLIND, "Firezone: CreatePermission succeeded with nothing permitted")               \
    X(FIREZONE_CHANNEL, "Firezone: a channel was the only permission")                             \
    X(FIREZONE_PRIVATE, "Firezone: a private peer was allowed")                                    \
    X(CREDENTIALS_INCOMPLETE, "integrity without user, realm or nonce")                            \
    X(PORT_REFUSED, "the system refused a port")                                                   \
    X(PORT_SECOND, "another port was had after the first was refused")                             \
    X(PORT_RESTED, "a refused port came back")                                                     \
    X(PORT_TRIES, "the last try for a port was refused")                                           \
    X(SYSTEM_REFUSED, "the system refused all ports")                                              \
    X(FULL_ALLOCATIONS, "all allocations in use")                                                  \
    X(FULL_PORTS, "all ports in use")                                                              \
    X(CLOSING_PORT, "the only fitting port was about to be closed")                                \
    X(KEPT_PORT, "the only fitting port was that of what was replaced")                            \
    X(FULL_RESERVATIONS, "all reservations in use")                                                \
    X(FULL_PERMISSIONS, "all permissions in use")                                                  \
    X(FULL_CHANNELS, "all channels in use")                                                        \
    X(TICK_AGAIN, "a tick that left something due")                                                \
    X(TICK_LATE, "a tick that came late")                                                          \
    X(LINK_LOST, "a datagram lost on its way")                                                     \
    X(LINK_DOUBLED, "a datagram doubled")                                                          \
    X(RELOAD, "the configuration was changed")                                                     \
    X(REVOKED_PERMISSION, "likewise, and a permission was lost by it")                             \
    X(REVOKED_CHANNEL, "likewise, and a channel")                                                  \
    X(DRAINING, "an allocation was refused, since the relay is to end")                            \
    X(WALL_JUMP, "the wall clock was set")                                                         \
    X(REBOUND, "a client behind a NAT got another port")

enum sim_cover_point {
#define SIM_COVER_NAME(name, what) SIM_COVER_##name,
    SIM_COVER(SIM_COVER_NAME)
#undef SIM_COVER_NAME
        SIM_COVER_COUNT
};

enum {
    SIM_COVER_METHODS = 10, // one more than the highest method that is answered
    SIM_COVER_CODES = 700,
};

struct sim_cover {
    uint64_t points[SIM_COVER_COUNT];
    uint64_t responses[SIM_COVER_METHODS][SIM_COVER_CODES]; // by method and code; 0: success
    uint64_t events;
};

void sim_cover_point(struct sim_cover *cover, enum sim_cover_point point);
void sim_cover_response(struct sim_cover *cover, unsigned method, unsigned code);

// Prints the summary; false when something that must be seen was not.
bool sim_cover_print(const struct sim_cover *cover);
