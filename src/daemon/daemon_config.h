// SPDX-License-Identifier: Apache-2.0
// The part of a configuration that each of our daemons has (daemon_options.h), as values.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "log/log_line.h"

enum {
    DAEMON_CONFIG_WORKER_MAX = 256,
    DAEMON_CONFIG_DRAIN_MAX_S = 7 * 86400,
};

// What each daemon serves over HTTP, each at an address of its own.
enum daemon_config_site {
    DAEMON_CONFIG_HEALTH,
    DAEMON_CONFIG_CONTROL,
    DAEMON_CONFIG_METRICS,
    DAEMON_CONFIG_SITE_COUNT,
};

struct daemon_config_place {
    struct addr addr; // ADDR_NONE: it is not served
    bool is_given;    // by the operator, who is to know when it is not to be had
};

struct daemon_config {
    struct daemon_config_place sites[DAEMON_CONFIG_SITE_COUNT];
    enum log_line_format log_format;
    struct bytes log_filter;     // as log_filter_set() takes it
    struct bytes control_socket; // as daemon_ctl_open() takes it
    uint32_t drain_timeout_s;    // 0: it ends at once, whatever is there
    uint32_t worker_count;       // 0: it is left to the program
};

// Reads the options that the table has of these; the others are as if nobody gave them. What is
// wrong is added to conf->errors. Spans in *out are borrowed from what `conf` borrows.
void daemon_config_read(struct conf *conf, struct daemon_config *out);

// Reads an option that is ADDR:PORT or off, such as that of a further site.
void daemon_config_place_read(struct conf *conf, const char *name, struct daemon_config_place *out);
