// SPDX-License-Identifier: Apache-2.0
// Bytes that wait to be sent, in memory that is there only while some do.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

// All zero is an empty one.
struct io_tls_queue {
    uint8_t *memory;
    uint32_t room;
    uint32_t from; // where in it they begin
    uint32_t len;
};

// Copies bytes to the end; together they are less than 2 GiB. -ENOMEM, with nothing taken.
MUST_USE int io_tls_queue_add(struct io_tls_queue *queue, struct bytes bytes);
// All of them, until the next call of another function.
struct bytes io_tls_queue_bytes(const struct io_tls_queue *queue);
// The first `len` of them are gone; with the last of them the memory.
void io_tls_queue_drop(struct io_tls_queue *queue, size_t len);
