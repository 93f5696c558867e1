// SPDX-License-Identifier: Apache-2.0
#include "support/dies.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bool dies(dies_fn call, void *context)
{
    int status = 0;
    pid_t child = fork();

    assert(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDERR_FILENO); // at worst the message is seen
        call(context);
        _exit(0);
    }
    pid_t waited = waitpid(child, &status, 0);
    assert(waited == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
