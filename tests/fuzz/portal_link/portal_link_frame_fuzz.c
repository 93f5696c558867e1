// SPDX-License-Identifier: Apache-2.0
// Whatever is read, the channel is shown, in each of its states with a connection.
#include "portal_link/portal_link_frame.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "phoenix/phoenix_channel.h"

static const struct phoenix_turn turn = {.now_ns = SECOND_NS, .random = 1};

static void drain(struct phoenix_channel *channel)
{
    struct phoenix_order order;

    for (int i = 0; i < 3; i++) { // one of each kind
        if (!phoenix_channel_take(channel, &order)) {
            return;
        }
    }
    assert(!phoenix_channel_take(channel, &order));
}

static void show(struct phoenix_channel channel, const struct phoenix_message *message)
{
    const enum phoenix_outcome outcome = phoenix_channel_read(&channel, &turn, message);

    assert(outcome == PHOENIX_TAKEN || outcome == PHOENIX_UNEXPECTED);
    drain(&channel);
    assert(channel.state == PHOENIX_ENDED || phoenix_channel_deadline(&channel) != NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct portal_link_frame frame = {0};
    struct phoenix_channel channel;

    if (portal_link_frame_read((struct bytes){data, size}, &frame) != PORTAL_LINK_FRAME_READ) {
        assert(frame.root == NULL);
        return 0;
    }
    assert(frame.message.topic.len > 0);
    assert(frame.message.event.len > 0);
    phoenix_channel_init(&channel, bytes_of_text("relay"), turn.now_ns);
    phoenix_channel_tick(&channel, &turn);
    drain(&channel);
    phoenix_channel_opened(&channel, &turn);
    drain(&channel);
    show(channel, &frame.message);
    phoenix_channel_read(&channel, &turn,
                         &(struct phoenix_message){.topic = bytes_of_text("relay"),
                                                   .event = bytes_of_text("phx_reply"),
                                                   .status = bytes_of_text("ok"),
                                                   .has_ref = true});
    assert(channel.state == PHOENIX_JOINED);
    show(channel, &frame.message);
    phoenix_channel_leave(&channel, turn.now_ns);
    drain(&channel);
    show(channel, &frame.message);
    portal_link_frame_free(&frame);
    return 0;
}
