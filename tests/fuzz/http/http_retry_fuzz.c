// SPDX-License-Identifier: Apache-2.0
#include "http/http_retry.h"

#include <assert.h>

#include "fuzz/fuzz.h"

enum { NOW_S = 1700000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes text = {data, size};
    uint64_t seconds = 4711;
    uint64_t number = 0;

    if (!http_retry_read(text, NOW_S, &seconds)) {
        assert(seconds == 4711);
    } else if (bytes_to_number(bytes_trim(text), HTTP_RETRY_MAX_S, &number)) {
        assert(seconds == number);
    } else {
        assert(seconds <= HTTP_RETRY_MAX_S);
    }
    return 0;
}
