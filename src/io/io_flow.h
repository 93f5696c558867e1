// SPDX-License-Identifier: Apache-2.0
// One direction of a pump: the bytes that one socket receives are sent by another one.
//
//     source --recv--> scratch --send--> destination      what a short send leaves is kept in
//     memory source --splice--> pipe --splice--> destination     in bulk: no byte is copied
//
// It copies by default, since that is cheaper for small messages, splices once the source has
// brought much in two reads, and copies again once it has brought little in four. While anything is
// kept or in the pipe, or the destination is full, the source is not read: so the peers feel one
// another's pace, and an idle flow holds no memory and no pipe. It knows no loop: its owner tells
// it when its sockets are ready, and it remembers that until a call has found the opposite.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"
#include "io/io_pipes.h"
#include "io/io_tls_channel.h"

enum {
    IO_FLOW_SCRATCH_LEN = 64 * 1024, // bytes read at once,
    IO_FLOW_SHORT_LEN = 4 * 1024,    // or while so many are kept for targets that are slow:
    IO_FLOW_KEPT_MAX = 16 * 1024 * 1024,
    IO_FLOW_PAGE_LEN = 4096,
    IO_FLOW_TURN_LEN = 256 * 1024, // bytes read in one run, or a little more
    IO_FLOW_CALL_MAX = 64,         // and calls of the system, about
    IO_FLOW_BULK_LEN = 32 * 1024,  // a read of so much is big,
    IO_FLOW_BULK_READS = 2,        // and after so many in a row it splices
    IO_FLOW_SMALL_LEN = 8 * 1024,  // a splice of less is small,
    IO_FLOW_SMALL_READS = 4,       // and after so many in a row it copies
};
#define IO_FLOW_NO_LIMIT UINT32_MAX

enum io_flow_way {
    IO_FLOW_SWITCHES, // between the two, as above
    IO_FLOW_COPIES,
    IO_FLOW_SPLICES, // if there is a pipe
};

enum io_flow_outcome {
    IO_FLOW_WAITS,       // until a socket is ready
    IO_FLOW_MORE,        // it has had its share of this turn, and could go on
    IO_FLOW_ENDED,       // the source has ended, or the limit is reached, and all is sent
    IO_FLOW_SOURCE_LOST, // the source has failed, and all that it brought is sent
    IO_FLOW_TARGET_LOST, // the destination has failed
    IO_FLOW_NO_MEMORY,   // to keep what was received but not sent: bytes are lost
};

// What the flows of one thread share.
struct io_flow_means {
    struct io_pipes pipes;
    enum io_flow_way way;
    uint64_t byte_count;    // sent so far
    uint64_t spliced_count; // of these, out of pipes
    uint64_t kept_len;      // kept in memory now
    uint8_t *scratch;       // within memory, at a page: the kernel copies to there faster
    uint8_t memory[IO_FLOW_SCRATCH_LEN + IO_FLOW_PAGE_LEN];
};

// In the caller's memory. Idle, this is all that it holds.
struct io_flow {
    int from_fd; // borrowed, non-blocking
    int to_fd;
    // What the owner sets when it is told, and a run clears.
    bool can_read;
    bool can_write;
    bool is_at_end; // reading meets the source's end or error, behind what is there; stays set
    bool is_bulk;
    bool has_urgent; // set by the owner: a read that gets little may have stopped at urgent data
    bool is_from_sealed; // `tls` is the source; else, if there is one, the destination
    bool is_broken;      // set by the owner: the destination is not told that it has all
    bool is_end_owed;    // it has all, and TLS has not been able to say so yet
    uint8_t streak;      // reads in a row that speak for the other way
    uint32_t kept_at;    // of what is kept, where the unsent begins
    uint32_t kept_len;   // unsent bytes
    uint32_t piped_len;  // bytes in the pipe
    uint32_t limit_len;  // bytes that may still be read, or IO_FLOW_NO_LIMIT
    int error;           // -errno of what is lost
    uint8_t *kept;
    struct io_pipe *pipe;       // lent
    struct io_tls_channel *tls; // over one of the two; or NULL. Borrowed
    uint64_t byte_count;        // sent so far
};

// SIGPIPE must be ignored: splice(2) cannot be told to keep it back.
void io_flow_means_open(struct io_flow_means *means, enum io_flow_way way);
// All flows are over.
void io_flow_means_close(struct io_flow_means *means);

void io_flow_init(struct io_flow *flow, int from_fd, int to_fd);
// One of them has TLS over it. Then nothing is spliced; the end of the source is said to the
// destination (close_notify), and known from its being cut.
void io_flow_seal(struct io_flow *flow, struct io_tls_channel *tls, bool is_source);
// Gives back what it holds. What was not sent is lost.
void io_flow_deinit(struct io_flow *flow, struct io_flow_means *means);

// Before the first run: what is to be sent first. It is copied. -ENOMEM.
MUST_USE int io_flow_begin(struct io_flow *flow, struct io_flow_means *means, struct bytes head);
// Moves bytes for as long as it can and may.
enum io_flow_outcome io_flow_run(struct io_flow *flow, struct io_flow_means *means);
// From now on it reads only what the system has received by now, and then has ended; of a source
// with TLS, what comes while it does so may be read too, up to a record more.
void io_flow_limit(struct io_flow *flow);
// Reads and drops instead, until the source's end. Only for one that has ended, or whose
// destination is lost; ENDED, SOURCE_LOST, WAITS or MORE.
enum io_flow_outcome io_flow_drop(struct io_flow *flow, struct io_flow_means *means);
