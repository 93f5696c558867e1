// SPDX-License-Identifier: Apache-2.0
// Why the fast path cannot be had, in one line for the operator.
#pragma once

#include "base/macro.h"

enum { XDP_REASON_MAX = 256 }; // bytes with the terminator

struct xdp_reason {
    char text[XDP_REASON_MAX]; // without a full stop or a newline; valid when a call failed
};

// Writes the line, as printf(3) does; what does not fit is cut.
void xdp_reason_set(struct xdp_reason *reason, const char *format, ...) PRINTF_LIKE(2, 3);

// Writes why the kernel refused the program or its maps with `error` (negative): a capability that
// this process has not, a kernel that is too old, too little locked memory, or the error's text.
void xdp_reason_of_load(struct xdp_reason *reason, int error);
