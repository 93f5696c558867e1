// SPDX-License-Identifier: Apache-2.0
// The messages that wait to be sent on a WebSocket: few, short, and wiped once they are gone, since
// secrets are among them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    WEB_QUEUE_MAX = 4,         // messages
    WEB_QUEUE_TEXT_MAX = 1024, // bytes of each
};

struct web_queue_message {
    uint16_t len;
    uint8_t text[WEB_QUEUE_TEXT_MAX];
};

// All zero it is empty.
struct web_queue {
    struct web_queue_message messages[WEB_QUEUE_MAX];
    uint32_t first;
    uint32_t count;
};

// Copies a message of up to WEB_QUEUE_TEXT_MAX bytes behind the others. False: it is full.
MUST_USE bool web_queue_put(struct web_queue *queue, struct bytes text);
// Moves the first message, which there is, to `to`; its length.
size_t web_queue_take(struct web_queue *queue, uint8_t to[WEB_QUEUE_TEXT_MAX]);
// Forgets all of them.
void web_queue_wipe(struct web_queue *queue);
