// SPDX-License-Identifier: Apache-2.0
#include "io/io_random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void io_random_fill(uint8_t *ptr, size_t len)
{
    while (len > 0) {
        const ssize_t got = getrandom(ptr, len, 0);

        if (got > 0) {
            ptr += got;
            len -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            abort();
        }
    }
}
