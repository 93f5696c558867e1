// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_mailbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "io/io_fd.h"

// In the room each parcel is a struct relay_parcel, whose payload.ptr says nothing, and behind it
// the payload's bytes.

int relay_mailbox_open(struct relay_mailbox *box, size_t half_len)
{
    *box = (struct relay_mailbox){
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    if (box->fd < 0) {
        return -errno;
    }
    uint8_t *memory =
        mmap(NULL, 2 * half_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        const int error = -errno;
        relay_mailbox_close(box);
        return error;
    }
    box->half_len = half_len;
    box->full.ptr = memory;
    box->filling.ptr = memory + half_len;
    return 0;
}

void relay_mailbox_close(struct relay_mailbox *box)
{
    if (box->full.ptr != NULL) {
        uint8_t *memory = box->full.ptr < box->filling.ptr ? box->full.ptr : box->filling.ptr;
        munmap(memory, 2 * box->half_len);
        box->full.ptr = NULL;
        box->filling.ptr = NULL;
    }
    io_fd_close(&box->fd);
}

// With the lock held: whether the caller is to ring, without it.
static bool must_ring(struct relay_mailbox *box)
{
    const bool is_first = !box->is_rung;

    box->is_rung = true;
    return is_first;
}

static void ring(struct relay_mailbox *box, bool is_needed)
{
    if (is_needed) {
        const int result = eventfd_write(box->fd, 1);
        assert(result == 0); // it is taken before the next one, so the number stays below 3
    }
}

void relay_mailbox_order(struct relay_mailbox *box, enum relay_mailbox_order order)
{
    pthread_mutex_lock(&box->lock);
    box->orders |= order;
    const bool is_needed = must_ring(box);
    pthread_mutex_unlock(&box->lock);
    ring(box, is_needed);
}

bool relay_mailbox_put(struct relay_mailbox *box, const struct relay_parcel *parcel)
{
    struct relay_mailbox_half *half = &box->filling;
    const size_t len = sizeof *parcel + parcel->payload.len;
    // Ports are given out at random: nobody chooses whom to stand beside.
    size_t *taken_by = &box->taken_by[parcel->from.port % RELAY_MAILBOX_FLOWS];
    bool is_needed = false;

    pthread_mutex_lock(&box->lock);
    const bool has_room = box->half_len - half->len >= *taken_by + len;
    if (has_room) {
        memcpy(half->ptr + half->len, parcel, sizeof *parcel);
        if (parcel->payload.len > 0) {
            memcpy(half->ptr + half->len + sizeof *parcel, parcel->payload.ptr,
                   parcel->payload.len);
        }
        half->len += len;
        *taken_by += len;
        is_needed = must_ring(box);
    }
    pthread_mutex_unlock(&box->lock);
    ring(box, is_needed);
    return has_room;
}

uint32_t relay_mailbox_take(struct relay_mailbox *box)
{
    eventfd_t count = 0;

    assert(box->taken == box->full.len);
    // Before the lock: whoever rings from now on finds it not rung, or has what it rang for taken.
    IGNORE(eventfd_read(box->fd, &count)); // nothing to read, if it is taken without being rung
    box->taken = 0;
    box->full.len = 0;
    pthread_mutex_lock(&box->lock);
    const struct relay_mailbox_half filled = box->filling;
    const uint32_t orders = box->orders;
    box->filling = box->full;
    box->orders = 0;
    box->is_rung = false;
    memset(box->taken_by, 0, sizeof box->taken_by);
    pthread_mutex_unlock(&box->lock);
    box->full = filled;
    return orders;
}

bool relay_mailbox_fetch(struct relay_mailbox *box, struct relay_parcel *out)
{
    struct relay_parcel parcel;

    if (box->taken == box->full.len) {
        return false;
    }
    memcpy(&parcel, box->full.ptr + box->taken, sizeof parcel);
    parcel.payload.ptr = box->full.ptr + box->taken + sizeof parcel;
    box->taken += sizeof parcel + parcel.payload.len;
    assert(box->taken <= box->full.len);
    *out = parcel;
    return true;
}
