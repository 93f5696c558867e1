// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_config.h"

#include "revtun/revtun_line.h"
#include "revtun/revtun_pairs.h"

struct revtun_config revtun_config_default(void)
{
    return (struct revtun_config){
        .control_port = 12000,
        .pair_count = 100,
        .reverse_policy = REVTUN_CONFIG_SAME_IP,
        .max_sessions = 16384,
        .max_sessions_per_pair = 16384,
        .max_waiting = 4096,
        .max_waiting_per_pair = 128,
        .max_waiting_per_address = 64,
    };
}

bool revtun_config_is_sound(const struct revtun_config *config)
{
    return revtun_pairs_fit(config->control_port, config->pair_count) &&
           revtun_line_is_host(config->host) && config->max_sessions >= 1 &&
           config->max_sessions_per_pair >= 1 && config->max_waiting >= 1 &&
           config->max_waiting_per_pair >= 1 && config->max_waiting_per_address >= 1;
}

bool revtun_config_may_follow(const struct revtun_config *next, const struct revtun_config *former)
{
    return revtun_config_is_sound(next) && next->control_port == former->control_port &&
           next->pair_count == former->pair_count && next->max_sessions == former->max_sessions &&
           next->max_waiting == former->max_waiting;
}
