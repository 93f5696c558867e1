// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
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

void daemon_file_free(struct bytes *text)
{
    // It is ours: daemon_file_read() handed it out.
    wipe_and_free((uint8_t *)(uintptr_t)text->ptr, text->len);
    *text = (struct bytes){0};
}

static int read_all(int fd, size_t most, struct bytes *out)
{
    size_t len = 0;
    uint8_t *text = malloc(most + 1);
    if (text == NULL) {
        return -ENOMEM;
    }
    while (len <= most) {
        ssize_t part = read(fd, text + len, most + 1 - len);
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

int daemon_file_read(const char *path, struct bytes *out)
{
    IO_FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : read_all(fd, DAEMON_FILE_MAX, out);
}

int daemon_file_read_again(const char *path, struct bytes *out)
{
    return daemon_file_read_most(path, DAEMON_FILE_MAX, out);
}

int daemon_file_read_most(const char *path, size_t most, struct bytes *out)
{
    struct stat status;
    IO_FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0) {
        return -errno;
    }
    return S_ISFIFO(status.st_mode) ? -ESPIPE : read_all(fd, most, out);
}
