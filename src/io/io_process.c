// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_process.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/now.h"
#include "io/io_fd.h"

enum {
    LINE_MAX_LEN = 1024,
    // proc(5), /proc/self/stat: fields behind the name, of which the first is 3.
    FIELD_FIRST = 3,
    FIELD_THREADS = 20,
    FIELD_START = 22, // in ticks since the system was booted
};

// The beginning of a file as text; empty when it cannot be read.
static void read_line(const char *path, char line[LINE_MAX_LEN])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t len = fd < 0 ? -1 : read(fd, line, LINE_MAX_LEN - 1);

    line[len > 0 ? len : 0] = '\0';
    io_fd_close(&fd);
}

static uint64_t nanoseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_usec * 1000;
}

static uint64_t descriptor_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (directory == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count - 1; // its own
}

static uint64_t unix_time_of(uint64_t ticks)
{
    struct timespec wall;
    struct timespec since_boot;
    const int64_t ticks_per_s = sysconf(_SC_CLK_TCK);

    const int wall_result = clock_gettime(CLOCK_REALTIME, &wall);
    assert(wall_result == 0);
    const int boot_result = clock_gettime(CLOCK_BOOTTIME, &since_boot);
    assert(boot_result == 0);
    assert(ticks_per_s > 0);
    return (uint64_t)(wall.tv_sec - since_boot.tv_sec + (int64_t)ticks / ticks_per_s);
}

static void read_memory(struct io_process *out)
{
    char line[LINE_MAX_LEN];
    char *rest = line;
    const uint64_t page_len = (uint64_t)sysconf(_SC_PAGESIZE);

    read_line("/proc/self/statm", line);
    out->virtual_len = strtoull(rest, &rest, 10) * page_len;
    out->resident_len = strtoull(rest, &rest, 10) * page_len;
}

static void read_start(struct io_process *out)
{
    char line[LINE_MAX_LEN];

    read_line("/proc/self/stat", line);
    const char *behind_name = strrchr(line, ')'); // the name may hold anything
    if (behind_name == NULL) {
        return;
    }
    char *rest = line + (behind_name - line) + 1;
    char *saved = NULL;
    const char *word = strtok_r(rest, " ", &saved);
    for (int field = FIELD_FIRST; word != NULL; field++) {
        if (field == FIELD_THREADS) {
            out->threads = strtoull(word, NULL, 10);
        } else if (field == FIELD_START) {
            out->start_s = unix_time_of(strtoull(word, NULL, 10));
        }
        word = strtok_r(NULL, " ", &saved);
    }
}

struct io_process io_process_read(void)
{
    struct io_process process = {.descriptors = descriptor_count()};
    struct rlimit limit;
    struct rusage usage;

    const int limit_result = getrlimit(RLIMIT_NOFILE, &limit);
    assert(limit_result == 0);
    const int usage_result = getrusage(RUSAGE_SELF, &usage);
    assert(usage_result == 0);
    process.descriptors_max = limit.rlim_cur;
    process.cpu_ns = nanoseconds(&usage.ru_utime) + nanoseconds(&usage.ru_stime);
    read_memory(&process);
    read_start(&process);
    return process;
}
