// SPDX-License-Identifier: Apache-2.0
// The way of a packet:
//
//      client --> listener --> turn_server_from_client() --> relayed socket --> peer
//      client <-- listener <-- turn_server_from_peer()   <-- relayed socket <-- peer
//
// and of everything else: commands, which carry_out() takes after each call.
#define _GNU_SOURCE
#include "relay/relay_worker.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_clock.h"
#include "io/io_random.h"
#include "io/io_udp_error.h"
#include "log/log.h"
#include "relay/relay_address.h"
#include "relay/relay_report.h"

enum {
    BATCH_LEN = 64,                        // datagrams taken from a socket in one turn
    LISTENER_BUFFER_LEN = 4 * 1024 * 1024, // bytes asked of the system for each listener
};

static void count_send(struct relay_worker *worker, const struct addr *to, bool is_to_peer,
                       int error)
{
    if (error == 0) {
        return;
    }
    if (error == -EAGAIN || error == -ENOBUFS) {
        worker->stats.sends_blocked++;
        return;
    }
    worker->stats.sends_refused++;
    relay_report_unsent(to, is_to_peer, error);
}

// Sends to a client through the listener of its family, from the address that it used. The caller
// says by message->scope on which interface a link-local client is.
static void send_to_client(struct relay_worker *worker, const struct turn_tuple *tuple,
                           struct io_udp_message *message)
{
    struct relay_listener *listener = &worker->listeners[tuple->client.family == ADDR_IP6];

    message->to = &tuple->client;
    message->from = &tuple->server;
    count_send(worker, &tuple->client, false, io_udp_send(&listener->udp, message));
}

// Sends what follows from a datagram. Its TTL, decremented, its DSCP and its ECN go with it (RFC
// 8656 sections 13 and 14); `from` is NULL for what is made here.
static void send_forward(struct relay_worker *worker, const struct turn_forward *forward,
                         const struct io_udp_datagram *from)
{
    struct io_udp_message message = {
        .is_df = forward->is_unfragmented,
        .head = {forward->head, forward->head_len},
        .payload = forward->payload,
        .padding_len = forward->padding_len,
    };

    if (from != NULL && from->ttl == 1) {
        worker->stats.ttls_exceeded++;
        return;
    }
    if (from != NULL && from->ttl > 1) {
        message.ttl = from->ttl - 1;
        message.tos = from->tos;
    }
    if (forward->is_to_peer) {
        struct relay_socket *socket =
            relay_socket_of(&worker->sockets, forward->allocation, forward->peer.family);
        message.to = &forward->peer;
        count_send(worker, &forward->peer, true, io_udp_send(&socket->udp, &message));
    } else {
        message.scope = worker->sockets.client_scopes[forward->allocation.index];
        send_to_client(worker, &forward->tuple, &message);
    }
}

static enum turn_opened open_socket(struct relay_worker *worker,
                                    const struct turn_command_socket *socket, uint32_t scope)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = relay_socket_open(&worker->sockets, socket->allocation, &socket->relayed);

    if (error == 0) {
        worker->sockets.client_scopes[socket->allocation.index] = scope;
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
static void carry_out(struct relay_worker *worker, struct now now, uint32_t scope)
{
    struct turn_command command;

    while (turn_server_take(worker->server, &command)) {
        struct io_udp_message message = {.scope = scope};

        switch (command.type) {
        case TURN_COMMAND_SEND:
            message.payload = command.send.message;
            send_to_client(worker, &command.send.tuple, &message);
            break;
        case TURN_COMMAND_OPEN:
            turn_server_opened(worker->server, now, command.socket.allocation,
                               open_socket(worker, &command.socket, scope));
            break;
        case TURN_COMMAND_CLOSE:
            relay_socket_close(&worker->sockets, command.socket.allocation,
                               command.socket.relayed.family);
            break;
        case TURN_COMMAND_BIND:
            relay_offload_bind(&worker->offload, &command.bind);
            break;
        case TURN_COMMAND_UNBIND:
            relay_offload_unbind(&worker->offload, &command.unbind);
            break;
        case TURN_COMMAND_REPORT:
            relay_report_log(&command.report);
            break;
        }
    }
}

// Reads the clock and lets expire what is due, as turn_server.h asks before any other call.
static struct now settle(struct relay_worker *worker)
{
    struct now now = io_clock_now();

    while (turn_server_deadline(worker->server) <= now.mono_ns) {
        turn_server_tick(worker->server, now);
        carry_out(worker, now, 0);
    }
    return now;
}

static bool receive(struct relay_worker *worker, struct io_udp *udp)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    int error = io_udp_batch_receive(&worker->batch, udp);

    if (error != 0) {
        worker->stats.receives_failed++;
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "receiving failed", LOG_ERROR_NUMBER("error", error));
    }
    return error == 0;
}

static void take_from_clients(struct io_watch *watch, uint32_t events)
{
    struct relay_worker *worker = watch->context;
    struct relay_listener *listener = (struct relay_listener *)watch;
    struct now now = settle(worker);
    struct turn_forward forward;

    (void)events;
    if (!receive(worker, &listener->udp)) {
        return;
    }
    for (uint32_t i = 0; i < worker->batch.count; i++) {
        const struct io_udp_datagram *datagram = &worker->batch.datagrams[i];
        const struct turn_tuple tuple = {datagram->from, datagram->local};
        struct bytes bytes = {datagram->ptr, datagram->len};

        switch (turn_server_from_client(worker->server, now, &tuple, bytes, &forward)) {
        case TURN_DROP:
            break;
        case TURN_COMMANDS:
            carry_out(worker, now, datagram->scope);
            break;
        case TURN_FORWARD:
            send_forward(worker, &forward, datagram);
            break;
        }
    }
}

static void take_data(struct relay_worker *worker, struct now now, struct relay_socket *socket)
{
    struct turn_forward forward;

    if (!receive(worker, &socket->udp)) {
        return;
    }
    for (uint32_t i = 0; i < worker->batch.count; i++) {
        const struct io_udp_datagram *datagram = &worker->batch.datagrams[i];
        struct bytes bytes = {datagram->ptr, datagram->len};

        if (turn_server_from_peer(worker->server, now, socket->allocation, &datagram->from, bytes,
                                  &forward) == TURN_FORWARD) {
            send_forward(worker, &forward, datagram);
        }
    }
}

static void take_errors(struct relay_worker *worker, struct relay_socket *socket)
{
    struct turn_forward forward;
    struct io_udp_error error;
    uint32_t count = 0;

    for (; count < IO_UDP_ERROR_TURN_MAX && io_udp_error_read(&socket->udp, &error); count++) {
        const struct stun_icmp icmp = {.type = error.type, .code = error.code, .data = error.mtu};

        if (error.origin != IO_UDP_ERROR_LOCAL &&
            turn_server_icmp(worker->server, socket->allocation, &error.peer, &icmp, &forward) ==
                TURN_FORWARD) {
            send_forward(worker, &forward, NULL);
        }
    }
    if (count == IO_UDP_ERROR_TURN_MAX) {
        io_udp_error_clear(&socket->udp);
    }
}

static void take_from_peers(struct io_watch *watch, uint32_t events)
{
    struct relay_worker *worker = watch->context;
    struct relay_socket *socket = relay_socket_from_watch(watch);
    struct now now = settle(worker);

    if (socket->is_open) { // else its allocation has expired just now
        take_data(worker, now, socket);
        if ((events & IO_ERROR) != 0) {
            take_errors(worker, socket);
        }
    }
}

static int open_server(struct relay_worker *worker, const struct relay_config *config)
{
    struct turn_config turn = relay_config_turn(config);
    uint8_t seed[TURN_SERVER_SEED_LEN];

    turn.has_fast_path = worker->offload.is_open;
    worker->server_memory_len = turn_server_size(&turn);
    worker->server_memory = mmap(NULL, worker->server_memory_len, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (worker->server_memory == MAP_FAILED) {
        worker->server_memory = NULL;
        return -errno;
    }
    io_random_fill(seed, sizeof seed);
    worker->server = turn_server_init(worker->server_memory, &turn, seed);
    crypto_wipe(seed, sizeof seed);
    return relay_socket_table_open(&worker->sockets, turn.max_allocations);
}

static int open_listener(struct relay_worker *worker, const struct relay_config *config,
                         enum addr_family family)
{
    const struct addr *bind = family == ADDR_IP4 ? &config->bind_ip4 : &config->bind_ip6;
    struct relay_listener *listener = &worker->listeners[family == ADDR_IP6];
    struct io_udp_options options = {
        .local = addr_with_port(*bind, config->listen_port),
        .has_destination = true,
        .has_ip_fields = true,
        .receive_buffer_len = LISTENER_BUFFER_LEN,
        .send_buffer_len = LISTENER_BUFFER_LEN,
    };

    int error = io_udp_open(&options, &listener->udp);
    if (error != 0) {
        LOG_ERROR(error == -EADDRINUSE ? "cannot listen; does another STUN server run here?"
                                       : "cannot listen",
                  LOG_ADDR("address", &options.local), LOG_ERROR_NUMBER("error", error));
        return error;
    }
    listener->watch = (struct io_watch){
        .fd = listener->udp.fd,
        .fn = take_from_clients,
        .context = worker,
    };
    LOG_INFO("listening", LOG_ADDR("address", &listener->udp.local));
    return io_loop_add(&worker->loop, &listener->watch, IO_READABLE);
}

static int open_all(struct relay_worker *worker, const struct relay_config *config)
{
    int error = io_loop_open(&worker->loop);

    if (error == 0) {
        error = io_udp_batch_open(BATCH_LEN, IO_UDP_BATCH_DATAGRAM_MAX, &worker->batch);
    }
    if (error == 0) {
        relay_offload_open(&worker->offload, config, &worker->loop);
        error = open_server(worker, config);
    }
    if (error == 0 && config->public_ip4.family != ADDR_NONE) {
        worker->sockets.local_ip4 = relay_address_relayed(config, ADDR_IP4);
        error = open_listener(worker, config, ADDR_IP4);
    }
    if (error == 0 && config->public_ip6.family != ADDR_NONE) {
        worker->sockets.local_ip6 = relay_address_relayed(config, ADDR_IP6);
        error = open_listener(worker, config, ADDR_IP6);
    }
    return error;
}

int relay_worker_open(struct relay_worker *worker, const struct relay_config *config)
{
    *worker = (struct relay_worker){
        .loop.epoll_fd = -1,
        .listeners = {{.udp.fd = -1}, {.udp.fd = -1}},
        .sockets = {.loop = &worker->loop, .readable = take_from_peers, .context = worker},
    };
    int error = open_all(worker, config);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        relay_worker_close(worker);
    }
    return error;
}

void relay_worker_close(struct relay_worker *worker)
{
    relay_socket_table_close(&worker->sockets);
    for (size_t i = 0; i < COUNT_OF(worker->listeners); i++) {
        io_loop_remove(&worker->loop, &worker->listeners[i].watch);
        io_udp_close(&worker->listeners[i].udp);
    }
    if (worker->server != NULL) {
        turn_server_deinit(worker->server);
        worker->server = NULL;
    }
    if (worker->server_memory != NULL) {
        munmap(worker->server_memory, worker->server_memory_len);
        worker->server_memory = NULL;
    }
    relay_offload_close(&worker->offload);
    io_udp_batch_close(&worker->batch);
    io_loop_close(&worker->loop);
}

int relay_worker_run(struct relay_worker *worker, const bool *is_over)
{
    while (!*is_over) {
        const struct now now = settle(worker);
        uint64_t deadline_ns = relay_offload_tick(&worker->offload, now);
        if (deadline_ns > turn_server_deadline(worker->server)) {
            deadline_ns = turn_server_deadline(worker->server);
        }
        int error = io_loop_turn(&worker->loop, deadline_ns);
        if (error != 0) {
            LOG_ERROR("waiting for packets failed", LOG_ERROR_NUMBER("error", error));
            return error;
        }
    }
    return 0;
}

struct relay_stats relay_worker_stats(const struct relay_worker *worker)
{
    const struct io_udp_batch_stats *batch = &worker->batch.stats;
    struct relay_stats stats = worker->stats;

    stats.receives_truncated = batch->truncated;
    stats.receives_portless = batch->portless;
    stats.errors_cleared = batch->errors;
    return stats;
}
