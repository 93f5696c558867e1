// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stand.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_head.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"

_Static_assert(sizeof(struct revtun_stand) % 8 == 0, "as a pool wants its items");

enum {
    LINE_END_LEN = 2,
    AT_A_TIME = 4, // that are asked for, or given up
};
_Static_assert((int)AT_A_TIME <= (int)REVTUN_HUB_STEP, "they are one expiry's");

static struct revtun_stand *stand_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->stands, index);
}

static void ask(struct revtun_hub *hub, struct now now, uint32_t index, uint32_t place)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    struct revtun_stand *stand = stand_at(hub, place);

    stand->id = revtun_hub_new_id(hub, place);
    stand->link = index;
    stand->asked_ns = now.mono_ns;
    chain_add(&hub->stands, &link->first_stand, place);
    link->stand_count++;
    link->wanted_count--;
    revtun_link_say(hub, now, index,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_STANDBY,
                        .standby = {.id = stand->id},
                    });
}

void revtun_stand_ask(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    const uint64_t stale_ns = now.mono_ns + hub->config.ttl_s * SECOND_NS;
    struct pool_ref ref = {0};

    for (int i = 0; i < AT_A_TIME && link->wanted_count > 0; i++) {
        if (!pool_take(&hub->stands, &ref)) {
            link->want_ns = now.mono_ns + hub->config.ping_s * SECOND_NS;
            return;
        }
        ask(hub, now, index, ref.index);
        link->stale_ns = stale_ns < link->stale_ns ? stale_ns : link->stale_ns;
    }
    link->want_ns = link->wanted_count > 0 ? now.mono_ns : NEVER;
}

uint32_t revtun_stand_find(const struct revtun_hub *hub, uint32_t link, uint64_t id)
{
    const uint32_t index = revtun_hub_index_of_id(id);

    if (!pool_has(&hub->stands, index)) {
        return POOL_NONE;
    }
    const struct revtun_stand *stand = stand_at(hub, index);
    return stand->id == id && stand->link == link && !stand->is_there ? index : POOL_NONE;
}

struct pool_ref revtun_stand_come(struct revtun_hub *hub, uint32_t index, uint64_t conn,
                                  const uint8_t raw[REVTUN_PREFACE_LEN])
{
    struct revtun_stand *stand = stand_at(hub, index);

    assert(!stand->is_there);
    stand->is_there = true;
    stand->conn = conn;
    memcpy(stand->preface, raw, sizeof stand->preface);
    return pool_ref(&hub->stands, index);
}

static void take_off(struct revtun_hub *hub, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, stand_at(hub, index)->link);

    chain_remove(&hub->stands, &link->first_stand, index);
    assert(link->stand_count > 0);
    link->stand_count--;
    pool_give(&hub->stands, index);
}

// The head is written where the text of the next command belongs, which is its JOIN.
static struct bytes head_of(struct revtun_hub *hub, const struct revtun_link *link,
                            const struct revtun_stand *stand, const struct revtun_message *client)
{
    uint8_t line[REVTUN_OUTBOX_TEXT_MAX];
    struct wr line_wr = wr_init(line, sizeof line);
    struct wr wr = revtun_outbox_text(&hub->outbox);

    revtun_message_write(&line_wr, client);
    assert(wr_ok(&line_wr));
    revtun_head_write(&wr, bytes_first(wr_done(&line_wr), line_wr.len - LINE_END_LEN),
                      stand->preface, link->secrets.head);
    assert(wr_ok(&wr));
    return wr_done(&wr);
}

bool revtun_stand_use(struct revtun_hub *hub, struct now now, uint32_t index,
                      const struct revtun_message *client, uint64_t *conn, struct bytes *head)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    uint32_t found = link->first_stand;

    while (found != POOL_NONE && !stand_at(hub, found)->is_there) {
        found = stand_at(hub, found)->chain.next;
    }
    if (found == POOL_NONE) {
        return false;
    }
    const struct revtun_stand *stand = stand_at(hub, found);
    *head = head_of(hub, link, stand, client);
    *conn = stand->conn;
    take_off(hub, found);
    revtun_link_stand_used(hub, now, index);
    return true;
}

void revtun_stand_forget(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const uint32_t link = stand_at(hub, index)->link;

    take_off(hub, index);
    revtun_link_stand_missed(hub, now, link);
}

void revtun_stand_give_up(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    uint32_t next = POOL_NONE;
    int count = 0;

    link->stale_ns = NEVER;
    for (uint32_t i = link->first_stand; i != POOL_NONE; i = next) {
        const struct revtun_stand *stand = stand_at(hub, i);
        const uint64_t stale_ns = stand->asked_ns + hub->config.ttl_s * SECOND_NS;
        const struct revtun_message gone = {
            .verb = REVTUN_MESSAGE_GONE,
            .gone = {.id = stand->id, .code = REVTUN_MESSAGE_CODE_TIMEOUT},
        };
        next = stand->chain.next;
        if (stand->is_there) {
            continue;
        }
        if (stale_ns > now.mono_ns || count == AT_A_TIME) {
            link->stale_ns = stale_ns < link->stale_ns ? stale_ns : link->stale_ns;
            continue;
        }
        count++;
        revtun_stand_forget(hub, now, i);
        revtun_link_say(hub, now, index, &gone);
    }
}

bool revtun_stand_dismiss(struct revtun_hub *hub, uint32_t link)
{
    const uint32_t first = revtun_link_at(hub, link)->first_stand;

    if (first == POOL_NONE) {
        return false;
    }
    const struct revtun_stand *stand = stand_at(hub, first);
    if (stand->is_there) {
        revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                            .type = REVTUN_COMMAND_RESET,
                                            .reset = {.conn = stand->conn},
                                        });
    }
    take_off(hub, first);
    return true;
}
