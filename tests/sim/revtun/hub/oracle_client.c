// SPDX-License-Identifier: Apache-2.0
// The oracle's clients: who is let in, waits, is joined, and ends.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/revtun/hub/oracle_priv.h"

// What the relay leaves unread before it withholds clients, and what it says without a ping.
enum { AHEAD_MAX = 32768, PING_LEN = 8192 };

size_t oracle_client_of(const struct oracle *oracle, uint64_t conn)
{
    for (size_t i = 0; i < oracle->client_count; i++) {
        if (oracle->clients[i].conn == conn) {
            return i;
        }
    }
    return ORACLE_NOBODY;
}

uint32_t oracle_count(const struct oracle *oracle, size_t service, enum oracle_client_state state)
{
    uint32_t count = 0;

    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        count += client->state == state && (service == ORACLE_NOBODY || client->service == service);
    }
    return count;
}

void oracle_recall(struct oracle *oracle, size_t service)
{
    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS && client->service == service) {
            client->id = 0;
            client->until_ns = oracle->now.mono_ns + oracle->config.ttl_s * SECOND_NS;
        }
    }
}

void oracle_end_service(struct oracle *oracle, struct oracle_service *service, bool is_cut)
{
    const size_t index = (size_t)(service - oracle->services);

    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->service != index) {
            continue;
        }
        if (client->state == ORACLE_WAITS) {
            oracle_expect(oracle, "refuse %" PRIu64 " ", client->conn);
            client->state = ORACLE_OVER;
            oracle->stats.hub_clients_cut++;
        } else if (client->state == ORACLE_JOINED && is_cut) {
            oracle_expect(oracle, "end %" PRIu64, client->conn);
            client->state = ORACLE_CUT;
            client->service = ORACLE_NOBODY;
            oracle->stats.hub_sessions_cut++;
        }
    }
    if (service->port != 0) {
        oracle_lease_release(oracle, service->port);
        service->port = 0;
    }
    service->host_count = 0;
    service->link = ORACLE_NOBODY;
    service->state = oracle_count(oracle, index, ORACLE_JOINED) > 0 ? ORACLE_ENDED : ORACLE_NONE;
}

// --- coming --------------------------------------------------------------------------------------

// How well a pattern fits a host: the host itself best, then the longest; 0: not at all.
static size_t fit(const char *pattern, const char *host)
{
    if (strcmp(pattern, host) == 0) {
        return 2 * ORACLE_HOST_MAX;
    }
    return oracle_covers_host(pattern, host) ? strlen(pattern) : 0;
}

static size_t service_for(const struct oracle *oracle, uint16_t port, const char *host)
{
    size_t found = ORACLE_NOBODY;
    size_t best = 0;

    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        const struct oracle_service *service = &oracle->services[i];
        if (host[0] == 0 && service->port != 0 && service->port == port) {
            return i;
        }
        for (size_t j = 0; j < service->host_count && host[0] != 0; j++) {
            if (fit(service->hosts[j], host) > best) {
                best = fit(service->hosts[j], host);
                found = i;
            }
        }
    }
    return found;
}

// As far as one can know: the /64 is what counts of IPv6.
static bool is_same_host(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == ADDR_IP4 ? 4 : 8) == 0;
}

static const char *refusal_for(const struct oracle *oracle, size_t index, const struct addr *from)
{
    const struct revtun_hub_config *config = &oracle->config;
    const struct oracle_service *service = &oracle->services[index];
    const uint32_t connections = oracle_terms_of(oracle, service->owner)->connections;
    const uint32_t waiting = oracle_count(oracle, ORACLE_NOBODY, ORACLE_WAITS);
    uint32_t of_host = 0;
    uint32_t of_owner = 0;

    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        const bool waits = client->state == ORACLE_WAITS;
        of_host += waits && is_same_host(&client->from, from);
        of_owner += (waits || client->state == ORACLE_JOINED) &&
                    oracle->services[client->service].owner == service->owner;
    }
    if (waiting + oracle_count(oracle, ORACLE_NOBODY, ORACLE_JOINED) +
            oracle_count(oracle, ORACLE_NOBODY, ORACLE_CUT) >=
        config->max_sessions) {
        return "sessions";
    }
    const uint32_t waits_here = oracle_count(oracle, index, ORACLE_WAITS);
    if ((service->max > 0 &&
         waits_here + oracle_count(oracle, index, ORACLE_JOINED) >= service->max) ||
        (connections > 0 && of_owner >= connections)) {
        return "pair_sessions";
    }
    if (waiting >= config->max_waiting) {
        return "waiting";
    }
    if (waits_here >= config->max_waiting_per_name) {
        return "pair_waiting";
    }
    return of_host >= config->max_waiting_per_address ? "address_waiting" : NULL;
}

bool oracle_client(struct oracle *oracle, uint64_t conn, const struct addr *from,
                   const struct addr *dst, const char *host)
{
    const size_t index = service_for(oracle, dst->port, host);

    if (index == ORACLE_NOBODY) {
        oracle->stats.hub_clients_unbound++;
        oracle_expect(oracle, "reset %" PRIu64, conn);
        oracle_expect(oracle, "report nobody 0 - %s %u -", host[0] != '\0' ? host : "-", dst->port);
        return false;
    }
    const struct oracle_service *service = &oracle->services[index];
    const char *refusal = refusal_for(oracle, index, from);
    if (refusal != NULL) {
        oracle->stats.hub_clients_refused++;
        oracle_expect(oracle, "reset %" PRIu64, conn);
        oracle_expect(oracle, "report refused 0 %s %s %s 0 -", refusal,
                      oracle_owner_names[service->owner], service->name);
        return false;
    }
    oracle->stats.hub_clients_waiting++;
    assert(oracle->client_count < ORACLE_CLIENTS);
    struct oracle_client *client = &oracle->clients[oracle->client_count++];
    *client = (struct oracle_client){
        .conn = conn,
        .from = *from,
        .dst = *dst,
        .state = ORACLE_WAITS,
        .service = index,
        .since_ns = oracle->now.mono_ns,
        .until_ns = oracle->now.mono_ns + oracle->config.ttl_s * SECOND_NS,
    };
    snprintf(client->host, sizeof client->host, "%s", host);
    // A standing connection is there for it, or its agent is told.
    const struct oracle_link *link =
        service->state == ORACLE_BOUND ? &oracle->links[service->link] : NULL;
    for (size_t i = 0; link != NULL && i < link->stand_count; i++) {
        if (link->stands[i].is_there) {
            oracle_expect(oracle, "join %" PRIu64 " standing=*", conn);
            break;
        }
    }
    return true;
}

void oracle_client_gone(struct oracle *oracle, size_t index)
{
    struct oracle_client *client = &oracle->clients[index];
    struct oracle_service *service =
        client->service != ORACLE_NOBODY ? &oracle->services[client->service] : NULL;

    switch (client->state) {
    case ORACLE_WAITS:
        if (client->id != 0) {
            oracle_expect(oracle, "send %" PRIu64 " gone id=%" PRIu64 " code=left\r\n",
                          oracle->links[service->link].conn, client->id);
        }
        oracle->stats.hub_clients_left++;
        break;
    case ORACLE_CUT:
        oracle->stats.hub_sessions_ended++;
        break;
    case ORACLE_JOINED:
        oracle->stats.hub_sessions_ended++;
        client->state = ORACLE_OVER;
        if (service->state == ORACLE_ENDED &&
            oracle_count(oracle, client->service, ORACLE_JOINED) == 0) {
            service->state = ORACLE_NONE;
        }
        break;
    case ORACLE_OVER:
        break;
    }
    client->state = ORACLE_OVER;
}

// --- data connections ----------------------------------------------------------------------------

static uint64_t id_in(const uint8_t raw[REVTUN_PREFACE_LEN])
{
    uint64_t id = 0;

    for (size_t i = 24; i < 32; i++) {
        id = id << 8 | raw[i];
    }
    return id;
}

bool oracle_data(struct oracle *oracle, uint64_t conn, size_t index,
                 const uint8_t raw[REVTUN_PREFACE_LEN], bool is_tls)
{
    const enum revtun_message_data data = oracle->config.data;
    struct oracle_link *link = index != ORACLE_NOBODY ? &oracle->links[index] : NULL;
    const uint64_t id = id_in(raw);

    if (link == NULL || link->state != ORACLE_OPEN ||
        data == (is_tls ? REVTUN_MESSAGE_DATA_PLAIN : REVTUN_MESSAGE_DATA_TLS)) {
        oracle_expect(oracle, "reset %" PRIu64, conn);
        oracle_expect(oracle, "report forged 0 - - 0 -");
        oracle->stats.prefaces_bad++;
        return false;
    }
    for (size_t i = 0; raw[4] == 1 && i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS && client->id != 0 && client->id == id &&
            oracle->services[client->service].link == index) {
            oracle_expect(oracle, "join %" PRIu64 " %" PRIu64, client->conn, conn);
            oracle->stats.hub_sessions_joined++;
            client->state = ORACLE_JOINED;
            return false;
        }
    }
    for (size_t i = 0; raw[4] == 2 && i < link->stand_count; i++) {
        struct oracle_stand *stand = &link->stands[i];
        if (stand->id == id && !stand->is_there) {
            stand->is_there = true;
            stand->conn = conn;
            memcpy(stand->preface, raw, sizeof stand->preface);
            return true;
        }
    }
    oracle_expect(oracle, "reset %" PRIu64, conn);
    oracle->stats.prefaces_bad++;
    return false;
}

struct oracle_stand *oracle_stand_of(struct oracle *oracle, uint64_t conn, size_t *link)
{
    for (size_t i = 0; i < oracle->link_count; i++) {
        for (size_t j = 0; j < oracle->links[i].stand_count; j++) {
            struct oracle_stand *stand = &oracle->links[i].stands[j];
            if (stand->is_there && stand->conn == conn) {
                *link = i;
                return stand;
            }
        }
    }
    return NULL;
}

void oracle_standing_gone(struct oracle *oracle, uint64_t conn)
{
    size_t index = 0;
    struct oracle_stand *stand = oracle_stand_of(oracle, conn, &index);

    if (stand != NULL) {
        struct oracle_link *link = &oracle->links[index];
        const uint64_t again_ns = oracle->now.mono_ns + oracle->config.ping_s * SECOND_NS;
        *stand = link->stands[--link->stand_count];
        link->missed++;
        link->again_ns = link->again_ns < again_ns ? link->again_ns : again_ns;
    }
}

// --- what the relay says when it likes -----------------------------------------------------------

void oracle_announcement(const struct oracle *oracle, size_t index, char text[ORACLE_TEXT_MAX])
{
    const struct oracle_client *client = &oracle->clients[index];
    uint8_t from[64];
    uint8_t dst[64];
    struct wr from_wr = wr_init(from, sizeof from);
    struct wr dst_wr = wr_init(dst, sizeof dst);

    addr_write(&from_wr, &client->from);
    addr_write(&dst_wr, &client->dst);
    snprintf(text, ORACLE_TEXT_MAX, "new_connection id=* name=%s src=%.*s dst=%.*s%s%s",
             oracle->services[client->service].name, (int)from_wr.len, (const char *)from,
             (int)dst_wr.len, (const char *)dst, client->host[0] != 0 ? " sni=" : "", client->host);
}

// Takes the id after " id=" down; false when it was told before.
static bool note_id(struct oracle *oracle, size_t link, uint64_t id)
{
    for (size_t i = 0; i < oracle->id_count; i++) {
        if (oracle->ids[i].link == link && oracle->ids[i].id == id) {
            return false;
        }
    }
    assert(oracle->id_count < ORACLE_IDS);
    oracle->ids[oracle->id_count].link = link;
    oracle->ids[oracle->id_count++].id = id;
    return true;
}

static bool is_untold(const struct oracle *oracle, const struct oracle_client *client, size_t link)
{
    return client->state == ORACLE_WAITS && client->id == 0 &&
           oracle->services[client->service].state == ORACLE_BOUND &&
           oracle->services[client->service].link == link;
}

static bool is_ahead(const struct oracle_link *link)
{
    return link->said_len - link->read_len >= AHEAD_MAX;
}

const char *oracle_see_announcement(struct oracle *oracle, size_t index, const char *line)
{
    char pattern[ORACLE_TEXT_MAX];
    unsigned long long id = 0;
    uint64_t first_ns = NEVER;

    if (sscanf(line, "new_connection id=%llu ", &id) != 1 || !note_id(oracle, index, id)) {
        return "an id is not there, or was told before";
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        if (is_untold(oracle, client, index) && client->since_ns < first_ns) {
            first_ns = client->since_ns;
        }
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (!is_untold(oracle, client, index)) {
            continue;
        }
        oracle_announcement(oracle, i, pattern);
        if (oracle_matches(pattern, line)) {
            client->id = id;
            oracle->recalled_count += client->was_told;
            client->was_told = true;
            client->until_ns = oracle->now.mono_ns + oracle->config.ttl_s * SECOND_NS;
            return client->since_ns > first_ns       ? "another has waited longer"
                   : is_ahead(&oracle->links[index]) ? "its agent has too much to read"
                                                     : NULL;
        }
    }
    return "nobody is to be announced with this";
}

const char *oracle_see_standing(struct oracle *oracle, uint64_t client_conn, uint64_t conn,
                                const char *line)
{
    char pattern[ORACLE_TEXT_MAX];
    unsigned long long id = 0;
    size_t index = 0;
    struct oracle_stand *stand = oracle_stand_of(oracle, conn, &index);
    const size_t place = oracle_client_of(oracle, client_conn);
    struct oracle_client *client = &oracle->clients[place];

    if (stand == NULL || oracle->services[client->service].link != index) {
        return "no standing connection of its agent";
    }
    oracle_announcement(oracle, place, pattern);
    if (!oracle_matches(pattern, line)) {
        return "the head is not of this client";
    }
    if (sscanf(line, "new_connection id=%llu ", &id) != 1 || !note_id(oracle, index, id)) {
        return "an id is not there, or was told before";
    }
    oracle->links[index].wanted++;
    *stand = oracle->links[index].stands[--oracle->links[index].stand_count];
    client->state = ORACLE_JOINED;
    oracle->stats.hub_sessions_joined++;
    oracle->stats.hub_sessions_standing++;
    return NULL;
}

const char *oracle_see_standby(struct oracle *oracle, size_t index, uint64_t id)
{
    struct oracle_link *link = &oracle->links[index];

    if (link->wanted == 0) {
        return "it is not time for another standing connection";
    }
    if (oracle_gauges(oracle).standing >= oracle->config.max_standing) {
        return "there is no room for another standing connection";
    }
    if (!note_id(oracle, index, id)) {
        return "the id was told before";
    }
    link->wanted--;
    assert(link->stand_count < ORACLE_STANDS);
    link->stands[link->stand_count++] =
        (struct oracle_stand){.id = id, .asked_ns = oracle->now.mono_ns};
    return NULL;
}

const char *oracle_see_ping(struct oracle *oracle, size_t index)
{
    struct oracle_link *link = &oracle->links[index];
    const bool is_quiet = oracle->now.mono_ns - link->said_ns >= oracle->config.ping_s * SECOND_NS;
    const bool is_full = link->said_len - link->pinged_len >= PING_LEN;

    if (!link->is_probed_now && !is_quiet && !is_full) {
        return "there is nothing to ping for";
    }
    link->is_probed_now = false;
    link->pinged_len = link->said_len;
    return NULL;
}

void oracle_see_line(struct oracle *oracle, size_t index, size_t len)
{
    oracle->links[index].said_ns = oracle->now.mono_ns;
    oracle->links[index].said_len += len;
}

const char *oracle_missed(struct oracle *oracle)
{
    const bool has_room = oracle_gauges(oracle).standing < oracle->config.max_standing;

    for (size_t i = 0; i < oracle->link_count; i++) {
        struct oracle_link *link = &oracle->links[i];
        if (link->state != ORACLE_OPEN) {
            continue;
        }
        if (link->is_probed_now ||
            oracle->now.mono_ns - link->said_ns >= oracle->config.ping_s * SECOND_NS ||
            link->said_len - link->pinged_len >= PING_LEN) {
            return "a ping";
        }
        if (link->wanted == 0 || !has_room) {
            link->room_ns = NEVER;
        } else if (link->room_ns == NEVER) {
            link->room_ns = oracle->now.mono_ns;
        }
        // Who found no room looks again with the time of a ping.
        const uint64_t patience_ns = oracle->config.max_standing < ORACLE_STANDS_ENOUGH
                                         ? oracle->config.ping_s * SECOND_NS
                                         : 0;
        if (link->room_ns != NEVER && oracle->now.mono_ns - link->room_ns >= patience_ns) {
            return "a standing connection is wanted";
        }
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS && client->id == 0 &&
            oracle->services[client->service].state == ORACLE_BOUND &&
            !is_ahead(&oracle->links[oracle->services[client->service].link])) {
            return "a client is to be announced";
        }
    }
    return NULL;
}
