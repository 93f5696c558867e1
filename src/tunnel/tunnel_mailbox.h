// SPDX-License-Identifier: Apache-2.0
// Letters from some threads to one: a ring under a lock, and a bell that wakes who takes them.
//
// It never fills: whoever opens it knows how many letters can be on their way.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/pool.h"
#include "io/io_loop.h"

enum tunnel_letter_type {
    TUNNEL_LETTER_JOIN,  // to a worker: the session is its own from now on
    TUNNEL_LETTER_END,   // to a worker: what is on its way is delivered, then it is over
    TUNNEL_LETTER_ENDED, // from a worker: the session is nobody's any more
};

struct tunnel_letter {
    enum tunnel_letter_type type;
    struct pool_ref session;
};

struct tunnel_mailbox {
    pthread_mutex_t lock;
    struct io_watch bell; // the taker's, who sets fn and context; readable while there are letters
    struct tunnel_letter *letters;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    bool is_open;
};

// 0 or -errno. Its bell is in no loop yet.
MUST_USE int tunnel_mailbox_open(struct tunnel_mailbox *mailbox, uint32_t capacity);
// Its bell is in no loop any more. Closing twice, or one that is all zero, does nothing.
void tunnel_mailbox_close(struct tunnel_mailbox *mailbox);

void tunnel_mailbox_put(struct tunnel_mailbox *mailbox, struct tunnel_letter letter);
// Rings without a letter.
void tunnel_mailbox_ring(struct tunnel_mailbox *mailbox);
// Takes the oldest letter. False, with *out untouched, when there is none: then the bell is still,
// and rings for the next one.
MUST_USE bool tunnel_mailbox_take(struct tunnel_mailbox *mailbox, struct tunnel_letter *out);
