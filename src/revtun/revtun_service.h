// SPDX-License-Identifier: Apache-2.0
// A service: a name that an agent has bound, with its port or hosts and its clients.
//
//      BOUND --(control connection lost)--> KEPT --(grace is over)--> ENDED
//        '------------(unbound)--------------------------------------->'
//
// A kept one still takes clients, who wait until the agent comes back. One that has ended gives its
// port and hosts back at once, closes who waits, and lasts until its sessions are over; with
// `is_cut` it ends those too.
#pragma once

#include "base/bytes.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_hosts.h"
#include "revtun/revtun_pattern.h"

struct revtun_hub;

enum revtun_service_state {
    REVTUN_SERVICE_BOUND = 1,
    REVTUN_SERVICE_KEPT,
    REVTUN_SERVICE_ENDED,
};

struct revtun_service {
    struct chain_link chain; // among those of its account
    uint32_t account;
    uint32_t link; // POOL_NONE unless it is bound
    struct revtun_hosts_list hosts;
    uint32_t first_wait; // chain
    uint32_t wait_count;
    uint32_t first_session; // chain
    uint32_t session_count;
    uint32_t max;         // clients at a time; 0: no limit of its own
    struct pool_ref told; // the control connection that is to hear that it was revoked
    uint16_t port;        // 0: it has hosts
    uint8_t state;        // enum revtun_service_state
    bool is_cut;
    uint8_t name_len; // bytes
    uint8_t name[REVTUN_NAME_MAX];
};

struct revtun_service *revtun_service_at(const struct revtun_hub *hub, uint32_t index);
struct bytes revtun_service_name(const struct revtun_service *service);

// What an account has bound or kept under a name, or POOL_NONE.
uint32_t revtun_service_find(const struct revtun_hub *hub, uint32_t account, struct bytes name);
// Makes one, which nobody holds yet and which has no place. Room is asserted.
uint32_t revtun_service_open(struct revtun_hub *hub, uint32_t account, struct bytes name);
// A control connection holds it from now on. Those who wait are announced there, if it is new.
void revtun_service_hold(struct revtun_hub *hub, struct now now, uint32_t index, uint32_t link);
// Its control connection was lost.
void revtun_service_keep(struct revtun_hub *hub, struct now now, uint32_t index);
// It is over, and with `is_cut` its sessions too.
void revtun_service_end(struct revtun_hub *hub, struct now now, uint32_t index, bool is_cut);
// It was taken from its agent by the access list, who is told.
void revtun_service_revoke(struct revtun_hub *hub, struct now now, uint32_t index);
// Forgets it if it has ended and has nothing any more.
void revtun_service_settle(struct revtun_hub *hub, uint32_t index);
// Its port is another one from now on, or none (0): the former one rests.
void revtun_service_set_port(struct revtun_hub *hub, struct now now, uint32_t index, uint16_t port);
// Its timer is due.
void revtun_service_expire(struct revtun_hub *hub, struct now now, uint32_t index);
