// SPDX-License-Identifier: Apache-2.0
// The oracle's names: who gets which, with which port or hosts.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/revtun/hub/oracle_priv.h"

// Why a request is refused, and when it helps to ask again.
struct refusal {
    enum revtun_denial_kind kind; // 0: it is not
    uint64_t retry_s;
};

static const struct refusal none = {0};

static struct refusal refused(enum revtun_denial_kind kind)
{
    return (struct refusal){.kind = kind};
}

static struct refusal refused_for(enum revtun_denial_kind kind, uint64_t retry_s)
{
    return (struct refusal){kind, retry_s};
}

// What stands behind `code=`, up to the text.
static const char *words_of(enum revtun_denial_kind kind)
{
    static const char *const words[] = {
        [REVTUN_DENIAL_NAME] = "denied key=name",
        [REVTUN_DENIAL_PORT] = "denied key=port",
        [REVTUN_DENIAL_HOST] = "denied key=hosts",
        [REVTUN_DENIAL_NAME_TAKEN] = "name_taken",
        [REVTUN_DENIAL_PORT_TAKEN] = "port_taken",
        [REVTUN_DENIAL_HOST_TAKEN] = "host_taken",
        [REVTUN_DENIAL_NO_PORT] = "no_port",
        [REVTUN_DENIAL_TUNNELS] = "quota",
        [REVTUN_DENIAL_HOSTS] = "quota",
        [REVTUN_DENIAL_PACE] = "busy",
        [REVTUN_DENIAL_ENDED] = "busy",
        [REVTUN_DENIAL_ROOM] = "busy",
        [REVTUN_DENIAL_UNSUPPORTED] = "unsupported",
    };
    return words[kind];
}

static struct oracle_service *service_of(struct oracle *oracle, size_t owner, const char *name)
{
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        struct oracle_service *service = &oracle->services[i];
        if ((service->state == ORACLE_BOUND || service->state == ORACLE_KEPT) &&
            service->owner == owner && strcmp(service->name, name) == 0) {
            return service;
        }
    }
    return NULL;
}

// --- leases --------------------------------------------------------------------------------------

static bool is_over(const struct oracle *oracle, const struct oracle_lease *lease)
{
    return lease->state == ORACLE_RESTS && oracle->now.wall_s >= lease->released_s &&
           oracle->now.wall_s - lease->released_s >= (int64_t)oracle->config.lease_s;
}

void oracle_lease_release(struct oracle *oracle, uint16_t port)
{
    struct oracle_lease *lease = &oracle->leases[port - oracle->config.first_port];

    assert(lease->state == ORACLE_TAKEN);
    lease->state = ORACLE_RESTS;
    lease->released_s = oracle->now.wall_s;
    lease->left = ++oracle->left_serial;
}

static size_t lease_of(const struct oracle *oracle, size_t owner, const char *name)
{
    for (size_t i = 0; i < oracle->config.port_count; i++) {
        const struct oracle_lease *lease = &oracle->leases[i];
        if (lease->state != ORACLE_FREE && lease->owner == owner &&
            strcmp(lease->name, name) == 0) {
            return i;
        }
    }
    return ORACLE_NOBODY;
}

static bool may_have(const struct oracle *oracle, const struct oracle_terms *terms, size_t index)
{
    return oracle_may_port(terms, (uint16_t)(oracle->config.first_port + index));
}

// Of those that have been left, the one that was left first: free to all, or an owner's own.
static size_t oldest(const struct oracle *oracle, const struct oracle_terms *terms, size_t owner,
                     size_t besides)
{
    size_t found = ORACLE_NOBODY;

    for (size_t i = 0; i < oracle->config.port_count; i++) {
        const struct oracle_lease *lease = &oracle->leases[i];
        const bool is_it = owner == ORACLE_NOBODY
                               ? lease->state == ORACLE_FREE || is_over(oracle, lease)
                               : lease->state == ORACLE_RESTS && lease->owner == owner;
        if (is_it && i != besides && (terms == NULL || may_have(oracle, terms, i)) &&
            (found == ORACLE_NOBODY || lease->left < oracle->leases[found].left)) {
            found = i;
        }
    }
    return found;
}

static uint32_t held(const struct oracle *oracle, size_t owner, size_t besides, bool is_bound)
{
    uint32_t count = 0;

    for (size_t i = 0; i < oracle->config.port_count; i++) {
        const struct oracle_lease *lease = &oracle->leases[i];
        count += i != besides && lease->state != ORACLE_FREE && lease->owner == owner &&
                 (!is_bound || lease->state == ORACLE_TAKEN);
    }
    return count;
}

static struct refusal choose(const struct oracle *oracle, const struct oracle_terms *terms,
                             size_t owner, uint16_t wanted, size_t *out)
{
    const size_t first = oracle->config.first_port;

    if (wanted == 0) {
        *out = oldest(oracle, terms, ORACLE_NOBODY, ORACLE_NOBODY);
        return *out == ORACLE_NOBODY ? refused(REVTUN_DENIAL_NO_PORT) : none;
    }
    if (wanted < first || wanted >= first + oracle->config.port_count ||
        !oracle_may_port(terms, wanted)) {
        return refused(REVTUN_DENIAL_PORT);
    }
    const struct oracle_lease *lease = &oracle->leases[wanted - first];
    *out = wanted - first;
    return lease->state == ORACLE_FREE || is_over(oracle, lease) ||
                   (lease->state == ORACLE_RESTS && lease->owner == owner)
               ? none
               : refused(REVTUN_DENIAL_PORT_TAKEN);
}

// A port for a name that holds none now, though one may rest for it.
static struct refusal lease_bind(struct oracle *oracle, const struct oracle_terms *terms,
                                 size_t owner, const struct oracle_line *line, uint16_t *port)
{
    const size_t own = lease_of(oracle, owner, line->name);
    const uint16_t first = oracle->config.first_port;
    size_t index = ORACLE_NOBODY;

    if (own != ORACLE_NOBODY && (line->port == 0 || line->port == first + own) &&
        may_have(oracle, terms, own)) {
        index = own;
    } else {
        const struct refusal refusal = choose(oracle, terms, owner, line->port, &index);
        if (refusal.kind != 0 && refusal.kind != REVTUN_DENIAL_NO_PORT) {
            return refusal;
        }
        if (own == ORACLE_NOBODY && held(oracle, owner, index, false) >= terms->tunnels) {
            if (held(oracle, owner, index, true) >= terms->tunnels) {
                return refused(REVTUN_DENIAL_TUNNELS);
            }
            index = index != ORACLE_NOBODY ? index : oldest(oracle, terms, owner, ORACLE_NOBODY);
            while (index != ORACLE_NOBODY && held(oracle, owner, index, false) >= terms->tunnels) {
                oracle->leases[oldest(oracle, NULL, owner, index)].state = ORACLE_FREE;
            }
        }
        if (index == ORACLE_NOBODY) {
            return refused(REVTUN_DENIAL_NO_PORT);
        }
        if (own != ORACLE_NOBODY) {
            oracle->leases[own].state = ORACLE_FREE;
        }
    }
    struct oracle_lease *lease = &oracle->leases[index];
    lease->state = ORACLE_TAKEN;
    lease->owner = owner;
    snprintf(lease->name, sizeof lease->name, "%s", line->name);
    *port = (uint16_t)(first + index);
    return none;
}

// --- places --------------------------------------------------------------------------------------

static struct refusal place_at_port(struct oracle *oracle, const struct oracle_terms *terms,
                                    struct oracle_service *service, const struct oracle_line *line)
{
    const uint16_t former = service->port;
    uint16_t port = 0;

    if (former != 0 && (line->port == 0 || line->port == former)) {
        return none;
    }
    if (terms->ports[0][0] == 0) {
        return refused(REVTUN_DENIAL_PORT);
    }
    if (former != 0) {
        oracle_lease_release(oracle, former);
    }
    const struct refusal refusal = lease_bind(oracle, terms, service->owner, line, &port);
    if (refusal.kind != 0) {
        if (former != 0) {
            oracle->leases[former - oracle->config.first_port].state = ORACLE_TAKEN;
            oracle->left_serial--;
        }
        return refusal;
    }
    service->port = port;
    service->host_count = 0;
    return none;
}

// Whose a pattern is, as it is written.
static const struct oracle_service *holder_of(const struct oracle *oracle, const char *host)
{
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        const struct oracle_service *service = &oracle->services[i];
        for (size_t j = 0; j < service->host_count; j++) {
            if (strcmp(service->hosts[j], host) == 0) {
                return service;
            }
        }
    }
    return NULL;
}

// Of an owner, or of all.
static uint32_t hosts_besides(const struct oracle *oracle, const struct oracle_service *besides,
                              size_t owner)
{
    uint32_t count = 0;

    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        const struct oracle_service *service = &oracle->services[i];
        count += service != besides && (owner == ORACLE_NOBODY || service->owner == owner)
                     ? (uint32_t)service->host_count
                     : 0;
    }
    return count;
}

static struct refusal place_at_hosts(struct oracle *oracle, const struct oracle_terms *terms,
                                     struct oracle_service *service, const struct oracle_line *line)
{
    char list[ORACLE_LIST_MAX * ORACLE_HOST_MAX];
    char hosts[ORACLE_LIST_MAX][ORACLE_HOST_MAX];
    size_t count = 0;
    bool is_allowed = true;

    if (oracle->config.tls_port == 0) {
        return refused(REVTUN_DENIAL_UNSUPPORTED);
    }
    const uint32_t others = hosts_besides(oracle, service, ORACLE_NOBODY);
    const uint32_t own = hosts_besides(oracle, service, service->owner);
    struct refusal refusal = none;
    snprintf(list, sizeof list, "%s", line->hosts);
    for (char *rest = list, *host = strtok_r(rest, ",", &rest); host != NULL;
         host = strtok_r(NULL, ",", &rest)) {
        const struct oracle_service *holder = holder_of(oracle, host);
        bool is_twice = false;
        is_allowed = is_allowed && oracle_may_host(terms, host);
        for (size_t i = 0; i < count; i++) {
            is_twice = is_twice || strcmp(hosts[i], host) == 0;
        }
        if (refusal.kind != 0 || is_twice) {
            continue;
        }
        if (holder != NULL && holder != service) {
            refusal = refused(REVTUN_DENIAL_HOST_TAKEN);
        } else if (own + count >= terms->hosts_max) {
            refusal = refused(REVTUN_DENIAL_HOSTS);
        } else if (others + count == oracle->config.max_hosts) {
            refusal = refused_for(REVTUN_DENIAL_ROOM, 30);
        } else {
            snprintf(hosts[count++], ORACLE_HOST_MAX, "%s", host);
        }
    }
    if (!is_allowed) {
        return refused(REVTUN_DENIAL_HOST);
    }
    if (refusal.kind != 0) {
        return refusal;
    }
    memcpy(service->hosts, hosts, sizeof hosts);
    service->host_count = count;
    if (service->port != 0) {
        oracle_lease_release(oracle, service->port);
        service->port = 0;
    }
    return none;
}

// --- names ---------------------------------------------------------------------------------------

// Another control connection of its own agent has the name.
static struct refusal contest(struct oracle *oracle, struct oracle_link *holder,
                              const struct oracle_link *link, bool is_take)
{
    const uint64_t now_ns = oracle->now.mono_ns;

    if (is_take || holder->instance == link->instance) {
        return none;
    }
    if (holder->probed_ns == 0 || now_ns >= holder->probed_ns + 15 * SECOND_NS) {
        holder->probed_ns = now_ns;
        holder->is_probed_now = true;
        return refused_for(REVTUN_DENIAL_NAME_TAKEN, 3);
    }
    if (holder->heard_ns > holder->probed_ns) {
        return refused(REVTUN_DENIAL_NAME_TAKEN);
    }
    return now_ns >= holder->probed_ns + 3 * SECOND_NS ? none
                                                       : refused_for(REVTUN_DENIAL_NAME_TAKEN, 3);
}

static struct refusal find_room(const struct oracle *oracle, const struct oracle_terms *terms,
                                size_t owner)
{
    uint32_t mine = 0;
    uint32_t lasting = 0;
    uint32_t all = 0;

    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        const struct oracle_service *service = &oracle->services[i];
        all += service->state != ORACLE_NONE;
        lasting += service->owner == owner && service->state != ORACLE_NONE;
        mine += service->owner == owner &&
                (service->state == ORACLE_BOUND || service->state == ORACLE_KEPT);
    }
    return mine >= terms->tunnels ? refused(REVTUN_DENIAL_TUNNELS)
           : lasting >= terms->tunnels + oracle->config.max_ended_per_agent
               ? refused_for(REVTUN_DENIAL_ENDED, 30)
           : all >= oracle->config.max_services ? refused_for(REVTUN_DENIAL_ROOM, 30)
                                                : none;
}

// So many a second, as many at once. Time is counted in parts of a request's.
static bool keeps_pace(struct oracle *oracle, const struct oracle_terms *terms, size_t owner)
{
    const struct revtun_hub_config *config = &oracle->config;
    const uint64_t tunnels =
        terms->tunnels < config->max_services ? terms->tunnels : config->max_services;
    const uint64_t rate = tunnels > config->binds_per_second ? tunnels : config->binds_per_second;
    const uint64_t now_ns = oracle->now.mono_ns;
    const uint64_t paid_ns = oracle->paid_ns[owner] > now_ns ? oracle->paid_ns[owner] : now_ns;

    if (paid_ns - now_ns + SECOND_NS / rate > SECOND_NS) {
        return false;
    }
    oracle->paid_ns[owner] = paid_ns + SECOND_NS / rate;
    return true;
}

static struct refusal place(struct oracle *oracle, size_t index, const struct oracle_line *line,
                            struct oracle_service **out)
{
    const struct oracle_link *link = &oracle->links[index];
    const struct oracle_terms *terms = oracle_terms_of(oracle, link->owner);
    struct oracle_service *service = service_of(oracle, link->owner, line->name);
    const bool is_new = service == NULL;
    struct refusal refusal = none;

    if (!keeps_pace(oracle, terms, link->owner)) {
        return refused_for(REVTUN_DENIAL_PACE, 1);
    }
    if (!oracle_may_name(terms, line->name)) {
        return refused(REVTUN_DENIAL_NAME);
    }
    if (is_new) {
        refusal = find_room(oracle, terms, link->owner);
    } else if (service->state == ORACLE_BOUND && service->link != index) {
        refusal = contest(oracle, &oracle->links[service->link], link, line->is_take);
    }
    if (refusal.kind != 0) {
        return refusal;
    }
    if (is_new) {
        service = oracle->services;
        while (service->state != ORACLE_NONE) {
            service++;
            assert(service < oracle->services + ORACLE_SERVICES);
        }
        *service = (struct oracle_service){
            .state = ORACLE_KEPT, .owner = link->owner, .link = ORACLE_NOBODY, .grace_ns = NEVER};
        snprintf(service->name, sizeof service->name, "%s", line->name);
    }
    refusal = line->is_sni ? place_at_hosts(oracle, terms, service, line)
                           : place_at_port(oracle, terms, service, line);
    if (refusal.kind != 0 && is_new) {
        service->state = ORACLE_NONE;
    }
    *out = service;
    return refusal;
}

static void tell_unbound(struct oracle *oracle, size_t link, const struct oracle_service *service,
                         const char *rid, const char *code)
{
    const uint64_t conn = oracle->links[link].conn;

    oracle_expect(oracle, "send %" PRIu64 " unbound%s name=%s code=%s\r\n", conn, rid,
                  service->name, code);
    oracle_expect(oracle, "report unbound %" PRIu64 " %s %s 0 %s", conn,
                  oracle_owner_names[service->owner], service->name, code);
}

void oracle_bind(struct oracle *oracle, size_t index, const struct oracle_line *line)
{
    const struct revtun_hub_config *config = &oracle->config;
    const struct oracle_link *link = &oracle->links[index];
    struct oracle_service *service = NULL;
    char lease[32] = "";

    const struct refusal refusal = place(oracle, index, line, &service);
    if (refusal.kind != 0) {
        const char *words = words_of(refusal.kind);
        char retry[32] = "";
        if (refusal.retry_s > 0) {
            snprintf(retry, sizeof retry, " retry=%" PRIu64, refusal.retry_s);
        }
        oracle->stats.binds_refused++;
        oracle->stats.binds_denied[refusal.kind - 1]++;
        oracle_expect(oracle, "send %" PRIu64 " error rid=%" PRIu64 " code=%s text=*%s\r\n",
                      link->conn, line->rid, words, retry);
        oracle_expect(oracle, "report bind refused %" PRIu64 " %s %s %u %.*s", link->conn,
                      oracle_owner_names[link->owner], line->name, line->port,
                      (int)strcspn(words, " "), words);
        return;
    }
    oracle->stats.binds_done++;
    if (service->state == ORACLE_BOUND && service->link != index) {
        tell_unbound(oracle, service->link, service, "", "replaced");
    }
    if (service->port != 0) {
        snprintf(lease, sizeof lease, " lease=%" PRIu32, config->lease_s);
    }
    oracle_expect(oracle, "send %" PRIu64 " bound rid=%" PRIu64 " name=%s at=%.*s:%u%s\r\n",
                  link->conn, line->rid, service->name, (int)config->host.len,
                  (const char *)config->host.ptr,
                  service->port != 0 ? (unsigned)service->port : (unsigned)config->tls_port, lease);
    oracle_expect(oracle, "report bound %" PRIu64 " %s %s %u -", link->conn,
                  oracle_owner_names[service->owner], service->name, service->port);
    if (service->state != ORACLE_BOUND || service->link != index) {
        oracle_recall(oracle, (size_t)(service - oracle->services));
    }
    oracle->resumed_count += service->state == ORACLE_KEPT && service->instance == link->instance;
    service->instance = link->instance;
    service->state = ORACLE_BOUND;
    service->link = index;
    service->max = line->max;
}

void oracle_unbind(struct oracle *oracle, size_t index, const struct oracle_line *line)
{
    const struct oracle_link *link = &oracle->links[index];
    struct oracle_service *service = service_of(oracle, link->owner, line->name);
    char rid[32];

    snprintf(rid, sizeof rid, " rid=%" PRIu64, line->rid);
    if (service == NULL || (service->state == ORACLE_BOUND && service->link != index)) {
        oracle_expect(oracle, "send %" PRIu64 " unbound%s name=%s code=asked\r\n", link->conn, rid,
                      line->name);
        return;
    }
    tell_unbound(oracle, index, service, rid, "asked");
    oracle_end_service(oracle, service, false);
}

// --- another access list -------------------------------------------------------------------------

static bool is_allowed(const struct oracle *oracle, const struct oracle_terms *terms,
                       const struct oracle_service *service)
{
    bool may_hosts = true;

    (void)oracle;
    for (size_t i = 0; i < service->host_count; i++) {
        may_hosts = may_hosts && oracle_may_host(terms, service->hosts[i]);
    }
    return may_hosts && oracle_may_name(terms, service->name) &&
           (service->port == 0 || oracle_may_port(terms, service->port));
}

void oracle_adopt(struct oracle *oracle)
{
    bool is_revoked[ORACLE_OWNERS] = {0};

    for (size_t owner = 0; owner < ORACLE_OWNERS; owner++) {
        const struct oracle_terms *terms = oracle_terms_of(oracle, owner);
        is_revoked[owner] =
            terms == NULL || (owner < ORACLE_TOKENS && terms->secret != oracle->secrets[owner]);
    }
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        struct oracle_service *service = &oracle->services[i];
        if (service->state == ORACLE_NONE) {
            continue;
        }
        if (is_revoked[service->owner]) {
            oracle_end_service(oracle, service, true);
        } else if (service->state != ORACLE_ENDED &&
                   !is_allowed(oracle, oracle_terms_of(oracle, service->owner), service)) {
            if (service->state == ORACLE_BOUND) {
                tell_unbound(oracle, service->link, service, "", "revoked");
            }
            oracle_end_service(oracle, service, true);
        }
    }
    for (size_t i = 0; i < oracle->link_count; i++) {
        if (oracle->links[i].state == ORACLE_OPEN && is_revoked[oracle->links[i].owner]) {
            oracle_end_link(oracle, i, "revoked", 0);
        }
    }
}
