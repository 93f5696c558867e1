// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke_call.h"

#include <assert.h>

#include "revtun/revtun_spoke_bond.h"
#include "revtun/revtun_spoke_link.h"
#include "revtun/revtun_spoke_out.h"

// An id is one of its link's.
struct key {
    uint64_t id;
    uint32_t link;
};

static struct revtun_spoke_call *call_at(const struct revtun_spoke *spoke, uint32_t index)
{
    return pool_at(&spoke->calls, index);
}

struct revtun_spoke_call *revtun_spoke_call_find(const struct revtun_spoke *spoke,
                                                 struct pool_ref call)
{
    return pool_find(&spoke->calls, call);
}

static uint64_t hash_of(const struct revtun_spoke *spoke, uint64_t id, uint32_t link)
{
    uint8_t raw[sizeof(uint64_t) + sizeof(uint32_t)];
    struct wr wr = wr_init(raw, sizeof raw);

    wr_u64(&wr, id);
    wr_u32(&wr, link);
    return siphash(&spoke->config.key, wr_done(&wr));
}

static bool is_of_key(const void *context, uint32_t index, const void *key)
{
    const struct revtun_spoke_call *call = call_at(context, index);
    const struct key *wanted = key;

    return call->id == wanted->id && call->link == wanted->link;
}

static uint32_t find(const struct revtun_spoke *spoke, uint32_t link, uint64_t id)
{
    return table_find(&spoke->calls_by_id, hash_of(spoke, id, link), is_of_key, spoke,
                      &(struct key){id, link});
}

// --- lists ---------------------------------------------------------------------------------------

// It has no client any more, or none yet, that its link would be needed for.
static void unlist(struct revtun_spoke *spoke, uint32_t index)
{
    const struct revtun_spoke_call *call = call_at(spoke, index);
    struct revtun_spoke_link *link = &spoke->links[call->link];

    assert(call->state != REVTUN_SPOKE_CALL_RUNS);
    table_remove(&spoke->calls_by_id, hash_of(spoke, call->id, call->link), index);
    assert(link->loose_count > 0);
    link->loose_count--;
    if (call->state == REVTUN_SPOKE_CALL_STANDS) {
        assert(link->stand_count > 0);
        link->stand_count--;
    }
}

void revtun_spoke_call_forget(struct revtun_spoke *spoke, uint32_t index)
{
    const enum revtun_spoke_call_state state = call_at(spoke, index)->state;

    if (state != REVTUN_SPOKE_CALL_RUNS) {
        unlist(spoke, index);
    }
    if (state != REVTUN_SPOKE_CALL_STANDS) {
        assert(spoke->session_count > 0);
        spoke->session_count--;
    }
    pool_give(&spoke->calls, index);
}

// There is room, see revtun_spoke_call_max().
static struct pool_ref begin(struct revtun_spoke *spoke, uint32_t link, uint64_t id,
                             enum revtun_spoke_call_state state)
{
    struct pool_ref ref = {.index = POOL_NONE};
    struct revtun_preface preface = {
        .type = state == REVTUN_SPOKE_CALL_STANDS ? REVTUN_PREFACE_STANDBY : REVTUN_PREFACE_ACCEPT,
        .id = id,
    };

    const bool is_taken = pool_take(&spoke->calls, &ref);
    assert(is_taken);
    struct revtun_spoke_call *call = call_at(spoke, ref.index);
    call->id = id;
    call->link = link;
    call->state = state;
    for (size_t i = 0; i < sizeof preface.sid; i++) {
        preface.sid[i] = spoke->links[link].sid[i];
    }
    revtun_preface_write(&preface, spoke->links[link].secrets.preface, call->preface);
    table_add(&spoke->calls_by_id, hash_of(spoke, id, link), ref.index);
    spoke->links[link].loose_count++;
    if (state == REVTUN_SPOKE_CALL_STANDS) {
        spoke->links[link].stand_count++;
    } else {
        spoke->session_count++;
    }
    return ref;
}

// --- what the relay says -------------------------------------------------------------------------

static void refuse(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link, uint64_t id,
                   enum revtun_message_code code, struct bytes text)
{
    revtun_spoke_out_say(spoke, now_ns, link,
                         &(struct revtun_message){
                             .verb = REVTUN_MESSAGE_REFUSE,
                             .refuse = {.id = id, .code = code, .text = text},
                         });
}

// An id is said once.
static bool is_new(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link, uint64_t id)
{
    if (find(spoke, link, id) == TABLE_NONE) {
        return true;
    }
    revtun_spoke_link_end(spoke, now_ns, link, REVTUN_SPOKE_STRANGE, REVTUN_MESSAGE_CODE_PROTOCOL);
    return false;
}

static struct revtun_spoke_client client_of(const struct revtun_spoke *spoke,
                                            const struct revtun_message *message)
{
    return (struct revtun_spoke_client){
        .service = revtun_spoke_bond_find(spoke, message->new_connection.name),
        .src = message->new_connection.src,
        .dst = message->new_connection.dst,
        .sni = message->new_connection.sni,
    };
}

static void tell_crowded(struct revtun_spoke *spoke, uint32_t link)
{
    if (!spoke->links[link].is_crowded_told) {
        spoke->links[link].is_crowded_told = true;
        revtun_spoke_out_tell(spoke, &(struct revtun_spoke_news){.event = REVTUN_SPOKE_CROWDED});
    }
}

void revtun_spoke_call_new(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                           const struct revtun_message *message)
{
    const uint64_t id = message->new_connection.id;
    const struct revtun_spoke_client client = client_of(spoke, message);

    if (!is_new(spoke, now_ns, link, id)) {
        return;
    }
    if (client.service == spoke->config.service_count) {
        refuse(spoke, now_ns, link, id, REVTUN_MESSAGE_CODE_DENIED, (struct bytes){0});
        return;
    }
    if (spoke->session_count >= spoke->config.session_max) {
        refuse(spoke, now_ns, link, id, REVTUN_MESSAGE_CODE_BUSY, (struct bytes){0});
        tell_crowded(spoke, link);
        return;
    }
    const struct pool_ref ref = begin(spoke, link, id, REVTUN_SPOKE_CALL_DIALLED);
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_DIAL,
                                    .link = link,
                                    .call = ref,
                                    .preface = call_at(spoke, ref.index)->preface,
                                    .is_tls = spoke->links[link].is_tls,
                                    .client = client,
                                });
}

void revtun_spoke_call_stand(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                             const struct revtun_message *message)
{
    const uint64_t id = message->standby.id;

    if (!is_new(spoke, now_ns, link, id)) {
        return;
    }
    if (spoke->links[link].stand_count >= spoke->config.pool) {
        refuse(spoke, now_ns, link, id, REVTUN_MESSAGE_CODE_BUSY, (struct bytes){0});
        return;
    }
    const struct pool_ref ref = begin(spoke, link, id, REVTUN_SPOKE_CALL_STANDS);
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_STAND,
                                    .link = link,
                                    .call = ref,
                                    .preface = call_at(spoke, ref.index)->preface,
                                    .is_tls = spoke->links[link].is_tls,
                                });
}

static void drop(struct revtun_spoke *spoke, struct pool_ref call)
{
    revtun_spoke_out_add(spoke,
                         &(struct revtun_spoke_command){.type = REVTUN_SPOKE_DROP, .call = call});
    revtun_spoke_call_forget(spoke, call.index);
}

void revtun_spoke_call_gone(struct revtun_spoke *spoke, uint32_t link,
                            const struct revtun_message *message)
{
    const uint32_t index = find(spoke, link, message->gone.id);

    if (index != TABLE_NONE) {
        drop(spoke, pool_ref(&spoke->calls, index));
    }
}

// --- what has become of it -----------------------------------------------------------------------

void revtun_spoke_call_join(struct revtun_spoke *spoke, struct pool_ref call)
{
    assert(call_at(spoke, call.index)->state == REVTUN_SPOKE_CALL_DIALLED);
    unlist(spoke, call.index);
    call_at(spoke, call.index)->state = REVTUN_SPOKE_CALL_RUNS;
}

void revtun_spoke_call_fail(struct revtun_spoke *spoke, uint64_t now_ns, struct pool_ref call,
                            enum revtun_message_code code, struct bytes text)
{
    const struct revtun_spoke_call *failed = call_at(spoke, call.index);

    if (failed->state != REVTUN_SPOKE_CALL_RUNS &&
        revtun_spoke_link_is_up(&spoke->links[failed->link])) {
        refuse(spoke, now_ns, failed->link, failed->id, code,
               bytes_first(text, REVTUN_MESSAGE_TEXT_MAX));
    }
    revtun_spoke_call_forget(spoke, call.index);
}

enum revtun_head_outcome revtun_spoke_call_serve(struct revtun_spoke *spoke, struct pool_ref call,
                                                 struct bytes line)
{
    struct revtun_message message;
    struct revtun_message_fault fault;

    if (!revtun_fields_read(line, &spoke->head_fields) ||
        revtun_message_read(&spoke->head_fields, REVTUN_MESSAGE_RELAY, &message, &fault) !=
            REVTUN_MESSAGE_OK ||
        message.verb != REVTUN_MESSAGE_NEW_CONNECTION) {
        revtun_spoke_call_forget(spoke, call.index);
        return REVTUN_HEAD_BAD;
    }
    const struct revtun_spoke_client client = client_of(spoke, &message);
    const uint32_t link = call_at(spoke, call.index)->link;
    if (client.service == spoke->config.service_count) {
        drop(spoke, call);
        return REVTUN_HEAD_WHOLE;
    }
    if (spoke->session_count >= spoke->config.session_max) {
        drop(spoke, call);
        tell_crowded(spoke, link);
        return REVTUN_HEAD_WHOLE;
    }
    unlist(spoke, call.index);
    call_at(spoke, call.index)->state = REVTUN_SPOKE_CALL_RUNS;
    spoke->session_count++;
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_SERVE,
                                    .link = link,
                                    .call = call,
                                    .client = client,
                                });
    return REVTUN_HEAD_WHOLE;
}
