// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_LEAST = 1024 }; // bytes

int io_tls_queue_add(struct io_tls_queue *queue, struct bytes bytes)
{
    uint32_t room = queue->room < ROOM_LEAST ? ROOM_LEAST : queue->room;

    assert(bytes.len <= INT32_MAX - queue->len);
    if (bytes.len == 0) {
        return 0;
    }
    if (queue->from > 0) {
        memmove(queue->memory, queue->memory + queue->from, queue->len);
        queue->from = 0;
    }
    while (room < queue->len + bytes.len) {
        room *= 2;
    }
    if (room > queue->room) {
        uint8_t *memory = realloc(queue->memory, room);

        if (memory == NULL) {
            return -ENOMEM;
        }
        queue->memory = memory;
        queue->room = room;
    }
    memcpy(queue->memory + queue->len, bytes.ptr, bytes.len);
    queue->len += (uint32_t)bytes.len;
    return 0;
}

struct bytes io_tls_queue_bytes(const struct io_tls_queue *queue)
{
    return queue->len == 0 ? (struct bytes){NULL, 0}
                           : (struct bytes){queue->memory + queue->from, queue->len};
}

void io_tls_queue_drop(struct io_tls_queue *queue, size_t len)
{
    assert(len <= queue->len);
    queue->from += (uint32_t)len;
    queue->len -= (uint32_t)len;
    if (queue->len == 0) {
        free(queue->memory);
        *queue = (struct io_tls_queue){.memory = NULL};
    }
}
