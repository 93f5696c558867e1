// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_worker.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"
#include "log/log.h"
#include "relay/relay_address.h"
#include "relay/relay_report.h"

enum { LISTENER_BUFFER_LEN = 4 * 1024 * 1024 }; // bytes asked of the system for each listener

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
    worker->traffic.server = worker->server;
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
        .has_trains = true,
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
        .fn = relay_traffic_from_clients,
        .context = &worker->traffic,
    };
    LOG_INFO("listening", LOG_ADDR("address", &listener->udp.local));
    relay_report_buffer(LISTENER_BUFFER_LEN, listener->udp.receive_buffer_len);
    return io_loop_add(&worker->loop, &listener->watch, IO_READABLE);
}

static int open_all(struct relay_worker *worker, const struct relay_config *config)
{
    int error = io_loop_open(&worker->loop);

    if (error == 0) {
        error = relay_traffic_open(&worker->traffic);
    }
    if (error == 0) {
        relay_offload_open(&worker->offload, config, 1, &worker->loop);
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
        .sockets =
            {
                .loop = &worker->loop,
                .readable = relay_traffic_from_peers,
                .context = &worker->traffic,
            },
        .traffic =
            {
                .sockets = &worker->sockets,
                .offload = &worker->offload,
                .to_clients = {&worker->listeners[0].udp, &worker->listeners[1].udp},
            },
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
        worker->traffic.server = NULL;
    }
    if (worker->server_memory != NULL) {
        munmap(worker->server_memory, worker->server_memory_len);
        worker->server_memory = NULL;
    }
    relay_offload_close(&worker->offload);
    relay_traffic_close(&worker->traffic);
    io_loop_close(&worker->loop);
}

int relay_worker_run(struct relay_worker *worker, const bool *is_over)
{
    while (!*is_over) {
        const struct now now = relay_traffic_settle(&worker->traffic);
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
