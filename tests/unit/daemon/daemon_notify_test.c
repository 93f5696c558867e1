// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"

// A service manager that listens at a name of the kernel's own, or at a path.
struct manager {
    int fd;
    char variable[128]; // NOTIFY_SOCKET=...
    char path[64];      // to be removed, or empty
    char text[512];     // what it was told last
};

static void listen_at(struct manager *manager, const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);

    memcpy(name.sun_path, path, len);
    if (path[0] == '@') {
        name.sun_path[0] = '\0';
    }
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager->fd >= 0);
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&name,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    snprintf(manager->variable, sizeof manager->variable, "NOTIFY_SOCKET=%s", path);
}

static int open_manager(void **state)
{
    static struct manager manager;

    snprintf(manager.path, sizeof manager.path, "@fairlead-notify-test-%d", (int)getpid());
    listen_at(&manager, manager.path);
    *state = &manager;
    return 0;
}

static int close_manager(void **state)
{
    struct manager *manager = *state;

    io_fd_close(&manager->fd);
    return 0;
}

// What it was told; empty when it was told nothing.
static const char *told(struct manager *manager)
{
    const ssize_t len = recv(manager->fd, manager->text, sizeof manager->text - 1, 0);

    assert_true(len >= 0 || errno == EAGAIN);
    manager->text[len > 0 ? len : 0] = '\0';
    return manager->text;
}

// With an environment of up to three variables.
static struct daemon_notify open_by(const char *first, const char *second, const char *third)
{
    const char *const wanted[] = {first, second, third};
    char texts[COUNT_OF(wanted)][256];
    char *environment[COUNT_OF(wanted) + 1] = {NULL};
    struct daemon_notify notify;

    for (size_t i = 0; i < COUNT_OF(wanted) && wanted[i] != NULL; i++) {
        snprintf(texts[i], sizeof texts[i], "%s", wanted[i]);
        environment[i] = texts[i];
    }
    daemon_notify_open(&notify, environment);
    return notify;
}

static struct daemon_notify open_with(const struct manager *manager, const char *second,
                                      const char *third)
{
    return open_by(manager->variable, second, third);
}

static void tells_each_state_in_its_words(void **state)
{
    struct manager *manager = *state;
    struct daemon_notify notify = open_with(manager, NULL, NULL);

    daemon_notify_ready(&notify);
    assert_string_equal(told(manager), "READY=1\nSTATUS=Serving\n");
    daemon_notify_reloading(&notify, (struct now){.mono_ns = 12345678901});
    assert_string_equal(told(manager), "RELOADING=1\nMONOTONIC_USEC=12345678\nSTATUS=Reloading\n");
    daemon_notify_stopping(&notify, 60);
    assert_string_equal(told(manager), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000\nSTATUS=Ending\n");
    daemon_notify_status(&notify, "Draining, allocations left: 7");
    assert_string_equal(told(manager), "STATUS=Draining, allocations left: 7\n");
    daemon_notify_alive(&notify);
    assert_string_equal(told(manager), "WATCHDOG=1\n");
    assert_string_equal(told(manager), "");
    assert_int_equal(notify.watchdog_ns, 0);
    daemon_notify_close(&notify);
    daemon_notify_close(&notify);
    daemon_notify_alive(&notify);
    assert_string_equal(told(manager), "");
}

static void tells_a_path_of_the_file_system(void **state)
{
    struct manager *other = *state;
    struct manager manager = {.fd = -1};

    (void)other;
    snprintf(manager.path, sizeof manager.path, "/tmp/fairlead-notify-test-%d", (int)getpid());
    unlink(manager.path);
    listen_at(&manager, manager.path);
    struct daemon_notify notify = open_with(&manager, NULL, NULL);
    daemon_notify_ready(&notify);
    assert_string_equal(told(&manager), "READY=1\nSTATUS=Serving\n");
    daemon_notify_close(&notify);
    io_fd_close(&manager.fd);
    assert_int_equal(unlink(manager.path), 0);
}

static void watches_for_half_the_time(void **state)
{
    char pid[32];
    struct daemon_notify notify = open_with(*state, "WATCHDOG_USEC=3000000", NULL);

    assert_int_equal(notify.watchdog_ns, 1500 * (SECOND_NS / 1000));
    daemon_notify_close(&notify);
    snprintf(pid, sizeof pid, "WATCHDOG_PID=%d", (int)getpid());
    notify = open_with(*state, "WATCHDOG_USEC=3000000", pid);
    assert_int_equal(notify.watchdog_ns, 1500 * (SECOND_NS / 1000));
    daemon_notify_close(&notify);
}

static void a_watchdog_that_is_none_is_none(void **state)
{
    static const char *const values[][2] = {
        {"WATCHDOG_USEC=", NULL},
        {"WATCHDOG_USEC=soon", NULL},
        {"WATCHDOG_USEC=-1", NULL},
        {"WATCHDOG_USEC=99999999999999999999999", NULL},
        {"WATCHDOG_USEC=3000000", "WATCHDOG_PID=1"},
        {"WATCHDOG_USEC=3000000", "WATCHDOG_PID=me"},
        {"WATCHDOG_PID=1", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct daemon_notify notify = open_with(*state, values[i][0], values[i][1]);
        assert_true(notify.fd >= 0);
        assert_int_equal(notify.watchdog_ns, 0);
        daemon_notify_close(&notify);
    }
}

static void without_a_good_socket_it_tells_nobody(void **state)
{
    static char long_name[256] = "NOTIFY_SOCKET=/";
    const char *const variables[] = {"NOTIFY_SOCKET=",           "NOTIFY_SOCKET=@",
                                     "NOTIFY_SOCKET=run/notify", "NOTIFY_SOCKET=vsock:2:1",
                                     "NOTIFY_SOCKETS=@x",        long_name};

    (void)state;
    memset(long_name + strlen(long_name), 'x', sizeof long_name - strlen(long_name) - 1);
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        struct daemon_notify notify = open_by(variables[i], "WATCHDOG_USEC=1000000", NULL);
        assert_int_equal(notify.fd, -1);
        assert_int_equal(notify.watchdog_ns, 0);
        daemon_notify_ready(&notify);
        daemon_notify_close(&notify);
    }
}

static void a_manager_that_is_gone_or_full_stops_nothing(void **state)
{
    struct manager *manager = *state;
    struct daemon_notify notify = open_with(manager, NULL, NULL);

    for (int i = 0; i < 10000; i++) { // far more than the socket holds
        daemon_notify_alive(&notify);
    }
    assert_string_equal(told(manager), "WATCHDOG=1\n");
    io_fd_close(&manager->fd);
    daemon_notify_ready(&notify);
    daemon_notify_close(&notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_each_state_in_its_words, open_manager, close_manager),
        cmocka_unit_test_setup_teardown(tells_a_path_of_the_file_system, open_manager,
                                        close_manager),
        cmocka_unit_test_setup_teardown(watches_for_half_the_time, open_manager, close_manager),
        cmocka_unit_test_setup_teardown(a_watchdog_that_is_none_is_none, open_manager,
                                        close_manager),
        cmocka_unit_test_setup_teardown(without_a_good_socket_it_tells_nobody, open_manager,
                                        close_manager),
        cmocka_unit_test_setup_teardown(a_manager_that_is_gone_or_full_stops_nothing, open_manager,
                                        close_manager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
