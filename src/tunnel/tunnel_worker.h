// SPDX-License-Identifier: Apache-2.0
// A worker: a thread that carries the bytes of the sessions it is given, and does nothing else.
//
// When its loop fails, which would be a mistake of ours, it gives back all its sessions and those
// that it is still given, and shows no sign of life any more, so that whoever watches over the
// program notices; the other workers go on.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon_pulse.h"
#include "io/io_loop.h"
#include "io/io_pump.h"
#include "io/io_thread.h"
#include "tunnel/tunnel_mailbox.h"
#include "tunnel/tunnel_session.h"

// What a worker has done so far, for any thread to read: bytes of all its sessions, also of those
// that go on.
struct tunnel_worker_counts {
    _Atomic uint64_t bytes;
    _Atomic uint64_t spliced_bytes; // of these
    _Atomic uint64_t pipes;         // lent out now
};

struct tunnel_worker {
    uint32_t number;
    struct tunnel_session *sessions; // of all workers, by the index of their reference
    uint32_t session_max;
    struct tunnel_mailbox orders; // to it
    struct tunnel_mailbox *news;  // from it, and others
    struct daemon_pulse *pulse;
    const _Atomic uint32_t *survey; // its number; when it has grown, sessions tell their bytes
    uint32_t survey_answered;
    struct tunnel_worker_counts counts;
    struct io_loop loop;
    struct io_pumps pumps;
    atomic_bool is_over;
    atomic_bool has_failed; // it is not to be given sessions
    struct io_thread thread;
};

// The caller has set the first three, `news`, `pulse` and `survey`, and zeroed the rest. It does
// not move until it is closed. 0 or -errno; tunnel_worker_close() is due in any case.
MUST_USE int tunnel_worker_open(struct tunnel_worker *worker, enum io_flow_way way);
void tunnel_worker_close(struct tunnel_worker *worker);

// 0 or -errno.
MUST_USE int tunnel_worker_start(struct tunnel_worker *worker);
// Cuts off its sessions, of which no news comes any more. Nothing happens if it does not run.
void tunnel_worker_stop(struct tunnel_worker *worker);
