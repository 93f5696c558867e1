// SPDX-License-Identifier: Apache-2.0
// The commands of a spoke: a list that is empty whenever an event comes.
#pragma once

#include "revtun/revtun_spoke_priv.h"

// An event begins: all commands have been taken (asserted).
void revtun_spoke_out_begin(struct revtun_spoke *spoke);
void revtun_spoke_out_add(struct revtun_spoke *spoke, const struct revtun_spoke_command *command);
void revtun_spoke_out_tell(struct revtun_spoke *spoke, const struct revtun_spoke_news *news);
// Says something to the relay.
void revtun_spoke_out_say(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                          const struct revtun_message *message);
