// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_fd.h"

// Reads until the end, or until there is no more room; *len is how much.
static int read_all(int fd, uint8_t *to, size_t room, size_t *len)
{
    ssize_t got = 1;

    while (got > 0 && *len < room) {
        got = read(fd, to + *len, room - *len);
        *len += got > 0 ? (size_t)got : 0;
        if (got < 0 && errno == EINTR) {
            got = 1;
        }
    }
    return got < 0 ? -errno : 0;
}

int tunnel_text_read(const char *path, struct bytes *out)
{
    struct stat stat;
    size_t len = 0;
    // O_NONBLOCK: a FIFO holds nobody up.
    IO_FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &stat) != 0) {
        return -errno;
    }
    if (!S_ISREG(stat.st_mode)) {
        return S_ISDIR(stat.st_mode) ? -EISDIR : -EINVAL;
    }
    if (stat.st_size > TUNNEL_TEXT_MAX) {
        return -EFBIG;
    }
    // One more than there was, to see its end.
    const size_t room = (size_t)stat.st_size + 1;
    uint8_t *text = malloc(room);
    if (text == NULL) {
        return -ENOMEM;
    }
    const int error = read_all(fd, text, room, &len);
    if (error != 0 || len == room) {
        free(text);
        return error != 0 ? error : -EAGAIN; // it grows while it is read
    }
    *out = (struct bytes){text, len};
    return 0;
}

static int write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        const ssize_t put = write(fd, text.ptr, text.len);

        if (put < 0 && errno != EINTR) {
            return -errno;
        }
        text = bytes_from(text, put < 0 ? 0 : (size_t)put);
    }
    return 0;
}

int tunnel_text_write(const char *path, struct bytes text)
{
    char beside[PATH_MAX];
    const int len = snprintf(beside, sizeof beside, "%s.new", path);

    if (len < 0 || (size_t)len >= sizeof beside) {
        return -ENAMETOOLONG;
    }
    IO_FD_AUTO int fd =
        open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return -errno;
    }
    int error = write_all(fd, text);
    if (error == 0 && rename(beside, path) != 0) {
        error = -errno;
    }
    if (error != 0) {
        IGNORE(unlink(beside)); // there is nothing else to do
    }
    return error;
}
