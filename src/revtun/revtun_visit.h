// SPDX-License-Identifier: Apache-2.0
// A visit: a client from its accept to the end of its session. While it waits for its data
// connection it has a wait, which knows what is told of it.
#pragma once

#include "base/addr.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_pattern.h"

struct revtun_visit {
    struct chain_link chain; // among the sessions of its service, once it waits no more
    uint64_t conn;
    struct addr from;
    uint32_t service; // POOL_NONE: its session was cut off
    uint32_t wait;    // POOL_NONE: it is a session
    uint8_t zero[4];
    uint64_t since_ns; // its accept
};

struct revtun_wait {
    struct chain_link chain; // among those of its service
    uint64_t id;             // 0: it is not announced
    uint64_t until_ns;       // when it is closed, if its name is bound
    uint32_t visit;
    uint32_t source;
    struct addr dst;
    uint8_t host_len; // bytes
    uint8_t host[REVTUN_HOST_MAX];
    uint8_t zero[6];
};

// A client of a service has come: it waits, is joined, or is refused; its index is POOL_NONE then.
// It needs a place to wait even if a standing connection is there for it.
struct pool_ref revtun_visit_open(struct revtun_hub *hub, struct now now, uint32_t index,
                                  const struct revtun_hub_client *client);
// Nothing that was announced of a service's clients holds any more. If it is bound, they are
// announced again.
void revtun_visit_recall(struct revtun_hub *hub, struct now now, uint32_t index);
// The agent has read what was said, so that those who were withheld may be announced.
void revtun_visit_announce_withheld(struct revtun_hub *hub, uint32_t index);
// Who waits with this id at a control connection, as the index of its wait, or POOL_NONE.
uint32_t revtun_visit_find(const struct revtun_hub *hub, uint32_t link, uint64_t id);
// A data connection has come for who waits.
void revtun_visit_accept(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t conn);
// The agent has none for who waits.
void revtun_visit_deny(struct revtun_hub *hub, uint32_t index);
// Closes one of those who wait for a service that has ended, or ends one of its sessions if it is
// cut. False when there is none.
bool revtun_visit_dismiss(struct revtun_hub *hub, uint32_t index);
// It is gone by itself.
void revtun_visit_gone(struct revtun_hub *hub, struct now now, uint32_t index);
// The timer of who waits is due.
void revtun_visit_expire(struct revtun_hub *hub, struct now now, uint32_t index);
