// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke.h"

#include <assert.h>

#include "base/layout.h"
#include "base/macro.h"
#include "revtun/revtun_pattern.h"
#include "revtun/revtun_spoke_bond.h"
#include "revtun/revtun_spoke_call.h"
#include "revtun/revtun_spoke_hear.h"
#include "revtun/revtun_spoke_link.h"
#include "revtun/revtun_spoke_out.h"
#include "revtun/revtun_spoke_priv.h"

// --- its making ----------------------------------------------------------------------------------

static bool is_sound(const struct revtun_spoke_service *service)
{
    const bool is_sni = service->kind == REVTUN_MESSAGE_KIND_SNI;

    return revtun_pattern_is_name(service->name) &&
           (is_sni || service->kind == REVTUN_MESSAGE_KIND_TCP) &&
           is_sni == (service->hosts.len > 0) &&
           (!is_sni || (service->port == 0 && service->hosts.len <= REVTUN_MESSAGE_HOSTS_MAX &&
                        revtun_pattern_is_list(service->hosts, revtun_pattern_is_of_hosts)));
}

bool revtun_spoke_config_is_sound(const struct revtun_spoke_config *config)
{
    if (config->service_count < 1 || config->service_count > REVTUN_SPOKE_SERVICE_MAX ||
        config->session_max < 1 || config->session_max > REVTUN_SPOKE_SESSION_MAX ||
        config->pool > REVTUN_MESSAGE_POOL_MAX || config->program.len > REVTUN_MESSAGE_TEXT_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < config->service_count; i++) {
        if (!is_sound(&config->services[i])) {
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (bytes_equal(config->services[i].name, config->services[j].name)) {
                return false;
            }
        }
    }
    return true;
}

uint32_t revtun_spoke_call_max(const struct revtun_spoke_config *config)
{
    return config->session_max + REVTUN_SPOKE_LINK_MAX * config->pool;
}

struct layout {
    size_t calls;
    size_t calls_by_id;
    size_t end;
};

static struct layout layout_of(const struct revtun_spoke_config *config)
{
    const uint32_t max = revtun_spoke_call_max(config);
    struct layout layout = {0};

    (void)layout_place(&layout.end, sizeof(struct revtun_spoke));
    layout.calls = layout_place(&layout.end, pool_size(max, sizeof(struct revtun_spoke_call)));
    layout.calls_by_id = layout_place(&layout.end, table_size(max));
    return layout;
}

size_t revtun_spoke_size(const struct revtun_spoke_config *config)
{
    return layout_of(config).end;
}

struct revtun_spoke *revtun_spoke_init(void *memory, const struct revtun_spoke_config *config)
{
    const struct layout layout = layout_of(config);
    const uint32_t max = revtun_spoke_call_max(config);
    struct revtun_spoke *spoke = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(revtun_spoke_config_is_sound(config));
    spoke->config = *config;
    pool_init(&spoke->calls, (uint8_t *)memory + layout.calls, max,
              sizeof(struct revtun_spoke_call));
    table_init(&spoke->calls_by_id, (uint8_t *)memory + layout.calls_by_id, max);
    for (uint32_t i = 0; i < config->service_count; i++) {
        spoke->bonds[i].link = REVTUN_SPOKE_NOWHERE;
        spoke->bonds[i].ask_ns = NEVER;
    }
    spoke->main = REVTUN_SPOKE_NOWHERE;
    revtun_spoke_link_connect(spoke);
    return spoke;
}

// --- chance --------------------------------------------------------------------------------------

uint32_t revtun_spoke_draw(struct revtun_spoke *spoke)
{
    uint8_t raw[sizeof(uint64_t)];
    struct wr wr = wr_init(raw, sizeof raw);

    wr_u64(&wr, ++spoke->draw_serial);
    return (uint32_t)siphash(&spoke->config.key, wr_done(&wr));
}

uint64_t revtun_spoke_about(struct revtun_spoke *spoke, uint64_t time_ns)
{
    // Four hours take 44 bits: with 16 of the number's there is room for the product.
    return time_ns / 2 + ((time_ns * (revtun_spoke_draw(spoke) >> 16)) >> 16);
}

// --- control connections -------------------------------------------------------------------------

void revtun_spoke_up(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                     const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN])
{
    revtun_spoke_out_begin(spoke);
    revtun_spoke_link_up(spoke, now_ns, link, exported);
}

void revtun_spoke_read(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                       struct bytes *received)
{
    assert(link < REVTUN_SPOKE_LINK_MAX);
    revtun_spoke_out_begin(spoke);
    if (!revtun_spoke_link_is_up(&spoke->links[link])) {
        *received = (struct bytes){0}; // its end has begun
        return;
    }
    revtun_spoke_hear(spoke, now_ns, link, received);
}

void revtun_spoke_down(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link)
{
    assert(link < REVTUN_SPOKE_LINK_MAX);
    revtun_spoke_out_begin(spoke);
    revtun_spoke_link_down(spoke, now_ns, link);
}

void revtun_spoke_leave(struct revtun_spoke *spoke, uint64_t now_ns)
{
    revtun_spoke_out_begin(spoke);
    spoke->phase = REVTUN_SPOKE_PHASE_STOPPED;
    spoke->connect_ns = NEVER;
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        const enum revtun_spoke_link_state state = spoke->links[i].state;
        if (state != REVTUN_SPOKE_LINK_FREE && state != REVTUN_SPOKE_LINK_CLOSING) {
            revtun_spoke_link_end(spoke, now_ns, i, REVTUN_SPOKE_LOST,
                                  REVTUN_MESSAGE_CODE_SHUTDOWN);
        }
    }
}

// --- calls ---------------------------------------------------------------------------------------

void revtun_spoke_joined(struct revtun_spoke *spoke, struct pool_ref call)
{
    revtun_spoke_out_begin(spoke);
    if (revtun_spoke_call_find(spoke, call) != NULL) {
        revtun_spoke_call_join(spoke, call);
    }
}

void revtun_spoke_failed(struct revtun_spoke *spoke, uint64_t now_ns, struct pool_ref call,
                         enum revtun_message_code code, struct bytes text)
{
    revtun_spoke_out_begin(spoke);
    if (revtun_spoke_call_find(spoke, call) != NULL) {
        revtun_spoke_call_fail(spoke, now_ns, call, code, text);
    }
}

enum revtun_head_outcome revtun_spoke_head(struct revtun_spoke *spoke, struct pool_ref call,
                                           struct bytes received, size_t *len)
{
    const struct revtun_spoke_call *stand = revtun_spoke_call_find(spoke, call);
    struct bytes line = {0};

    revtun_spoke_out_begin(spoke);
    if (stand == NULL || stand->state != REVTUN_SPOKE_CALL_STANDS) {
        return REVTUN_HEAD_BAD;
    }
    const enum revtun_head_outcome outcome = revtun_head_read(
        received, stand->preface, spoke->links[stand->link].secrets.head, &line, len);
    switch (outcome) {
    case REVTUN_HEAD_WHOLE:
        return revtun_spoke_call_serve(spoke, call, line);
    case REVTUN_HEAD_PART:
        break;
    case REVTUN_HEAD_BAD:
        revtun_spoke_call_forget(spoke, call.index);
        break;
    }
    return outcome;
}

void revtun_spoke_ended(struct revtun_spoke *spoke, struct pool_ref call)
{
    if (revtun_spoke_call_find(spoke, call) != NULL) {
        revtun_spoke_call_forget(spoke, call.index);
    }
}

// --- time and commands ---------------------------------------------------------------------------

static uint32_t next_link(const struct revtun_spoke *spoke)
{
    uint32_t next = 0;

    for (uint32_t i = 1; i < REVTUN_SPOKE_LINK_MAX; i++) {
        if (revtun_spoke_link_deadline(&spoke->links[i]) <
            revtun_spoke_link_deadline(&spoke->links[next])) {
            next = i;
        }
    }
    return next;
}

void revtun_spoke_tick(struct revtun_spoke *spoke, uint64_t now_ns)
{
    const uint32_t link = next_link(spoke);

    revtun_spoke_out_begin(spoke);
    if (revtun_spoke_link_is_to_stop(spoke)) {
        revtun_spoke_link_stop(spoke, now_ns);
    } else if (revtun_spoke_link_deadline(&spoke->links[link]) <= now_ns) {
        revtun_spoke_link_expire(spoke, now_ns, link);
    } else if (revtun_spoke_link_connect_deadline(spoke) <= now_ns) {
        revtun_spoke_link_connect(spoke);
    } else {
        IGNORE(revtun_spoke_bond_ask(spoke, now_ns)); // that nothing is due does no harm
    }
}

uint64_t revtun_spoke_deadline(const struct revtun_spoke *spoke)
{
    uint64_t deadline_ns = revtun_spoke_link_deadline(&spoke->links[next_link(spoke)]);
    const uint64_t others_ns[] = {
        revtun_spoke_link_connect_deadline(spoke),
        revtun_spoke_bond_deadline(spoke),
        revtun_spoke_link_is_to_stop(spoke) ? 0 : NEVER,
    };

    for (size_t i = 0; i < COUNT_OF(others_ns); i++) {
        deadline_ns = others_ns[i] < deadline_ns ? others_ns[i] : deadline_ns;
    }
    return deadline_ns;
}

bool revtun_spoke_take(struct revtun_spoke *spoke, struct revtun_spoke_command *out)
{
    if (spoke->out_taken == spoke->out_count) {
        return false;
    }
    *out = spoke->out[spoke->out_taken++];
    return true;
}

struct revtun_spoke_gauges revtun_spoke_gauges(const struct revtun_spoke *spoke)
{
    struct revtun_spoke_gauges gauges = {.sessions = spoke->session_count};

    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        gauges.bound += spoke->bonds[i].state == REVTUN_SPOKE_BOND_BOUND;
    }
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        gauges.standing += spoke->links[i].stand_count;
    }
    return gauges;
}
