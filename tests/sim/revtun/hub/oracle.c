// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/oracle_priv.h"

const char *const oracle_owner_names[ORACLE_OWNERS] = {
    "laptop",
    "shop",
    "n-1",
    "cert:0404040404040404040404040404040404040404040404040404040404040404",
    "cert:0505050505050505050505050505050505050505050505050505050505050505",
};

void oracle_expect(struct oracle *oracle, const char *format, ...)
{
    va_list arguments;

    assert(oracle->expected_count < ORACLE_EXPECTED);
    va_start(arguments, format);
    vsnprintf(oracle->expected[oracle->expected_count++], ORACLE_TEXT_MAX, format, arguments);
    va_end(arguments);
}

void oracle_begin(struct oracle *oracle, const struct revtun_hub_config *config, struct now now)
{
    struct oracle_lease leases[ORACLE_PORTS];
    struct oracle_terms terms[ORACLE_OWNERS + 1];
    const uint64_t serial = oracle->left_serial;

    memcpy(leases, oracle->leases, sizeof leases);
    memcpy(terms, oracle->terms, sizeof terms);
    memset(oracle, 0, sizeof *oracle);
    memcpy(oracle->leases, leases, sizeof leases);
    memcpy(oracle->terms, terms, sizeof terms);
    oracle->left_serial = serial;
    oracle->config = *config;
    oracle->now = now;
    oracle->drain_ns = NEVER;
}

size_t oracle_link_of(const struct oracle *oracle, uint64_t conn)
{
    for (size_t i = 0; i < oracle->link_count; i++) {
        if (oracle->links[i].conn == conn) {
            return i;
        }
    }
    return ORACLE_NOBODY;
}

// Whether a word that may end where another one begins is as it is expected.
bool oracle_matches(const char *pattern, const char *text)
{
    while (*pattern != 0) {
        if (*pattern == '*' && pattern[-1] == '=') {
            text += strcspn(text, " \r\n");
            pattern++;
        } else if (*pattern++ != *text++) {
            return false;
        }
    }
    return *text == 0;
}

// --- control connections -------------------------------------------------------------------------

static uint32_t links_of(const struct oracle *oracle, size_t owner)
{
    uint32_t count = 0;

    for (size_t i = 0; i < oracle->link_count; i++) {
        const struct oracle_link *link = &oracle->links[i];
        count += link->state != ORACLE_DOWN && (owner == ORACLE_NOBODY || link->owner == owner);
    }
    return count;
}

bool oracle_up(struct oracle *oracle, uint64_t conn, const struct addr *peer, size_t cert)
{
    if (links_of(oracle, ORACLE_NOBODY) >= oracle->config.max_links) {
        oracle_expect(oracle, "close %" PRIu64, conn);
        return false;
    }
    assert(oracle->link_count < ORACLE_LINKS);
    oracle->links[oracle->link_count++] = (struct oracle_link){
        .conn = conn,
        .state = ORACLE_UP,
        .peer = *peer,
        .cert = cert,
        .owner = ORACLE_NOBODY,
        .up_ns = oracle->now.mono_ns,
        .heard_ns = oracle->now.mono_ns,
        .said_ns = oracle->now.mono_ns,
        .again_ns = NEVER,
        .room_ns = NEVER,
    };
    return true;
}

static void leave(struct oracle *oracle, size_t index, const char *code, bool is_bye)
{
    struct oracle_link *link = &oracle->links[index];

    oracle_expect(oracle, "report agent down %" PRIu64 " %s %s 0 %s", link->conn,
                  link->owner == ORACLE_NOBODY ? "-" : oracle_owner_names[link->owner],
                  link->claim[0] != 0 ? link->claim : "-", code);
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        struct oracle_service *service = &oracle->services[i];
        if (service->state != ORACLE_BOUND || service->link != index) {
            continue;
        }
        if (is_bye) {
            oracle_end_service(oracle, service, false);
            continue;
        }
        service->state = ORACLE_KEPT;
        service->link = ORACLE_NOBODY;
        service->grace_ns = oracle->now.mono_ns + oracle->config.grace_s * SECOND_NS;
        oracle_recall(oracle, i);
    }
    for (size_t i = 0; i < link->stand_count; i++) {
        if (link->stands[i].is_there) {
            oracle_expect(oracle, "reset %" PRIu64, link->stands[i].conn);
        }
    }
    link->stand_count = 0;
    oracle->stats.agents_lost += link->state == ORACLE_OPEN;
    link->state = ORACLE_DOWN;
}

void oracle_end_link(struct oracle *oracle, size_t index, const char *code, uint64_t retry_s)
{
    const uint64_t conn = oracle->links[index].conn;
    char retry[32] = "";

    if (retry_s > 0) {
        snprintf(retry, sizeof retry, " retry=%" PRIu64, retry_s);
    }
    oracle_expect(oracle, "send %" PRIu64 " bye code=%s text=*%s\r\n", conn, code, retry);
    oracle_expect(oracle, "close %" PRIu64, conn);
    leave(oracle, index, code, false);
}

void oracle_down(struct oracle *oracle, size_t link)
{
    if (oracle->links[link].state != ORACLE_DOWN) {
        leave(oracle, link, "other", false);
    }
}

void oracle_heard(struct oracle *oracle, size_t link)
{
    if (oracle->links[link].state == ORACLE_OPEN) {
        oracle->links[link].heard_ns = oracle->now.mono_ns;
    }
}

// --- what agents say -----------------------------------------------------------------------------

// An owner has a control connection, or a name, or clients of one that has ended.
static bool is_here(const struct oracle *oracle, size_t owner)
{
    bool is_here = links_of(oracle, owner) > 0;

    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        is_here = is_here ||
                  (oracle->services[i].state != ORACLE_NONE && oracle->services[i].owner == owner);
    }
    return is_here;
}

static void hello(struct oracle *oracle, size_t index, const struct oracle_line *line)
{
    struct oracle_link *link = &oracle->links[index];
    const struct revtun_hub_config *config = &oracle->config;
    const size_t owner = line->is_cert ? link->cert : line->owner;
    const struct oracle_terms *terms =
        owner != ORACLE_NOBODY ? oracle_terms_of(oracle, owner) : NULL;
    static const char *const data[] = {"", " data=plain", " data=tls"};
    uint8_t text[64];
    struct wr wr = wr_init(text, sizeof text);

    if (owner != ORACLE_NOBODY) {
        snprintf(link->claim, sizeof link->claim, "%s", oracle_owner_names[owner]);
    }
    if (terms == NULL || line->is_forged || (!line->is_cert && line->secret != terms->secret)) {
        oracle->stats.agents_denied++;
        oracle->stats.agents_unknown += terms == NULL;
        oracle->stats.agents_unproven += terms != NULL;
        oracle_end_link(oracle, index, "denied", 0);
        return;
    }
    if (oracle->drain_ns != NEVER) {
        const uint64_t now_ns = oracle->now.mono_ns;
        const uint64_t left_ns = oracle->drain_ns > now_ns ? oracle->drain_ns - now_ns : 0;
        oracle_end_link(oracle, index, "shutdown", 1 + left_ns / SECOND_NS);
        return;
    }
    if (links_of(oracle, owner) >= config->max_links_per_agent) {
        oracle->stats.agents_crowded++;
        oracle_end_link(oracle, index, "busy", 30);
        return;
    }
    oracle->stats.agents_welcomed++;
    if (!is_here(oracle, owner)) {
        oracle->paid_ns[owner] = 0; // nothing is known of it any more
    }
    link->claim[0] = 0;
    oracle->secrets[owner] = line->secret;
    link->owner = owner;
    link->state = ORACLE_OPEN;
    link->instance = line->instance;
    link->wanted = config->max_standing > 0 ? line->pool : 0;
    addr_write(&wr, &link->peer);
    oracle_expect(oracle,
                  "send %" PRIu64 " welcome sid=* you=%.*s ping=%" PRIu32 " dead=%" PRIu32
                  " ttl=%" PRIu32 " grace=%" PRIu32 "%s%s%s%s%s relay=oracle/2\r\n",
                  link->conn, (int)wr.len, (const char *)text, config->ping_s, config->dead_s,
                  config->ttl_s, config->grace_s, data[config->data],
                  config->tls_port != 0 || config->max_standing > 0 ||
                          config->data != REVTUN_MESSAGE_DATA_PLAIN
                      ? " caps="
                      : "",
                  config->tls_port != 0 ? "sni" : "",
                  config->max_standing > 0 ? &",standby"[config->tls_port == 0] : "",
                  config->data != REVTUN_MESSAGE_DATA_PLAIN
                      ? &",tls"[config->tls_port == 0 && config->max_standing == 0]
                      : "");
    oracle_expect(oracle, "report agent up %" PRIu64 " %s - 0 -", link->conn,
                  oracle_owner_names[owner]);
}

static void miss(struct oracle *oracle, struct oracle_link *link, size_t stand)
{
    const uint64_t again_ns = oracle->now.mono_ns + oracle->config.ping_s * SECOND_NS;

    link->stands[stand] = link->stands[--link->stand_count];
    link->missed++;
    link->again_ns = link->again_ns < again_ns ? link->again_ns : again_ns;
}

static void refuse(struct oracle *oracle, size_t index, uint64_t id)
{
    struct oracle_link *link = &oracle->links[index];

    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (id != 0 && client->state == ORACLE_WAITS && client->id == id &&
            oracle->services[client->service].link == index) {
            oracle_expect(oracle, "reset %" PRIu64, client->conn);
            client->state = ORACLE_OVER;
            oracle->stats.hub_clients_denied++;
            oracle_expect(oracle, "report denied 0 %s %s 0 -",
                          oracle_owner_names[oracle->services[client->service].owner],
                          oracle->services[client->service].name);
            return;
        }
    }
    for (size_t i = 0; i < link->stand_count; i++) {
        if (link->stands[i].id == id && !link->stands[i].is_there) {
            miss(oracle, link, i);
            return;
        }
    }
}

static void say_error(struct oracle *oracle, size_t link, const struct oracle_line *line,
                      const char *code)
{
    char rid[32] = "";

    if (line->rid != 0) {
        snprintf(rid, sizeof rid, " rid=%" PRIu64, line->rid);
    }
    oracle_expect(oracle, "send %" PRIu64 " error%s code=%s%s%s text=*\r\n",
                  oracle->links[link].conn, rid, code, line->key != NULL ? " key=" : "",
                  line->key != NULL ? line->key : "");
}

static void obey(struct oracle *oracle, size_t index, const struct oracle_line *line)
{
    struct oracle_link *link = &oracle->links[index];

    switch (line->verb) {
    case ORACLE_SAYS_MALFORMED:
    case ORACLE_SAYS_HELLO:
        oracle_end_link(oracle, index, "protocol", 0);
        return;
    case ORACLE_SAYS_UNKNOWN:
        say_error(oracle, index, line, "unknown_verb");
        return;
    case ORACLE_SAYS_BAD:
        say_error(oracle, index, line, "bad_value");
        return;
    case ORACLE_SAYS_BIND:
        oracle_bind(oracle, index, line);
        return;
    case ORACLE_SAYS_UNBIND:
        oracle_unbind(oracle, index, line);
        return;
    case ORACLE_SAYS_REFUSE:
        refuse(oracle, index, line->number);
        return;
    case ORACLE_SAYS_PING:
        oracle_expect(oracle, "send %" PRIu64 " pong n=%" PRIu64 "\r\n", link->conn, line->number);
        return;
    case ORACLE_SAYS_PONG:
        if (line->number <= link->said_len && line->number > link->read_len) {
            link->read_len = line->number;
        }
        return;
    case ORACLE_SAYS_BYE:
        oracle_expect(oracle, "close %" PRIu64, link->conn);
        leave(oracle, index, line->code, true);
        return;
    }
}

void oracle_line(struct oracle *oracle, size_t index, const struct oracle_line *line)
{
    const struct oracle_link *link = &oracle->links[index];

    if (link->state == ORACLE_DOWN) {
        return;
    }
    oracle->stats.lines_bad += line->verb == ORACLE_SAYS_MALFORMED ||
                               line->verb == ORACLE_SAYS_UNKNOWN || line->verb == ORACLE_SAYS_BAD;
    oracle_heard(oracle, index);
    if (link->state == ORACLE_OPEN) {
        obey(oracle, index, line);
    } else if (line->verb == ORACLE_SAYS_HELLO) {
        hello(oracle, index, line);
    } else {
        const bool is_bad_hello = line->verb == ORACLE_SAYS_BAD && line->is_hello;
        oracle_end_link(oracle, index, is_bad_hello ? "bad_value" : "protocol", 0);
    }
}

// --- time ----------------------------------------------------------------------------------------

static void tick_link(struct oracle *oracle, size_t index)
{
    struct oracle_link *link = &oracle->links[index];
    const struct revtun_hub_config *config = &oracle->config;
    const uint64_t now_ns = oracle->now.mono_ns;

    if (link->state == ORACLE_UP && link->up_ns + 5 * SECOND_NS <= now_ns) {
        oracle_end_link(oracle, index, "timeout", 1);
    }
    if (link->state != ORACLE_OPEN) {
        return;
    }
    if (oracle->drain_ns <= now_ns) {
        oracle_end_link(oracle, index, "shutdown", 1);
        return;
    }
    if (link->heard_ns + config->dead_s * SECOND_NS <= now_ns) {
        oracle->stats.agents_silent++;
        oracle_end_link(oracle, index, "silent", 1);
        return;
    }
    for (size_t i = link->stand_count; i-- > 0;) {
        const struct oracle_stand stand = link->stands[i];
        if (!stand.is_there && stand.asked_ns + config->ttl_s * SECOND_NS <= now_ns) {
            oracle_expect(oracle, "send %" PRIu64 " gone id=%" PRIu64 " code=timeout\r\n",
                          link->conn, stand.id);
            miss(oracle, link, i);
        }
    }
    if (link->again_ns <= now_ns) {
        link->wanted += link->missed;
        link->missed = 0;
        link->again_ns = NEVER;
    }
}

static void time_out(struct oracle *oracle, struct oracle_client *client)
{
    const struct oracle_service *service = &oracle->services[client->service];

    oracle_expect(oracle, "report timed out 0 %s %s 0 -", oracle_owner_names[service->owner],
                  service->name);
    if (client->id != 0) {
        oracle_expect(oracle, "send %" PRIu64 " gone id=%" PRIu64 " code=timeout\r\n",
                      oracle->links[service->link].conn, client->id);
    }
    oracle_expect(oracle, "refuse %" PRIu64 " ", client->conn);
    oracle->stats.hub_clients_timed_out++;
    client->state = ORACLE_OVER;
}

void oracle_tick(struct oracle *oracle)
{
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        struct oracle_service *service = &oracle->services[i];
        if (service->state == ORACLE_KEPT && service->grace_ns <= oracle->now.mono_ns) {
            oracle_end_service(oracle, service, false);
        }
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS &&
            oracle->services[client->service].state == ORACLE_BOUND &&
            client->until_ns <= oracle->now.mono_ns) {
            time_out(oracle, client);
        }
    }
    for (size_t i = 0; i < oracle->link_count; i++) {
        tick_link(oracle, i);
    }
}

void oracle_drain(struct oracle *oracle, uint32_t in_s)
{
    oracle->drain_ns = oracle->now.mono_ns + in_s * SECOND_NS;
    for (size_t i = 0; i < oracle->link_count; i++) {
        const struct oracle_link *link = &oracle->links[i];
        if (link->state == ORACLE_OPEN && in_s > 0) {
            oracle_expect(oracle, "send %" PRIu64 " drain in=%" PRIu32 "\r\n", link->conn, in_s);
        } else if (link->state == ORACLE_OPEN) {
            oracle_end_link(oracle, i, "shutdown", 1);
        }
    }
}

static void lower(uint64_t *deadline_ns, uint64_t other_ns)
{
    *deadline_ns = other_ns < *deadline_ns ? other_ns : *deadline_ns;
}

uint64_t oracle_deadline(const struct oracle *oracle)
{
    const struct revtun_hub_config *config = &oracle->config;
    uint64_t deadline_ns = NEVER;

    for (size_t i = 0; i < oracle->link_count; i++) {
        const struct oracle_link *link = &oracle->links[i];
        if (link->state == ORACLE_UP) {
            lower(&deadline_ns, link->up_ns + 5 * SECOND_NS);
        }
        if (link->state != ORACLE_OPEN) {
            continue;
        }
        lower(&deadline_ns, oracle->drain_ns);
        lower(&deadline_ns, link->heard_ns + config->dead_s * SECOND_NS);
        lower(&deadline_ns, link->said_ns + config->ping_s * SECOND_NS);
        lower(&deadline_ns, link->again_ns);
        for (size_t j = 0; j < link->stand_count; j++) {
            if (!link->stands[j].is_there) {
                lower(&deadline_ns, link->stands[j].asked_ns + config->ttl_s * SECOND_NS);
            }
        }
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS &&
            oracle->services[client->service].state == ORACLE_BOUND) {
            lower(&deadline_ns, client->until_ns);
        }
    }
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        if (oracle->services[i].state == ORACLE_KEPT) {
            lower(&deadline_ns, oracle->services[i].grace_ns);
        }
    }
    return deadline_ns;
}

struct revtun_hub_gauges oracle_gauges(const struct oracle *oracle)
{
    struct revtun_hub_gauges gauges = {0};

    for (size_t i = 0; i < oracle->link_count; i++) {
        gauges.links += oracle->links[i].state != ORACLE_DOWN;
        gauges.standing += (uint32_t)oracle->links[i].stand_count;
    }
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        gauges.services += oracle->services[i].state != ORACLE_NONE;
    }
    for (size_t owner = 0; owner < ORACLE_OWNERS; owner++) {
        gauges.agents += is_here(oracle, owner);
    }
    for (size_t i = 0; i < oracle->client_count; i++) {
        const enum oracle_client_state state = oracle->clients[i].state;
        gauges.waiting += state == ORACLE_WAITS;
        gauges.sessions += state == ORACLE_JOINED || state == ORACLE_CUT;
    }
    return gauges;
}
