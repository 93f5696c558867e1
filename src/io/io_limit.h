// SPDX-License-Identifier: Apache-2.0
// How many descriptors this process may have.
#pragma once

#include <stdint.h>

#include "base/macro.h"

// Raises the soft limit of descriptors to the hard one and says what it is now.
MUST_USE int io_limit_raise(uint64_t *out);
