// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "io/io_fd.h"

int tunnel_mailbox_open(struct tunnel_mailbox *mailbox, uint32_t capacity)
{
    assert(!mailbox->is_open);
    assert(capacity > 0);
    mailbox->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->bell.fd < 0) {
        return -errno;
    }
    mailbox->letters = calloc(capacity, sizeof mailbox->letters[0]);
    int error = mailbox->letters == NULL ? -ENOMEM : -pthread_mutex_init(&mailbox->lock, NULL);
    if (error != 0) {
        free(mailbox->letters);
        mailbox->letters = NULL;
        io_fd_close(&mailbox->bell.fd);
        return error;
    }
    mailbox->capacity = capacity;
    mailbox->first = 0;
    mailbox->count = 0;
    mailbox->is_open = true;
    return 0;
}

void tunnel_mailbox_close(struct tunnel_mailbox *mailbox)
{
    if (!mailbox->is_open) {
        return;
    }
    mailbox->is_open = false;
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->letters);
    mailbox->letters = NULL;
    io_fd_close(&mailbox->bell.fd);
}

void tunnel_mailbox_ring(struct tunnel_mailbox *mailbox)
{
    IGNORE(eventfd_write(mailbox->bell.fd, 1)); // it cannot be full
}

void tunnel_mailbox_put(struct tunnel_mailbox *mailbox, struct tunnel_letter letter)
{
    pthread_mutex_lock(&mailbox->lock);
    assert(mailbox->count < mailbox->capacity);
    const bool is_first = mailbox->count == 0;
    mailbox->letters[(mailbox->first + mailbox->count) % mailbox->capacity] = letter;
    mailbox->count++;
    pthread_mutex_unlock(&mailbox->lock);
    if (is_first) {
        tunnel_mailbox_ring(mailbox);
    }
}

bool tunnel_mailbox_take(struct tunnel_mailbox *mailbox, struct tunnel_letter *out)
{
    eventfd_t rings = 0;

    pthread_mutex_lock(&mailbox->lock);
    const bool has_letter = mailbox->count > 0;
    if (has_letter) {
        *out = mailbox->letters[mailbox->first];
        mailbox->first = (mailbox->first + 1) % mailbox->capacity;
        mailbox->count--;
    } else {
        IGNORE(eventfd_read(mailbox->bell.fd, &rings)); // under the lock: none is missed
    }
    pthread_mutex_unlock(&mailbox->lock);
    return has_letter;
}
