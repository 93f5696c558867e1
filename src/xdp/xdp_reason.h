// SPDX-License-Identifier: Apache-2.0
// Why the fast path cannot be had, in one line for the operator.
#pragma once

#include <stdbool.h>

#include "base/macro.h"

enum { XDP_REASON_MAX = 256 }; // bytes with the terminator

struct xdp_reason {
    char text[XDP_REASON_MAX]; // without a full stop or a newline; valid when a call failed
};

// Writes the line, as printf(3) does; what does not fit is cut.
void xdp_reason_set(struct xdp_reason *reason, const char *format, ...) PRINTF_LIKE(2, 3);

// This kernel is older than what is needed; *reason says so then.
bool xdp_reason_is_kernel_old(struct xdp_reason *reason);

// Writes why the kernel refused the program or its maps with `error` (negative): a capability that
// this process has not, too little memory, or the error's text.
void xdp_reason_of_load(struct xdp_reason *reason, int error);
