// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "outlet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    int fd;     // that is caught
    int kept;   // what it was
    int memory; // a file of its own
    char text[1 << 16];
} outlet;

void outlet_open(int fd)
{
    fflush(NULL);
    outlet.fd = fd;
    outlet.kept = dup(fd);
    outlet.memory = memfd_create("outlet", MFD_CLOEXEC);
    assert_true(outlet.kept >= 0 && outlet.memory >= 0);
    assert_int_equal(dup2(outlet.memory, fd), fd);
}

const char *outlet_close(void)
{
    fflush(NULL);
    assert_int_equal(dup2(outlet.kept, outlet.fd), outlet.fd);
    const ssize_t len = pread(outlet.memory, outlet.text, sizeof outlet.text - 1, 0);
    assert_true(len >= 0);
    outlet.text[len] = '\0';
    close(outlet.kept);
    close(outlet.memory);
    return outlet.text;
}
