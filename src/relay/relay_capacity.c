// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_capacity.h"

#include <stdbool.h>

#include "io/io_cpu.h"
#include "io/io_limit.h"
#include "log/log.h"
#include "relay/relay_crew.h"
#include "relay/relay_web.h"

enum {
    WORKERS_PART = 4,       // of the descriptors their own take no more than one in so many
    OTHER_DESCRIPTORS = 32, // of the control thread, and some to spare
};

uint32_t relay_capacity_workers(const struct relay_config *config, uint32_t cpus,
                                uint64_t descriptors)
{
    struct relay_config one = *config;

    one.daemon.worker_count = 1;
    const uint64_t fitting = descriptors / WORKERS_PART / relay_crew_descriptors(&one);
    uint32_t count = cpus < DAEMON_CONFIG_WORKER_MAX ? cpus : DAEMON_CONFIG_WORKER_MAX;
    if (fitting < count) {
        count = (uint32_t)fitting;
    }
    return count > 0 ? count : 1;
}

static void choose_workers(struct relay_config *config, uint64_t descriptors)
{
    const uint32_t cpus = io_cpu_count();

    if (config->daemon.worker_count > 0) {
        return;
    }
    config->daemon.worker_count = relay_capacity_workers(config, cpus, descriptors);
    if (config->daemon.worker_count < cpus) {
        LOG_WARN("fewer workers than CPUs: the sockets of more would leave too few descriptors "
                 "(ulimit -n) for allocations",
                 LOG_NUMBER("workers", config->daemon.worker_count), LOG_NUMBER("cpus", cpus),
                 LOG_NUMBER("descriptors", descriptors));
    }
}

void relay_capacity_settle(struct relay_config *config)
{
    uint64_t descriptors = 0;
    uint64_t ports = (uint64_t)config->highest_port - config->lowest_port + 1;
    const uint64_t wanted = config->max_allocations < ports ? config->max_allocations : ports;
    int error = io_limit_raise(&descriptors);

    config->fitting_allocations = (uint32_t)wanted;
    if (error != 0) {
        LOG_WARN("the limit of descriptors is unknown", LOG_ERROR_NUMBER("error", error));
        choose_workers(config, UINT64_MAX);
        return;
    }
    choose_workers(config, descriptors);
    bool has_both =
        config->public_ip4.family != ADDR_NONE && config->public_ip6.family != ADDR_NONE;
    uint64_t others =
        OTHER_DESCRIPTORS + relay_crew_descriptors(config) + relay_web_descriptors(config);
    uint64_t sockets = descriptors > others ? descriptors - others : 0;
    // An allocation may have a relayed socket of each family; most have one.
    const uint64_t fitting = sockets / (has_both ? 2 : 1);
    if (fitting < wanted) {
        config->fitting_allocations = (uint32_t)fitting;
    }
    LOG_INFO("capacity", LOG_NUMBER("allocations", config->fitting_allocations),
             LOG_NUMBER("ports", ports), LOG_NUMBER("descriptors", descriptors));
    if (sockets < wanted) {
        LOG_WARN("the limit of descriptors (ulimit -n) leaves fewer allocations than "
                 "--max-allocations and the ports");
    }
}
