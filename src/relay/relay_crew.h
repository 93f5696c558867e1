// SPDX-License-Identifier: Apache-2.0
// The workers of a relay, each in a thread of its own, and what they have in common.
//
// All functions are for the control thread, the one that opens the crew: it has no packets, and
// what it does never holds one up. Workers are not bound to CPUs: the scheduler puts each on a CPU
// of its own when there is one, and knows better when there is not.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "daemon/daemon_pulse.h"
#include "io/io_loop.h"
#include "io/io_thread.h"
#include "relay/relay_board.h"
#include "relay/relay_config.h"
#include "relay/relay_mailbox.h"
#include "relay/relay_offload.h"
#include "relay/relay_policy.h"
#include "relay/relay_worker.h"

// One worker and its thread. Aligned, so that no two of them share a cache line.
struct relay_crew_member {
    _Alignas(128) struct relay_worker worker;
    struct io_thread thread;
};

struct relay_crew {
    uint32_t count;
    uint32_t open_count; // members whose worker is open: the first ones
    struct relay_crew_member *members;
    struct relay_mailbox *mailboxes;
    struct relay_refusals *refusals;
    struct relay_survey survey;
    uint32_t max_allocations;
    struct relay_board board;
    struct daemon_pulse pulse;
    struct relay_policy policy;
    struct relay_offload offload;
    pthread_mutex_t commons_lock;
    struct turn_commons *commons; // of the workers' TURN servers
    void *commons_memory;
    size_t commons_memory_len;
    struct relay_worker_share share;
    struct io_loop *loop;
    struct io_watch bell; // of the board
    int error;            // of a worker that has failed: the relay is to end
};

// Descriptors that the workers of a configuration need beside those of relayed sockets.
uint64_t relay_crew_descriptors(const struct relay_config *config);

// Opens everything, the listening sockets included, and logs what fails; no worker runs yet. News
// come in `loop`. `config`, which says how many workers there are, is borrowed until this returns.
// The crew does not move until it is closed. 0 or -errno.
MUST_USE int relay_crew_open(struct relay_crew *crew, const struct relay_config *config,
                             struct io_loop *loop);
// Stops those that run. Closing twice, or a crew whose opening failed, does nothing.
void relay_crew_close(struct relay_crew *crew);

// Starts the threads. They inherit this thread's user, and take no signals. 0 or -errno, which is
// logged; relay_crew_stop() is due in any case.
MUST_USE int relay_crew_start(struct relay_crew *crew);
// Has all workers return, and waits until they have. Nothing happens to those that do not run.
void relay_crew_stop(struct relay_crew *crew);

// Has all workers follow another configuration, which may follow (turn_policy.h), in what may
// change of it; and whether they all do by now. 0, or -EBUSY while they take the last one, -ENOMEM.
MUST_USE int relay_crew_change(struct relay_crew *crew, const struct turn_config *config);
bool relay_crew_is_settled(struct relay_crew *crew);

// No new allocations from here on; and how many there are.
void relay_crew_drain(struct relay_crew *crew);
uint32_t relay_crew_allocations(const struct relay_crew *crew);

// Asks all workers whether they are alive; and how many have not answered what was asked last.
void relay_crew_feel(struct relay_crew *crew);
uint32_t relay_crew_missing(const struct relay_crew *crew);

// Logs what all workers have counted (relay_snapshot.h); it waits for them a moment if they serve.
void relay_crew_log(struct relay_crew *crew);

// Does what is due. When it is to be called next (monotonic ns), or NEVER.
uint64_t relay_crew_tick(struct relay_crew *crew, struct now now);
