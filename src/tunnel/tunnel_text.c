// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_fd.h"

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
