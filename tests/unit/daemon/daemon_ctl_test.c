// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_ctl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"
#include "io/io_clock.h"
#include "io/io_fd.h"

enum { LONG_LEN = 4 << 20 };

static char folder[] = "/tmp/daemon_ctl.XXXXXX";
static char path[64];
static char *no_environment[] = {NULL};
static struct io_loop loop;
static struct daemon_ctl ctl;

// "long" is answered by many bytes, "nothing" by none, "first" and "second" later, all else by
// itself.
static void answer(void *context, struct bytes request, struct daemon_ctl_reply *reply)
{
    assert_ptr_equal(context, &ctl);
    if (bytes_equal_text(request, "nothing")) {
        return;
    }
    if (bytes_equal_text(request, "first") || bytes_equal_text(request, "second")) {
        reply->ticket = request.ptr[0] == 'f' ? 1 : 2;
        return;
    }
    assert_true(daemon_ctl_reserve(reply, LONG_LEN));
    if (bytes_equal_text(request, "long")) {
        wr_zero(&reply->wr, LONG_LEN);
    } else {
        wr_bytes(&reply->wr, request);
    }
}

static int open_at(struct daemon_ctl *out, const char *at)
{
    const struct daemon_ctl_config config = {
        .path = bytes_of_text(at),
        .name = "daemon.sock",
        .environment = no_environment,
        .answer = answer,
        .context = out,
    };
    return daemon_ctl_open(out, &loop, &config);
}

static int open_all(void **state)
{
    (void)state;
    if (path[0] == '\0' && mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/socket", folder);
    if (io_loop_open(&loop) != 0) {
        return -1;
    }
    host_log_open(LOG_LINE_HUMAN);
    return open_at(&ctl, path);
}

static int close_all(void **state)
{
    (void)state;
    host_log_close();
    daemon_ctl_close(&ctl);
    daemon_ctl_close(&ctl);
    io_loop_close(&loop);
    return access(path, F_OK) == 0 ? -1 : 0;
}

static void turn(void)
{
    for (int i = 0; i < 20; i++) {
        assert_int_equal(io_loop_turn(&loop, 0), 0);
    }
}

static int connect_to_it(void)
{
    int fd = -1;

    assert_int_equal(io_local_connect(path, 1, &fd), 0);
    turn();
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn();
}

// Everything up to the end, while the loop turns; bytes.
static size_t hear(int fd, char *out, size_t room)
{
    size_t len = 0;

    for (;;) {
        const ssize_t got = recv(fd, out, room, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            turn();
            continue;
        }
        if (got <= 0) {
            return len;
        }
        len += (size_t)got;
    }
}

static bool is_dropped(int fd)
{
    char byte = 0;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void answers_a_line_and_closes(void **state)
{
    char text[64];
    int fd = connect_to_it();

    (void)state;
    say(fd, "w");
    say(fd, "ords\nand more");
    assert_int_equal(hear(fd, text, sizeof text), 5);
    assert_memory_equal(text, "words", 5);
    io_fd_close(&fd);
    fd = connect_to_it();
    say(fd, "nothing\n");
    assert_int_equal(hear(fd, text, sizeof text), 0);
    io_fd_close(&fd);
}

static void answers_later_to_who_waits_for_it(void **state)
{
    char text[64];
    int first = connect_to_it();
    int second = connect_to_it();
    int gone = connect_to_it();
    char byte = 0;

    (void)state;
    say(first, "first\n");
    say(second, "second\n");
    say(gone, "first\n");
    io_fd_close(&gone);
    turn();
    daemon_ctl_answer(&ctl, 1, bytes_of_text("done"));
    assert_int_equal(hear(first, text, sizeof text), 4);
    assert_memory_equal(text, "done", 4);
    assert_int_equal(recv(second, &byte, 1, MSG_DONTWAIT), -1); // it waits
    daemon_ctl_answer(&ctl, 2, bytes_of_text("likewise"));
    assert_int_equal(hear(second, text, sizeof text), 8);
    io_fd_close(&first);
    io_fd_close(&second);
    // Nobody waits for ever.
    first = connect_to_it();
    say(first, "first\n");
    struct now now = io_clock_now();
    now.mono_ns += 6 * SECOND_NS;
    assert_true(daemon_ctl_tick(&ctl, now) == NEVER);
    assert_true(is_dropped(first));
    io_fd_close(&first);
}

static void sends_what_does_not_fit_at_once(void **state)
{
    static char text[65536];
    int fd = connect_to_it();

    (void)state;
    say(fd, "long\n");
    assert_int_equal(hear(fd, text, sizeof text), LONG_LEN);
    io_fd_close(&fd);
    fd = connect_to_it();
    say(fd, "long\n");
    io_fd_close(&fd); // in the middle of it
    turn();
    fd = connect_to_it();
    say(fd, "x\n");
    assert_int_equal(hear(fd, text, sizeof text), 1);
    io_fd_close(&fd);
}

static void drops_who_says_too_much_or_nothing(void **state)
{
    char line[DAEMON_CTL_REQUEST_MAX + 2];
    char text[512];
    int fd = connect_to_it();

    (void)state;
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\0';
    say(fd, line);
    assert_true(is_dropped(fd));
    io_fd_close(&fd);
    line[DAEMON_CTL_REQUEST_MAX] = '\n'; // the longest
    fd = connect_to_it();
    say(fd, line);
    assert_int_equal(hear(fd, text, sizeof text), DAEMON_CTL_REQUEST_MAX);
    io_fd_close(&fd);

    fd = connect_to_it();
    struct now now = io_clock_now();
    const uint64_t end_ns = daemon_ctl_tick(&ctl, now);
    assert_in_range(end_ns, now.mono_ns + 4 * SECOND_NS, now.mono_ns + 5 * SECOND_NS);
    assert_false(is_dropped(fd));
    now.mono_ns = end_ns;
    assert_int_equal(daemon_ctl_tick(&ctl, now), NEVER);
    assert_true(is_dropped(fd));
    io_fd_close(&fd);
}

static void has_room_for_so_many_of_which_the_oldest_goes(void **state)
{
    int fds[DAEMON_CTL_CLIENT_MAX + 3];
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = connect_to_it();
    }
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        assert_int_equal(is_dropped(fds[i]), i < 3);
        if (i >= 3) {
            say(fds[i], "x\n");
            assert_int_equal(hear(fds[i], text, sizeof text), 1);
        }
        io_fd_close(&fds[i]);
    }
}

// What the kernel says of the other end is not the owner.
static void answers_nobody_else(void **state)
{
    char text[64];

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    assert_int_equal(chmod(folder, 0711), 0);
    assert_int_equal(chmod(path, 0666), 0); // even if the file let them
    assert_int_equal(seteuid(HOST_NOBODY), 0);
    int fd = connect_to_it();
    assert_int_equal(seteuid(0), 0);
    assert_true(is_dropped(fd));
    io_fd_close(&fd);
    assert_non_null(strstr(host_log(), "another user wants to use the control socket uid=65534"));
    ctl.owner = HOST_NOBODY;
    fd = connect_to_it(); // root
    say(fd, "x\n");
    assert_int_equal(hear(fd, text, sizeof text), 1);
    io_fd_close(&fd);
}

static void says_when_it_cannot_be_had(void **state)
{
    struct daemon_ctl other;

    (void)state;
    assert_int_equal(open_at(&other, path), -EADDRINUSE);
    assert_non_null(strstr(host_log(), "ERROR the control socket cannot be opened path="));
    assert_int_equal(open_at(&other, "none"), 0);
    assert_int_equal(other.listener.fd, -1);
    daemon_ctl_close(&other);
}

static void says_to_an_ordinary_user_that_there_is_no_place(void **state)
{
    const bool is_root = geteuid() == 0;
    struct daemon_ctl other;

    (void)state;
    if (is_root) {
        assert_int_equal(seteuid(65534), 0); // nobody
    }
    const int error = open_at(&other, "");
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(error, 0);
    assert_int_equal(other.listener.fd, -1);
    assert_non_null(
        strstr(host_log(), "INFO no control socket, since there is no directory for it"));
    daemon_ctl_close(&other);
}

static void has_a_place_of_its_own_without_one(void **state)
{
    char runtime[128];
    char xdg[128];
    char found[IO_LOCAL_PATH_MAX + 1];
    char wanted[128];
    char *environment[] = {runtime, xdg, NULL};

    (void)state;
    snprintf(runtime, sizeof runtime, "RUNTIME_DIRECTORY=%s/a:/b", folder);
    snprintf(xdg, sizeof xdg, "XDG_RUNTIME_DIR=%s", folder);
    snprintf(wanted, sizeof wanted, "%s/a/daemon.sock", folder);
    assert_true(daemon_ctl_find_path("daemon.sock", environment, found));
    assert_string_equal(found, wanted); // who asks makes no directory
    snprintf(found, sizeof found, "%s/a", folder);
    assert_int_equal(access(found, F_OK), -1);
    assert_true(daemon_ctl_default_path("daemon.sock", environment, found));
    assert_string_equal(found, wanted);
    assert_true(daemon_ctl_default_path("other/daemon.sock", environment, found));
    assert_string_equal(found, wanted); // a service has one of its own
    wanted[strlen(wanted) - strlen("/daemon.sock")] = '\0';
    assert_int_equal(rmdir(wanted), 0);
    runtime[0] = 'x';
    if (geteuid() != 0) {
        snprintf(wanted, sizeof wanted, "%s/fairlead/daemon.sock", folder);
        assert_true(daemon_ctl_default_path("daemon.sock", environment, found));
        assert_string_equal(found, wanted);
        xdg[0] = 'x';
        assert_false(daemon_ctl_default_path("daemon.sock", environment, found));
    }
}

static void is_found_where_it_is(void **state)
{
    char xdg[128];
    char found[IO_LOCAL_PATH_MAX + 1];
    char wanted[128];
    char *environment[] = {xdg, NULL};
    int listener = -1;

    (void)state;
    snprintf(xdg, sizeof xdg, "XDG_RUNTIME_DIR=%s", folder);
    snprintf(wanted, sizeof wanted, "%s/fairlead", folder);
    assert_int_equal(mkdir(wanted, 0700), 0);
    snprintf(wanted, sizeof wanted, "%s/fairlead/daemon_ctl.sock", folder);
    assert_int_equal(io_local_listen(wanted, &listener), 0);
    assert_true(daemon_ctl_find_path("daemon_ctl.sock", environment, found));
    assert_string_equal(found, wanted);
    io_fd_close(&listener);
    assert_int_equal(unlink(wanted), 0);
    snprintf(wanted, sizeof wanted, "%s/fairlead", folder);
    assert_int_equal(rmdir(wanted), 0);
    snprintf(wanted, sizeof wanted, "%s/other", folder);
    assert_int_equal(mkdir(wanted, 0700), 0);
    snprintf(wanted, sizeof wanted, "%s/other/daemon_ctl.sock", folder);
    assert_int_equal(io_local_listen(wanted, &listener), 0);
    assert_true(daemon_ctl_find_path("other/daemon_ctl.sock", environment, found));
    assert_string_equal(found, wanted);
    io_fd_close(&listener);
    assert_int_equal(unlink(wanted), 0);
    snprintf(wanted, sizeof wanted, "%s/other", folder);
    assert_int_equal(rmdir(wanted), 0);
    // /run/fairlead is root's alone.
    assert_int_equal(daemon_ctl_find_path("daemon_ctl.sock", no_environment, found),
                     geteuid() == 0);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_a_line_and_closes, open_all, close_all),
        cmocka_unit_test_setup_teardown(answers_later_to_who_waits_for_it, open_all, close_all),
        cmocka_unit_test_setup_teardown(sends_what_does_not_fit_at_once, open_all, close_all),
        cmocka_unit_test_setup_teardown(drops_who_says_too_much_or_nothing, open_all, close_all),
        cmocka_unit_test_setup_teardown(has_room_for_so_many_of_which_the_oldest_goes, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(answers_nobody_else, open_all, close_all),
        cmocka_unit_test_setup_teardown(says_when_it_cannot_be_had, open_all, close_all),
        cmocka_unit_test_setup_teardown(says_to_an_ordinary_user_that_there_is_no_place, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(has_a_place_of_its_own_without_one, open_all, close_all),
        cmocka_unit_test_setup_teardown(is_found_where_it_is, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
