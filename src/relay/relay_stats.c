// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_stats.h"

#include <assert.h>

#include "log/log.h"

const struct metric relay_stats_metrics[RELAY_STATS_COUNT] = {
#define RELAY_STATS_ROW(name, unit, help) METRIC_ROW(struct relay_stats, name, unit, help)
    RELAY_STATS(RELAY_STATS_ROW)
#undef RELAY_STATS_ROW
};

static const uint64_t times[RELAY_STATS_TIME_COUNT] = {
    5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};
const struct histogram_bounds relay_stats_times = {times, RELAY_STATS_TIME_COUNT};

enum { FIELD_MAX = 96 };

void relay_stats_log(const char *message, const struct metric *metrics, size_t count,
                     const void *counters)
{
    struct log_field fields[FIELD_MAX + 1];
    size_t used = 0;

    assert(count <= FIELD_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = metric_value(&metrics[i], counters);
        if (value != 0) {
            fields[used++] = (struct log_field)LOG_NUMBER(metrics[i].name, value);
        }
    }
    fields[used] = (struct log_field){.kind = LOG_FIELD_END};
    if (used > 0) {
        log_write(__FILE_NAME__, LOG_LEVEL_INFO, message, fields);
    }
}
