// SPDX-License-Identifier: Apache-2.0
// What `fairlead-probe bench` is told: typed values of its options.
#pragma once

#include "base/addr.h"
#include "conf/conf.h"
#include "probe/probe_endpoint.h"

enum {
    PROBE_CONFIG_KINDS_MAX = 4,         // sizes, and lengths of trains
    PROBE_CONFIG_FLOODS_MAX = 8,        // rates of floods
    PROBE_CONFIG_SIZE_MIN = 24,         // bytes: what a sample of latency needs (probe_sample.h)
    PROBE_CONFIG_TRAIN_LEN_MAX = 65000, // bytes of a train: one datagram of GSO holds it
};

enum probe_way {
    PROBE_TO_PEERS,
    PROBE_TO_CLIENTS,
    PROBE_BOTH_WAYS,
    PROBE_WAY_COUNT,
};
extern const char *const probe_config_ways[PROBE_WAY_COUNT];

enum probe_part {
    PROBE_OVERLOAD,
    PROBE_RATE,
    PROBE_LATENCY,
    PROBE_ALLOCATE,
    PROBE_FLOOD,
    PROBE_PART_COUNT,
};
extern const char *const probe_config_parts[PROBE_PART_COUNT];

struct probe_config {
    struct probe_endpoint server;
    struct addr peer; // port 0; ADDR_NONE: not given
    struct bytes username;
    struct bytes password;
    struct bytes secret; // of TURN REST; empty: username and password
    uint32_t client_count;
    uint32_t allocation_count;
    uint32_t sizes[PROBE_CONFIG_KINDS_MAX]; // bytes
    uint32_t size_count;
    uint32_t trains[PROBE_CONFIG_KINDS_MAX]; // packets
    uint32_t train_count;
    uint32_t flood_rates[PROBE_CONFIG_FLOODS_MAX];
    uint32_t flood_rate_count;
    bool ways[PROBE_WAY_COUNT];
    bool parts[PROBE_PART_COUNT];
    uint32_t rate; // packets a second; 0: to be found
    uint32_t seconds;
    bool is_json;
};

// Reads all options. False when there are errors, which stand in conf->errors. Spans are borrowed
// from `conf`.
MUST_USE bool probe_config_read(struct conf *conf, struct probe_config *out);
