// SPDX-License-Identifier: Apache-2.0
// A WebSocket client in the test's own thread, and what it has been told.
#pragma once

#include "far_side.h"
#include "web/web_socket.h"

struct near_side {
    struct web_socket socket;
    uint32_t opened_count;
    uint32_t received_count;
    uint32_t ended_count;
    struct web_socket_end end;
    size_t text_len; // of the last message
    uint8_t text[WEB_SOCKET_TEXT_MAX];
    // What the test does when it is told; NULL: nothing.
    void (*opened)(struct near_side *near);
    void (*received)(struct near_side *near);
};

// Trusts the certificate in a file, or the system's if that is NULL.
void near_side_open(struct near_side *near, const char *ca_path);
void near_side_close(struct near_side *near);

// Begins to connect, asking "localhost" for "/path", with what has been told forgotten.
void near_side_connect(struct near_side *near, const struct far_side *far);
void near_side_connect_to(struct near_side *near, const char *address, uint16_t port, bool is_tls);
// Turns until something has been told so often; fails the test when that takes too long.
void near_side_turn_until(struct near_side *near, const uint32_t *count, uint32_t wanted);
// Turns until all that was hung up or refused is closed.
void near_side_settle(struct near_side *near);
// Turns until all is sent that waits for it, and hangs up.
void near_side_leave(struct near_side *near);
// Has the far side play a script for a new connection, until that has ended.
void near_side_meet(struct near_side *near, struct far_side *far,
                    void (*script)(struct far_side *far));
