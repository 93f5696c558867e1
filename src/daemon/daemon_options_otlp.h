// SPDX-License-Identifier: Apache-2.0
// The options about OTLP, as a part of a daemon's table (daemon_options.h); daemon_otlp_config.h
// reads them. Environment names are those of OpenTelemetry's specification, for each program; the
// first is Firezone's.
#pragma once

#include "conf/conf_option.h"

// clang-format would put all of it into columns.
// clang-format off

// How requests of one signal are sent: "metrics", and the same in capitals.
#define DAEMON_OPTIONS_OTLP_SIGNAL(heading, signal, SIGNAL)                                        \
    {                                                                                              \
        .name = "otlp-" signal "-protocol",                                                        \
        .environment = "OTEL_EXPORTER_OTLP_" SIGNAL "_PROTOCOL",                                   \
        .placeholder = "NAME",                                                                     \
        .default_note = "that of --otlp-protocol",                                                 \
        .group = (heading),                                                                        \
        .help = "As --otlp-protocol, for " signal " alone.",                                       \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-" signal "-headers",                                                         \
        .environment = "OTEL_EXPORTER_OTLP_" SIGNAL "_HEADERS",                                    \
        .placeholder = "KEY=VALUE,...",                                                            \
        .default_note = "that of --otlp-headers",                                                  \
        .group = (heading),                                                                        \
        .help = "As --otlp-headers, for " signal " alone.",                                        \
        .is_secret = true,                                                                         \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-" signal "-timeout",                                                         \
        .environment = "OTEL_EXPORTER_OTLP_" SIGNAL "_TIMEOUT",                                    \
        .placeholder = "MILLISECONDS",                                                             \
        .default_note = "that of --otlp-timeout",                                                  \
        .group = (heading),                                                                        \
        .help = "As --otlp-timeout, for " signal " alone.",                                        \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-" signal "-compression",                                                     \
        .environment = "OTEL_EXPORTER_OTLP_" SIGNAL "_COMPRESSION",                                \
        .placeholder = "NAME",                                                                     \
        .default_note = "that of --otlp-compression",                                              \
        .group = (heading),                                                                        \
        .help = "As --otlp-compression, for " signal " alone.",                                    \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-" signal "-certificate",                                                     \
        .environment = "OTEL_EXPORTER_OTLP_" SIGNAL "_CERTIFICATE",                                \
        .placeholder = "FILE",                                                                     \
        .default_note = "that of --otlp-certificate",                                              \
        .group = (heading),                                                                        \
        .help = "As --otlp-certificate, for " signal " alone.",                                    \
    }

// `service` and `space` are service.name and service.namespace without these options; `things`
// become spans, and are of a `protocol`.
#define DAEMON_OPTIONS_OTLP(heading, service, space, things, protocol)                             \
    {                                                                                              \
        .name = "otlp-grpc-endpoint",                                                              \
        .environment = "OTLP_GRPC_ENDPOINT",                                                       \
        .placeholder = "HOST:PORT",                                                                \
        .group = (heading),                                                                        \
        .help = "Collector of OpenTelemetry to which metrics and traces go by OTLP over gRPC, in " \
                "plaintext; or a URL, with TLS if it begins with https://. Without any endpoint "  \
                "nothing is sent, and the other options here are not read.",                       \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-endpoint",                                                                   \
        .environment = "OTEL_EXPORTER_OTLP_ENDPOINT",                                              \
        .placeholder = "URL",                                                                      \
        .group = (heading),                                                                        \
        .help = "The same as a URL of http or https, with --otlp-protocol. Over HTTP, "            \
                "/v1/metrics and /v1/traces follow its path. --otlp-grpc-endpoint stands above "   \
                "it.",                                                                             \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-metrics-endpoint",                                                           \
        .environment = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",                                      \
        .placeholder = "URL",                                                                      \
        .group = (heading),                                                                        \
        .help = "For metrics alone, with --otlp-protocol, and over HTTP as it is. It stands "      \
                "above both.",                                                                     \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-traces-endpoint",                                                            \
        .environment = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",                                       \
        .placeholder = "URL",                                                                      \
        .group = (heading),                                                                        \
        .help = "The same for traces.",                                                            \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-protocol",                                                                   \
        .environment = "OTEL_EXPORTER_OTLP_PROTOCOL",                                              \
        .placeholder = "NAME",                                                                     \
        .default_text = "http/protobuf",                                                           \
        .group = (heading),                                                                        \
        .help = "How to speak to endpoints other than --otlp-grpc-endpoint: http/protobuf or "     \
                "grpc.",                                                                           \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-headers",                                                                    \
        .environment = "OTEL_EXPORTER_OTLP_HEADERS",                                               \
        .placeholder = "KEY=VALUE,...",                                                            \
        .group = (heading),                                                                        \
        .help = "Headers of each request to a collector, with percent-encoded values.",            \
        .is_secret = true,                                                                         \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-timeout",                                                                    \
        .environment = "OTEL_EXPORTER_OTLP_TIMEOUT",                                               \
        .placeholder = "MILLISECONDS",                                                             \
        .default_text = "10000",                                                                   \
        .group = (heading),                                                                        \
        .help = "How long a request to a collector may take, up to 60000.",                        \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-compression",                                                                \
        .environment = "OTEL_EXPORTER_OTLP_COMPRESSION",                                           \
        .placeholder = "NAME",                                                                     \
        .default_text = "none",                                                                    \
        .group = (heading),                                                                        \
        .help = "How requests are compressed: gzip or none.",                                      \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-certificate",                                                                \
        .environment = "OTEL_EXPORTER_OTLP_CERTIFICATE",                                           \
        .placeholder = "FILE",                                                                     \
        .default_note = "the system's",                                                            \
        .group = (heading),                                                                        \
        .help = "Certificates to trust when a collector shows its own, in PEM.",                   \
    },                                                                                             \
    DAEMON_OPTIONS_OTLP_SIGNAL(heading, "metrics", "METRICS"),                                     \
    DAEMON_OPTIONS_OTLP_SIGNAL(heading, "traces", "TRACES"),                                       \
    {                                                                                              \
        .name = "otlp-temporality",                                                                \
        .environment = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",                        \
        .placeholder = "NAME",                                                                     \
        .default_text = "lowmemory",                                                               \
        .group = (heading),                                                                        \
        .help = "lowmemory or delta: counters and histograms since the last request that was "     \
                "taken. cumulative: since the start. What goes up and down is cumulative always.", \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-interval",                                                                   \
        .environment = "OTEL_METRIC_EXPORT_INTERVAL",                                              \
        .placeholder = "MILLISECONDS",                                                             \
        .default_text = "60000",                                                                   \
        .group = (heading),                                                                        \
        .help = "How often metrics are sent, from 100 to 3600000.",                                \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-traces-sampler",                                                             \
        .environment = "OTEL_TRACES_SAMPLER",                                                      \
        .placeholder = "NAME",                                                                     \
        .default_text = "parentbased_traceidratio",                                                \
        .group = (heading),                                                                        \
        .help = "Which " things " become a span: always_on, always_off, or traceidratio, a "       \
                "part of them. " protocol " knows no parents, so each of these with "              \
                "parentbased_ in front is the same.",                                              \
    },                                                                                             \
    {                                                                                              \
        .name = "otlp-traces-sampler-arg",                                                         \
        .environment = "OTEL_TRACES_SAMPLER_ARG",                                                  \
        .placeholder = "RATIO",                                                                    \
        .default_text = "0.01",                                                                    \
        .group = (heading),                                                                        \
        .help = "The part, from 0 to 1.",                                                          \
    },                                                                                             \
    {                                                                                              \
        .name = "otel-service-name",                                                               \
        .environment = "OTEL_SERVICE_NAME",                                                        \
        .placeholder = "NAME",                                                                     \
        .default_note = (service),                                                                 \
        .group = (heading),                                                                        \
        .help = "The resource's service.name. It stands above --otel-resource-attributes.",        \
    },                                                                                             \
    {                                                                                              \
        .name = "otel-resource-attributes",                                                        \
        .environment = "OTEL_RESOURCE_ATTRIBUTES",                                                 \
        .placeholder = "KEY=VALUE,...",                                                            \
        .default_note = "service.namespace=" space ", and what tells the version",                 \
        .group = (heading),                                                                        \
        .help = "Attributes of the resource, with percent-encoded values.",                        \
    },                                                                                             \
    {                                                                                              \
        .name = "otel-sdk-disabled",                                                               \
        .environment = "OTEL_SDK_DISABLED",                                                        \
        .group = (heading),                                                                        \
        .help = "Send nothing, whatever the endpoints.",                                           \
    }
// clang-format on
