// SPDX-License-Identifier: Apache-2.0
// What tunnel_why.h says of version 2: of agents and their tunnels.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tunnel/tunnel_why.h"

// Behind the number of the port, which is written. False, with nothing written, when it is none of
// version 2.
MUST_USE bool tunnel_why_agents_port_write(struct wr *wr, const struct tunnel_why *why,
                                           uint16_t port);
// The agents whose control connections come from an address; how many.
uint32_t tunnel_why_agents_address_write(struct wr *wr, const struct tunnel_why *why,
                                         const struct addr *address);
// Of a tunnel ("web", "laptop/web"), an agent ("laptop") or a host ("a.test"). There is version 2.
void tunnel_why_agents_word_write(struct wr *wr, const struct tunnel_why *why, struct bytes word);
