// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_local.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"

static char folder[] = "/tmp/io_local.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/socket", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void knows_who_connects(void **state)
{
    uint32_t uid = 4711;
    int listener = -1;
    int client = -1;
    int server = -1;
    struct stat status;

    (void)state;
    assert_int_equal(io_local_listen(path, &listener), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(io_local_accept(listener, &server, &uid), -EAGAIN);
    assert_int_equal(io_local_connect(path, 1, &client), 0);
    assert_int_equal(io_local_accept(listener, &server, &uid), 0);
    assert_int_equal(uid, getuid());
    assert_int_equal(write(client, "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(server, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(read(client, &byte, 1), -1); // it waits a second, and no longer
    assert_int_equal(errno, EAGAIN);
    io_fd_close(&client);
    io_fd_close(&server);
    io_fd_close(&listener);
}

static void replaces_what_nobody_serves_and_nothing_else(void **state)
{
    int listener = -1;
    int other = -1;

    (void)state;
    assert_int_equal(io_local_listen(path, &listener), 0); // the one of the test before is there
    assert_int_equal(io_local_listen(path, &other), -EADDRINUSE);
    assert_int_equal(other, -1);
    io_fd_close(&listener);
    assert_int_equal(io_local_listen(path, &listener), 0);
    io_fd_close(&listener);
    assert_int_equal(unlink(path), 0);
    other = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(other >= 0);
    io_fd_close(&other);
    assert_int_equal(io_local_listen(path, &listener), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
}

// In a process of its own: waits for the others, tries, and lives until all have tried.
static void contend(int start, int over)
{
    int listener = -1;
    char byte = 0;

    IGNORE(read(start, &byte, 1)); // nothing comes but the end
    const int error = io_local_listen(path, &listener);
    IGNORE(write(over, error == 0 ? "y" : "n", 1));
    alarm(60); // whatever becomes of the test
    pause();
}

// Each finds a socket that nobody serves; one of them may replace it, and nobody that one.
static void of_all_who_come_at_once_one_gets_the_path(void **state)
{
    enum { CONTENDERS = 8, ROUNDS = 25 };

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[CONTENDERS];
        int start[2], over[2];
        int listener = -1;
        int winners = 0;

        unlink(path);
        assert_int_equal(io_local_listen(path, &listener), 0);
        io_fd_close(&listener); // which leaves the path
        assert_int_equal(pipe2(start, O_CLOEXEC), 0);
        assert_int_equal(pipe2(over, O_CLOEXEC), 0);
        for (int i = 0; i < CONTENDERS; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                close(start[1]);
                contend(start[0], over[1]);
            }
        }
        close(start[0]);
        close(start[1]);
        for (int i = 0; i < CONTENDERS; i++) {
            char byte = 0;
            assert_int_equal(read(over[0], &byte, 1), 1);
            winners += byte == 'y';
        }
        int client = -1;
        assert_int_equal(io_local_connect(path, 1, &client), 0); // it is the winner's
        io_fd_close(&client);
        for (int i = 0; i < CONTENDERS; i++) {
            kill(children[i], SIGKILL);
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
        }
        close(over[0]);
        close(over[1]);
        assert_int_equal(winners, 1);
    }
    unlink(path);
}

// Whoever may look into the directory holds nobody up for long.
static void a_lock_that_is_never_given_back_is_not_waited_for(void **state)
{
    int listener = -1;
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(io_local_listen(path, &listener), 0);
    io_fd_close(&listener);
    io_fd_close(&lock);
}

static void says_what_is_wrong_with_a_path(void **state)
{
    char long_path[IO_LOCAL_PATH_MAX + 2];
    int fd = -1;

    (void)state;
    memset(long_path, 'a', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(io_local_listen(long_path, &fd), -ENAMETOOLONG);
    assert_int_equal(io_local_connect("", 1, &fd), -EINVAL);
    assert_int_equal(io_local_connect("/nowhere/at/all", 1, &fd), -ENOENT);
    assert_int_equal(io_local_listen("/nowhere/at/all", &fd), -ENOENT);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_who_connects),
        cmocka_unit_test(replaces_what_nobody_serves_and_nothing_else),
        cmocka_unit_test(of_all_who_come_at_once_one_gets_the_path),
        cmocka_unit_test(a_lock_that_is_never_given_back_is_not_waited_for),
        cmocka_unit_test(says_what_is_wrong_with_a_path),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
