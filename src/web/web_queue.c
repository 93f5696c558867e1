// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_queue.h"

#include <assert.h>
#include <string.h>

bool web_queue_put(struct web_queue *queue, struct bytes text)
{
    assert(text.len <= WEB_QUEUE_TEXT_MAX);
    if (queue->count == WEB_QUEUE_MAX) {
        return false;
    }
    struct web_queue_message *message =
        &queue->messages[(queue->first + queue->count) % WEB_QUEUE_MAX];
    message->len = (uint16_t)text.len;
    if (text.len > 0) {
        memcpy(message->text, text.ptr, text.len);
    }
    queue->count++;
    return true;
}

size_t web_queue_take(struct web_queue *queue, uint8_t to[WEB_QUEUE_TEXT_MAX])
{
    struct web_queue_message *message = &queue->messages[queue->first];

    assert(queue->count > 0);
    const size_t len = message->len;
    memcpy(to, message->text, len);
    explicit_bzero(message, sizeof *message);
    queue->first = (queue->first + 1) % WEB_QUEUE_MAX;
    queue->count--;
    return len;
}

void web_queue_wipe(struct web_queue *queue)
{
    explicit_bzero(queue, sizeof *queue);
}
