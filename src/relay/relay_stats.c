// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_stats.h"

#include <assert.h>

#include "log/log.h"

const struct metric relay_stats_metrics[RELAY_STATS_COUNT] = {
#define RELAY_STATS_METRIC(name, unit, help)                                                       \
    {#name, unit, help, offsetof(struct relay_stats, name)},
    RELAY_STATS(RELAY_STATS_METRIC)
#undef RELAY_STATS_METRIC
};

enum { FIELD_MAX = 64 };

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
        log_write(LOG_LEVEL_INFO, message, fields);
    }
}
