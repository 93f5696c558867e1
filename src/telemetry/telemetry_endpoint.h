// SPDX-License-Identifier: Apache-2.0
// Where a collector is: the address that people write, as the URL of a signal.
//
//      collector:4317                    plaintext gRPC, as --otlp-grpc-endpoint has it
//      http://collector:4317             the same
//      https://collector.example/otlp    with TLS; the path is for OTLP over HTTP alone
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { TELEMETRY_ENDPOINT_MAX = 512 }; // bytes of what is written

enum telemetry_signal {
    TELEMETRY_METRICS,
    TELEMETRY_TRACES,
};

enum telemetry_protocol {
    TELEMETRY_GRPC,
    TELEMETRY_HTTP, // OTLP over HTTP, in protobuf
};

struct telemetry_endpoint {
    bool is_tls;
    struct bytes authority; // host, or host:port
    struct bytes path;      // with its slash; empty: none
};

// Reads a URL of http or https with a host, perhaps a port, and perhaps a path; if `may_be_bare`
// also HOST:PORT. No user, query or fragment. False, with *out untouched, when it is anything else.
// *out is borrowed from the text.
MUST_USE bool telemetry_endpoint_read(struct bytes text, bool may_be_bare,
                                      struct telemetry_endpoint *out);

enum { TELEMETRY_ENDPOINT_URL_MAX = TELEMETRY_ENDPOINT_MAX + 128 };

// Writes the URL to which requests of a signal go, with a NUL. gRPC's path is the method's. The
// path of OTLP over HTTP is the endpoint's if `is_whole`, as a signal's own endpoint is; else what
// the standard says follows it.
void telemetry_endpoint_url(const struct telemetry_endpoint *endpoint,
                            enum telemetry_protocol protocol, enum telemetry_signal signal,
                            bool is_whole, char url[TELEMETRY_ENDPOINT_URL_MAX]);
