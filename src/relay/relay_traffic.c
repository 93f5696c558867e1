// SPDX-License-Identifier: Apache-2.0
// The way of a packet:
//
//      client --> listener --> turn_server_from_client() --> relayed socket --> peer
//      client <-- listener <-- turn_server_from_peer()   <-- relayed socket <-- peer
//
// and of everything else: commands, which carry_out() takes after each call.
#include "relay/relay_traffic.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "io/io_clock.h"
#include "io/io_udp_error.h"
#include "log/log.h"
#include "relay/relay_report.h"

enum { BATCH_LEN = 64 }; // datagrams taken from a socket in one turn

int relay_traffic_open(struct relay_traffic *traffic)
{
    return io_udp_batch_open(BATCH_LEN, IO_UDP_BATCH_DATAGRAM_MAX, &traffic->batch);
}

void relay_traffic_close(struct relay_traffic *traffic)
{
    io_udp_batch_close(&traffic->batch);
}

static void count_send(struct relay_traffic *traffic, const struct addr *to, bool is_to_peer,
                       int error)
{
    if (error == 0) {
        return;
    }
    if (error == -EAGAIN || error == -ENOBUFS) {
        traffic->stats.sends_blocked++;
        return;
    }
    traffic->stats.sends_refused++;
    relay_report_unsent(to, is_to_peer, error);
}

// Sends to a client through the listener of its family, from the address that it used. The caller
// says by message->scope on which interface a link-local client is.
static void send_to_client(struct relay_traffic *traffic, const struct turn_tuple *tuple,
                           struct io_udp_message *message)
{
    struct io_udp *udp = traffic->to_clients[tuple->client.family == ADDR_IP6];

    message->to = &tuple->client;
    message->from = &tuple->server;
    count_send(traffic, &tuple->client, false, io_udp_send(udp, message));
}

// Sends what follows from a datagram. Its TTL, decremented, its DSCP and its ECN go with it (RFC
// 8656 sections 13 and 14); `from` is NULL for what is made here.
static void send_forward(struct relay_traffic *traffic, const struct turn_forward *forward,
                         const struct io_udp_datagram *from)
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
        count_send(traffic, &forward->peer, true, io_udp_send(&socket->udp, &message));
    } else {
        message.scope = traffic->sockets->client_scopes[forward->allocation.index];
        send_to_client(traffic, &forward->tuple, &message);
    }
}

static enum turn_opened open_socket(struct relay_traffic *traffic,
                                    const struct turn_command_socket *socket, uint32_t scope)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = relay_socket_open(traffic->sockets, socket->allocation, &socket->relayed);

    if (error == 0) {
        traffic->sockets->client_scopes[socket->allocation.index] = scope;
        return TURN_OPENED;
    }
    if (error == -EADDRINUSE || error == -EACCES) {
        return TURN_PORT_REFUSED;
    }
    LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a relayed socket could not be opened",
                LOG_ADDR("relayed", &socket->relayed), LOG_ERROR_NUMBER("error", error));
    return TURN_SYSTEM_REFUSED;
}

// `scope` is that of the datagram from which the commands follow, or 0.
static void carry_out(struct relay_traffic *traffic, struct now now, uint32_t scope)
{
    struct turn_command command;

    while (turn_server_take(traffic->server, &command)) {
        struct io_udp_message message = {.scope = scope};

        switch (command.type) {
        case TURN_COMMAND_SEND:
            message.payload = command.send.message;
            send_to_client(traffic, &command.send.tuple, &message);
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
            assert(!"there is one shard only");
            break;
        case TURN_COMMAND_REPORT:
            relay_report_log(&command.report);
            break;
        }
    }
}

struct now relay_traffic_settle(struct relay_traffic *traffic)
{
    struct now now = io_clock_now();

    while (turn_server_deadline(traffic->server) <= now.mono_ns) {
        turn_server_tick(traffic->server, now);
        carry_out(traffic, now, 0);
    }
    return now;
}

static bool receive(struct relay_traffic *traffic, struct io_udp *udp)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = io_udp_batch_receive(&traffic->batch, udp);

    if (error != 0) {
        traffic->stats.receives_failed++;
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "receiving failed", LOG_ERROR_NUMBER("error", error));
    }
    return error == 0;
}

void relay_traffic_from_clients(struct io_watch *watch, uint32_t events)
{
    struct relay_traffic *traffic = watch->context;
    struct relay_listener *listener = (struct relay_listener *)watch;
    struct now now = relay_traffic_settle(traffic);
    struct turn_forward forward;

    (void)events;
    if (!receive(traffic, &listener->udp)) {
        return;
    }
    for (uint32_t i = 0; i < traffic->batch.count; i++) {
        const struct io_udp_datagram *datagram = &traffic->batch.datagrams[i];
        const struct turn_tuple tuple = {datagram->from, datagram->local};
        struct bytes bytes = {datagram->ptr, datagram->len};

        switch (turn_server_from_client(traffic->server, now, &tuple, bytes, &forward)) {
        case TURN_DROP:
            break;
        case TURN_COMMANDS:
            carry_out(traffic, now, datagram->scope);
            break;
        case TURN_FORWARD:
            send_forward(traffic, &forward, datagram);
            break;
        case TURN_HAND_OVER:
            assert(!"there is one shard only");
            break;
        }
    }
}

static void take_data(struct relay_traffic *traffic, struct now now, struct relay_socket *socket)
{
    struct turn_forward forward;

    if (!receive(traffic, &socket->udp)) {
        return;
    }
    for (uint32_t i = 0; i < traffic->batch.count; i++) {
        const struct io_udp_datagram *datagram = &traffic->batch.datagrams[i];
        struct bytes bytes = {datagram->ptr, datagram->len};

        if (turn_server_from_peer(traffic->server, now, socket->allocation, &datagram->from, bytes,
                                  &forward) == TURN_FORWARD) {
            send_forward(traffic, &forward, datagram);
        }
    }
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
            send_forward(traffic, &forward, NULL);
        }
    }
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
