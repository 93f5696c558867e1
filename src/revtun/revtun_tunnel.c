// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_tunnel.h"

#include <assert.h>

#include "revtun/revtun_relay_priv.h"

_Static_assert(sizeof(struct revtun_tunnel) % 8 == 0, "as a pool wants its items");
_Static_assert(sizeof(struct revtun_client) % 8 == 0, "likewise");

struct revtun_tunnel *revtun_tunnel_at(const struct revtun_relay *relay, uint32_t index)
{
    return pool_at(&relay->tunnels, index);
}

static struct revtun_client *client_at(const struct revtun_relay *relay, uint32_t index)
{
    return pool_at(&relay->clients, index);
}

static struct revtun_control *control_of(const struct revtun_relay *relay,
                                         const struct revtun_tunnel *tunnel)
{
    return pool_at(&relay->controls, tunnel->control);
}

void revtun_tunnel_set_timer(struct revtun_relay *relay, uint32_t index)
{
    const struct revtun_queue *queue = &revtun_tunnel_at(relay, index)->queue;
    uint64_t deadline_ns = queue->again_ns;

    if (queue->count > 0 && relay->config.pending_timeout_ns > 0) {
        const uint64_t pending_ns =
            client_at(relay, queue->first)->place.since_ns + relay->config.pending_timeout_ns;
        deadline_ns = pending_ns < deadline_ns ? pending_ns : deadline_ns;
    }
    heap_set(&relay->timers, index, deadline_ns);
}

uint32_t revtun_tunnel_open(struct revtun_relay *relay, uint32_t control)
{
    struct pool_ref ref = {0};
    uint32_t pair = REVTUN_PAIRS_NONE;

    const bool has_room = pool_take(&relay->tunnels, &ref);
    assert(has_room);
    const bool has_pair = revtun_pairs_take(&relay->pairs, ref.index, &pair);
    assert(has_pair);
    struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, ref.index);
    tunnel->control = control;
    tunnel->pair = pair;
    tunnel->first_session = POOL_NONE;
    revtun_queue_init(&tunnel->queue);
    chain_add(&relay->tunnels, &control_of(relay, tunnel)->first_tunnel, ref.index);
    return ref.index;
}

void revtun_tunnel_leave(struct revtun_relay *relay, uint32_t index)
{
    struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, index);

    revtun_pairs_give(&relay->pairs, tunnel->pair);
    heap_clear(&relay->timers, index);
    chain_remove(&relay->tunnels, &control_of(relay, tunnel)->first_tunnel, index);
    tunnel->control = POOL_NONE;
    chain_add(&relay->tunnels, &relay->first_left, index);
    relay->stats.clients_cut += tunnel->queue.count;
    relay->stats.sessions_cut += tunnel->session_count;
}

bool revtun_tunnel_is_swept(const struct revtun_relay *relay)
{
    return relay->first_left == POOL_NONE;
}

// A client waits no more, and is in no queue.
static void stop_waiting(struct revtun_relay *relay, struct revtun_client *client)
{
    assert(relay->waiting_count > 0);
    relay->waiting_count--;
    revtun_sources_leave(&relay->sources, client->source);
    client->source = POOL_NONE;
}

// Forgets the oldest client that waits. Returns its connection.
static uint64_t drop_first(struct revtun_relay *relay, struct revtun_tunnel *tunnel)
{
    const uint32_t index = tunnel->queue.first;
    struct revtun_client *client = client_at(relay, index);
    const uint64_t conn = client->conn;

    revtun_queue_remove(&tunnel->queue, &relay->clients, index);
    stop_waiting(relay, client);
    pool_give(&relay->clients, index);
    return conn;
}

static struct revtun_command refusal_of(uint64_t conn)
{
    return (struct revtun_command){.type = REVTUN_COMMAND_REFUSE, .refuse = {.conn = conn}};
}

// Cuts one session off its tunnel.
static struct revtun_command cut_first(struct revtun_relay *relay, struct revtun_tunnel *tunnel)
{
    const uint32_t index = tunnel->first_session;
    struct revtun_client *client = client_at(relay, index);

    chain_remove(&relay->clients, &tunnel->first_session, index);
    tunnel->session_count--;
    client->tunnel = POOL_NONE;
    return (struct revtun_command){
        .type = REVTUN_COMMAND_END,
        .end = {.session = pool_ref(&relay->clients, index), .client = client->conn},
    };
}

bool revtun_tunnel_sweep(struct revtun_relay *relay, struct revtun_command *out)
{
    while (relay->first_left != POOL_NONE) {
        const uint32_t index = relay->first_left;
        struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, index);
        if (tunnel->queue.count > 0) {
            *out = refusal_of(drop_first(relay, tunnel));
            return true;
        }
        if (tunnel->first_session != POOL_NONE) {
            *out = cut_first(relay, tunnel);
            return true;
        }
        assert(tunnel->session_count == 0);
        chain_remove(&relay->tunnels, &relay->first_left, index);
        pool_give(&relay->tunnels, index);
    }
    return false;
}

static enum revtun_refusal refusal_for(const struct revtun_relay *relay,
                                       const struct revtun_tunnel *tunnel, const struct addr *from)
{
    const struct revtun_config *config = &relay->config;

    if (pool_is_full(&relay->clients)) {
        return REVTUN_REFUSAL_SESSIONS;
    }
    if (tunnel->session_count + tunnel->queue.count >= config->max_sessions_per_pair) {
        return REVTUN_REFUSAL_PAIR_SESSIONS;
    }
    if (relay->waiting_count >= config->max_waiting) {
        return REVTUN_REFUSAL_WAITING;
    }
    if (tunnel->queue.count >= config->max_waiting_per_pair) {
        return REVTUN_REFUSAL_PAIR_WAITING;
    }
    if (revtun_sources_count(&relay->sources, from) >= config->max_waiting_per_address) {
        return REVTUN_REFUSAL_ADDRESS_WAITING;
    }
    return REVTUN_REFUSAL_NONE;
}

static void announce(struct revtun_relay *relay, const struct revtun_tunnel *tunnel, uint32_t count)
{
    struct wr wr = revtun_outbox_text(&relay->outbox);

    for (uint32_t i = 0; i < count; i++) {
        revtun_line_new_connection_write(&wr);
    }
    revtun_outbox_send(&relay->outbox, control_of(relay, tunnel)->conn, &wr);
}

static void refuse(struct revtun_relay *relay, const struct revtun_tunnel *tunnel, uint64_t conn,
                   const struct addr *from, enum revtun_refusal refusal)
{
    (*revtun_stats_refused(&relay->stats, refusal))++;
    revtun_outbox_add(&relay->outbox, &(struct revtun_command){
                                          .type = REVTUN_COMMAND_RESET,
                                          .reset = {.conn = conn},
                                      });
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = REVTUN_EVENT_REFUSED,
                                             .control = control_of(relay, tunnel)->conn,
                                             .pair = tunnel->pair,
                                             .from = *from,
                                             .refusal = refusal,
                                         });
}

struct pool_ref revtun_tunnel_client(struct revtun_relay *relay, struct now now, uint32_t index,
                                     uint64_t conn, const struct addr *from)
{
    struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, index);
    const enum revtun_refusal refusal = refusal_for(relay, tunnel, from);
    struct pool_ref ref = {.index = POOL_NONE};

    if (refusal != REVTUN_REFUSAL_NONE) {
        refuse(relay, tunnel, conn, from, refusal);
        return ref;
    }
    const bool has_room = pool_take(&relay->clients, &ref);
    assert(has_room);
    struct revtun_client *client = client_at(relay, ref.index);
    client->conn = conn;
    client->from = *from;
    client->tunnel = index;
    client->source = revtun_sources_enter(&relay->sources, from);
    relay->waiting_count++;
    relay->stats.clients_waiting++;
    if (revtun_queue_add(&tunnel->queue, &relay->clients, ref.index, now.mono_ns,
                         relay->config.max_waiting_per_pair)) {
        relay->stats.announcements++;
        announce(relay, tunnel, 1);
    } else {
        relay->stats.announcements_withheld++;
    }
    revtun_tunnel_set_timer(relay, index);
    return ref;
}

void revtun_tunnel_reverse(struct revtun_relay *relay, struct now now, uint32_t index,
                           uint64_t conn)
{
    struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, index);
    const uint32_t oldest = revtun_queue_take(&tunnel->queue, &relay->clients);

    if (oldest == POOL_NONE) {
        const struct revtun_command refusal = refusal_of(conn);
        relay->stats.reverses_unexpected++;
        revtun_outbox_add(&relay->outbox, &refusal);
        return;
    }
    struct revtun_client *client = client_at(relay, oldest);
    stop_waiting(relay, client);
    chain_add(&relay->clients, &tunnel->first_session, oldest);
    tunnel->session_count++;
    relay->stats.sessions_joined++;
    revtun_tunnel_set_timer(relay, index);
    revtun_outbox_add(&relay->outbox, &(struct revtun_command){
                                          .type = REVTUN_COMMAND_JOIN,
                                          .join =
                                              {
                                                  .session = pool_ref(&relay->clients, oldest),
                                                  .client = client->conn,
                                                  .reverse = conn,
                                                  .pair = tunnel->pair,
                                                  .from = client->from,
                                                  .waited_ns = now.mono_ns - client->place.since_ns,
                                              },
                                      });
}

void revtun_tunnel_gone(struct revtun_relay *relay, uint32_t index)
{
    struct revtun_client *client = client_at(relay, index);

    if (client->source != POOL_NONE) {
        relay->stats.clients_reset++;
        revtun_queue_remove(&revtun_tunnel_at(relay, client->tunnel)->queue, &relay->clients,
                            index);
        stop_waiting(relay, client);
        revtun_tunnel_set_timer(relay, client->tunnel);
    } else {
        relay->stats.sessions_ended++;
        if (client->tunnel != POOL_NONE) {
            struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, client->tunnel);
            chain_remove(&relay->clients, &tunnel->first_session, index);
            tunnel->session_count--;
        }
    }
    pool_give(&relay->clients, index);
}

// The oldest client has waited for too long.
static bool is_pending_over(const struct revtun_relay *relay, const struct revtun_tunnel *tunnel,
                            uint64_t now_ns)
{
    return tunnel->queue.count > 0 && relay->config.pending_timeout_ns > 0 &&
           now_ns - client_at(relay, tunnel->queue.first)->place.since_ns >=
               relay->config.pending_timeout_ns;
}

static void time_out(struct revtun_relay *relay, struct revtun_tunnel *tunnel)
{
    const struct addr from = client_at(relay, tunnel->queue.first)->from;
    const struct revtun_command refusal = refusal_of(drop_first(relay, tunnel));

    relay->stats.clients_timed_out++;
    revtun_outbox_add(&relay->outbox, &refusal);
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = REVTUN_EVENT_TIMED_OUT,
                                             .control = control_of(relay, tunnel)->conn,
                                             .pair = tunnel->pair,
                                             .from = from,
                                         });
}

static void announce_again(struct revtun_relay *relay, const struct revtun_tunnel *tunnel,
                           uint32_t count)
{
    const struct revtun_control *control = control_of(relay, tunnel);

    relay->stats.announcements_again += count;
    announce(relay, tunnel, count);
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = REVTUN_EVENT_AGAIN,
                                             .control = control->conn,
                                             .pair = tunnel->pair,
                                             .from = control->peer,
                                             .count = count,
                                             .waiting_count = tunnel->queue.count,
                                         });
}

void revtun_tunnel_expire(struct revtun_relay *relay, struct now now, uint32_t index)
{
    struct revtun_tunnel *tunnel = revtun_tunnel_at(relay, index);

    if (is_pending_over(relay, tunnel, now.mono_ns)) {
        time_out(relay, tunnel);
    } else {
        const uint32_t count = revtun_queue_again(&tunnel->queue, &relay->clients, now.mono_ns);
        if (count > 0) {
            announce_again(relay, tunnel, count);
        }
    }
    revtun_tunnel_set_timer(relay, index);
}
