// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_tell.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon_errors.h"

enum { HELP_MAX = 1 << 16 }; // bytes

// All of it or, with false, not.
static bool write_whole(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text = bytes_from(text, written > 0 ? (size_t)written : 0);
    }
    return true;
}

int daemon_tell(struct bytes text)
{
    return write_whole(STDOUT_FILENO, text) ? EXIT_SUCCESS : EXIT_FAILURE;
}

void daemon_tell_wrong(struct bytes text)
{
    // A terminal that takes no text leaves nothing to say it to.
    IGNORE(fwrite(text.ptr, 1, text.len, stderr));
}

void daemon_tell_mistake(const char *program, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    IGNORE(fprintf(stderr, "%s: ", program)); // likewise
    IGNORE(vfprintf(stderr, format, arguments));
    IGNORE(fputc('\n', stderr));
    va_end(arguments);
}

void daemon_tell_errors(const struct conf_errors *errors, const char *program)
{
    static uint8_t text[DAEMON_ERRORS_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    daemon_errors_write(&wr, errors, program);
    daemon_tell_wrong(wr_done(&wr));
}

static int tell_help(const struct conf_table *table, const struct conf_program *program)
{
    static uint8_t text[HELP_MAX];
    struct wr wr = wr_init(text, sizeof text);

    conf_help_write(&wr, table, program);
    return daemon_tell(wr_done(&wr));
}

// The program's name, and this behind it.
static int tell_of(const struct conf_program *program, const char *more)
{
    uint8_t text[256];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, program->name);
    wr_text(&wr, more);
    assert(wr_ok(&wr));
    return daemon_tell(wr_done(&wr));
}

int daemon_tell_outcome(const struct daemon_load *load, enum daemon_load_outcome outcome,
                        const struct conf_program *program)
{
    switch (outcome) {
    case DAEMON_LOAD_RUN:
        break;
    case DAEMON_LOAD_HELP:
        return tell_help(load->conf.table, program);
    case DAEMON_LOAD_VERSION:
        return tell_of(program, " " FAIRLEAD_VERSION "\n");
    case DAEMON_LOAD_CHECKED:
        return tell_of(program, ": the configuration is good\n");
    case DAEMON_LOAD_WRONG:
        daemon_tell_errors(&load->conf.errors, program->name);
        return DAEMON_TELL_EXIT_WRONG;
    }
    assert(!"it is to run");
    return EXIT_FAILURE;
}
