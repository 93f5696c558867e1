// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_call.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

enum {
    // Bytes of a head, and of its client's that came with it.
    RECEIVED_MAX = REVTUN_HEAD_MAX + IO_TLS_RECEIVE_MAX,
};

// --- beginning and end ---------------------------------------------------------------------------

static void free_setup(struct tunnel_call *call)
{
    struct tunnel_call_setup *setup = call->setup;

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
void tunnel_call_forget(struct tunnel_call *call)
{
    free_setup(call);
    if (call->seal != NULL) {
        tunnel_seal_abort(call->seal);
        free(call->seal);
    }
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

    tunnel_call_forget(call);
    revtun_spoke_ended(calls->core, ref);
    calls->settle(calls->context);
}

static void fail(struct tunnel_call *call, enum revtun_message_code code, const char *why)
{
    struct tunnel_calls *calls = call->calls;
    const struct pool_ref ref = call->ref;

    tunnel_call_forget(call);
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
static struct bytes first_bytes(const struct tunnel_call_setup *setup, uint8_t *room)
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
    call->state = TUNNEL_CALL_RUNS;
    call->pump = (struct io_pump){.on_end = on_pumped, .context = call};
    const bool is_running =
        call->seal != NULL
            ? tunnel_seal_join(call->seal, io_fd_take(&call->service_fd), head)
            : io_pump_start(&call->calls->side->pumps, &call->pump,
                            io_stream_plain(io_fd_take(&call->relay_fd)),
                            io_stream_plain(io_fd_take(&call->service_fd)), head) == 0;
    if (!is_running) {
        tunnel_calls_complain(call->calls, "a client was turned away: no memory is left");
        end(call);
    }
}

// --- its two connections -------------------------------------------------------------------------

static void on_dialled(struct tunnel_dial *dial, int fd);

void tunnel_call_dial_service(struct tunnel_call *call, const struct revtun_spoke_client *client)
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
    call->state = TUNNEL_CALL_DIALS_SERVICE;
    tunnel_dial_begin(&call->setup->dial, &calls->hosts[client->service], io_clock_mono_ns());
}

void tunnel_call_dial_relay(struct tunnel_call *call)
{
    call->state = TUNNEL_CALL_DIALS_RELAY;
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
        tunnel_call_dial_relay(call);
    }
}

static void on_standing(struct io_watch *watch, uint32_t events);

static void stand(struct tunnel_call *call)
{
    struct tunnel_call_setup *setup = call->setup;

    call->state = TUNNEL_CALL_STANDS;
    setup->watch = (struct io_watch){.fd = call->relay_fd, .fn = on_standing, .context = call};
    if (call->seal == NULL &&
        io_loop_add(&call->calls->side->loop, &setup->watch, IO_READABLE) != 0) {
        end(call);
    }
}

static bool send_preface(struct tunnel_call *call)
{
    const uint8_t *preface = call->setup->preface;

    if (call->seal != NULL) {
        return tunnel_seal_send(call->seal, (struct bytes){preface, REVTUN_PREFACE_LEN});
    }
    // There is room for it in any socket that nothing was sent to.
    return send(call->relay_fd, preface, REVTUN_PREFACE_LEN, MSG_NOSIGNAL) == REVTUN_PREFACE_LEN;
}

// The relay is connected to.
static void introduce(struct tunnel_call *call)
{
    if (!send_preface(call)) {
        fail(call, REVTUN_MESSAGE_CODE_OTHER, "the connection for its data was lost");
    } else if (call->is_standing) {
        stand(call);
    } else {
        revtun_spoke_joined(call->calls->core, call->ref);
        run(call);
    }
}

static void fail_to_reach(struct tunnel_call *call, const char *why)
{
    tunnel_calls_complain(call->calls, "a connection for a client could not be made: %s", why);
    fail(call, REVTUN_MESSAGE_CODE_OTHER, "the relay cannot be reached for its data");
}

static void seal_up(struct tunnel_call *call, int fd);

static void on_relay(struct tunnel_call *call, int fd)
{
    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        tunnel_dial_why(&call->setup->dial, why);
        fail_to_reach(call, why);
        return;
    }
    if (call->is_tls) {
        seal_up(call, fd);
        return;
    }
    call->relay_fd = fd;
    introduce(call);
}

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct tunnel_call *call = dial->context;

    if (call->state == TUNNEL_CALL_DIALS_SERVICE) {
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
    struct tunnel_call_setup *setup = call->setup;

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
    struct tunnel_call_setup *setup = call->setup;
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
        tunnel_call_forget(call);
        break;
    }
    calls->settle(calls->context);
}

static void on_standing(struct io_watch *watch, uint32_t events)
{
    struct tunnel_call *call = watch->context;
    struct tunnel_call_setup *setup = call->setup;

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

// --- TLS -----------------------------------------------------------------------------------------

static void on_sealed(struct tunnel_seal *seal)
{
    introduce(seal->context);
}

static void on_unsealed(struct tunnel_seal *seal, struct bytes bytes)
{
    struct tunnel_call *call = seal->context;
    struct tunnel_call_setup *setup = call->setup;

    if (call->state != TUNNEL_CALL_STANDS || !has_room(call)) {
        end(call);
        return;
    }
    assert(bytes.len <= RECEIVED_MAX - setup->received_len); // a part of a head, and one record
    memcpy(setup->received + setup->received_len, bytes.ptr, bytes.len);
    setup->received_len += bytes.len;
    read_head(call);
}

static void on_seal_ended(struct tunnel_seal *seal, const struct io_tls_end *why)
{
    struct tunnel_call *call = seal->context;

    if (call->state == TUNNEL_CALL_DIALS_RELAY) {
        fail_to_reach(call, why->text);
    } else {
        end(call);
    }
}

static const struct tunnel_seal_events seal_events = {
    .opened = on_sealed,
    .received = on_unsealed,
    .ended = on_seal_ended,
};

static void seal_up(struct tunnel_call *call, int fd)
{
    struct tunnel_calls *calls = call->calls;

    call->seal = calloc(1, sizeof *call->seal);
    if (call->seal != NULL) {
        call->seal->loop = &calls->side->loop;
        call->seal->timers = &calls->side->timers;
        call->seal->events = &seal_events;
        call->seal->context = call;
    }
    if (call->seal == NULL ||
        tunnel_seal_connect(call->seal, calls->certificates, &calls->wanted, fd) != 0) {
        io_fd_close(&fd);
        fail_to_reach(call, "TLS with the relay cannot begin");
    }
}

// --- for tunnel_calls ----------------------------------------------------------------------------

struct tunnel_call *tunnel_call_begin(struct tunnel_calls *calls,
                                      const struct revtun_spoke_command *command)
{
    struct tunnel_call *call = calloc(1, sizeof *call);
    struct tunnel_call_setup *setup = calloc(1, sizeof *setup);

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
    call->is_tls = command->is_tls;
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

void tunnel_call_serve(struct tunnel_call *call, const struct revtun_spoke_client *client)
{
    io_loop_remove(&call->calls->side->loop, &call->setup->watch);
    if (call->seal != NULL) {
        io_tls_pause(&call->seal->tls);
    }
    tunnel_timers_clear(&call->calls->side->timers, &call->setup->timer);
    tunnel_call_dial_service(call, client);
}

void tunnel_call_end(struct tunnel_call *call, uint64_t now_ns)
{
    assert(call->state == TUNNEL_CALL_RUNS);
    if (call->seal != NULL) {
        tunnel_seal_end(call->seal);
    } else {
        io_pump_end(&call->pump, now_ns);
    }
}
