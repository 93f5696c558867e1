// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_equal.h"

#include <nettle/memops.h>

bool crypto_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memeql_sec(a.ptr, b.ptr, a.len) != 0);
}
