// SPDX-License-Identifier: Apache-2.0
#include "near_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_clock.h"

enum { PATIENCE_S = 30 };

static void on_opened(void *context)
{
    struct near_side *near = context;

    near->opened_count++;
    if (near->opened != NULL) {
        near->opened(near);
    }
}

static void on_received(void *context, struct bytes text)
{
    struct near_side *near = context;

    near->received_count++;
    near->text_len = text.len;
    if (text.len > 0) {
        memcpy(near->text, text.ptr, text.len);
    }
    if (near->received != NULL) {
        near->received(near);
    }
}

static void on_ended(void *context, const struct web_socket_end *end)
{
    struct near_side *near = context;

    near->ended_count++;
    near->end = *end;
}

static const struct web_socket_events events = {
    .opened = on_opened, .received = on_received, .ended = on_ended};

void near_side_open(struct near_side *near, const char *ca_path)
{
    memset(near, 0, sizeof *near);
    assert_int_equal(web_socket_open(&near->socket, &events, near, ca_path), 0);
}

void near_side_close(struct near_side *near)
{
    web_socket_close(&near->socket);
}

void near_side_connect(struct near_side *near, const struct far_side *far)
{
    near_side_connect_to(near, "127.0.0.1", far->port, far->is_tls);
}

void near_side_connect_to(struct near_side *near, const char *address, uint16_t port, bool is_tls)
{
    near->opened_count = 0;
    near->received_count = 0;
    near->ended_count = 0;
    near->end = (struct web_socket_end){0};
    web_socket_connect(&near->socket, &(struct web_socket_target){
                                          .is_tls = is_tls,
                                          .address = address,
                                          .host = "localhost",
                                          .port = port,
                                          .path = "/path",
                                          .headers = BYTES_LITERAL("X-Test: header\r\n"),
                                      });
}

void near_side_turn_until(struct near_side *near, const uint32_t *count, uint32_t wanted)
{
    const uint64_t end_ns = io_clock_now().mono_ns + PATIENCE_S * SECOND_NS;

    while (*count < wanted) {
        if (io_clock_now().mono_ns > end_ns) {
            fail_msg("opened %u, received %u, ended %u: %s", near->opened_count,
                     near->received_count, near->ended_count, near->end.reason);
        }
        web_socket_turn(&near->socket, end_ns);
    }
}

void near_side_settle(struct near_side *near)
{
    for (int i = 0; near->socket.leftover_count > 0 && i < PATIENCE_S; i++) {
        web_socket_linger(&near->socket); // a second of a busy machine may be short
    }
    assert_int_equal(near->socket.leftover_count, 0);
}

void near_side_leave(struct near_side *near)
{
    while (near->socket.queue.count > 0) {
        web_socket_turn(&near->socket, NEVER);
    }
    web_socket_hang_up(&near->socket);
    near_side_settle(near);
}

void near_side_meet(struct near_side *near, struct far_side *far,
                    void (*script)(struct far_side *far))
{
    far_side_play(far, script);
    near_side_connect(near, far);
    near_side_turn_until(near, &near->ended_count, 1);
    near_side_settle(near);
    assert_int_equal(near->ended_count, 1);
    far_side_end(far);
}
