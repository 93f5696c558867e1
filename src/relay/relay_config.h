// SPDX-License-Identifier: Apache-2.0
// What the operator wants, as values: the configuration read, typed and judged as a whole.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "log/log_line.h"
#include "turn/turn_config.h"

struct relay_config {
    struct addr public_ip4; // ADDR_NONE: not given
    struct addr public_ip6;
    struct addr bind_ip4; // perhaps unspecified
    struct addr bind_ip6;
    uint16_t listen_port;
    uint16_t lowest_port;
    uint16_t highest_port;
    struct bytes realm;
    struct turn_user users[CONF_VALUE_MAX];
    size_t user_count;
    struct turn_peer_rule rules[CONF_VALUE_MAX + 1]; // one more than options can give
    size_t rule_count;
    enum log_line_format log_format;
};

// Reads every option out of `conf`; what is wrong is added to conf->errors. True when nothing is.
// Spans in *out are borrowed from what `conf` borrows.
MUST_USE bool relay_config_read(struct conf *conf, struct relay_config *out);
