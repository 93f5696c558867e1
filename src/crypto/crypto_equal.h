// SPDX-License-Identifier: Apache-2.0
// Comparison of secrets.
#pragma once

#include "base/bytes.h"

// Equal length and content, in a time that depends on the lengths alone.
MUST_USE bool crypto_equal(struct bytes a, struct bytes b);
