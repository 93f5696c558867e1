// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

// Set once before there are threads, only read afterwards.
static struct {
    int fd;
    enum log_line_format format;
    bool is_coloured;
} settings = {.fd = STDOUT_FILENO, .format = LOG_LINE_HUMAN};

// Held from the question whether the output has room until the line is written.
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t unreported_count; // dropped lines that no line has reported; locked
static _Atomic uint64_t all_dropped_count;

void log_open(int fd, enum log_level level, enum log_line_format format)
{
    assert(fd >= 0);
    settings.fd = fd;
    log_filter_set_level(level);
    settings.format = format;
    settings.is_coloured = format == LOG_LINE_HUMAN && isatty(fd) == 1;
}

bool log_is_on(const char *file, enum log_level level)
{
    return log_filter_allow(file, level);
}

uint64_t log_dropped_count(void)
{
    return atomic_load_explicit(&all_dropped_count, memory_order_relaxed);
}

// Whether a write of PIPE_BUF bytes would neither wait nor raise SIGPIPE: a pipe that is ready for
// writing takes that much. The descriptor is not made non-blocking, because that would change it
// for the shell and for whoever else shares the terminal, too.
static bool has_room(void)
{
    struct pollfd output = {.fd = settings.fd, .events = POLLOUT};

    return poll(&output, 1, 0) == 1 && output.revents == POLLOUT;
}

static void write_line(struct log_line *line)
{
    uint8_t text[LOG_LINE_MAX];
    bool is_written = false;

    pthread_mutex_lock(&output_lock);
    if (has_room()) {
        line->dropped_count = unreported_count;
        const size_t len = log_line_write(text, line, settings.format, settings.is_coloured);
        is_written = write(settings.fd, text, len) == (ssize_t)len;
    }
    if (is_written) {
        unreported_count = 0;
    } else {
        unreported_count++;
        atomic_fetch_add_explicit(&all_dropped_count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&output_lock);
}

static struct timespec clock_at(clockid_t clock)
{
    struct timespec at = {0};

    const int result = clock_gettime(clock, &at);
    assert(result == 0);
    return at;
}

static void write_now(const char *file, enum log_level level, const char *message,
                      const struct log_field *fields, uint64_t suppressed_count)
{
    const struct timespec wall = clock_at(CLOCK_REALTIME);

    write_line(&(struct log_line){
        .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
        .level = level,
        .target = log_filter_target(file),
        .message = message,
        .fields = fields,
        .suppressed_count = suppressed_count,
    });
}

void log_write(const char *file, enum log_level level, const char *message,
               const struct log_field *fields)
{
    if (log_is_on(file, level)) {
        write_now(file, level, message, fields, 0);
    }
}

void log_write_limited(struct log_limit *limit, const char *file, enum log_level level,
                       const char *message, const struct log_field *fields)
{
    const struct timespec mono = clock_at(CLOCK_MONOTONIC);
    const uint64_t mono_ns = (uint64_t)mono.tv_sec * SECOND_NS + (uint64_t)mono.tv_nsec;
    uint64_t suppressed_count = 0;

    if (log_is_on(file, level) && log_limit_take(limit, mono_ns, &suppressed_count)) {
        write_now(file, level, message, fields, suppressed_count);
    }
}
