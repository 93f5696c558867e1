// SPDX-License-Identifier: Apache-2.0
// One TLS connection over a non-blocking stream socket, in a loop, told by callbacks.
//
// It has no clock: how long a handshake, a closing or a silence may take is the caller's to say,
// who calls io_tls_expire(). A stranger can make it hold what one handshake takes (64 KiB at most)
// and nothing else; a connection that is open and idle has no buffers.
//
// Its end is told once, by `ended`, unless io_tls_abort() was called. After a handshake that
// failed, and after io_tls_close(), it lingers first: what we said last (an alert, close_notify) is
// delivered, then we wait until the other side closes, and read what it still sends into nothing,
// for unread bytes would make the system reset the connection and lose our last ones. In all other
// cases the end is told at once.
//
// A client of TLS 1.3 is open before the server has seen its certificate: a refusal comes as an end
// of an open connection, of kind IO_TLS_END_ALERT.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "io/io_loop.h"
#include "io/io_tls_bio.h"
#include "io/io_tls_context.h"
#include "io/io_tls_end.h"
#include "io/io_tls_queue.h"
#include "io/io_tls_verify.h"

enum {
    IO_TLS_QUEUE_MAX = 64 * 1024,  // bytes that wait to be sent
    IO_TLS_RECEIVE_MAX = 16 * 1024 // bytes of one `received`: a record's
};

struct io_tls;

// Called out of io_loop_turn() and io_tls_expire(), never out of other functions here. Each may
// call any function here, and free the connection's memory after io_tls_abort().
struct io_tls_events {
    // The handshake is over, and the other side's certificate is good.
    void (*opened)(struct io_tls *tls);
    void (*received)(struct io_tls *tls, struct bytes bytes);
    // The other side will send nothing more, and has said so; io_tls_close() is the caller's to
    // call. NULL: the connection ends at once, and what has not been sent yet is lost.
    void (*half_closed)(struct io_tls *tls);
    // All that had to wait has been given to the system. May be NULL.
    void (*drained)(struct io_tls *tls);
    // The descriptor is closed and everything freed; `tls` may be used for another connection.
    void (*ended)(struct io_tls *tls, const struct io_tls_end *end);
};

enum io_tls_state {
    IO_TLS_ENDED, // all zero is one that has ended
    IO_TLS_SHAKING,
    IO_TLS_OPEN,
    IO_TLS_CLOSING,   // what waits and close_notify are being sent
    IO_TLS_LINGERING, // until the other side closes
    IO_TLS_OVER,      // its end is to be told
};

// The caller sets the first three, and it does not move until it has ended.
struct io_tls {
    struct io_loop *loop;
    const struct io_tls_events *events;
    void *context;
    // --- from here on io_tls's own
    enum io_tls_state state;
    bool is_paused;
    bool is_in_done;       // the other side's close_notify came
    bool is_shut_wanted;   // close_notify goes behind what waits
    bool is_shut;          // it is sent
    bool is_out_broken;    // the system takes nothing more
    bool is_write_wanted;  // OpenSSL waits until it can write
    bool *is_gone;         // of the event that is under way: set when this ends
    struct io_watch watch; // its fd is the connection's
    struct io_tls_bio stream;
    struct ssl_st *ssl;
    struct io_tls_context *shared;
    struct io_tls_queue queue;
    struct io_tls_verify verify;
    struct io_tls_end end; // when it is over or lingers: how
};

// Begins the handshake as a server; the context is one. The descriptor is a connected non-blocking
// stream socket, and taken over. -ENOMEM, or as io_loop_add(): it is the caller's still.
MUST_USE int io_tls_accept(struct io_tls *tls, struct io_tls_context *shared, int fd);
// Likewise as a client. `wanted` is copied. -EINVAL besides: a host that is no name.
MUST_USE int io_tls_connect(struct io_tls *tls, struct io_tls_context *shared, int fd,
                            const struct io_tls_wanted *wanted);

// Sends what was copied here, now or later. -ENOBUFS, with nothing taken: more than
// IO_TLS_QUEUE_MAX would wait. -ENOTCONN: it is not open, or its end has begun. -ENOMEM.
MUST_USE int io_tls_send(struct io_tls *tls, struct bytes bytes);
// How many bytes wait.
uint32_t io_tls_queued(const struct io_tls *tls);

// Stops to read, until io_tls_resume(); of a loss of the connection one hears nothing meanwhile.
void io_tls_pause(struct io_tls *tls);
// 0, or as io_loop_add().
MUST_USE int io_tls_resume(struct io_tls *tls);

// Says that nothing more is sent (close_notify) behind what waits, and goes on reading.
void io_tls_shut(struct io_tls *tls);
// Sends what waits and close_notify, and lingers; what still comes is not told. Nothing happens
// when its end has begun.
void io_tls_close(struct io_tls *tls);
// Its time is over: `ended` is called, with the end that had begun, or IO_TLS_END_EXPIRED. Nothing
// happens when it has ended.
void io_tls_expire(struct io_tls *tls);
// Closes at once, without a word; `ended` is not called. Nothing happens when it has ended.
void io_tls_abort(struct io_tls *tls);

bool io_tls_is_open(const struct io_tls *tls);

// --- for io_tls_channel --------------------------------------------------------------------------

// Gives up an open connection, of which nothing waits to be sent: its stream with the descriptor,
// OpenSSL's state over it, and the context. It has ended then; `ended` is not called.
void io_tls_give(struct io_tls *tls, struct io_tls_bio *stream, struct ssl_st **ssl,
                 struct io_tls_context **shared);
