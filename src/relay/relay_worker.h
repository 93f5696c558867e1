// SPDX-License-Identifier: Apache-2.0
// One worker: a TURN server, its sockets and the loop that joins them.
#pragma once

#include <stdbool.h>

#include "io/io_loop.h"
#include "relay/relay_config.h"
#include "relay/relay_offload.h"
#include "relay/relay_socket.h"
#include "relay/relay_traffic.h"
#include "turn/turn_server.h"

struct relay_worker {
    struct io_loop loop;
    struct turn_server *server;
    void *server_memory;
    size_t server_memory_len;
    struct relay_listener listeners[2]; // IPv4, IPv6; udp.fd -1: not served
    struct relay_socket_table sockets;
    struct relay_offload offload;
    struct relay_traffic traffic;
};

// Opens everything, the listening sockets included, and logs what fails. 0 or -errno.
MUST_USE int relay_worker_open(struct relay_worker *worker, const struct relay_config *config);
// Closing twice, or a worker whose opening failed, does nothing.
void relay_worker_close(struct relay_worker *worker);

// Serves until *is_over is true, which a watch of the loop sets. 0 or -errno.
MUST_USE int relay_worker_run(struct relay_worker *worker, const bool *is_over);
