// SPDX-License-Identifier: Apache-2.0
// The calls of a spoke: what is connected for clients.
#pragma once

#include "revtun/revtun_spoke_priv.h"

struct revtun_spoke_call *revtun_spoke_call_find(const struct revtun_spoke *spoke,
                                                 struct pool_ref call);

// The relay's words; `message` is what it has said.
void revtun_spoke_call_new(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                           const struct revtun_message *message);
void revtun_spoke_call_stand(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                             const struct revtun_message *message);
void revtun_spoke_call_gone(struct revtun_spoke *spoke, uint32_t link,
                            const struct revtun_message *message);

// It has its client.
void revtun_spoke_call_join(struct revtun_spoke *spoke, struct pool_ref call);
// The relay is told that it cannot be, if it is to know; and forgets it.
void revtun_spoke_call_fail(struct revtun_spoke *spoke, uint64_t now_ns, struct pool_ref call,
                            enum revtun_message_code code, struct bytes text);
// A standing connection's client is told, in these words; BAD: they are none of this relay's.
enum revtun_head_outcome revtun_spoke_call_serve(struct revtun_spoke *spoke, struct pool_ref call,
                                                 struct bytes line);
// Forgets it.
void revtun_spoke_call_forget(struct revtun_spoke *spoke, uint32_t index);
