// SPDX-License-Identifier: Apache-2.0
// What a TURN server asks of whoever owns the sockets: the cold half of its output.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "base/pool.h"
#include "turn/turn_life.h"
#include "turn/turn_refusal.h"
#include "turn/turn_tuple.h"

enum {
    TURN_COMMAND_MESSAGE_MAX = 768, // bytes: the longest response, with a realm of 127 bytes
};

enum turn_command_type {
    TURN_COMMAND_SEND,   // send a message to a client
    TURN_COMMAND_OPEN,   // bind a relayed socket, then say how it went: turn_server_opened()
    TURN_COMMAND_CLOSE,  // close a relayed socket
    TURN_COMMAND_BIND,   // data goes over a channel from now on: the fast path may relay it
    TURN_COMMAND_UNBIND, // no more: the fast path lets go of it before anything else is done
    TURN_COMMAND_WAKE,   // another shard has something to do: turn_server_deadline() tells it
    TURN_COMMAND_REPORT, // something happened that an operator may want to read
};

enum turn_event {
    TURN_EVENT_ALLOCATED,
    TURN_EVENT_DELETED,      // by its client
    TURN_EVENT_EXPIRED,      // nobody refreshed it
    TURN_EVENT_REPLACED,     // its user made another one (turn_manner.h: has_takeover)
    TURN_EVENT_PEER_DENIED,  // 403; `refusal` is the kind of address, which a rule can allow
    TURN_EVENT_PEER_BARRED,  // 403; `refusal` is a rule, or what no rule can allow
    TURN_EVENT_MISTAKEN,     // 400, 420, 437, 440 to 443; `refusal` is what cannot be
    TURN_EVENT_PORT_REFUSED, // the system did not bind `relayed`
    TURN_EVENT_EXHAUSTED,    // 508 or 486; `refusal` is what ran out
    TURN_EVENT_UNPROVEN,     // 401; `refusal` is what is wrong with the credential
};

struct turn_command_send {
    struct turn_tuple tuple; // to tuple.client, from tuple.server
    struct bytes message;    // borrowed until the next call other than turn_server_take()
};

struct turn_command_socket {
    struct pool_ref allocation; // names the socket in all later calls
    struct addr relayed; // TURN_COMMAND_OPEN: family and port to bind; the IP is the public one
};

// The fast path relays ChannelData of this number from tuple.client to the peer, from the relayed
// address, and UDP the other way. Beside it the server's answer to such packets stays the same.
struct turn_command_bind {
    uint32_t channel; // names it in TURN_COMMAND_UNBIND: less than max_channels; this shard's own
    uint16_t number;  // in front of the data
    bool is_turned;   // the peer is an own address: another client's relayed one
    struct turn_tuple tuple; // the client, and the address that it sends to
    struct addr relayed;     // what the peer sees and sends to; the IP is the public one
    struct addr peer;
};

struct turn_command_unbind {
    uint32_t channel; // bound before
};

struct turn_command_wake {
    uint32_t shard; // never the one that says it
};

struct turn_command_report {
    enum turn_event event;
    struct turn_tuple tuple;
    struct addr relayed; // the allocation's, or ADDR_NONE
    struct addr peer;    // TURN_EVENT_PEER_DENIED and _BARRED only
    // TURN_EVENT_ALLOCATED and refusals, if there is such a user; borrowed from the request's
    // datagram or from the configuration.
    struct bytes username;
    enum turn_refusal refusal; // or TURN_REFUSAL_NONE
    uint16_t method;           // what was asked for and refused: enum stun_method
    bool is_client_certain;    // TURN_EVENT_UNPROVEN only: its nonce was made for this address
    uint32_t lifetime_s;       // TURN_EVENT_ALLOCATED only
    struct turn_life life;     // of an allocation that is gone; else all zero
};

struct turn_command {
    enum turn_command_type type;
    union {
        struct turn_command_send send;
        struct turn_command_socket socket; // TURN_COMMAND_OPEN and _CLOSE
        struct turn_command_bind bind;
        struct turn_command_unbind unbind;
        struct turn_command_wake wake;
        struct turn_command_report report;
    };
};
