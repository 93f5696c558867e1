// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a query. What is found fits, has no NUL, and is no longer than it was.
#include "http/http_query.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"directives", "a", ""};
    uint8_t room[64];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct wr wr = wr_init(room, sizeof room);
        const enum http_query_outcome outcome =
            http_query_find((struct bytes){data, size}, names[i], &wr);
        if (outcome == HTTP_QUERY_FOUND) {
            const struct bytes found = wr_done(&wr);
            assert(wr_ok(&wr));
            assert(found.len <= size);
            assert(bytes_index(found, 0) == found.len ||
                   bytes_index((struct bytes){data, size}, 0) < size);
        }
        assert(outcome != HTTP_QUERY_LONG || size > sizeof room);
    }
    return 0;
}
