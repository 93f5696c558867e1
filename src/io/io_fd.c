// SPDX-License-Identifier: Apache-2.0
#include "io/io_fd.h"

#include <unistd.h>

void io_fd_close(int *fd)
{
    if (*fd >= 0) {
        // Linux frees the descriptor whatever close says, and nothing here writes to files.
        IGNORE(close(*fd));
        *fd = -1;
    }
}

int io_fd_take(int *fd)
{
    const int taken = *fd;

    *fd = -1;
    return taken;
}
