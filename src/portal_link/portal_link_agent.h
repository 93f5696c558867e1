// SPDX-License-Identifier: Apache-2.0
// User-Agent in the form that Firezone's portal takes apart: Debian/12 relay/0.1.0 (x86_64; 6.1.0).
#pragma once

#include "base/bytes.h"

enum { PORTAL_LINK_AGENT_MAX = 320 }; // bytes

// Writes it, of this host; ASCII only.
void portal_link_agent_write(struct wr *wr);

// The value of a variable in the text of os-release(5), without its quotes; empty when it has none.
struct bytes portal_link_agent_find(struct bytes text, const char *name);
