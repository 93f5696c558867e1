// SPDX-License-Identifier: Apache-2.0
// A client and a server of io_tls in one loop, with a wire between them that the test holds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io_loop.h"
#include "io/io_tls.h"
#include "io/io_tls_keys.h"

enum {
    TLS_WORLD_IN_MAX = 1 << 20, // bytes that one end keeps of what it received
    TLS_WORLD_PATH_MAX = 128,
};

// One end, and what it was told.
struct tls_end {
    struct io_tls tls;
    uint32_t opened_count;
    uint32_t half_closed_count;
    uint32_t drained_count;
    uint32_t ended_count;
    struct io_tls_end end;
    size_t in_len;
    uint8_t *in;
    // What it does by itself
    bool closes_when_open;
    bool closes_when_half_closed;
    bool echoes;
    bool pauses; // after each `received`
    void (*on_opened)(struct tls_end *end);
    void (*on_received)(struct tls_end *end);
};

// A wire carries bytes from one socket to another, as many at a time as the test likes.
struct tls_wire {
    int from;
    int to;
    size_t chunk;     // bytes in a turn; 0: nothing passes
    size_t passed;    // bytes so far
    size_t cut_after; // closes both ends once so many have passed; 0: never
    size_t spoil_at;  // which byte is changed, from 1; 0: none
    bool is_end_passed;
};

struct tls_world {
    struct io_loop loop;
    bool is_1_2; // the client speaks no later version; set before joining
    bool is_tcp; // over 127.0.0.1, likewise
    struct tls_end client;
    struct tls_end server;
    bool has_wires;
    struct tls_wire up;   // client to server
    struct tls_wire down; // and back
    int fds[2];           // the test's own ends of the wires, -1 without
};

// A folder with keys: ca/, server/ (for localhost, 127.0.0.1), client/, as io_tls_keys makes them.
// The same one for the whole program.
const char *tls_world_folder(void);
void tls_world_remove_folder(void);
// "FOLDER/name", until the 32nd call after this one.
const char *tls_world_path(const char *name);
// Makes a CA in FOLDER/name, or what FOLDER/ca signs; for `from_days` to `to_days` from now. A
// server has the names of this host, except in "nameless".
void tls_world_keys(enum io_tls_keys_kind kind, const char *name, const char *ca, int from_days,
                    int to_days);

// Settings of a server that needs certificates, and of a client that has one, for v1's manner.
struct io_tls_settings tls_world_server(void);
struct io_tls_settings tls_world_client(void);
// Must be good; the caller closes it.
struct io_tls_context *tls_world_context(const struct io_tls_settings *settings);

void tls_world_open(struct tls_world *world);
// Everything must have ended, or is aborted here.
void tls_world_close(struct tls_world *world);
extern const struct io_tls_events tls_world_events;      // with half_closed
extern const struct io_tls_events tls_world_bare_events; // without what may be missing

// Connects the two, with a wire of this many bytes a turn in between, or directly (0).
void tls_world_join(struct tls_world *world, struct io_tls_context *client,
                    struct io_tls_context *server, const struct io_tls_wanted *wanted,
                    size_t chunk);
// One end alone; the other socket is the test's.
int tls_world_alone(struct tls_world *world, struct io_tls_context *context,
                    const struct io_tls_wanted *wanted);
// Turns the loop until `is_done` or five seconds are over, and asserts that it is.
void tls_world_until(struct tls_world *world, bool (*is_done)(const struct tls_world *world));
// Turns it until nothing happens any more.
void tls_world_settle(struct tls_world *world);

bool tls_world_both_open(const struct tls_world *world);
bool tls_world_both_ended(const struct tls_world *world);
bool tls_world_server_opened(const struct tls_world *world);
bool tls_world_server_heard(const struct tls_world *world); // anything
bool tls_world_server_ended(const struct tls_world *world);
bool tls_world_client_ended(const struct tls_world *world);
