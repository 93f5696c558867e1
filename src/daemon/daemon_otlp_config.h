// SPDX-License-Identifier: Apache-2.0
// The part of the configuration that is about OTLP.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "telemetry/telemetry_endpoint.h"
#include "telemetry/telemetry_otlp_metrics.h"

enum { DAEMON_OTLP_CONFIG_SIGNALS = TELEMETRY_TRACES + 1 };

struct daemon_otlp_config_signal {
    bool is_on;
    bool is_whole; // telemetry_endpoint_url()
    enum telemetry_protocol protocol;
    struct telemetry_endpoint endpoint;
    struct bytes headers;     // well formed
    struct bytes certificate; // a file's name; empty: the system's certificates
    bool is_compressed;       // by gzip
    uint32_t timeout_ms;
};

// All zero: nothing is sent.
struct daemon_otlp_config {
    const char *service; // service.name and .namespace if the operator does not say
    const char *space;
    struct daemon_otlp_config_signal signals[DAEMON_OTLP_CONFIG_SIGNALS]; // by telemetry_signal
    struct bytes attributes;                                              // well formed
    struct bytes service_name;                                            // empty: not given
    uint32_t interval_ms;
    enum telemetry_otlp_temporality temporality;
    uint64_t sampled; // of 2^32 requests so many become a span
};

// Reads the options of daemon_options_otlp.h, with the names that stand there; what is wrong is
// added to conf->errors. Spans in *out are borrowed from what `conf` borrows.
void daemon_otlp_config_read(struct conf *conf, const char *service, const char *space,
                             struct daemon_otlp_config *out);

// Something is to be sent.
bool daemon_otlp_config_is_on(const struct daemon_otlp_config *config);

// Makes the resource of the defaults and of what is configured. False when that is too much.
MUST_USE bool daemon_otlp_config_resource(const struct daemon_otlp_config *config,
                                          struct telemetry_resource *out);
