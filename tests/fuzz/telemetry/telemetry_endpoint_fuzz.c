// SPDX-License-Identifier: Apache-2.0
// What is read as an endpoint becomes a URL of one line without a user, which reads as an endpoint
// again.
#include "telemetry/telemetry_endpoint.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct telemetry_endpoint endpoint;
    char url[TELEMETRY_ENDPOINT_URL_MAX];

    if (!telemetry_endpoint_read((struct bytes){data, size}, true, &endpoint)) {
        return 0;
    }
    for (int i = 0; i < 8; i++) {
        struct telemetry_endpoint again;
        telemetry_endpoint_url(&endpoint, (i & 1) != 0 ? TELEMETRY_GRPC : TELEMETRY_HTTP,
                               (i & 2) != 0 ? TELEMETRY_METRICS : TELEMETRY_TRACES, (i & 4) != 0,
                               url);
        assert(strpbrk(url, " \t\r\n?#\"<>\\") == NULL);
        const size_t len = strlen(url);
        if (len <= TELEMETRY_ENDPOINT_MAX) {
            const bool is_read = telemetry_endpoint_read(bytes_of_text(url), false, &again);
            assert(is_read);
            assert(again.is_tls == endpoint.is_tls);
            assert(bytes_equal(again.authority, endpoint.authority));
        }
    }
    return 0;
}
