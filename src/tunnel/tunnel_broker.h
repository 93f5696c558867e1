// SPDX-License-Identifier: Apache-2.0
// The broker: listens at the control port, and has each version of the protocol serve those who
// speak it, with what both need: control connections, workers, and a limit of clients in all.
//
//      control port --> tunnel_controls --+--> tunnel_pairs, version 1 ---+--> tunnel_crew
//                                         '--> tunnel_second, version 2 --'
//
// It lives in one thread and its loop, and logs what operators want to know of.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/io_accept.h"
#include "io/io_linger.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_crew.h"
#include "tunnel/tunnel_pairs.h"
#include "tunnel/tunnel_past.h"
#include "tunnel/tunnel_second.h"

struct tunnel_broker {
    struct io_loop *loop;
    struct io_accept accept;
    struct io_accept_at control_port;
    struct tunnel_controls controls;
    struct tunnel_crew crew;
    struct io_linger linger;
    struct tunnel_past past;     // of both versions
    struct tunnel_pairs pairs;   // version 1
    struct tunnel_second second; // version 2
    bool is_draining;
};

// Listens, and logs where it cannot; nobody is served yet. It is all zero before, and does not move
// until it is closed, which is due in any case. `config` is borrowed until this returns, `tls`
// until the broker has another one. 0 or -errno.
MUST_USE int tunnel_broker_open(struct tunnel_broker *broker, struct io_loop *loop,
                                const struct tunnel_config *config, struct io_tls_context *tls);
// After tunnel_broker_stop().
void tunnel_broker_close(struct tunnel_broker *broker);

// Starts the workers. 0 or -errno, which is logged.
MUST_USE int tunnel_broker_start(struct tunnel_broker *broker);
// Cuts off all sessions, and joins the workers.
void tunnel_broker_stop(struct tunnel_broker *broker);

// New control connections are served with these certificates.
void tunnel_broker_certify(struct tunnel_broker *broker, struct io_tls_context *tls);

// Goes on with another configuration, of which ports, sessions and waiting clients in all stay as
// they are; and with another access list, if it has one, which is moved.
void tunnel_broker_adopt(struct tunnel_broker *broker, const struct tunnel_config *config,
                         struct tunnel_access *access);

// No new servers, agents and clients from now on; it ends in `in_s` seconds at the latest.
void tunnel_broker_drain(struct tunnel_broker *broker, uint32_t in_s);
// Sessions, and clients that wait for one.
uint32_t tunnel_broker_busy(const struct tunnel_broker *broker);

// Does what is due. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_broker_tick(struct tunnel_broker *broker, struct now now);
