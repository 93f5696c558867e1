// SPDX-License-Identifier: Apache-2.0
// What a list is read as is a token and a text, each; and the list gets shorter.
#include "telemetry/telemetry_baggage.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t memory[512];
    struct wr wr = wr_init(memory, sizeof memory);
    struct bytes list = {data, size};

    while (list.len > 0) {
        const size_t len = list.len;
        struct bytes key = {0};
        struct bytes value = {0};
        const enum telemetry_baggage_outcome outcome =
            telemetry_baggage_next(&list, &wr, &key, &value);

        assert(list.len < len);
        if (outcome == TELEMETRY_BAGGAGE_END) {
            assert(list.len == 0);
        } else if (outcome == TELEMETRY_BAGGAGE_PAIR) {
            assert(key.len > 0);
            assert(bytes_index(key, ' ') == key.len);
            assert(telemetry_baggage_is_text(value));
            assert(bytes_index(value, '\n') == value.len);
            assert(value.len <= wr.len);
        } else {
            assert(telemetry_baggage_wrong(outcome)[0] != '\0');
        }
    }
    return 0;
}
