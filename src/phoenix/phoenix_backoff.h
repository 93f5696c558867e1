// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next connection.
//
//      after a join that is lost    0 at first, since whoever relies on it notices at once; when
//                                   that was used within ten seconds, as after all else
//      after all else               500 ms, and half as much again each time, up to 60 s; each is
//                                   made shorter or longer by up to its half, but never over 60 s
//      after a join of ten seconds  from the start again
//
// It never gives up: what it waits for is somebody's intervention, of which nobody knows the time.
#pragma once

#include <stdint.h>

#include "base/now.h"

#define PHOENIX_BACKOFF_FIRST_NS (SECOND_NS / 2)
#define PHOENIX_BACKOFF_MAX_NS (60 * SECOND_NS)
#define PHOENIX_BACKOFF_STEADY_NS (10 * SECOND_NS) // a join that lasted so long was a good one

struct phoenix_backoff {
    uint64_t interval_ns; // of the last wait, without the chance in it; 0: there was none
    uint64_t again_ns;    // when not waiting at all is allowed again
};

// `random`: any number, each as likely as the other. All answer with the nanoseconds to wait.

uint64_t phoenix_backoff_next(struct phoenix_backoff *backoff, uint32_t random);
// The same for a join of `joined_ns` that is lost at `now_ns`.
uint64_t phoenix_backoff_after_join(struct phoenix_backoff *backoff, uint64_t now_ns,
                                    uint64_t joined_ns, uint32_t random);
