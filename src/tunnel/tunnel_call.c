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
        tunnel_seal_abort(&setup->seal);
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
    io_stream_reset(&call->relay);
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
        io_pump_start(&call->calls->side->pumps, &call->pump, io_stream_take(&call->relay),
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
    setup->watch = (struct io_watch){.fd = call->relay.fd, .fn = on_standing, .context = call};
    if (io_loop_add(&call->calls->side->loop, &setup->watch, IO_READABLE) != 0) {
        end(call);
    }
}

// There is room for it in any socket that nothing was sent to.
static bool send_preface(struct tunnel_call *call)
{
    const struct bytes preface = {call->setup->preface, REVTUN_PREFACE_LEN};
    size_t put = 0;

    if (call->relay.tls != NULL) {
        return io_tls_channel_write(call->relay.tls, preface, &put) == IO_TLS_CHANNEL_DONE;
    }
    return send(call->relay.fd, preface.ptr, preface.len, MSG_NOSIGNAL) == (ssize_t)preface.len;
}

// The relay is connected to.
static void introduce(struct tunnel_call *call, struct io_stream relay)
{
    call->relay = relay;
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

static void on_sealed(struct tunnel_seal *seal, struct io_stream stream, const char *why)
{
    if (why != NULL) {
        fail_to_reach(seal->context, why);
    } else {
        introduce(seal->context, stream);
    }
}

static void seal_up(struct tunnel_call *call, int fd)
{
    struct tunnel_calls *calls = call->calls;
    struct tunnel_seal *seal = &call->setup->seal;

    *seal = (struct tunnel_seal){
        .loop = &calls->side->loop,
        .timers = &calls->side->timers,
        .on_end = on_sealed,
        .context = call,
    };
    if (tunnel_seal_connect(seal, calls->certificates, &calls->wanted, fd) != 0) {
        io_fd_close(&fd);
        fail_to_reach(call, "TLS with the relay cannot begin");
    }
}

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
    } else {
        introduce(call, io_stream_plain(fd));
    }
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

// What it has brought: *got bytes behind those that were there. False: it has ended.
static bool receive(struct tunnel_call *call, size_t *got)
{
    struct tunnel_call_setup *setup = call->setup;
    uint8_t *room = setup->received + setup->received_len;
    const size_t room_len = RECEIVED_MAX - setup->received_len;

    if (call->relay.tls != NULL) {
        const enum io_tls_channel_outcome outcome =
            io_tls_channel_read(call->relay.tls, room, room_len, got);
        return outcome == IO_TLS_CHANNEL_DONE || outcome == IO_TLS_CHANNEL_WAITS;
    }
    const ssize_t len = recv(call->relay.fd, room, room_len, 0);
    *got = len > 0 ? (size_t)len : 0;
    return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_standing(struct io_watch *watch, uint32_t events)
{
    struct tunnel_call *call = watch->context;
    size_t got = 0;

    (void)events;
    if (!has_room(call) || !receive(call, &got)) {
        end(call); // it was not needed
    } else if (got > 0) {
        call->setup->received_len += got;
        read_head(call);
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
    call->relay = IO_STREAM_NONE;
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
    tunnel_timers_clear(&call->calls->side->timers, &call->setup->timer);
    tunnel_call_dial_service(call, client);
}
