// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_relay.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "revtun/revtun_origin.h"
#include "revtun/revtun_relay_priv.h"

_Static_assert(sizeof(struct revtun_control) % 8 == 0, "as a pool wants its items");

static const struct bytes unlinked = BYTES_LITERAL("no controller linked");

// The parts of a relay's memory, in their order.
struct layout {
    size_t pairs;
    size_t controls;
    size_t tunnels;
    size_t clients;
    size_t sources;
    size_t timers;
    size_t end;
};

// Each control connection has a pair, and each tunnel too.
static struct layout layout_of(const struct revtun_config *config)
{
    struct layout layout = {0};
    size_t *end = &layout.end;

    (void)layout_place(end, sizeof(struct revtun_relay));
    layout.pairs = layout_place(end, revtun_pairs_size(config->pair_count));
    layout.controls =
        layout_place(end, pool_size(config->pair_count, sizeof(struct revtun_control)));
    layout.tunnels = layout_place(end, pool_size(config->pair_count, sizeof(struct revtun_tunnel)));
    layout.clients =
        layout_place(end, pool_size(config->max_sessions, sizeof(struct revtun_client)));
    layout.sources = layout_place(end, revtun_sources_size(config->max_waiting));
    layout.timers = layout_place(end, heap_size(config->pair_count));
    return layout;
}

size_t revtun_relay_size(const struct revtun_config *config)
{
    return layout_of(config).end;
}

static void keep_config(struct revtun_relay *relay, const struct revtun_config *config)
{
    relay->config = *config;
    memcpy(relay->host, config->host.ptr, config->host.len);
    relay->config.host.ptr = relay->host;
}

struct revtun_relay *revtun_relay_init(void *memory, const struct revtun_config *config,
                                       const uint8_t seed[REVTUN_RELAY_SEED_LEN])
{
    const struct layout layout = layout_of(config);
    struct revtun_relay *relay = memory;
    uint8_t *base = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(revtun_config_is_sound(config));
    keep_config(relay, config);
    revtun_pairs_init(&relay->pairs, base + layout.pairs, config->pair_count);
    pool_init(&relay->controls, base + layout.controls, config->pair_count,
              sizeof(struct revtun_control));
    pool_init(&relay->tunnels, base + layout.tunnels, config->pair_count,
              sizeof(struct revtun_tunnel));
    pool_init(&relay->clients, base + layout.clients, config->max_sessions,
              sizeof(struct revtun_client));
    revtun_sources_init(&relay->sources, base + layout.sources, config->max_waiting,
                        siphash_key_read(seed));
    heap_init(&relay->timers, base + layout.timers, config->pair_count);
    relay->first_left = POOL_NONE;
    return relay;
}

static bool has_commands(const struct revtun_relay *relay)
{
    return !revtun_outbox_is_empty(&relay->outbox) || !revtun_tunnel_is_swept(relay);
}

// The commands of the last call are carried out, and those of another one may come.
static void begin_commands(struct revtun_relay *relay)
{
    assert(!has_commands(relay));
    revtun_outbox_reset(&relay->outbox);
}

// An event is told: nothing is due.
static void begin(struct revtun_relay *relay, struct now now)
{
    assert(heap_deadline(&relay->timers) > now.mono_ns);
    begin_commands(relay);
}

void revtun_relay_adopt(struct revtun_relay *relay, struct now now,
                        const struct revtun_config *config)
{
    begin(relay, now);
    assert(revtun_config_may_follow(config, &relay->config));
    keep_config(relay, config);
    for (uint32_t pair = 0; pair < config->pair_count; pair++) {
        const uint32_t tunnel = revtun_pairs_holder(&relay->pairs, pair);
        if (tunnel != REVTUN_PAIRS_NONE) {
            revtun_tunnel_set_timer(relay, tunnel);
        }
    }
}

static void close_control(struct revtun_relay *relay, uint64_t conn)
{
    revtun_outbox_add(&relay->outbox, &(struct revtun_command){
                                          .type = REVTUN_COMMAND_CLOSE,
                                          .close = {.control = conn},
                                      });
}

// All pairs are taken.
static void turn_away(struct revtun_relay *relay, uint64_t conn, const struct addr *peer)
{
    struct wr wr = revtun_outbox_text(&relay->outbox);

    relay->stats.controls_full++;
    revtun_line_no_available_listeners_write(&wr);
    revtun_outbox_send(&relay->outbox, conn, &wr);
    close_control(relay, conn);
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = REVTUN_EVENT_FULL,
                                             .control = conn,
                                             .pair = POOL_NONE,
                                             .from = *peer,
                                         });
}

// Tells a server its pair.
static void greet(struct revtun_relay *relay, uint64_t conn, const struct addr *peer, uint32_t pair)
{
    const struct revtun_config *config = &relay->config;
    struct wr wr = revtun_outbox_text(&relay->outbox);

    relay->stats.controls_linked++;
    revtun_line_greeting_write(
        &wr, config->host, revtun_pairs_public_port(config->control_port, config->pair_count, pair),
        revtun_pairs_reverse_port(config->control_port, pair));
    revtun_outbox_send(&relay->outbox, conn, &wr);
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = REVTUN_EVENT_LINKED,
                                             .control = conn,
                                             .pair = pair,
                                             .from = *peer,
                                         });
}

struct pool_ref revtun_relay_control_up(struct revtun_relay *relay, struct now now, uint64_t conn,
                                        const struct addr *peer)
{
    struct pool_ref ref = {.index = POOL_NONE};

    begin(relay, now);
    if (relay->pairs.free_count == 0) {
        turn_away(relay, conn, peer);
        return ref;
    }
    const bool has_room = pool_take(&relay->controls, &ref);
    assert(has_room); // there are as many of these as of pairs
    struct revtun_control *control = pool_at(&relay->controls, ref.index);
    control->conn = conn;
    control->peer = *peer;
    control->origin = revtun_origin_of(peer);
    control->first_tunnel = POOL_NONE;
    const uint32_t tunnel = revtun_tunnel_open(relay, ref.index);
    greet(relay, conn, peer, revtun_tunnel_at(relay, tunnel)->pair);
    return ref;
}

// A control connection is over: reports it, and leaves what it had.
static void lose(struct revtun_relay *relay, uint32_t index, enum revtun_event event)
{
    struct revtun_control *control = pool_at(&relay->controls, index);
    const uint32_t tunnel = control->first_tunnel;
    const struct revtun_tunnel *held = revtun_tunnel_at(relay, tunnel);

    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = event,
                                             .control = control->conn,
                                             .pair = held->pair,
                                             .from = control->peer,
                                             .waiting_count = held->queue.count,
                                             .session_count = held->session_count,
                                         });
    revtun_tunnel_leave(relay, tunnel);
    assert(control->first_tunnel == POOL_NONE);
    pool_give(&relay->controls, index);
}

void revtun_relay_control_read(struct revtun_relay *relay, struct now now, struct pool_ref control,
                               struct bytes bytes)
{
    struct revtun_control *found = pool_find(&relay->controls, control);

    begin(relay, now);
    if (found == NULL) {
        return;
    }
    switch (revtun_line_watch(&found->watch, bytes)) {
    case REVTUN_LINE_OPEN:
        return;
    case REVTUN_LINE_COMPLETE:
    case REVTUN_LINE_TOO_LONG:
        break;
    }
    relay->stats.controls_spoke++;
    close_control(relay, found->conn);
    lose(relay, control.index, REVTUN_EVENT_SPOKE);
}

void revtun_relay_control_down(struct revtun_relay *relay, struct now now, struct pool_ref control)
{
    (void)now; // whatever is due
    begin_commands(relay);
    if (pool_find(&relay->controls, control) == NULL) {
        return;
    }
    relay->stats.controls_lost++;
    lose(relay, control.index, REVTUN_EVENT_LOST);
}

// Nobody has the pair.
static void refuse_unlinked(struct revtun_relay *relay, uint64_t conn)
{
    revtun_outbox_add(&relay->outbox, &(struct revtun_command){
                                          .type = REVTUN_COMMAND_REFUSE,
                                          .refuse = {.conn = conn, .text = unlinked},
                                      });
}

struct pool_ref revtun_relay_client(struct revtun_relay *relay, struct now now, uint32_t pair,
                                    uint64_t conn, const struct addr *from)
{
    const uint32_t tunnel = revtun_pairs_holder(&relay->pairs, pair);

    begin(relay, now);
    if (tunnel == REVTUN_PAIRS_NONE) {
        relay->stats.clients_unlinked++;
        refuse_unlinked(relay, conn);
        return (struct pool_ref){.index = POOL_NONE};
    }
    return revtun_tunnel_client(relay, now, tunnel, conn, from);
}

// Something about where a reverse connection comes from.
static void report_origin(struct revtun_relay *relay, const struct revtun_control *control,
                          uint32_t pair, const struct addr *from, enum revtun_event event)
{
    revtun_outbox_report(&relay->outbox, &(struct revtun_command_report){
                                             .event = event,
                                             .control = control->conn,
                                             .pair = pair,
                                             .from = *from,
                                             .peer = control->peer,
                                         });
}

// A reverse connection may come from there. Addresses of two families cannot be compared: a server
// may reach the control port by the one and the host that it is told by the other.
static bool may_come(struct revtun_relay *relay, struct revtun_control *control, uint32_t pair,
                     const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);

    switch (relay->config.reverse_policy) {
    case REVTUN_CONFIG_ANY:
        return true;
    case REVTUN_CONFIG_SAME_IP:
        break;
    }
    if (origin.family == control->origin.family) {
        return addr_equal(&origin, &control->origin);
    }
    relay->stats.reverses_other_family++;
    if (!control->is_other_family_told) {
        control->is_other_family_told = true;
        report_origin(relay, control, pair, from, REVTUN_EVENT_OTHER_FAMILY);
    }
    return true;
}

void revtun_relay_reverse(struct revtun_relay *relay, struct now now, uint32_t pair, uint64_t conn,
                          const struct addr *from)
{
    const uint32_t tunnel = revtun_pairs_holder(&relay->pairs, pair);

    begin(relay, now);
    if (tunnel == REVTUN_PAIRS_NONE) {
        relay->stats.reverses_unlinked++;
        refuse_unlinked(relay, conn);
        return;
    }
    struct revtun_control *control =
        pool_at(&relay->controls, revtun_tunnel_at(relay, tunnel)->control);
    if (!may_come(relay, control, pair, from)) {
        relay->stats.reverses_foreign++;
        revtun_outbox_add(&relay->outbox, &(struct revtun_command){
                                              .type = REVTUN_COMMAND_RESET,
                                              .reset = {.conn = conn},
                                          });
        report_origin(relay, control, pair, from, REVTUN_EVENT_FOREIGN);
        return;
    }
    revtun_tunnel_reverse(relay, now, tunnel, conn);
}

void revtun_relay_gone(struct revtun_relay *relay, struct now now, struct pool_ref client)
{
    (void)now; // whatever is due
    begin_commands(relay);
    if (pool_find(&relay->clients, client) != NULL) {
        revtun_tunnel_gone(relay, client.index);
    }
}

bool revtun_relay_take(struct revtun_relay *relay, struct revtun_command *out)
{
    return revtun_outbox_take(&relay->outbox, out) || revtun_tunnel_sweep(relay, out);
}

void revtun_relay_tick(struct revtun_relay *relay, struct now now)
{
    uint32_t tunnel = POOL_NONE;

    begin_commands(relay);
    while (revtun_outbox_has_room(&relay->outbox) &&
           heap_take(&relay->timers, now.mono_ns, &tunnel)) {
        revtun_tunnel_expire(relay, now, tunnel);
    }
}

uint64_t revtun_relay_deadline(const struct revtun_relay *relay)
{
    return heap_deadline(&relay->timers);
}

const struct revtun_stats *revtun_relay_stats(const struct revtun_relay *relay)
{
    return &relay->stats;
}

struct revtun_gauges revtun_relay_gauges(const struct revtun_relay *relay)
{
    return (struct revtun_gauges){
        .controls = relay->controls.used,
        .pairs_free = relay->pairs.free_count,
        .waiting = relay->waiting_count,
        .sessions = relay->clients.used - relay->waiting_count,
    };
}
