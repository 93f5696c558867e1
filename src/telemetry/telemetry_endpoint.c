// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_endpoint.h"

#include <assert.h>

#include "http/http_url.h"

bool telemetry_endpoint_read(struct bytes text, bool may_be_bare, struct telemetry_endpoint *out)
{
    struct http_authority bare;
    struct http_url url;

    if (text.len > TELEMETRY_ENDPOINT_MAX) {
        return false;
    }
    if (may_be_bare && http_authority_read(text, &bare) && bare.port != 0) {
        *out = (struct telemetry_endpoint){.authority = text};
        return true;
    }
    if (!http_url_read(text, &url) || url.tail.len > 0 ||
        (url.scheme != HTTP_URL_HTTP && url.scheme != HTTP_URL_HTTPS)) {
        return false;
    }
    *out = (struct telemetry_endpoint){
        .is_tls = http_url_is_tls(&url),
        .authority = url.authority_text,
        .path = url.path,
    };
    return true;
}

static const char *path_of(enum telemetry_protocol protocol, enum telemetry_signal signal)
{
    if (protocol == TELEMETRY_GRPC) {
        return signal == TELEMETRY_METRICS
                   ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
                   : "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    }
    return signal == TELEMETRY_METRICS ? "/v1/metrics" : "/v1/traces";
}

void telemetry_endpoint_url(const struct telemetry_endpoint *endpoint,
                            enum telemetry_protocol protocol, enum telemetry_signal signal,
                            bool is_whole, char url[TELEMETRY_ENDPOINT_URL_MAX])
{
    struct wr wr = wr_init((uint8_t *)url, TELEMETRY_ENDPOINT_URL_MAX);
    struct bytes path = endpoint->path;

    wr_text(&wr, endpoint->is_tls ? "https://" : "http://");
    wr_bytes(&wr, endpoint->authority);
    if (protocol == TELEMETRY_HTTP && is_whole) {
        wr_bytes(&wr, path);
        if (path.len == 0) {
            wr_u8(&wr, '/');
        }
    } else {
        if (protocol == TELEMETRY_HTTP && path.len > 0) {
            const bool has_slash = path.ptr[path.len - 1] == '/';
            wr_bytes(&wr, bytes_first(path, path.len - has_slash));
        }
        wr_text(&wr, path_of(protocol, signal));
    }
    wr_u8(&wr, 0);
    assert(wr_ok(&wr)); // an endpoint is not longer than it may be
}
