// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_notify.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/io_fd.h"
#include "log/log.h"

enum {
    TEXT_MAX = 256,      // bytes of the longest message
    STOP_RESERVE_S = 10, // from the end of draining to that of the process
    MICROSECOND_NS = 1000,
    SECOND_USEC = 1000000,
};

// The value of a variable; empty when it is not set.
static struct bytes value_of(char *const *environment, const char *name)
{
    for (size_t i = 0; environment[i] != NULL; i++) {
        const struct bytes entry = bytes_of_text(environment[i]);
        const size_t equals = bytes_index(entry, '=');
        if (equals < entry.len && bytes_equal_text(bytes_first(entry, equals), name)) {
            return bytes_from(entry, equals + 1);
        }
    }
    return (struct bytes){0};
}

// A path of the file system, or with '@' in front a name that is in none. False when it is neither.
static bool read_socket(struct daemon_notify *notify, struct bytes name)
{
    if (name.len < 2 || name.len >= sizeof notify->to.sun_path ||
        (name.ptr[0] != '/' && name.ptr[0] != '@')) {
        return false;
    }
    notify->to.sun_family = AF_UNIX;
    memcpy(notify->to.sun_path, name.ptr, name.len);
    if (name.ptr[0] == '@') {
        notify->to.sun_path[0] = '\0';
    }
    notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len);
    return true;
}

// Variables that are meant for another process, our parent, say nothing.
static uint64_t read_watchdog(char *const *environment)
{
    const struct bytes pid = value_of(environment, "WATCHDOG_PID");
    uint64_t number = 0;
    uint64_t usec = 0;

    if (pid.len > 0 && (!bytes_to_number(pid, INT32_MAX, &number) || (pid_t)number != getpid())) {
        return 0;
    }
    if (!bytes_to_number(value_of(environment, "WATCHDOG_USEC"), INT64_MAX / MICROSECOND_NS,
                         &usec)) {
        return 0;
    }
    return usec * MICROSECOND_NS / 2;
}

void daemon_notify_open(struct daemon_notify *notify, char *const *environment)
{
    const struct bytes name = value_of(environment, "NOTIFY_SOCKET");

    *notify = (struct daemon_notify){.fd = -1};
    if (name.len == 0) {
        return;
    }
    if (!read_socket(notify, name)) {
        LOG_WARN("NOTIFY_SOCKET is no socket of a service manager", LOG_BYTES("socket", name));
        return;
    }
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd < 0) {
        LOG_WARN("the service manager is told nothing", LOG_ERROR_NUMBER("error", -errno));
        return;
    }
    notify->watchdog_ns = read_watchdog(environment);
}

void daemon_notify_close(struct daemon_notify *notify)
{
    io_fd_close(&notify->fd);
}

static void tell(const struct daemon_notify *notify, const char *text)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    if (notify->fd < 0) {
        return;
    }
    if (sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&notify->to,
               notify->to_len) < 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "the service manager cannot be told",
                    LOG_ERROR_NUMBER("error", -errno));
    }
}

void daemon_notify_ready(const struct daemon_notify *notify)
{
    tell(notify, "READY=1\nSTATUS=Serving\n");
}

void daemon_notify_reloading(const struct daemon_notify *notify, struct now now)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading\n",
             (unsigned long long)(now.mono_ns / MICROSECOND_NS));
    tell(notify, text);
}

// The manager waits as long as the operator wants to, whatever its own limit is.
void daemon_notify_stopping(const struct daemon_notify *notify, uint32_t timeout_s)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=Ending\n",
             ((unsigned long long)timeout_s + STOP_RESERVE_S) * SECOND_USEC);
    tell(notify, text);
}

void daemon_notify_status(const struct daemon_notify *notify, const char *status)
{
    char text[TEXT_MAX];

    assert(strlen(status) + sizeof "STATUS=\n" <= sizeof text);
    assert(strchr(status, '\n') == NULL); // it would be another variable
    snprintf(text, sizeof text, "STATUS=%s\n", status);
    tell(notify, text);
}

void daemon_notify_alive(const struct daemon_notify *notify)
{
    tell(notify, "WATCHDOG=1\n");
}
