// SPDX-License-Identifier: Apache-2.0
#include "phoenix/phoenix_channel.h"

#include <assert.h>

enum { UNAUTHORIZED = 401 };

static void enter(struct phoenix_channel *channel, enum phoenix_state state)
{
    static const uint8_t before[] = {
        [PHOENIX_WAITING] = 1 << PHOENIX_CONNECTING | 1 << PHOENIX_JOINING | 1 << PHOENIX_JOINED,
        [PHOENIX_CONNECTING] = 1 << PHOENIX_WAITING,
        [PHOENIX_JOINING] = 1 << PHOENIX_CONNECTING | 1 << PHOENIX_JOINING | 1 << PHOENIX_JOINED,
        [PHOENIX_JOINED] = 1 << PHOENIX_JOINING,
        [PHOENIX_LEAVING] = 1 << PHOENIX_JOINED,
        [PHOENIX_ENDED] = 1 << PHOENIX_WAITING | 1 << PHOENIX_CONNECTING | 1 << PHOENIX_JOINING |
                          1 << PHOENIX_JOINED | 1 << PHOENIX_LEAVING,
    };

    assert(before[state] & 1 << channel->state);
    channel->state = state;
}

static bool has_connection(const struct phoenix_channel *channel)
{
    switch (channel->state) {
    case PHOENIX_JOINING:
    case PHOENIX_JOINED:
    case PHOENIX_LEAVING:
        return true;
    case PHOENIX_WAITING:
    case PHOENIX_CONNECTING:
    case PHOENIX_ENDED:
        return false;
    }
    assert(!"a state that there is not");
    return false;
}

static uint64_t push(struct phoenix_channel *channel, enum phoenix_event event)
{
    assert(!channel->is_push_due);
    channel->push = (struct phoenix_push){.event = event, .ref = channel->next_ref++};
    channel->is_push_due = true;
    return channel->push.ref;
}

// What was ordered for the connection that is gone.
static void forget(struct phoenix_channel *channel)
{
    channel->is_connect_due = false;
    channel->is_push_due = false;
    channel->heartbeat_count = 0;
}

static void end(struct phoenix_channel *channel, enum phoenix_cause cause, bool is_connected)
{
    forget(channel);
    channel->is_hang_up_due = is_connected;
    channel->cause = cause;
    channel->deadline_ns = NEVER;
    enter(channel, PHOENIX_ENDED);
}

static void wait_ns(struct phoenix_channel *channel, enum phoenix_cause cause, uint64_t now_ns,
                    uint64_t wait)
{
    forget(channel);
    channel->cause = cause;
    channel->deadline_ns = now_ns + wait;
    enter(channel, PHOENIX_WAITING);
}

// The connection is of no more use, whoever has ended it.
static void lose(struct phoenix_channel *channel, const struct phoenix_turn *turn,
                 enum phoenix_cause cause)
{
    struct phoenix_backoff *backoff = &channel->backoff;
    const uint64_t wait =
        channel->state == PHOENIX_JOINED
            ? phoenix_backoff_after_join(backoff, turn->now_ns, channel->joined_ns, turn->random)
            : phoenix_backoff_next(backoff, turn->random);

    wait_ns(channel, cause, turn->now_ns, wait);
}

// The same, by us.
static void drop(struct phoenix_channel *channel, const struct phoenix_turn *turn,
                 enum phoenix_cause cause)
{
    assert(has_connection(channel));
    lose(channel, turn, cause);
    channel->is_hang_up_due = true;
}

static void join(struct phoenix_channel *channel, uint64_t now_ns)
{
    channel->join_ref = push(channel, PHOENIX_JOIN);
    channel->join_count++;
    channel->deadline_ns = now_ns + PHOENIX_CHANNEL_JOIN_NS;
    enter(channel, PHOENIX_JOINING);
}

void phoenix_channel_init(struct phoenix_channel *channel, struct bytes topic, uint64_t now_ns)
{
    assert(topic.len > 0);
    *channel = (struct phoenix_channel){
        .state = PHOENIX_WAITING,
        .topic = topic,
        .deadline_ns = now_ns,
    };
}

void phoenix_channel_opened(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    assert(channel->state == PHOENIX_CONNECTING);
    assert(channel->heartbeat_count == 0);
    channel->next_ref = 0;
    channel->join_count = 0;
    join(channel, turn->now_ns);
}

static uint64_t clamp(uint64_t wait)
{
    if (wait < PHOENIX_CHANNEL_RETRY_MIN_NS) {
        return PHOENIX_CHANNEL_RETRY_MIN_NS;
    }
    return wait < PHOENIX_CHANNEL_RETRY_MAX_NS ? wait : PHOENIX_CHANNEL_RETRY_MAX_NS;
}

void phoenix_channel_refused(struct phoenix_channel *channel, const struct phoenix_turn *turn,
                             uint16_t status, uint64_t retry_after_s)
{
    assert(channel->state == PHOENIX_CONNECTING);
    if (status == UNAUTHORIZED) {
        end(channel, PHOENIX_REJECTED, false);
    } else if (retry_after_s == NEVER) {
        lose(channel, turn, PHOENIX_REFUSED);
    } else {
        const uint64_t most_s = PHOENIX_CHANNEL_RETRY_MAX_NS / SECOND_NS;
        const uint64_t wait_s = retry_after_s < most_s ? retry_after_s : most_s;
        wait_ns(channel, PHOENIX_REFUSED, turn->now_ns, clamp(wait_s * SECOND_NS));
    }
}

void phoenix_channel_lost(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    assert(channel->state == PHOENIX_CONNECTING || has_connection(channel));
    if (channel->state == PHOENIX_LEAVING) {
        end(channel, PHOENIX_LEFT, false);
    } else {
        lose(channel, turn, PHOENIX_LOST);
    }
}

// An answer to a heartbeat answers the ones before it too: they came the same way.
static bool take_heartbeat(struct phoenix_channel *channel, uint64_t ref)
{
    for (size_t i = 0; i < channel->heartbeat_count; i++) {
        if (channel->heartbeats[i] == ref) {
            const size_t left = channel->heartbeat_count - i - 1;
            for (size_t j = 0; j < left; j++) {
                channel->heartbeats[j] = channel->heartbeats[i + 1 + j];
            }
            channel->heartbeat_count = left;
            return true;
        }
    }
    return false;
}

static enum phoenix_outcome take_join_reply(struct phoenix_channel *channel,
                                            const struct phoenix_turn *turn,
                                            const struct phoenix_message *message)
{
    if (bytes_equal_text(message->status, "ok")) {
        channel->cause = PHOENIX_NO_CAUSE;
        channel->joined_ns = turn->now_ns;
        channel->deadline_ns = turn->now_ns + PHOENIX_CHANNEL_HEARTBEAT_NS;
        enter(channel, PHOENIX_JOINED);
        return PHOENIX_TAKEN;
    }
    if (bytes_equal_text(message->status, "error")) {
        end(channel, PHOENIX_DENIED, true);
        return PHOENIX_TAKEN;
    }
    return PHOENIX_UNEXPECTED;
}

// The portal has lost the channel, or never had it.
static void rejoin(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    if (channel->join_count == PHOENIX_CHANNEL_JOINS) {
        drop(channel, turn, PHOENIX_STRAY);
        return;
    }
    channel->is_push_due = false;
    channel->heartbeat_count = 0;
    join(channel, turn->now_ns);
}

static enum phoenix_outcome take_reply(struct phoenix_channel *channel,
                                       const struct phoenix_turn *turn,
                                       const struct phoenix_message *message)
{
    if (!message->has_ref) {
        return PHOENIX_UNEXPECTED;
    }
    if (bytes_equal_text(message->topic, "phoenix")) {
        return take_heartbeat(channel, message->ref) ? PHOENIX_TAKEN : PHOENIX_UNEXPECTED;
    }
    if (!bytes_equal(message->topic, channel->topic) || message->ref != channel->join_ref) {
        return PHOENIX_UNEXPECTED;
    }
    if (channel->state == PHOENIX_LEAVING) {
        end(channel, PHOENIX_LEFT, true);
        return PHOENIX_TAKEN;
    }
    if (bytes_equal_text(message->status, "error") &&
        bytes_equal_text(message->reason, "unmatched topic")) {
        rejoin(channel, turn);
        return PHOENIX_TAKEN;
    }
    return channel->state == PHOENIX_JOINING ? take_join_reply(channel, turn, message)
                                             : PHOENIX_UNEXPECTED;
}

// The portal ends the channel, or the whole connection.
static void take_close(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    if (channel->state == PHOENIX_LEAVING) {
        end(channel, PHOENIX_LEFT, true);
    } else {
        drop(channel, turn, PHOENIX_CLOSED);
    }
}

enum phoenix_outcome phoenix_channel_read(struct phoenix_channel *channel,
                                          const struct phoenix_turn *turn,
                                          const struct phoenix_message *message)
{
    const bool is_ours = bytes_equal(message->topic, channel->topic);

    assert(has_connection(channel));
    if (bytes_equal_text(message->event, "phx_reply")) {
        return take_reply(channel, turn, message);
    }
    if (bytes_equal_text(message->event, "disconnect")) {
        if (bytes_equal_text(message->reason, "token_expired")) {
            end(channel, PHOENIX_EXPIRED, true);
        } else {
            take_close(channel, turn);
        }
        return PHOENIX_TAKEN;
    }
    if (is_ours && bytes_equal_text(message->event, "phx_close")) {
        take_close(channel, turn);
        return PHOENIX_TAKEN;
    }
    // A crash of the portal's side is followed by its closing the connection; and being greeted
    // asks for nothing.
    if (is_ours && (bytes_equal_text(message->event, "phx_error") ||
                    bytes_equal_text(message->event, "init"))) {
        return PHOENIX_TAKEN;
    }
    return PHOENIX_UNEXPECTED;
}

void phoenix_channel_leave(struct phoenix_channel *channel, uint64_t now_ns)
{
    switch (channel->state) {
    case PHOENIX_JOINED:
        channel->is_push_due = false;
        channel->join_ref = push(channel, PHOENIX_LEAVE);
        channel->deadline_ns = now_ns + PHOENIX_CHANNEL_LEAVE_NS;
        enter(channel, PHOENIX_LEAVING);
        break;
    case PHOENIX_WAITING:
    case PHOENIX_CONNECTING:
    case PHOENIX_JOINING:
        end(channel, PHOENIX_LEFT, channel->state != PHOENIX_WAITING);
        break;
    case PHOENIX_LEAVING:
    case PHOENIX_ENDED:
        break;
    }
}

static void beat(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    if (channel->heartbeat_count == PHOENIX_CHANNEL_HEARTBEATS) {
        drop(channel, turn, PHOENIX_SILENT);
        return;
    }
    channel->heartbeats[channel->heartbeat_count++] = push(channel, PHOENIX_HEARTBEAT);
    channel->deadline_ns = turn->now_ns + PHOENIX_CHANNEL_HEARTBEAT_NS;
}

void phoenix_channel_tick(struct phoenix_channel *channel, const struct phoenix_turn *turn)
{
    if (turn->now_ns < channel->deadline_ns) {
        return;
    }
    switch (channel->state) {
    case PHOENIX_WAITING:
        channel->is_connect_due = true;
        channel->deadline_ns = NEVER;
        enter(channel, PHOENIX_CONNECTING);
        break;
    case PHOENIX_JOINING:
        drop(channel, turn, PHOENIX_UNJOINED);
        break;
    case PHOENIX_JOINED:
        beat(channel, turn);
        break;
    case PHOENIX_LEAVING:
        end(channel, PHOENIX_LEFT, true);
        break;
    case PHOENIX_CONNECTING:
    case PHOENIX_ENDED:
        assert(!"a state without a deadline");
        break;
    }
}

uint64_t phoenix_channel_deadline(const struct phoenix_channel *channel)
{
    return channel->deadline_ns;
}

bool phoenix_channel_take(struct phoenix_channel *channel, struct phoenix_order *out)
{
    if (channel->is_hang_up_due) {
        channel->is_hang_up_due = false;
        *out = (struct phoenix_order){.kind = PHOENIX_HANG_UP};
        return true;
    }
    if (channel->is_connect_due) {
        channel->is_connect_due = false;
        *out = (struct phoenix_order){.kind = PHOENIX_CONNECT};
        return true;
    }
    if (channel->is_push_due) {
        channel->is_push_due = false;
        *out = (struct phoenix_order){.kind = PHOENIX_PUSH, .push = channel->push};
        return true;
    }
    return false;
}

bool phoenix_channel_is_refused(const struct phoenix_channel *channel)
{
    return channel->state == PHOENIX_ENDED && channel->cause != PHOENIX_LEFT;
}
