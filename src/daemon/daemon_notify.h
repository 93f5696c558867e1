// SPDX-License-Identifier: Apache-2.0
// What the service manager is told of a daemon, in the way of sd_notify(3): datagrams of lines to
// the socket that the environment's NOTIFY_SOCKET names. Without it nothing is told, and nobody
// waits for a manager that does not listen.
#pragma once

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/now.h"

struct daemon_notify {
    int fd; // -1: nobody wants to know
    struct sockaddr_un to;
    socklen_t to_len;
    // How often the manager wants a sign of life at most: half of WATCHDOG_USEC. 0: it does not.
    uint64_t watchdog_ns;
};

// What is wrong with the variables is logged, and then nothing is told.
void daemon_notify_open(struct daemon_notify *notify, char *const *environment);
// Closing twice does nothing.
void daemon_notify_close(struct daemon_notify *notify);

// It serves: the start, or a reload, is over.
void daemon_notify_ready(const struct daemon_notify *notify);
void daemon_notify_reloading(const struct daemon_notify *notify, struct now now);
// It is to end, and may need so many seconds for it.
void daemon_notify_stopping(const struct daemon_notify *notify, uint32_t timeout_s);
// How it is, in words of one line: "Draining, allocations left: 7".
void daemon_notify_status(const struct daemon_notify *notify, const char *status);
// A sign of life.
void daemon_notify_alive(const struct daemon_notify *notify);
