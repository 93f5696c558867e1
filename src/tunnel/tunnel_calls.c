// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_calls.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"
#include "tunnel/tunnel_dial.h"
#include "tunnel/tunnel_words.h"

enum {
    QUIET_S = 10,         // between two complaints about failed connections
    RECEIVED_MAX = 16384, // bytes of a head, and of its client's that came with it
};
_Static_assert((int)RECEIVED_MAX >= (int)REVTUN_HEAD_MAX, "a head ends before it is full");

enum call_state {
    DIALS_SERVICE,
    DIALS_RELAY,
    STANDS,
    RUNS,
};

// What is needed until it runs.
struct setup {
    struct tunnel_dial dial;   // of the service, then of the relay, or the other way round
    struct tunnel_timer timer; // of a head
    struct io_watch watch;     // STANDS
    uint8_t preface[REVTUN_PREFACE_LEN];
    uint32_t proxy_len;
    uint8_t proxy[REVTUN_PROXY_WRITE_MAX]; // what the service is told of its client
    uint8_t *received;                     // of a standing connection; NULL: nothing yet
    size_t received_len;
    size_t received_from; // what is the client's begins there
};

struct tunnel_call {
    struct tunnel_calls *calls;
    struct tunnel_link place;
    struct pool_ref ref;
    enum call_state state;
    uint32_t link;
    bool is_standing; // it was to stand by
    int relay_fd;     // these until it runs, or -1
    int service_fd;
    struct setup *setup; // NULL when it runs
    struct io_pump pump; // from the relay (A) to the service (B) and back
};

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

// --- beginning and end ---------------------------------------------------------------------------

static void free_setup(struct tunnel_call *call)
{
    struct setup *setup = call->setup;

    if (setup != NULL) {
        tunnel_dial_stop(&setup->dial);
        tunnel_timers_clear(&call->calls->side->timers, &setup->timer);
        io_loop_remove(&call->calls->side->loop, &setup->watch);
        free(setup->received);
        free(setup);
        call->setup = NULL;
    }
}

// The core knows it no more, or is told by the caller.
static void forget(struct tunnel_call *call)
{
    free_setup(call);
    io_tcp_reset(&call->relay_fd);
    io_tcp_reset(&call->service_fd);
    call->calls->calls[call->ref.index] = NULL;
    tunnel_list_remove(&call->place);
    free(call);
}

static void end(struct tunnel_call *call)
{
    struct tunnel_calls *calls = call->calls;
    const struct pool_ref ref = call->ref;

    forget(call);
    revtun_spoke_ended(calls->core, ref);
    calls->settle(calls->context);
}

static void fail(struct tunnel_call *call, enum revtun_message_code code, const char *why)
{
    struct tunnel_calls *calls = call->calls;
    const struct pool_ref ref = call->ref;

    forget(call);
    revtun_spoke_failed(calls->core, io_clock_mono_ns(), ref, code, bytes_of_text(why));
    calls->settle(calls->context);
}

// --- it runs -------------------------------------------------------------------------------------

static void on_pumped(struct io_pump *pump, enum io_pump_why why)
{
    (void)why; // whatever it was, both sides have seen it
    end(pump->context);
}

// What goes to the service first: who its client is, then what came of it with the head.
static struct bytes first_bytes(const struct setup *setup, uint8_t *room)
{
    const size_t more = setup->received_len - setup->received_from;

    memcpy(room, setup->proxy, setup->proxy_len);
    if (more > 0) {
        memcpy(room + setup->proxy_len, setup->received + setup->received_from, more);
    }
    return (struct bytes){room, setup->proxy_len + more};
}

static void run(struct tunnel_call *call)
{
    uint8_t room[REVTUN_PROXY_WRITE_MAX + RECEIVED_MAX];
    const struct bytes head = first_bytes(call->setup, room);

    free_setup(call);
    call->state = RUNS;
    call->pump = (struct io_pump){.on_end = on_pumped, .context = call};
    if (io_pump_start(&call->calls->side->pumps, &call->pump, io_fd_take(&call->relay_fd),
                      io_fd_take(&call->service_fd), head) != 0) {
        tunnel_calls_complain(call->calls, "a client was turned away: no memory is left");
        end(call);
    }
}

// --- its two connections -------------------------------------------------------------------------

static void on_dialled(struct tunnel_dial *dial, int fd);

static void dial_service(struct tunnel_call *call, const struct revtun_spoke_client *client)
{
    struct tunnel_calls *calls = call->calls;
    const struct revtun_proxy proxy = {
        .version = calls->targets[client->service].proxy,
        .src = client->src,
        .dst = client->dst,
        .authority = client->sni,
    };
    struct wr wr = wr_init(call->setup->proxy, sizeof call->setup->proxy);

    revtun_proxy_write(&wr, &proxy);
    assert(wr_ok(&wr));
    call->setup->proxy_len = (uint32_t)wr_done(&wr).len;
    call->state = DIALS_SERVICE;
    tunnel_dial_begin(&call->setup->dial, &calls->hosts[client->service], io_clock_mono_ns());
}

static void dial_relay(struct tunnel_call *call)
{
    call->state = DIALS_RELAY;
    tunnel_dial_begin(&call->setup->dial, &call->calls->relays[call->link], io_clock_mono_ns());
}

static void on_service(struct tunnel_call *call, int fd)
{
    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        tunnel_dial_why(&call->setup->dial, why);
        tunnel_calls_complain(call->calls,
                              "a client was turned away, since the service is not there: %s", why);
        fail(call, REVTUN_MESSAGE_CODE_UNREACHABLE, "the service does not answer");
        return;
    }
    call->service_fd = fd;
    if (call->is_standing) {
        run(call);
    } else {
        dial_relay(call);
    }
}

static void on_standing(struct io_watch *watch, uint32_t events);

static void stand(struct tunnel_call *call)
{
    struct setup *setup = call->setup;

    call->state = STANDS;
    setup->watch = (struct io_watch){.fd = call->relay_fd, .fn = on_standing, .context = call};
    if (io_loop_add(&call->calls->side->loop, &setup->watch, IO_READABLE) != 0) {
        end(call);
    }
}

static void on_relay(struct tunnel_call *call, int fd)
{
    struct tunnel_calls *calls = call->calls;
    const uint8_t *preface = call->setup->preface;

    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        tunnel_dial_why(&call->setup->dial, why);
        tunnel_calls_complain(calls, "a connection for a client could not be made: %s", why);
        fail(call, REVTUN_MESSAGE_CODE_OTHER, "the relay cannot be reached for its data");
        return;
    }
    call->relay_fd = fd;
    // There is room for it in any socket that nothing was sent to.
    if (send(fd, preface, REVTUN_PREFACE_LEN, MSG_NOSIGNAL) != REVTUN_PREFACE_LEN) {
        fail(call, REVTUN_MESSAGE_CODE_OTHER, "the connection for its data was lost");
        return;
    }
    if (call->is_standing) {
        stand(call);
        return;
    }
    revtun_spoke_joined(calls->core, call->ref);
    run(call);
}

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct tunnel_call *call = dial->context;

    if (call->state == DIALS_SERVICE) {
        on_service(call, fd);
    } else {
        on_relay(call, fd);
    }
}

// --- standing by ---------------------------------------------------------------------------------

static void on_head_time(struct tunnel_timer *timer)
{
    end(timer->context);
}

static bool has_room(struct tunnel_call *call)
{
    struct setup *setup = call->setup;

    if (setup->received == NULL) {
        setup->received = malloc(RECEIVED_MAX);
        tunnel_timers_set(&call->calls->side->timers, &setup->timer,
                          io_clock_mono_ns() + TUNNEL_CALLS_HEAD_S * SECOND_NS);
    }
    return setup->received != NULL;
}

// The core says by a command what is to become of a whole one.
static void read_head(struct tunnel_call *call)
{
    struct tunnel_calls *calls = call->calls;
    struct setup *setup = call->setup;
    size_t len = 0;

    switch (revtun_spoke_head(calls->core, call->ref,
                              (struct bytes){setup->received, setup->received_len}, &len)) {
    case REVTUN_HEAD_PART:
        return;
    case REVTUN_HEAD_WHOLE:
        setup->received_from = len;
        break;
    case REVTUN_HEAD_BAD:
        tunnel_calls_complain(calls, "a standing connection was closed: what came there is not of "
                                     "the relay; perhaps somebody is in between");
        forget(call);
        break;
    }
    calls->settle(calls->context);
}

static void on_standing(struct io_watch *watch, uint32_t events)
{
    struct tunnel_call *call = watch->context;
    struct setup *setup = call->setup;

    (void)events;
    if (!has_room(call)) {
        end(call);
        return;
    }
    const ssize_t got = recv(watch->fd, setup->received + setup->received_len,
                             RECEIVED_MAX - setup->received_len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        end(call); // it was not needed
        return;
    }
    setup->received_len += (size_t)got;
    read_head(call);
}

// --- what the core says --------------------------------------------------------------------------

static struct tunnel_call *begin(struct tunnel_calls *calls,
                                 const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = calloc(1, sizeof *call);
    struct setup *setup = calloc(1, sizeof *setup);

    if (call == NULL || setup == NULL) {
        free(call);
        free(setup);
        tunnel_calls_complain(calls, "a client was turned away: no memory is left");
        revtun_spoke_failed(calls->core, io_clock_mono_ns(), command->call,
                            REVTUN_MESSAGE_CODE_BUSY, (struct bytes){0});
        return NULL;
    }
    call->calls = calls;
    call->ref = command->call;
    call->link = command->link;
    call->relay_fd = -1;
    call->service_fd = -1;
    call->setup = setup;
    setup->dial = (struct tunnel_dial){
        .timers = &calls->side->timers,
        .fn = on_dialled,
        .context = call,
    };
    setup->timer = (struct tunnel_timer){.fn = on_head_time, .context = call};
    setup->watch.fd = -1;
    memcpy(setup->preface, command->preface, sizeof setup->preface);
    assert(calls->calls[call->ref.index] == NULL);
    calls->calls[call->ref.index] = call;
    tunnel_list_add(&calls->list, &call->place, call);
    return call;
}

void tunnel_calls_dial(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = begin(calls, command);

    if (call != NULL) {
        dial_service(call, &command->client);
    }
}

void tunnel_calls_stand(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = begin(calls, command);

    if (call != NULL) {
        call->is_standing = true;
        dial_relay(call);
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
    struct tunnel_call *call = find(calls, command->call);

    io_loop_remove(&calls->side->loop, &call->setup->watch);
    tunnel_timers_clear(&calls->side->timers, &call->setup->timer);
    dial_service(call, &command->client);
}

void tunnel_calls_drop(struct tunnel_calls *calls, const struct revtun_spoke_command *command)
{
    forget(find(calls, command->call));
}

// Whether it has a client of its own, and needs no link.
static bool is_loose(const struct tunnel_call *call)
{
    return call->state == STANDS || call->state == DIALS_RELAY ||
           (call->state == DIALS_SERVICE && !call->is_standing);
}

void tunnel_calls_abandon(struct tunnel_calls *calls, uint32_t link)
{
    struct tunnel_call *next = NULL;

    for (struct tunnel_call *call = tunnel_list_first(&calls->list); call != NULL; call = next) {
        next = tunnel_list_next(&call->place);
        if (call->link == link && is_loose(call)) {
            const struct pool_ref ref = call->ref;
            forget(call);
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
        forget(call);
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
    const uint64_t now_ns = io_clock_mono_ns();
    struct tunnel_call *next = NULL;

    for (struct tunnel_call *call = tunnel_list_first(&calls->list); call != NULL; call = next) {
        next = tunnel_list_next(&call->place);
        if (call->state == RUNS) {
            io_pump_end(&call->pump, now_ns);
        } else {
            const struct pool_ref ref = call->ref;
            forget(call);
            revtun_spoke_ended(calls->core, ref);
        }
    }
}

bool tunnel_calls_is_idle(const struct tunnel_calls *calls)
{
    return tunnel_list_first(&calls->list) == NULL;
}
