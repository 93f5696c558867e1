// SPDX-License-Identifier: Apache-2.0
// The control socket: a line in, a text out, for root and for the user who has started the daemon.
//
// It lives in the loop of whoever opens it. Everything has a limit: the clients at a time, the
// bytes of a request, the time for it all.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "io/io_local.h"
#include "io/io_loop.h"

enum {
    DAEMON_CTL_CLIENT_MAX = 8,
    DAEMON_CTL_REQUEST_MAX = 255, // bytes, without the end of the line
};

// What a client is answered; in memory of malloc(), which the socket frees.
struct daemon_ctl_reply {
    struct wr wr;
    uint64_t ticket; // not 0: there is no answer yet; daemon_ctl_answer() will be called with this
};

// Memory for so many bytes of an answer; called once. False: there is none, and the answer is
// empty.
MUST_USE bool daemon_ctl_reserve(struct daemon_ctl_reply *reply, size_t room);

// Answers one request, a line without its end.
typedef void (*daemon_ctl_fn)(void *context, struct bytes request, struct daemon_ctl_reply *reply);

struct daemon_ctl_client {
    struct io_watch watch; // first, so that the loop's callback finds the whole; fd -1: free
    struct daemon_ctl *ctl;
    uint64_t end_ns; // it is closed then
    uint64_t ticket; // of the answer that it waits for; 0: for none
    uint8_t request[DAEMON_CTL_REQUEST_MAX + 1];
    size_t request_len;
    struct bytes answer; // NULL: not asked yet
    size_t sent;
};

struct daemon_ctl {
    struct io_loop *loop;
    struct io_watch listener; // fd -1: not open
    struct daemon_ctl_client clients[DAEMON_CTL_CLIENT_MAX];
    char path[IO_LOCAL_PATH_MAX + 1];
    uint32_t owner; // user
    daemon_ctl_fn answer;
    void *context;
};

// All of it is borrowed: `context` until the socket is closed, the rest until it is open.
struct daemon_ctl_config {
    struct bytes path; // empty: the default one, and it is no error when that cannot be had;
                       // "none": no socket
    const char *name;  // of the default one, such as relay.sock or folder/relay.sock
    char *const *environment;
    daemon_ctl_fn answer;
    void *context; // for it
};

// Where the socket of this name is without an option: in the first of $RUNTIME_DIRECTORY,
// /run/fairlead (for root) and $XDG_RUNTIME_DIR/fairlead that there is or can be. A name
// FOLDER/FILE has its own folder in place of "fairlead". False when there is none.
MUST_USE bool daemon_ctl_default_path(const char *name, char *const *environment,
                                      char out[IO_LOCAL_PATH_MAX + 1]);

// The same for who wants to ask a daemon: $RUNTIME_DIRECTORY if there is one, or the first of the
// others where something is, or where it might be if nothing is. Nothing is made.
MUST_USE bool daemon_ctl_find_path(const char *name, char *const *environment,
                                   char out[IO_LOCAL_PATH_MAX + 1]);

// Opens it, before root is given up. 0, or -errno, which is logged. It does not move until it is
// closed.
MUST_USE int daemon_ctl_open(struct daemon_ctl *ctl, struct io_loop *loop,
                             const struct daemon_ctl_config *config);
// Closing what is not open (all zero but for an fd of -1), or twice, does nothing.
void daemon_ctl_close(struct daemon_ctl *ctl);

// Answers all who wait with this ticket or a lower one, as long as their time is not over.
void daemon_ctl_answer(struct daemon_ctl *ctl, uint64_t ticket, struct bytes text);

// Closes whose time is over. When it is to be called next (monotonic ns), or NEVER.
uint64_t daemon_ctl_tick(struct daemon_ctl *ctl, struct now now);
