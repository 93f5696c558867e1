// SPDX-License-Identifier: Apache-2.0
// Bytes between two sockets, both ways, until both sides have ended. One of them may have TLS over
// it: then its end is close_notify, and what is lost there has ended without.
//
//                 io_pump_end()
//     PUMPING -------------------> ENDING ----.
//        |                                    |
//        |-- both have ended, or silence -----+--> on_end(), and the memory is the caller's again
//        |                                    |
//        `-- a side is lost ---> BREAKING ----'
//
// What one side has ended (FIN), the other side is told once it has all; the other direction lives
// on, but not in silence for more than IO_PUMP_SILENCE_S. What was reset on one side is reset on
// the other, so that nobody takes a part for the whole; what came before the reset is delivered
// first, within IO_PUMP_END_S. Likewise, io_pump_end() still delivers what has come so far, and
// waits until the peers have closed, for no longer than that.
//
// An idle pump holds two descriptors, its struct, and nothing else. Nothing is read of which there
// is no room on the other side. Each direction has IO_FLOW_TURN_LEN a turn, then others have
// theirs.
//
// The loop's events only note what is ready. All is done, and on_end() called, in
// io_pump_all_run():
//
//     io_loop_turn(&loop, io_pump_all_deadline(&pumps));
//     io_pump_all_run(&pumps, loop.woken_ns);
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"
#include "base/now.h"
#include "io/io_flow.h"
#include "io/io_loop.h"
#include "io/io_stream.h"

enum {
    IO_PUMP_SILENCE_S = 300,
    IO_PUMP_END_S = 5,
    IO_PUMP_BULK_TURNS = 4,  // turns of pumps in bulk, between two of the loop
    IO_PUMP_RECHECK_MS = 20, // how often it looks whether all is delivered, once a side is lost
};

enum io_pump_why {
    IO_PUMP_FINISHED,  // both sides have ended, and each has been sent all
    IO_PUMP_TOLD,      // io_pump_end()
    IO_PUMP_LOST_A,    // a side has failed: reset, or gone (`error` says how)
    IO_PUMP_LOST_B,    //
    IO_PUMP_SILENT,    // half-closed, and nothing came
    IO_PUMP_NO_MEMORY, // to keep what one side did not take at once
    IO_PUMP_FAILED,    // for its owner, whose loop does not go on: no pump says so
};

enum io_pump_state {
    IO_PUMP_OVER, // or not begun
    IO_PUMP_PUMPING,
    IO_PUMP_ENDING,
    IO_PUMP_BREAKING,
};

// What has become of one direction.
enum io_pump_way {
    IO_PUMP_FLOWS,
    IO_PUMP_SHUT,    // all is sent, and so is the end
    IO_PUMP_DRAINED, // and what came behind has been dropped, up to the source's end
};

struct io_pump;
struct io_pumps;

// It is over, and both descriptors are closed; pump->flows[0].byte_count is what went from A to B,
// [1] from B to A. The callee may free it, start it again, and start and end others.
typedef void (*io_pump_fn)(struct io_pump *pump, enum io_pump_why why);

// The lists in which a pump may be, one of each kind.
enum io_pump_link { IO_PUMP_READY, IO_PUMP_TIMED, IO_PUMP_LINK_COUNT };

struct io_pump_list {
    struct io_pump *first;
    struct io_pump *last;
    uint32_t count;
    enum io_pump_link link;
};

// Zeroed before its first start; it does not move until it is over.
struct io_pump {
    struct io_pumps *pumps;
    io_pump_fn on_end;
    void *context;
    enum io_pump_state state;
    enum io_pump_why why;        // once it is ENDING or BREAKING
    int error;                   // -errno of the side that is lost
    bool is_failed[2];           // the loop has told of a side's error
    uint8_t ways[2];             // enum io_pump_way, as `flows`
    uint64_t deadline_ns;        // while it is in a list with a time
    uint64_t last_ns;            // BREAKING: when it ends at the latest
    struct io_pump_list *wanted; // the list of the ready that it is in, or NULL
    struct io_pump_list *timed;  // the list with a time that it is in, or NULL
    struct {
        struct io_pump *next;
        struct io_pump *previous;
    } links[IO_PUMP_LINK_COUNT];
    struct io_watch watches[2]; // of A and B
    struct io_flow flows[2];    // from A, from B
};
_Static_assert(sizeof(struct io_pump) <= 320,
               "with all that an idle session needs: half a kilobyte");

// Those of one thread, in the caller's memory, where they do not move.
struct io_pumps {
    struct io_loop *loop;
    uint32_t count; // that are not over
    uint64_t silence_ns;
    uint64_t end_ns;
    struct io_pump_list ready; // to move bytes or find out that there are none
    struct io_pump_list bulk;  // likewise, in bulk
    // Each in the order of its deadlines, since each has one time for all.
    struct io_pump_list silent;   // half-closed
    struct io_pump_list ending;   // ENDING
    struct io_pump_list breaking; // BREAKING, to be looked at again
    struct io_flow_means means;
};

// SIGPIPE must be ignored (io_signal.h).
void io_pump_all_open(struct io_pumps *pumps, struct io_loop *loop, enum io_flow_way way);
// All pumps are over.
void io_pump_all_close(struct io_pumps *pumps);
// 0 when something can be done now, else when something must be (monotonic ns), or NEVER.
uint64_t io_pump_all_deadline(const struct io_pumps *pumps);
// Does what can and must be done, each pump's share of it; calls on_end().
void io_pump_all_run(struct io_pumps *pumps, uint64_t now_ns);

// Takes over two connected streams, which are non-blocking and which nobody watches; one of them
// may have TLS. `head` (up to 64 KiB, may be empty) is sent to B first. -ENOMEM, -ENOSPC: both are
// closed, and on_end() is not called. The caller has set on_end and context.
MUST_USE int io_pump_start(struct io_pumps *pumps, struct io_pump *pump, struct io_stream a,
                           struct io_stream b, struct bytes head);
// Delivers what is on its way, and then ends, whatever the peers say: on_end() follows. Nothing
// happens when it is over, or about to be.
void io_pump_end(struct io_pump *pump, uint64_t now_ns);
// Closes both sides at once, by resets; on_end() is not called. Nothing happens when it is over.
void io_pump_cut(struct io_pump *pump);
