// SPDX-License-Identifier: Apache-2.0
// Pumps between connections of TCP over loopback, and the programs at their ends:
//
//     client [0] - A [pump] B - server [1]
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "io/io_loop.h"
#include "io/io_pump.h"

enum {
    PUMP_WORLD_BLOCK_LEN = 1 << 20, // bytes written or read at once
    PUMP_WORLD_NOT_YET = -1,
};

// A pump and its ends. What an end writes is known, so that what arrives can be checked.
struct pump_world_session {
    struct io_pump pump; // first, so that on_end() finds the session
    int ends[2];         // the client's, the server's
    int why;             // PUMP_WORLD_NOT_YET, or enum io_pump_why
    uint64_t written[2]; // by each end
    uint64_t read[2];
};

struct pump_world {
    struct io_loop loop;
    struct io_pumps pumps;
};

extern struct pump_world pump_world;

void pump_world_open(enum io_flow_way way);
// Of a test; teardown asserts that nothing is left: no descriptor, no memory, no pipe.
int pump_world_setup(void **state);
int pump_world_teardown(void **state);
int pump_world_count_fds(void);

// A turn of the loop and of the pumps, for which it is `now_ns`.
void pump_world_turn_at(uint64_t now_ns);
void pump_world_turn(void);
// Until nothing happens for a millisecond.
void pump_world_settle(void);

// Two ends of a connection. Their kernels take so much, or as much as they like (0).
void pump_world_connect(int *near, int *far, int receive_len);
void pump_world_session_open(struct pump_world_session *session);
void pump_world_session_open_with(struct pump_world_session *session, struct bytes head,
                                  int receive_len);
// Closes the ends.
void pump_world_session_close(struct pump_world_session *session);
// The on_end() of its pump.
void pump_world_note_end(struct io_pump *pump, enum io_pump_why why);

// The byte that an end writes at this place.
uint8_t pump_world_byte(int end, uint64_t index);
// An end writes as much of it as the system takes at once; 0 when it takes nothing.
size_t pump_world_write_some(struct pump_world_session *session, int end, size_t len);
// All of it.
void pump_world_write(struct pump_world_session *session, int end, size_t len);
// An end ends.
void pump_world_shut(struct pump_world_session *session, int end);
// An end reads what is there, which is checked; the result of recv.
ssize_t pump_world_read_some(struct pump_world_session *session, int end, size_t len);
// Until nothing is there; what recv says then: 0, or -errno.
int pump_world_read(struct pump_world_session *session, int end);
// Each end has read what the other one has written, and the pump has counted it.
void pump_world_assert_delivered(const struct pump_world_session *session);
