// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int manager = -1;

void manager_open(struct daemon_notify *notify, const char *variable)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char socket_variable[160];
    char *environment[] = {socket_variable, (char *)(uintptr_t)variable, NULL};

    // A name of the kernel's own begins with a zero byte.
    const int len =
        snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "fairlead-test-%d", (int)getpid());
    snprintf(socket_variable, sizeof socket_variable, "NOTIFY_SOCKET=@%s", name.sun_path + 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager >= 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&name,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
                     0);
    daemon_notify_open(notify, environment);
}

void manager_close(struct daemon_notify *notify)
{
    daemon_notify_close(notify);
    assert_int_equal(close(manager), 0);
}

const char *manager_told(void)
{
    static char text[512];
    const ssize_t len = recv(manager, text, sizeof text - 1, 0);

    text[len > 0 ? len : 0] = '\0';
    return text;
}
