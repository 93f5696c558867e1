// SPDX-License-Identifier: Apache-2.0
// Names of hosts become addresses in a thread of its own, so that a slow look-up holds nothing up.
//
// A host has one look-up at a time, however many ask, and what came of it is good for
// TUNNEL_NAMES_FRESH_S. An IP address needs no look-up.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/io_loop.h"
#include "io/io_thread.h"
#include "tunnel/tunnel_list.h"

enum {
    TUNNEL_NAMES_HOST_MAX = 255, // bytes of a name
    TUNNEL_NAMES_ADDR_MAX = 8,   // addresses of a name; others are left out
    TUNNEL_NAMES_FRESH_S = 10,
};

struct tunnel_host;
struct tunnel_names;

// Somebody who waits for a host's addresses.
struct tunnel_asker {
    void (*fn)(struct tunnel_asker *asker); // called once the host is known, or cannot be
    void *context;
    struct tunnel_link link; // of those who wait for the same host
};

// A host that is to be connected to. The caller zeroes it first; it does not move.
struct tunnel_host {
    struct tunnel_names *names;
    char name[TUNNEL_NAMES_HOST_MAX + 1];
    uint16_t port;
    uint32_t addr_count; // 0: see `error`
    struct addr addrs[TUNNEL_NAMES_ADDR_MAX];
    int error;         // of getaddrinfo()
    uint64_t fresh_ns; // what stands here is good until then
    struct tunnel_list askers;
    // --- the look-up, which is the thread's while it is asked for
    bool is_asked;
    struct tunnel_host *next;
    struct {
        char name[TUNNEL_NAMES_HOST_MAX + 1];
        uint32_t addr_count;
        struct addr addrs[TUNNEL_NAMES_ADDR_MAX];
        int error;
    } found;
};

// In static memory: a look-up that hangs when the program ends is left to itself.
struct tunnel_names {
    struct io_loop *loop;
    struct io_thread thread; // from the first name on
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool is_over;
    bool is_looking;              // the thread does not hear us, for as long as the system likes
    struct tunnel_host *asked;    // for the thread
    struct tunnel_host *answered; // by it
    struct io_watch watch;        // an eventfd that tells of these
};

// 0 or -errno.
MUST_USE int tunnel_names_open(struct tunnel_names *names, struct io_loop *loop);
// Nobody waits any more. Closing twice does nothing.
void tunnel_names_close(struct tunnel_names *names);

// Says which host it is; nobody waits for it. False: the name is empty or too long.
MUST_USE bool tunnel_names_set(struct tunnel_host *host, struct tunnel_names *names,
                               struct bytes name, uint16_t port);

// Has asker->fn called when the host is known: later, or before this returns. The caller has set
// the first two.
void tunnel_names_ask(struct tunnel_host *host, struct tunnel_asker *asker, uint64_t now_ns);
// It does not wait any more; nothing happens if it did not.
void tunnel_names_leave(struct tunnel_asker *asker);
