// SPDX-License-Identifier: Apache-2.0
// A server as it is named on the command line.
#pragma once

#include "base/addr.h"
#include "conf/conf.h"

enum { PROBE_ENDPOINT_PORT = 3478 }; // of STUN and TURN over UDP

// Reads "ADDR", "ADDR:PORT" or "[ADDR]:PORT". False, with *out untouched, when it is none of them.
MUST_USE bool probe_endpoint_read(struct bytes text, struct addr *out);

// Reads the option "server" so; what is wrong goes to the errors of `conf`.
void probe_endpoint_take(struct conf *conf, struct addr *out);
