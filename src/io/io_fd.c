// SPDX-License-Identifier: Apache-2.0
#include "io/io_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void io_fd_close(int *fd)
{
    if (*fd >= 0) {
        // Linux frees the descriptor whatever close says, and nothing here writes to files.
        IGNORE(close(*fd));
        *fd = -1;
    }
}

int io_fd_reserve_standard(void)
{
    int fd = -1;

    do { // open takes the lowest number that is free
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0) {
        return -errno;
    }
    io_fd_close(&fd);
    return 0;
}

int io_fd_take(int *fd)
{
    const int taken = *fd;

    *fd = -1;
    return taken;
}
