// SPDX-License-Identifier: Apache-2.0
// The workers and all sessions: who gets which, and who is done with it. For the first thread.
#pragma once

#include <stdint.h>

#include "daemon/daemon_pulse.h"
#include "tunnel/tunnel_worker.h"

struct tunnel_crew;

// A session has ended, and both its connections are closed; why and what it carried is in it.
typedef void (*tunnel_crew_fn)(void *context, struct pool_ref ref,
                               const struct tunnel_session *session);

struct tunnel_crew {
    struct io_loop *loop;
    tunnel_crew_fn on_ended;
    void *context;
    struct tunnel_worker *workers;
    uint32_t *loads; // sessions of each
    uint32_t worker_count;
    uint32_t session_max;
    struct tunnel_session *sessions; // mapped, and touched as they are used
    struct tunnel_mailbox news;
    struct daemon_pulse pulse;
    _Atomic uint32_t survey; // its number
};

struct tunnel_crew_config {
    uint32_t worker_count; // at least 1
    uint32_t session_max;
    tunnel_crew_fn on_ended;
    void *context; // for it
};

// It is all zero before, and does not move until it is closed, which is due in any case. 0 or
// -errno.
MUST_USE int tunnel_crew_open(struct tunnel_crew *crew, struct io_loop *loop,
                              const struct tunnel_crew_config *config);
// The workers are stopped. Closing twice, or what is all zero, does nothing.
void tunnel_crew_close(struct tunnel_crew *crew);

// 0 or -errno.
MUST_USE int tunnel_crew_start(struct tunnel_crew *crew);
// Cuts off all sessions, of which nobody hears any more.
void tunnel_crew_stop(struct tunnel_crew *crew);

// What the caller knows of a session goes here before it is joined.
struct tunnel_session *tunnel_crew_session(struct tunnel_crew *crew, struct pool_ref ref);
// Gives a session with its connections, which are non-blocking and which nobody watches, to the
// worker that has fewest, of those that work.
void tunnel_crew_join(struct tunnel_crew *crew, struct pool_ref ref, int client_fd,
                      struct io_stream reverse);
// Has what is on its way delivered, and then ends it.
void tunnel_crew_end(struct tunnel_crew *crew, struct pool_ref ref);

// Has all sessions tell their bytes: session->told_bytes, once no worker is missing.
void tunnel_crew_survey(struct tunnel_crew *crew);
// Asks all workers for a sign of life, and says how many owe one.
void tunnel_crew_feel(struct tunnel_crew *crew);
uint32_t tunnel_crew_missing(const struct tunnel_crew *crew);
