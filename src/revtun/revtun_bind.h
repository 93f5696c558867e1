// SPDX-License-Identifier: Apache-2.0
// Binding: what an agent asks for under a name, and whether it gets it.
//
// If another control connection of the same agent has the name, one of the same instance loses it
// at once, and so does any with `take`. Else that one is pinged, and the code is name_taken with
// `retry`: who asks again when that time is over gets the name unless something was heard from the
// other meanwhile.
#pragma once

#include "base/now.h"
#include "revtun/revtun_message.h"

struct revtun_hub;

void revtun_bind(struct revtun_hub *hub, struct now now, uint32_t link,
                 const struct revtun_message *message);
void revtun_bind_unbind(struct revtun_hub *hub, struct now now, uint32_t link,
                        const struct revtun_message *message);
// Takes from an account what the access list does not allow it any more.
void revtun_bind_review(struct revtun_hub *hub, struct now now, uint32_t account);
