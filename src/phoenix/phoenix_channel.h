// SPDX-License-Identifier: Apache-2.0
// The client of one Phoenix channel, over whatever connection its caller makes: when to connect,
// what to send, and what to make of what comes.
//
// The room phoenix promises: no input brings it out of step, each state ends by itself, and it asks
// for no more connections than its back-off allows. It knows neither JSON nor sockets, has no
// clock, no memory and no randomness of its own.
//
//      WAITING ---------> CONNECTING ---------> JOINING ---------> JOINED
//         ^   back-off        |      opened         |    reply "ok"   |
//         |                   |                     |                 |
//         +------- lost, refused, silent, closed by the portal -------+
//                             |                     |                 | leave
//         401, token_expired, join refused          |                 v
//                             +--------> ENDED <----+--- reply --- LEAVING
//
// Timers: the end of the back-off (WAITING); JOIN_NS for the reply to the join (JOINING);
// HEARTBEAT_NS until the next heartbeat (JOINED); LEAVE_NS for the reply to leaving (LEAVING). When
// a heartbeat is due and HEARTBEATS of them have no answer, the connection counts as lost.
// Connecting is limited by whoever does it, who tells of its end in any case.
//
//     while (running) {
//         phoenix_channel_tick(...);          // or _opened, _refused, _lost, _read, _leave
//         while (phoenix_channel_take(&channel, &order)) carry it out;
//         wait until phoenix_channel_deadline(), or until something comes;
//     }
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "phoenix/phoenix_backoff.h"
#include "phoenix/phoenix_message.h"

enum {
    PHOENIX_CHANNEL_HEARTBEATS = 4, // without an answer: the connection is lost
    PHOENIX_CHANNEL_JOINS = 4,      // on one connection: the portal does not find the topic
};

#define PHOENIX_CHANNEL_JOIN_NS (5 * SECOND_NS)
#define PHOENIX_CHANNEL_HEARTBEAT_NS (10 * SECOND_NS)
#define PHOENIX_CHANNEL_LEAVE_NS SECOND_NS
// What the portal asks for instead of the back-off is heeded between these two.
#define PHOENIX_CHANNEL_RETRY_MIN_NS (SECOND_NS / 2)
#define PHOENIX_CHANNEL_RETRY_MAX_NS (3600 * SECOND_NS)

enum phoenix_state {
    PHOENIX_WAITING,
    PHOENIX_CONNECTING,
    PHOENIX_JOINING,
    PHOENIX_JOINED,
    PHOENIX_LEAVING,
    PHOENIX_ENDED, // for good
};

// Why it is not joined any more, or yet.
enum phoenix_cause {
    PHOENIX_NO_CAUSE, // it has just begun, or is joined
    PHOENIX_LOST,     // the connection failed or was closed
    PHOENIX_REFUSED,  // by an HTTP status other than 401
    PHOENIX_SILENT,   // heartbeats without answers
    PHOENIX_UNJOINED, // no reply to the join
    PHOENIX_CLOSED,   // the portal closed the channel
    PHOENIX_STRAY,    // the portal does not know the topic, however often it is joined
    PHOENIX_REJECTED, // HTTP status 401: ended
    PHOENIX_EXPIRED,  // the token has expired: ended
    PHOENIX_DENIED,   // the portal refuses the join: ended
    PHOENIX_LEFT,     // as we wished: ended
};

enum phoenix_order_kind {
    PHOENIX_HANG_UP, // close the connection; nothing is to be told of it any more
    PHOENIX_CONNECT, // make one, and tell what becomes of it
    PHOENIX_PUSH,    // send a message
};

struct phoenix_order {
    enum phoenix_order_kind kind;
    struct phoenix_push push;
};

// What became of a message.
enum phoenix_outcome {
    PHOENIX_TAKEN,
    PHOENIX_UNEXPECTED, // it was left alone: nobody asked for it, or it is not for us
};

// What each event brings beside itself.
struct phoenix_turn {
    uint64_t now_ns; // monotonic
    uint32_t random; // any number
};

struct phoenix_channel {
    enum phoenix_state state;
    enum phoenix_cause cause;
    struct bytes topic;
    struct phoenix_backoff backoff;
    uint64_t deadline_ns;
    uint64_t joined_ns; // since when it is JOINED
    uint64_t next_ref;  // of this connection
    uint64_t join_ref;  // of the last join or leave
    uint32_t join_count;
    uint64_t heartbeats[PHOENIX_CHANNEL_HEARTBEATS]; // refs without an answer, oldest first
    size_t heartbeat_count;
    // Orders not taken yet.
    bool is_hang_up_due;
    bool is_connect_due;
    bool is_push_due;
    struct phoenix_push push;
};

// Waits to connect at once. `topic` outlives the channel.
void phoenix_channel_init(struct phoenix_channel *channel, struct bytes topic, uint64_t now_ns);

// The connection that was asked for is there.
void phoenix_channel_opened(struct phoenix_channel *channel, const struct phoenix_turn *turn);
// It was refused with an HTTP status; `retry_after_s` is what the refusal asks for, or NEVER.
void phoenix_channel_refused(struct phoenix_channel *channel, const struct phoenix_turn *turn,
                             uint16_t status, uint64_t retry_after_s);
// It could not be made, or has ended.
void phoenix_channel_lost(struct phoenix_channel *channel, const struct phoenix_turn *turn);
// A message has come on it.
enum phoenix_outcome phoenix_channel_read(struct phoenix_channel *channel,
                                          const struct phoenix_turn *turn,
                                          const struct phoenix_message *message);

// Ends it: by leaving the channel, when it is joined. Nothing happens to one that has ended.
void phoenix_channel_leave(struct phoenix_channel *channel, uint64_t now_ns);

void phoenix_channel_tick(struct phoenix_channel *channel, const struct phoenix_turn *turn);
// When that is due, or NEVER.
uint64_t phoenix_channel_deadline(const struct phoenix_channel *channel);

// The next order, in the order in which they are to be carried out. False: there is none.
MUST_USE bool phoenix_channel_take(struct phoenix_channel *channel, struct phoenix_order *out);

// It has ended, and not because we wished it.
bool phoenix_channel_is_refused(const struct phoenix_channel *channel);
