// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "io/io_fd.h"

enum {
    BACKLOG = 8,
    LOCK_TRIES = 100, // one every 10 ms
};

_Static_assert(IO_LOCAL_PATH_MAX == sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
               "a path and its end");

static int address_of(const char *path, struct sockaddr_un *out)
{
    const size_t len = strlen(path);

    if (len == 0 || len > IO_LOCAL_PATH_MAX) {
        return len == 0 ? -EINVAL : -ENAMETOOLONG;
    }
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, len);
    return 0;
}

static int open_socket(int flags, int *out)
{
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    return *out >= 0 ? 0 : -errno;
}

int io_local_connect(const char *path, uint32_t timeout_s, int *out)
{
    const struct timeval timeout = {.tv_sec = (time_t)timeout_s};
    struct sockaddr_un address;
    int fd = -1;
    int error = address_of(path, &address);

    if (error == 0) {
        error = open_socket(0, &fd);
    }
    if (error == 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
                       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
                       connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)) {
        error = -errno;
    }
    if (error != 0) {
        io_fd_close(&fd);
        return error;
    }
    *out = fd;
    return 0;
}

// Keeps others out who want to listen in the same directory, until it is closed: whoever finds
// there a socket that nobody serves might otherwise remove the one that has just taken its place.
// Whoever may look into the directory may hold that lock, too, so it is not waited for without end,
// and -1 is no reason not to go on.
static int lock_directory(const char *path)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    char directory[IO_LOCAL_PATH_MAX + 2] = ".";
    const char *slash = strrchr(path, '/');

    if (slash != NULL) {
        const size_t len = slash == path ? 1 : (size_t)(slash - path);
        memcpy(directory, path, len);
        directory[len] = '\0';
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES) {
            io_fd_close(&fd);
            break;
        }
        IGNORE(nanosleep(&pause, NULL)); // what cuts it short does no harm
    }
    return fd;
}

// Removes a socket that nobody serves. True when there was one.
static bool remove_stale(const char *path)
{
    struct stat status;
    int fd = -1;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    const int error = io_local_connect(path, 1, &fd);
    io_fd_close(&fd);
    return error == -ECONNREFUSED && unlink(path) == 0;
}

// What is bound takes the mode that the socket has. A mode given to its path could be given to what
// somebody who may write there has put into its place, and we may be root.
static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        return -errno;
    }
    if (listen(fd, BACKLOG) != 0) {
        const int error = -errno;
        IGNORE(unlink(address->sun_path)); // it is of no use
        return error;
    }
    return 0;
}

int io_local_listen(const char *path, int *out)
{
    struct sockaddr_un address;
    int fd = -1;
    int error = address_of(path, &address);

    if (error == 0) {
        error = open_socket(SOCK_NONBLOCK, &fd);
    }
    if (error != 0) {
        return error;
    }
    int lock = lock_directory(path);
    error = bind_and_listen(fd, &address);
    if (error == -EADDRINUSE && remove_stale(path)) {
        error = bind_and_listen(fd, &address);
    }
    io_fd_close(&lock);
    if (error != 0) {
        io_fd_close(&fd);
        return error;
    }
    *out = fd;
    return 0;
}

int io_local_accept(int listen_fd, int *out, uint32_t *uid)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        const int error = -errno;
        io_fd_close(&fd);
        return error;
    }
    *out = fd;
    *uid = peer.uid;
    return 0;
}
