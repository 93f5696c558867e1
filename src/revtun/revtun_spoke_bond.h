// SPDX-License-Identifier: Apache-2.0
// What the services of a spoke have at the relay.
#pragma once

#include "revtun/revtun_spoke_priv.h"

// All that is not given up is asked for on the main link, which is another.
void revtun_spoke_bond_ask_all(struct revtun_spoke *spoke, uint64_t now_ns);
// A link is gone, and what was bound there.
void revtun_spoke_bond_lose_all(struct revtun_spoke *spoke, uint32_t link);

// Asks for the first whose time has come. False: none has.
MUST_USE bool revtun_spoke_bond_ask(struct revtun_spoke *spoke, uint64_t now_ns);
// When one is to be asked for; NEVER.
uint64_t revtun_spoke_bond_deadline(const struct revtun_spoke *spoke);

// The relay's words.
void revtun_spoke_bond_bound(struct revtun_spoke *spoke, uint32_t link,
                             const struct revtun_message *message);
void revtun_spoke_bond_error(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                             const struct revtun_message *message);
void revtun_spoke_bond_unbound(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                               const struct revtun_message *message);

// The service of that name, or its count.
uint32_t revtun_spoke_bond_find(const struct revtun_spoke *spoke, struct bytes name);
