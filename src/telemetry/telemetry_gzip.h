// SPDX-License-Identifier: Apache-2.0
// Compression by gzip (RFC 1952), in one piece.
#pragma once

#include "base/bytes.h"

enum { TELEMETRY_GZIP_MORE = 1024 }; // bytes by which half a MiB may grow, if nothing in it repeats

// Writes it compressed. False when there is no memory, or too little room in `out`.
MUST_USE bool telemetry_gzip_write(struct bytes plain, struct wr *out);
