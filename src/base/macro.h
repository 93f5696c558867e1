// SPDX-License-Identifier: Apache-2.0
// The few macros that every room shares; none of them returns, jumps or declares.
#pragma once

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format, first) __attribute__((__format__(__printf__, format, first)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// Drops a MUST_USE result on purpose; the line above it says why.
#define IGNORE(call) ((void)!(call))
