// SPDX-License-Identifier: Apache-2.0
// What is no duration leaves the result alone; what is one fits in 32 bits of each unit.
#include "conf/conf_duration.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t seconds = UINT64_MAX;

    if (conf_duration_read((struct bytes){data, size}, &seconds)) {
        assert(seconds <= UINT64_C(90061) * UINT32_MAX); // a day, an hour, a minute, a second
    } else {
        assert(seconds == UINT64_MAX);
    }
    return 0;
}
