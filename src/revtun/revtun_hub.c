// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "revtun/revtun_account.h"
#include "revtun/revtun_bind.h"
#include "revtun/revtun_hub_look.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_line.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_request.h"
#include "revtun/revtun_service.h"
#include "revtun/revtun_stand.h"
#include "revtun/revtun_visit.h"

enum { INDEX_BITS = 24 }; // of an id
_Static_assert((uint64_t)REVTUN_HUB_COUNT_MAX < UINT64_C(1) << INDEX_BITS, "any index fits");

// The parts of a hub's memory, in their order.
struct layout {
    size_t accounts, accounts_by_owner;
    size_t links, links_by_sid, link_timers;
    size_t services, service_timers;
    size_t by_port, hosts, names;
    size_t visits, waits, wait_timers, sources;
    size_t stands;
    size_t end;
};

struct revtun_hub_config revtun_hub_config_default(void)
{
    return (struct revtun_hub_config){
        .lease_s = 86400,
        .grace_s = 60,
        .ping_s = 15,
        .dead_s = 45,
        .ttl_s = 15,
        .max_links = 1024,
        .max_links_per_agent = 16,
        .max_services = 4096,
        .max_ended_per_agent = 16,
        .max_hosts = 4096,
        .binds_per_second = 64,
        .bytes_per_second = 131072,
        .max_standing = 4096,
        .max_sessions = 16384,
        .max_waiting = 4096,
        .max_waiting_per_name = 128,
        .max_waiting_per_address = 64,
    };
}

static bool is_count(uint32_t count)
{
    return count >= 1 && count <= REVTUN_HUB_COUNT_MAX;
}

bool revtun_hub_config_is_sound(const struct revtun_hub_config *config)
{
    return revtun_line_is_host(config->host) && config->host.len <= REVTUN_HUB_HOST_MAX &&
           config->program.len <= REVTUN_HUB_PROGRAM_MAX && config->first_port > 0 &&
           config->port_count > 0 && config->port_count <= UINT16_MAX - config->first_port + 1 &&
           config->lease_s > 0 && config->grace_s > 0 && config->ttl_s > 0 && config->ping_s > 0 &&
           config->dead_s > config->ping_s && is_count(config->max_links) &&
           is_count(config->max_links_per_agent) && is_count(config->max_services) &&
           is_count(config->max_ended_per_agent) && is_count(config->binds_per_second) &&
           config->bytes_per_second >= REVTUN_HUB_BYTES_MIN && is_count(config->max_hosts) &&
           config->max_standing <= REVTUN_HUB_COUNT_MAX && is_count(config->max_sessions) &&
           is_count(config->max_waiting) && is_count(config->max_waiting_per_name) &&
           is_count(config->max_waiting_per_address);
}

// Each has a control connection, or a service.
static uint32_t account_max(const struct revtun_hub_config *config)
{
    return config->max_links + config->max_services;
}

static struct layout layout_of(const struct revtun_hub_config *config)
{
    struct layout layout = {0};
    size_t *end = &layout.end;

    (void)layout_place(end, sizeof(struct revtun_hub));
    layout.accounts =
        layout_place(end, pool_size(account_max(config), sizeof(struct revtun_account)));
    layout.accounts_by_owner = layout_place(end, table_size(account_max(config)));
    layout.links = layout_place(end, pool_size(config->max_links, sizeof(struct revtun_link)));
    layout.links_by_sid = layout_place(end, table_size(config->max_links));
    layout.link_timers = layout_place(end, heap_size(config->max_links));
    layout.services =
        layout_place(end, pool_size(config->max_services, sizeof(struct revtun_service)));
    layout.service_timers = layout_place(end, heap_size(config->max_services));
    layout.by_port = layout_place(end, config->port_count * sizeof(uint32_t));
    layout.hosts = layout_place(end, revtun_hosts_size(config->max_hosts));
    layout.names = layout_place(end, revtun_names_size(config->port_count));
    layout.visits = layout_place(end, pool_size(config->max_sessions, sizeof(struct revtun_visit)));
    layout.waits = layout_place(end, pool_size(config->max_waiting, sizeof(struct revtun_wait)));
    layout.wait_timers = layout_place(end, heap_size(config->max_waiting));
    layout.sources = layout_place(end, revtun_sources_size(config->max_waiting));
    layout.stands = layout_place(end, pool_size(config->max_standing, sizeof(struct revtun_stand)));
    return layout;
}

size_t revtun_hub_size(const struct revtun_hub_config *config)
{
    return layout_of(config).end;
}

static void keep_config(struct revtun_hub *hub, const struct revtun_hub_config *config)
{
    hub->config = *config;
    memcpy(hub->host, config->host.ptr, config->host.len);
    hub->config.host.ptr = hub->host;
    if (config->program.len > 0) {
        memcpy(hub->program, config->program.ptr, config->program.len);
    }
    hub->config.program.ptr = hub->program;
}

static void place_pools(struct revtun_hub *hub, const struct revtun_hub_config *config,
                        const struct layout *layout)
{
    uint8_t *base = (uint8_t *)hub;

    pool_init(&hub->accounts, base + layout->accounts, account_max(config),
              sizeof(struct revtun_account));
    pool_init(&hub->links, base + layout->links, config->max_links, sizeof(struct revtun_link));
    pool_init(&hub->services, base + layout->services, config->max_services,
              sizeof(struct revtun_service));
    pool_init(&hub->visits, base + layout->visits, config->max_sessions,
              sizeof(struct revtun_visit));
    pool_init(&hub->waits, base + layout->waits, config->max_waiting, sizeof(struct revtun_wait));
    pool_init(&hub->stands, base + layout->stands, config->max_standing,
              sizeof(struct revtun_stand));
    heap_init(&hub->link_timers, base + layout->link_timers, config->max_links);
    heap_init(&hub->service_timers, base + layout->service_timers, config->max_services);
    heap_init(&hub->wait_timers, base + layout->wait_timers, config->max_waiting);
}

struct revtun_hub *revtun_hub_init(void *memory, const struct revtun_hub_config *config,
                                   const struct revtun_access *access,
                                   const uint8_t seed[REVTUN_HUB_SEED_LEN])
{
    const struct layout layout = layout_of(config);
    struct revtun_hub *hub = memory;
    uint8_t *base = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(revtun_hub_config_is_sound(config));
    keep_config(hub, config);
    hub->access = access;
    hub->key = siphash_key_read(seed);
    hub->drain_ns = NEVER;
    place_pools(hub, config, &layout);
    table_init(&hub->accounts_by_owner, base + layout.accounts_by_owner, account_max(config));
    table_init(&hub->links_by_sid, base + layout.links_by_sid, config->max_links);
    hub->by_port = (uint32_t *)(void *)(base + layout.by_port);
    revtun_hosts_init(&hub->hosts, base + layout.hosts, config->max_hosts, hub->key);
    const struct revtun_names_config names = {
        .first_port = config->first_port,
        .port_count = config->port_count,
        .lease_s = config->lease_s,
        .key = hub->key,
    };
    hub->names = revtun_names_init(base + layout.names, &names);
    revtun_sources_init(&hub->sources, base + layout.sources, config->max_waiting, hub->key);
    return hub;
}

uint64_t revtun_hub_new_id(struct revtun_hub *hub, uint32_t index)
{
    assert(index < REVTUN_HUB_COUNT_MAX);
    return ++hub->id_serial << INDEX_BITS | index;
}

uint32_t revtun_hub_index_of_id(uint64_t id)
{
    return (uint32_t)(id & ((UINT64_C(1) << INDEX_BITS) - 1));
}

// An event is told: nothing is due, and the last commands are carried out.
static void begin(struct revtun_hub *hub, struct now now)
{
    assert(revtun_hub_deadline(hub) > now.mono_ns);
    revtun_outbox_reset(&hub->outbox);
}

void revtun_hub_adopt(struct revtun_hub *hub, struct now now, const struct revtun_access *access)
{
    begin(hub, now);
    hub->access = access;
    for (uint32_t i = 0; i < hub->accounts.touched; i++) {
        if (pool_has(&hub->accounts, i)) {
            revtun_account_review(hub, i);
            revtun_bind_review(hub, now, i);
        }
    }
    for (uint32_t i = 0; i < hub->links.touched; i++) {
        if (pool_has(&hub->links, i)) {
            revtun_link_set_timer(hub, i);
        }
    }
}

void revtun_hub_drain(struct revtun_hub *hub, struct now now, uint32_t in_s)
{
    begin(hub, now);
    hub->drain_ns = now.mono_ns + in_s * SECOND_NS;
    for (uint32_t i = 0; i < hub->links.touched; i++) {
        if (pool_has(&hub->links, i)) {
            revtun_link_set_timer(hub, i);
        }
    }
}

struct revtun_names *revtun_hub_names(struct revtun_hub *hub)
{
    return hub->names;
}

// --- control connections -------------------------------------------------------------------------

struct pool_ref revtun_hub_link_up(struct revtun_hub *hub, struct now now,
                                   const struct revtun_hub_arrival *arrival)
{
    begin(hub, now);
    return revtun_link_open(hub, now, arrival);
}

void revtun_hub_link_read(struct revtun_hub *hub, struct now now, struct pool_ref link,
                          struct bytes *received)
{
    begin(hub, now);
    if (revtun_link_find(hub, link) == NULL) {
        *received = (struct bytes){0};
        return;
    }
    revtun_request_read(hub, now, link.index, received);
}

uint64_t revtun_hub_link_rest_ns(const struct revtun_hub *hub, struct now now, struct pool_ref link)
{
    const struct revtun_link *it = revtun_link_find(hub, link);

    return it != NULL && it->account != POOL_NONE
               ? bucket_debt_ns(&revtun_account_at(hub, it->account)->bytes, now.mono_ns)
               : 0;
}

void revtun_hub_link_down(struct revtun_hub *hub, struct now now, struct pool_ref link)
{
    revtun_outbox_reset(&hub->outbox); // whatever is due
    if (revtun_link_find(hub, link) != NULL) {
        revtun_link_lose(hub, now, link.index, REVTUN_MESSAGE_CODE_OTHER);
    }
}

// --- clients and data connections ----------------------------------------------------------------

static uint32_t service_for(const struct revtun_hub *hub, const struct revtun_hub_client *client)
{
    return client->host.len > 0 ? revtun_hub_look_host(hub, client->host)
                                : revtun_hub_look_port(hub, client->dst.port);
}

static void reset(struct revtun_hub *hub, uint64_t conn)
{
    revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                        .type = REVTUN_COMMAND_RESET,
                                        .reset = {.conn = conn},
                                    });
}

struct pool_ref revtun_hub_client(struct revtun_hub *hub, struct now now,
                                  const struct revtun_hub_client *client)
{
    begin(hub, now);
    const uint32_t service = service_for(hub, client);
    if (service == POOL_NONE) {
        hub->stats.hub_clients_unbound++;
        reset(hub, client->conn);
        struct wr host = revtun_outbox_text(&hub->outbox); // which outlives the call
        wr_bytes(&host, client->host);
        revtun_outbox_report(&hub->outbox, &(struct revtun_command_report){
                                               .event = REVTUN_EVENT_NOBODY,
                                               .pair = POOL_NONE,
                                               .from = client->from,
                                               .name = wr_done(&host),
                                               .port = client->dst.port,
                                           });
        return (struct pool_ref){.index = POOL_NONE};
    }
    return revtun_visit_open(hub, now, service, client);
}

// The link whose data connection it is, or POOL_NONE.
static uint32_t link_of(const struct revtun_hub *hub, const uint8_t raw[REVTUN_PREFACE_LEN],
                        bool is_tls, struct revtun_preface *preface)
{
    const enum revtun_message_data data = hub->config.data;

    if ((is_tls && data == REVTUN_MESSAGE_DATA_PLAIN) ||
        (!is_tls && data == REVTUN_MESSAGE_DATA_TLS) || !revtun_preface_read(raw, preface)) {
        return POOL_NONE;
    }
    const uint32_t link = revtun_link_of_sid(hub, preface->sid);
    return link != POOL_NONE && revtun_link_at(hub, link)->state == REVTUN_LINK_OPEN &&
                   revtun_preface_is_authentic(raw, revtun_link_at(hub, link)->secrets.preface)
               ? link
               : POOL_NONE;
}

struct pool_ref revtun_hub_data(struct revtun_hub *hub, struct now now, uint64_t conn,
                                const uint8_t raw[REVTUN_PREFACE_LEN], bool is_tls)
{
    struct revtun_preface preface = {0};

    begin(hub, now);
    const uint32_t link = link_of(hub, raw, is_tls, &preface);
    if (link != POOL_NONE && preface.type == REVTUN_PREFACE_ACCEPT) {
        const uint32_t wait = revtun_visit_find(hub, link, preface.id);
        if (wait != POOL_NONE) {
            revtun_visit_accept(hub, now, wait, conn);
            return (struct pool_ref){.index = POOL_NONE};
        }
    } else if (link != POOL_NONE) {
        const uint32_t stand = revtun_stand_find(hub, link, preface.id);
        if (stand != POOL_NONE) {
            return revtun_stand_come(hub, stand, conn, raw);
        }
    }
    hub->stats.prefaces_bad++;
    reset(hub, conn);
    // One that is authentic comes too late: its client has left.
    if (link == POOL_NONE) {
        revtun_outbox_report(&hub->outbox, &(struct revtun_command_report){
                                               .event = REVTUN_EVENT_FORGED,
                                               .pair = POOL_NONE,
                                           });
    }
    return (struct pool_ref){.index = POOL_NONE};
}

void revtun_hub_standing_gone(struct revtun_hub *hub, struct now now, struct pool_ref standing)
{
    revtun_outbox_reset(&hub->outbox); // whatever is due
    if (pool_find(&hub->stands, standing) != NULL) {
        revtun_stand_forget(hub, now, standing.index);
    }
}

void revtun_hub_gone(struct revtun_hub *hub, struct now now, struct pool_ref client)
{
    revtun_outbox_reset(&hub->outbox); // whatever is due
    if (pool_find(&hub->visits, client) != NULL) {
        revtun_visit_gone(hub, now, client.index);
    }
}

bool revtun_hub_tunnel_of(const struct revtun_hub *hub, struct pool_ref client,
                          struct revtun_hub_tunnel *out)
{
    const struct revtun_visit *visit = pool_find(&hub->visits, client);

    if (visit == NULL || visit->service == POOL_NONE) {
        return false;
    }
    const struct revtun_service *service = revtun_service_at(hub, visit->service);
    *out = (struct revtun_hub_tunnel){
        .tunnel = pool_ref(&hub->services, visit->service),
        .owner = revtun_account_owner(revtun_account_at(hub, service->account)),
        .name = revtun_service_name(service),
    };
    return true;
}

// --- what comes of it ----------------------------------------------------------------------------

bool revtun_hub_take(struct revtun_hub *hub, struct revtun_command *out)
{
    return revtun_outbox_take(&hub->outbox, out);
}

static bool has_room(const struct revtun_hub *hub)
{
    return hub->outbox.count + REVTUN_HUB_STEP + 2 <= REVTUN_OUTBOX_MAX;
}

void revtun_hub_tick(struct revtun_hub *hub, struct now now)
{
    uint32_t index = POOL_NONE;

    revtun_outbox_reset(&hub->outbox);
    while (has_room(hub) && heap_take(&hub->service_timers, now.mono_ns, &index)) {
        revtun_service_expire(hub, now, index);
    }
    while (has_room(hub) && heap_take(&hub->wait_timers, now.mono_ns, &index)) {
        revtun_visit_expire(hub, now, index);
    }
    while (has_room(hub) && heap_take(&hub->link_timers, now.mono_ns, &index)) {
        revtun_link_expire(hub, now, index);
    }
}

uint64_t revtun_hub_deadline(const struct revtun_hub *hub)
{
    const uint64_t services_ns = heap_deadline(&hub->service_timers);
    const uint64_t waits_ns = heap_deadline(&hub->wait_timers);
    const uint64_t links_ns = heap_deadline(&hub->link_timers);
    const uint64_t first_ns = services_ns < waits_ns ? services_ns : waits_ns;

    return first_ns < links_ns ? first_ns : links_ns;
}

const struct revtun_hub_stats *revtun_hub_stats(const struct revtun_hub *hub)
{
    return &hub->stats;
}

struct revtun_hub_gauges revtun_hub_gauges(const struct revtun_hub *hub)
{
    return (struct revtun_hub_gauges){
        .links = hub->links.used,
        .agents = hub->accounts.used,
        .services = hub->services.used,
        .waiting = hub->waits.used,
        .sessions = hub->visits.used - hub->waits.used,
        .standing = hub->stands.used,
    };
}
