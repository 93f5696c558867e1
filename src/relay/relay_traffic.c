// SPDX-License-Identifier: Apache-2.0
// The way of a packet:
//
//      client --> listener --> turn_server_from_client() --> relayed socket --> peer
//      client <-- listener <-- turn_server_from_peer()   <-- relayed socket <-- peer
//
// of one that turns round to the client of another worker:
//
//      client --> listener --> turn_server_from_client() --> mailbox of that worker
//      client <-- listener <-- turn_server_from_shard()  <-- mailbox
//
// and of everything else: commands, which carry_out() takes after each call.
#include "relay/relay_traffic.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "io/io_clock.h"
#include "io/io_udp_error.h"
#include "log/log.h"
#include "relay/relay_life.h"
#include "relay/relay_report.h"
#include "stun/stun_header.h"

enum {
    BATCH_LEN = 256,            // arrivals taken from a socket in one turn
    STUN_CLASS_BITS = 0xc0,     // of the first byte: both 0 in STUN, not both in ChannelData
    SEND_INDICATION_LOW = 0x16, // RFC 8656 section 17: type 0x0016
};

static void count_unsent(void *context, const struct io_udp *udp, const struct addr *to,
                         uint32_t count, int error)
{
    struct relay_traffic *traffic = context;
    const bool is_to_peer = udp != traffic->to_clients[to->family == ADDR_IP6];

    if (error == -EAGAIN || error == -ENOBUFS) {
        traffic->stats.sends_blocked += count;
        return;
    }
    traffic->stats.sends_refused += count;
    relay_report_unsent(to, is_to_peer, error);
}

int relay_traffic_open(struct relay_traffic *traffic)
{
    int error = io_udp_batch_open(BATCH_LEN, IO_UDP_BATCH_DATAGRAM_MAX, &traffic->batch);

    if (error == 0) {
        error = io_udp_outbox_open(&traffic->outbox);
    }
    traffic->outbox.unsent = count_unsent;
    traffic->outbox.context = traffic;
    return error;
}

void relay_traffic_close(struct relay_traffic *traffic)
{
    io_udp_outbox_close(&traffic->outbox);
    io_udp_batch_close(&traffic->batch);
}

// Puts in the outbox what goes to a client, through the listener of its family, from the address
// that it used. The caller says by message->scope on which interface a link-local client is.
static void put_to_client(struct relay_traffic *traffic, const struct turn_tuple *tuple,
                          struct io_udp_message *message)
{
    struct io_udp *udp = traffic->to_clients[tuple->client.family == ADDR_IP6];

    message->to = &tuple->client;
    message->from = &tuple->server;
    io_udp_outbox_put(&traffic->outbox, udp, message);
}

// Puts in the outbox what follows from a datagram. Its TTL, decremented, its DSCP and its ECN go
// with it (RFC 8656 sections 13 and 14); `from` is NULL for what is made here.
static void put_forward(struct relay_traffic *traffic, const struct turn_forward *forward,
                        const struct io_udp_arrival *from)
{
    struct io_udp_message message = {
        .is_df = forward->is_unfragmented,
        .head = {forward->head, forward->head_len},
        .payload = forward->payload,
        .padding_len = forward->padding_len,
    };

    if (from != NULL && from->ttl == 1) {
        traffic->stats.ttls_exceeded++;
        return;
    }
    if (from != NULL && from->ttl > 1) {
        message.ttl = from->ttl - 1;
        message.tos = from->tos;
    }
    if (forward->is_to_peer) {
        struct relay_socket *socket =
            relay_socket_of(traffic->sockets, forward->allocation, forward->peer.family);
        message.to = &forward->peer;
        io_udp_outbox_put(&traffic->outbox, &socket->udp, &message);
    } else {
        message.scope = traffic->sockets->client_scopes[forward->allocation.index];
        put_to_client(traffic, &forward->tuple, &message);
    }
}

static enum turn_opened open_socket(struct relay_traffic *traffic,
                                    const struct turn_command_socket *socket, uint32_t scope)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = relay_socket_open(traffic->sockets, socket->allocation, &socket->relayed);

    if (error == 0) {
        traffic->sockets->client_scopes[socket->allocation.index] = scope;
        relay_offload_begin(traffic->offload, socket->relayed.port);
        return TURN_OPENED;
    }
    if (error == -EADDRINUSE || error == -EACCES) {
        return TURN_PORT_REFUSED;
    }
    LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a relayed socket could not be opened",
                LOG_ADDR("relayed", &socket->relayed), LOG_ERROR_NUMBER("error", error));
    return TURN_SYSTEM_REFUSED;
}

static void report(struct relay_traffic *traffic, struct now now,
                   const struct turn_command_report *report)
{
    struct turn_usage kernel = {0};

    if (relay_life_port(&report->life) != 0) {
        kernel = relay_offload_usage(traffic->offload, relay_life_port(&report->life));
    }
    relay_report_log(report, &kernel, now);
    relay_refusals_keep(traffic->refusals, report, now.wall_s);
}

void relay_traffic_part(struct relay_traffic *traffic)
{
    const struct now now = io_clock_now();
    struct turn_life life;
    uint32_t index = 0;

    while (turn_life_next(traffic->server, UINT32_MAX, &index, &life)) {
        const struct turn_usage kernel =
            relay_offload_usage(traffic->offload, relay_life_port(&life));
        relay_life_ended(&life, &kernel, RELAY_LIFE_SHUTDOWN, now);
    }
}

// Notes a request for the traces, if it is one of those; `now` is when its datagram was taken.
static void trace(struct relay_traffic *traffic, struct now now,
                  const struct turn_command_send *send)
{
    if (relay_spans_chooses(traffic->spans)) {
        relay_spans_put(traffic->spans, send->message, send->tuple.client.family == ADDR_IP6,
                        now.mono_ns, io_clock_now().mono_ns);
    }
}

// `scope` is that of the datagram from which the commands follow, or 0.
static void carry_out(struct relay_traffic *traffic, struct now now, uint32_t scope)
{
    struct turn_command command;

    // What waits is older, and may leave by a socket that is to be closed.
    io_udp_outbox_flush(&traffic->outbox);
    while (turn_server_take(traffic->server, &command)) {
        struct io_udp_message message = {.scope = scope};

        switch (command.type) {
        case TURN_COMMAND_SEND:
            message.payload = command.send.message;
            put_to_client(traffic, &command.send.tuple, &message);
            trace(traffic, now, &command.send);
            io_udp_outbox_flush(&traffic->outbox); // the message is borrowed until the next command
            break;
        case TURN_COMMAND_OPEN:
            turn_server_opened(traffic->server, now, command.socket.allocation,
                               open_socket(traffic, &command.socket, scope));
            break;
        case TURN_COMMAND_CLOSE:
            relay_socket_close(traffic->sockets, command.socket.allocation,
                               command.socket.relayed.family);
            break;
        case TURN_COMMAND_BIND:
            relay_offload_bind(traffic->offload, traffic->worker, &command.bind);
            break;
        case TURN_COMMAND_UNBIND:
            relay_offload_unbind(traffic->offload, traffic->worker, &command.unbind);
            break;
        case TURN_COMMAND_WAKE:
            relay_mailbox_order(&traffic->mailboxes[command.wake.shard], RELAY_MAILBOX_WAKE);
            break;
        case TURN_COMMAND_REPORT:
            report(traffic, now, &command.report);
            break;
        }
    }
}

// Counts how long what was relayed since the last call has waited since the worker woke for it.
static void count_waits(struct relay_traffic *traffic, struct now now)
{
    const struct turn_stats *stats = turn_server_stats(traffic->server);
    const uint64_t relayed = stats->packets_to_peer + stats->packets_to_client;

    if (relayed != traffic->relayed) {
        histogram_add(traffic->stats.waits, &relay_stats_times,
                      now.mono_ns - traffic->sockets->loop->woken_ns, relayed - traffic->relayed);
        traffic->relayed = relayed;
    }
}

struct now relay_traffic_settle(struct relay_traffic *traffic)
{
    struct now now = io_clock_now();

    count_waits(traffic, now);
    while (turn_server_deadline(traffic->server) <= now.mono_ns) {
        turn_server_tick(traffic->server, now);
        carry_out(traffic, now, 0);
    }
    return now;
}

void relay_traffic_adopt(struct relay_traffic *traffic, const struct turn_policy *policy)
{
    const struct now now = relay_traffic_settle(traffic);

    turn_server_adopt(traffic->server, now, policy);
    carry_out(traffic, now, 0);
}

// Receives into the batch, and adds to *drops what the kernel has dropped at the socket meanwhile.
static bool receive(struct relay_traffic *traffic, struct io_udp *udp, uint64_t *drops)
{
    const uint32_t drops_before = udp->drop_count;
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = io_udp_batch_receive(&traffic->batch, udp);

    *drops += udp->drop_count - drops_before;
    if (error != 0) {
        traffic->stats.receives_failed++;
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "receiving failed", LOG_ERROR_NUMBER("error", error));
    }
    return error == 0;
}

// Data for the client of another worker, which goes on with it.
static void hand_over(struct relay_traffic *traffic, const struct turn_forward *forward,
                      const struct io_udp_arrival *from)
{
    const struct relay_parcel parcel = {
        .from = forward->relayed,
        .to = forward->peer,
        .ttl = from->ttl,
        .tos = from->tos,
        .payload = forward->payload,
    };

    assert(forward->shard != traffic->worker);
    if (!relay_mailbox_put(&traffic->mailboxes[forward->shard], &parcel)) {
        traffic->stats.hand_overs_lost++;
    }
}

static void serve(struct relay_traffic *traffic, struct now now,
                  const struct io_udp_arrival *arrival)
{
    const struct turn_tuple tuple = {arrival->from, arrival->local};
    const uint32_t count = io_udp_arrival_count(arrival);
    struct turn_forward forward;

    for (uint32_t i = 0; i < count; i++) {
        switch (turn_server_from_client(traffic->server, now, &tuple, io_udp_arrival_at(arrival, i),
                                        &forward)) {
        case TURN_DROP:
            break;
        case TURN_COMMANDS:
            carry_out(traffic, now, arrival->scope);
            break;
        case TURN_FORWARD:
            put_forward(traffic, &forward, arrival);
            break;
        case TURN_HAND_OVER:
            hand_over(traffic, &forward, arrival);
            break;
        }
    }
}

// STUN, but for Send indications, which are data.
static bool is_control(const struct io_udp_arrival *arrival)
{
    return arrival->len >= STUN_HEADER_LEN && (arrival->ptr[0] & STUN_CLASS_BITS) == 0 &&
           !(arrival->ptr[0] == 0 && arrival->ptr[1] == SEND_INDICATION_LOW);
}

// The arrivals of a batch that are served after the requests, in their order.
struct queue {
    uint32_t count;
    const struct io_udp_arrival *waiting[BATCH_LEN];
};

static bool has_same_client(const struct queue *queue, const struct io_udp_arrival *arrival)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (addr_equal(&queue->waiting[i]->from, &arrival->from)) {
            return true;
        }
    }
    return false;
}

// Requests do not wait behind other clients' data, but they do behind their own client's: a Refresh
// that ends an allocation would take from the data before it the way.
void relay_traffic_from_clients(struct io_watch *watch, uint32_t events)
{
    struct relay_traffic *traffic = watch->context;
    const struct io_udp_batch *batch = &traffic->batch;
    struct relay_listener *listener = (struct relay_listener *)watch;
    struct now now = relay_traffic_settle(traffic);
    struct queue queue;

    (void)events;
    if (!receive(traffic, &listener->udp, &traffic->stats.drops_from_clients)) {
        return;
    }
    queue.count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct io_udp_arrival *arrival = &batch->arrivals[i];
        if (is_control(arrival) && !has_same_client(&queue, arrival)) {
            serve(traffic, now, arrival);
        } else {
            queue.waiting[queue.count++] = arrival;
        }
    }
    for (uint32_t i = 0; i < queue.count; i++) {
        serve(traffic, now, queue.waiting[i]);
    }
    io_udp_outbox_flush(&traffic->outbox);
}

void relay_traffic_from_workers(struct relay_traffic *traffic)
{
    const struct now now = relay_traffic_settle(traffic);
    struct relay_mailbox *mailbox = &traffic->mailboxes[traffic->worker];
    struct relay_parcel parcel;
    struct turn_forward forward;

    while (relay_mailbox_fetch(mailbox, &parcel)) {
        const struct io_udp_arrival from = {.ttl = parcel.ttl, .tos = parcel.tos};

        if (turn_server_from_shard(traffic->server, now, &parcel.from, &parcel.to, parcel.payload,
                                   &forward) == TURN_FORWARD) {
            put_forward(traffic, &forward, &from);
        }
    }
    io_udp_outbox_flush(&traffic->outbox); // the payloads are in the mailbox until the next take
}

static void take_data(struct relay_traffic *traffic, struct now now, struct relay_socket *socket)
{
    struct turn_forward forward;

    if (!receive(traffic, &socket->udp, &traffic->stats.drops_from_peers)) {
        return;
    }
    for (uint32_t i = 0; i < traffic->batch.count; i++) {
        const struct io_udp_arrival *arrival = &traffic->batch.arrivals[i];
        const uint32_t count = io_udp_arrival_count(arrival);

        for (uint32_t k = 0; k < count; k++) {
            if (turn_server_from_peer(traffic->server, now, socket->allocation, &arrival->from,
                                      io_udp_arrival_at(arrival, k), &forward) == TURN_FORWARD) {
                put_forward(traffic, &forward, arrival);
            }
        }
    }
    io_udp_outbox_flush(&traffic->outbox);
}

static void take_errors(struct relay_traffic *traffic, struct relay_socket *socket)
{
    struct turn_forward forward;
    struct io_udp_error error;
    uint32_t count = 0;

    for (; count < IO_UDP_ERROR_TURN_MAX && io_udp_error_read(&socket->udp, &error); count++) {
        const struct stun_icmp icmp = {.type = error.type, .code = error.code, .data = error.mtu};

        if (error.origin != IO_UDP_ERROR_LOCAL &&
            turn_server_icmp(traffic->server, socket->allocation, &error.peer, &icmp, &forward) ==
                TURN_FORWARD) {
            put_forward(traffic, &forward, NULL);
        }
    }
    io_udp_outbox_flush(&traffic->outbox);
    if (count == IO_UDP_ERROR_TURN_MAX) {
        io_udp_error_clear(&socket->udp);
    }
}

void relay_traffic_from_peers(struct io_watch *watch, uint32_t events)
{
    struct relay_traffic *traffic = watch->context;
    struct relay_socket *socket = relay_socket_from_watch(watch);
    struct now now = relay_traffic_settle(traffic);

    if (socket->is_open) { // else its allocation has expired just now
        take_data(traffic, now, socket);
        if ((events & IO_ERROR) != 0) {
            take_errors(traffic, socket);
        }
    }
}

struct relay_stats relay_traffic_stats(const struct relay_traffic *traffic)
{
    const struct io_udp_batch_stats *batch = &traffic->batch.stats;
    struct relay_stats stats = traffic->stats;

    stats.receives_truncated = batch->truncated;
    stats.receives_portless = batch->portless;
    stats.errors_cleared = batch->errors;
    return stats;
}
