// SPDX-License-Identifier: Apache-2.0
// The far side of a WebSocket client: a server of one connection at a time, in a thread of its own,
// which plays a script to the byte.
//
//      static void say_hello(struct far_side *far)
//      {
//          far_side_agree(far);
//          far_side_frame(far, FAR_SIDE_FINAL | FAR_SIDE_TEXT, bytes_of_text("hello"));
//          far_side_wait_for_end(far);
//      }
//
//      far_side_play(&far, say_hello);
//      ... connect to 127.0.0.1 and far.port, and turn ...
//      far_side_end(&far);
//
// A script says by assert() what is wrong with the client. When the client is gone, what a script
// writes goes nowhere, and what it reads is nothing: it runs to its end in any case.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "io/io_thread.h"

enum {
    FAR_SIDE_CONTINUATION = 0,
    FAR_SIDE_TEXT = 1,
    FAR_SIDE_BINARY = 2,
    FAR_SIDE_CLOSE = 8,
    FAR_SIDE_PING = 9,
    FAR_SIDE_PONG = 10,
    FAR_SIDE_FINAL = 0x80,
    FAR_SIDE_HEAD_MAX = 16384, // bytes of a request
    FAR_SIDE_FRAME_MAX = 1024, // bytes of a frame that it reads
    FAR_SIDE_ANSWER_MAX = 256, // bytes of the response that agrees
    FAR_SIDE_PATH_LEN = 32,
};

struct ssl_st;
struct ssl_ctx_st;

struct far_side {
    int listener;
    uint16_t port; // of 127.0.0.1
    struct io_thread thread;
    void (*script)(struct far_side *far);
    const void *context; // the test's, for its script
    struct ssl_ctx_st *tls;
    char certificate[FAR_SIDE_PATH_LEN]; // file of its own certificate
    bool is_tls;
    // the connection
    int fd;
    struct ssl_st *ssl;
    char head[FAR_SIDE_HEAD_MAX]; // of the request, with a NUL
    size_t head_len;
    uint32_t count; // connections there have been
};

struct far_side_frame {
    uint8_t first;
    size_t len;
    uint8_t payload[FAR_SIDE_FRAME_MAX];
};

// With a certificate for a name, which it signs itself, it is ready to speak TLS, up to a version
// of OpenSSL's or, if that is 0, up to any; it does so if `is_tls`.
void far_side_open(struct far_side *far, const char *name, int version_max);
void far_side_close(struct far_side *far);

// Waits for a connection in its thread, and plays the script once TLS is agreed upon.
void far_side_play(struct far_side *far, void (*script)(struct far_side *far));
// Waits until the script is over.
void far_side_end(struct far_side *far);

// What scripts do.

void far_side_take_request(struct far_side *far);
// Takes something that comes, whatever it is.
void far_side_take_bytes(struct far_side *far);
// The response that agrees with the request that was taken; its length.
size_t far_side_answer(struct far_side *far, uint8_t out[FAR_SIDE_ANSWER_MAX]);
// Takes the request and agrees.
void far_side_agree(struct far_side *far);
void far_side_write(struct far_side *far, struct bytes text);
void far_side_frame(struct far_side *far, uint8_t first, struct bytes payload);
// False: the client is gone.
bool far_side_read_frame(struct far_side *far, struct far_side_frame *out);
// The next frame is of this kind and content.
void far_side_expect_frame(struct far_side *far, uint8_t first, struct bytes payload);
// The next frame is a close frame of this code.
void far_side_expect_close(struct far_side *far, uint16_t code);
void far_side_wait_for_end(struct far_side *far);
// The connection is going to be reset when the script is over.
void far_side_reset(struct far_side *far);
