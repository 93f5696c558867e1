// SPDX-License-Identifier: Apache-2.0
// A stand: a standing connection that was asked for, and then one that is there and waits for a
// client.
#pragma once

#include "base/bytes.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_preface.h"

struct revtun_hub;

struct revtun_stand {
    struct chain_link chain; // among those of its control connection
    uint64_t id;
    uint64_t conn;
    uint64_t asked_ns;
    uint32_t link;
    bool is_there;
    uint8_t zero[3];
    uint8_t preface[REVTUN_PREFACE_LEN];
};

// Asks a control connection for some of those that are wanted of it; later, if there is no room.
void revtun_stand_ask(struct revtun_hub *hub, struct now now, uint32_t index);
// The one that was asked for by this id at a control connection and has not come, or POOL_NONE.
uint32_t revtun_stand_find(const struct revtun_hub *hub, uint32_t link, uint64_t id);
// It has come.
struct pool_ref revtun_stand_come(struct revtun_hub *hub, uint32_t index, uint64_t conn,
                                  const uint8_t raw[REVTUN_PREFACE_LEN]);
// Takes one that is there for a client, with the head that tells of it; borrowed until the next
// call of the hub. False, with both untouched, when none is there.
MUST_USE bool revtun_stand_use(struct revtun_hub *hub, struct now now, uint32_t index,
                               const struct revtun_message *client, uint64_t *conn,
                               struct bytes *head);
// It was missed: forgets it.
void revtun_stand_forget(struct revtun_hub *hub, struct now now, uint32_t index);
// Some that were asked for too long ago and have not come are forgotten, and the agent is told.
void revtun_stand_give_up(struct revtun_hub *hub, struct now now, uint32_t index);
// Forgets one of a control connection that is lost; resets it, if it is there. False: there is
// none.
bool revtun_stand_dismiss(struct revtun_hub *hub, uint32_t link);
