// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "io/io_fd.h"

int io_signal_open(int *out)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    IO_FD_AUTO int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    const int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) {
        return -error;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        return -errno;
    }
    *out = io_fd_take(&fd);
    return 0;
}

bool io_signal_read(int fd, int *out)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return false;
    }
    *out = (int)info.ssi_signo;
    return true;
}
