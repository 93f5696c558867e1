// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_log.h"

#include <assert.h>
#include <unistd.h>

#include "log/log.h"

void daemon_log_open(const struct daemon_config *config)
{
    log_open(STDOUT_FILENO, LOG_LEVEL_INFO, config->log_format);
    daemon_log_filter(config);
}

void daemon_log_filter(const struct daemon_config *config)
{
    uint8_t text[LOG_FILTER_ERROR_MAX];
    struct wr error = wr_init(text, sizeof text);
    const bool is_set = log_filter_set(config->log_filter, &error);

    assert(is_set); // the configuration has been read, and the filter with it
}
