// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_calls.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "tunnel/tunnel_call.h"
#include "tunnel/tunnel_words.h"

enum { QUIET_S = 10 }; // between two complaints about failed connections

void tunnel_calls_complain(struct tunnel_calls *calls, const char *format, ...)
{
    const uint64_t now_ns = io_clock_mono_ns();
    char words[TUNNEL_WORDS_MAX];
    va_list list;

    if (now_ns < calls->quiet_ns) {
        return;
    }
    calls->quiet_ns = now_ns + QUIET_S * SECOND_NS;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    daemon_tell_mistake(calls->side->program, "%s", words);
}

// --- what the core says --------------------------------------------------------------------------

void tunnel_calls_dial(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = tunnel_call_begin(calls, command);

    if (call != NULL) {
        tunnel_call_dial_service(call, &command->client);
    }
}

void tunnel_calls_stand(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = tunnel_call_begin(calls, command);

    if (call != NULL) {
        call->is_standing = true;
        tunnel_call_dial_relay(call);
    }
}

static struct tunnel_call *find(const struct tunnel_calls *calls, struct pool_ref ref)
{
    struct tunnel_call *call = calls->calls[ref.index];

    assert(call != NULL);
    assert(call->ref.generation == ref.generation);
    return call;
}

void tunnel_calls_serve(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    tunnel_call_serve(find(calls, command->call), &command->client);
}

void tunnel_calls_drop(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    tunnel_call_forget(find(calls, command->call));
}

// Whether it has a client of its own, and needs no link.
static bool is_loose(const struct tunnel_call *call)
{
    return call->state == TUNNEL_CALL_STANDS || call->state == TUNNEL_CALL_DIALS_RELAY ||
           (call->state == TUNNEL_CALL_DIALS_SERVICE && !call->is_standing);
}

void tunnel_calls_abandon(struct tunnel_calls *calls, uint32_t link)
{
    struct tunnel_call *next = NULL;

    for (struct tunnel_call *call = tunnel_list_first(&calls->list); call != NULL; call = next) {
        next = tunnel_list_next(&call->place);
        if (call->link == link && is_loose(call)) {
            const struct pool_ref ref = call->ref;
            tunnel_call_forget(call);
            revtun_spoke_ended(calls->core, ref);
        }
    }
}

// --- their life ----------------------------------------------------------------------------------

int tunnel_calls_open(struct tunnel_calls *calls, uint32_t target_count, uint32_t call_max)
{
    assert(target_count <= REVTUN_SPOKE_SERVICE_MAX);
    for (uint32_t i = 0; i < target_count; i++) {
        const struct tunnel_place *place = &calls->targets[i].place;
        const bool is_set = tunnel_names_set(&calls->hosts[i], &calls->side->names,
                                             bytes_of_text(place->host), place->port);
        assert(is_set); // a place's host has room in a host
    }
    calls->calls = calloc(call_max, sizeof(struct tunnel_call *));
    return calls->calls == NULL ? -ENOMEM : 0;
}

void tunnel_calls_close(struct tunnel_calls *calls)
{
    struct tunnel_call *call = NULL;

    while ((call = tunnel_list_first(&calls->list)) != NULL) {
        io_pump_cut(&call->pump);
        tunnel_call_forget(call);
    }
    free(calls->calls);
    calls->calls = NULL;
}

void tunnel_calls_follow(struct tunnel_calls *calls, uint32_t link, const struct addr *relay)
{
    uint8_t text[ADDR_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    addr_ip_write(&wr, relay);
    assert(wr_ok(&wr));
    const bool is_set =
        tunnel_names_set(&calls->relays[link], &calls->side->names, wr_done(&wr), relay->port);
    assert(is_set); // an address is no long name
}

void tunnel_calls_end(struct tunnel_calls *calls)
{
    struct tunnel_call *next = NULL;

    for (struct tunnel_call *call = tunnel_list_first(&calls->list); call != NULL; call = next) {
        next = tunnel_list_next(&call->place);
        if (call->state != TUNNEL_CALL_RUNS) {
            const struct pool_ref ref = call->ref;
            tunnel_call_forget(call);
            revtun_spoke_ended(calls->core, ref);
        }
    }
}

bool tunnel_calls_is_idle(const struct tunnel_calls *calls)
{
    return tunnel_list_first(&calls->list) == NULL;
}
