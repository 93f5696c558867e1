// SPDX-License-Identifier: Apache-2.0
// What a spoke hears from the relay.
#pragma once

#include "revtun/revtun_spoke_priv.h"

// Takes at most one line off what has come on a link that is up.
void revtun_spoke_hear(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                       struct bytes *received);
