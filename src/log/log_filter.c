// SPDX-License-Identifier: Apache-2.0
#include "log/log_filter.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    QUOTE_MAX = 64, // bytes of a wrong directive that are repeated
    // What holds until somebody sets something: "info".
    FIRST_LEVEL_COUNT = LOG_LEVEL_INFO + 1,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_directives directives = {.otherwise = FIRST_LEVEL_COUNT}; // locked
// How many levels pass whatever the target is, and how many for any target at all: nearly every
// question is answered by these alone, without the lock.
static _Atomic uint8_t always_count = FIRST_LEVEL_COUNT;
static _Atomic uint8_t ever_count = FIRST_LEVEL_COUNT;

static void replace(const struct log_directives *by)
{
    uint8_t least = by->otherwise;
    uint8_t most = by->otherwise;

    for (size_t i = 0; i < by->count; i++) {
        const uint8_t level_count = by->items[i].level_count;
        least = level_count < least ? level_count : least;
        most = level_count > most ? level_count : most;
    }
    pthread_mutex_lock(&lock);
    directives = *by;
    atomic_store_explicit(&always_count, least, memory_order_relaxed);
    atomic_store_explicit(&ever_count, most, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
}

static void quote(struct wr *wr, struct bytes text)
{
    const struct bytes shown = bytes_first(text, QUOTE_MAX);

    wr_u8(wr, '\'');
    for (size_t i = 0; i < shown.len; i++) {
        const bool is_printable = shown.ptr[i] >= ' ' && shown.ptr[i] < 0x7f;
        wr_u8(wr, is_printable ? shown.ptr[i] : '?');
    }
    wr_text(wr, shown.len < text.len ? "...'" : "'");
}

bool log_filter_set(struct bytes text, struct wr *error)
{
    struct log_directives read;
    const struct log_directives_error wrong = log_directives_read(text, &read);

    if (wrong.predicate != NULL) {
        quote(error, wrong.part);
        wr_u8(error, ' ');
        wr_text(error, wrong.predicate);
        return false;
    }
    replace(&read);
    return true;
}

void log_filter_set_level(enum log_level level)
{
    const struct log_directives all = log_directives_of_level(level);

    replace(&all);
}

struct bytes log_filter_target(const char *file)
{
    const struct bytes name = bytes_of_text(file);

    return bytes_first(name, bytes_index(name, '.'));
}

bool log_filter_allow(const char *file, enum log_level level)
{
    if ((uint8_t)level < atomic_load_explicit(&always_count, memory_order_relaxed)) {
        return true;
    }
    if ((uint8_t)level >= atomic_load_explicit(&ever_count, memory_order_relaxed)) {
        return false;
    }
    pthread_mutex_lock(&lock);
    const bool is_allowed = log_directives_allow(&directives, log_filter_target(file), level);
    pthread_mutex_unlock(&lock);
    return is_allowed;
}
