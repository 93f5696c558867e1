// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "io/io_fd.h"

// The file may hold passwords, read as far as `len`.
static void wipe_and_free(uint8_t *text, size_t len)
{
    if (text != NULL) {
        crypto_wipe(text, len);
        free(text);
    }
}

void relay_file_free(struct bytes *text)
{
    // It is ours: relay_file_read() handed it out.
    wipe_and_free((uint8_t *)(uintptr_t)text->ptr, text->len);
    *text = (struct bytes){0};
}

int relay_file_read(const char *path, struct bytes *out)
{
    IO_FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;

    if (fd < 0) {
        return -errno;
    }
    uint8_t *text = malloc(RELAY_FILE_MAX + 1);
    if (text == NULL) {
        return -ENOMEM;
    }
    while (len <= RELAY_FILE_MAX) {
        ssize_t part = read(fd, text + len, RELAY_FILE_MAX + 1 - len);
        if (part == 0) {
            *out = (struct bytes){text, len};
            return 0;
        }
        if (part < 0 && errno != EINTR) {
            int error = -errno;
            wipe_and_free(text, len);
            return error;
        }
        len += part > 0 ? (size_t)part : 0;
    }
    wipe_and_free(text, len);
    return -EFBIG;
}
