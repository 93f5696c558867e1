// SPDX-License-Identifier: Apache-2.0
// What is read as a date lies in the years that four digits can say, or two near a given one.
#include "http/http_date.h"

#include <assert.h>

#include "fuzz/fuzz.h"

enum { NOW_S = 1700000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes text = {data, size};
    int64_t then_s = 4711;

    if (!http_date_read(text, NOW_S, &then_s)) {
        assert(then_s == 4711);
        return 0;
    }
    assert(size >= 24); // the shortest form
    assert(then_s >= INT64_C(-62167219200));
    assert(then_s < INT64_C(253402300801));
    return 0;
}
