// SPDX-License-Identifier: Apache-2.0
// The input is a sequence of operations on base/pool.h and on its naive double.
#include "fuzz/fuzz.h"
#include "support/pool_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pool_model_run((struct bytes){data, size});
    return 0;
}
