// SPDX-License-Identifier: Apache-2.0
// The links of a spoke: when they are made, and how they end.
#pragma once

#include "revtun/revtun_spoke_priv.h"

// It speaks with the relay.
bool revtun_spoke_link_is_up(const struct revtun_spoke_link *link);

// When the main link is to be made and can be; NEVER.
uint64_t revtun_spoke_link_connect_deadline(const struct revtun_spoke *spoke);
void revtun_spoke_link_connect(struct revtun_spoke *spoke);
void revtun_spoke_link_up(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                          const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN]);
// The relay has welcomed us.
void revtun_spoke_link_welcome(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                               const struct revtun_message *message);
// The relay is going to end.
void revtun_spoke_link_drain(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                             uint64_t in_s);
// Says good-bye with this code, unless the relay has, and closes it for this reason.
void revtun_spoke_link_end(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                           enum revtun_spoke_why why, enum revtun_message_code code);
void revtun_spoke_link_hear_bye(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                                const struct revtun_message *message);
void revtun_spoke_link_down(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index);

// Nothing new is begun, for this reason.
void revtun_spoke_link_fade(struct revtun_spoke *spoke, enum revtun_spoke_why why,
                            enum revtun_message_code code);
// It fades and has no client: one more link is closed, or all are, and it stops.
void revtun_spoke_link_stop(struct revtun_spoke *spoke, uint64_t now_ns);
bool revtun_spoke_link_is_to_stop(const struct revtun_spoke *spoke);

uint64_t revtun_spoke_link_deadline(const struct revtun_spoke_link *link);
// Its deadline has come.
void revtun_spoke_link_expire(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index);
