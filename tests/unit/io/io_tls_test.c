// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "io/io_tls_session.h"
#include "tls_pair.h"

static void send_text(struct tls_end *end, const char *text)
{
    assert_int_equal(io_tls_send(&end->tls, bytes_of_text(text)), 0);
}

static void assert_in(const struct tls_end *end, const char *text)
{
    assert_int_equal(end->in_len, strlen(text));
    assert_memory_equal(end->in, text, end->in_len);
}

// --- handshake and data --------------------------------------------------------------------------

static void talk(bool is_1_2, size_t chunk)
{
    const char *version = is_1_2 ? "TLSv1.2" : "TLSv1.3";

    tls_pair.world.is_1_2 = is_1_2;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, chunk);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    assert_string_equal(io_tls_session_version(&tls_pair.world.client.tls), version);
    assert_string_equal(io_tls_session_version(&tls_pair.world.server.tls), version);
    assert_true(strlen(io_tls_session_cipher(&tls_pair.world.server.tls)) > 0);
    send_text(&tls_pair.world.server,
              "public_listener 127.0.0.1:5003\r\nreverse_listener 127.0.0.1:5001\r\n");
    send_text(&tls_pair.world.client, "hello");
    send_text(&tls_pair.world.client, " tls_pair.world");
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.server, "hello tls_pair.world");
    assert_in(&tls_pair.world.client,
              "public_listener 127.0.0.1:5003\r\nreverse_listener 127.0.0.1:5001\r\n");
    io_tls_close(&tls_pair.world.client.tls);
    tls_pair.world.server.closes_when_half_closed = true;
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.server.half_closed_count, 1);
}

static void talks_by_tls_1_3(void **state)
{
    (void)state;
    talk(false, 0);
}

static void talks_by_tls_1_2(void **state)
{
    (void)state;
    talk(true, 0);
}

static void talks_when_each_byte_comes_alone(void **state)
{
    (void)state;
    talk(false, 1);
}

static void talks_by_tls_1_2_when_each_byte_comes_alone(void **state)
{
    (void)state;
    talk(true, 1);
}

static void talks_over_tcp(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        tls_pair.world.is_tcp = true;
        talk(i % 2 == 0, i < 2 ? 0 : 1);
        tls_pair_renew();
    }
}

static void talks_over_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t chunk = 2; chunk < 800; chunk = chunk * 3 / 2 + 1) {
        talk(chunk % 2 == 0, chunk);
        tls_pair_renew();
    }
}

// --- how much waits ------------------------------------------------------------------------------

static uint8_t big[IO_TLS_QUEUE_MAX];

static void fill_big(void)
{
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i * 7 + i / 256);
    }
}

// The other side does not read: what is sent fills the system's buffers, and then ours.
static uint32_t fill_up(struct tls_end *end)
{
    uint32_t count = 0;
    int error = 0;

    while ((error = io_tls_send(&end->tls, (struct bytes){big, 1000})) == 0) {
        count++;
        assert_true(count < 10000);
    }
    assert_int_equal(error, -ENOBUFS);
    return count;
}

static void holds_no_more_than_its_queue_and_loses_nothing(void **state)
{
    (void)state;
    fill_big();
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    io_tls_pause(&tls_pair.world.client.tls);
    const uint32_t count = fill_up(&tls_pair.world.server);
    const uint32_t queued = io_tls_queued(&tls_pair.world.server.tls);
    assert_in_range(queued, IO_TLS_QUEUE_MAX - 1000 + 1, IO_TLS_QUEUE_MAX);
    assert_int_equal(tls_pair.world.server.drained_count, 0);
    // As much as there is room for is still taken.
    const struct bytes rest = {big, IO_TLS_QUEUE_MAX - queued};
    assert_int_equal(io_tls_send(&tls_pair.world.server.tls, rest), 0);
    assert_int_equal(io_tls_send(&tls_pair.world.server.tls, (struct bytes){big, 1}), -ENOBUFS);
    assert_int_equal(io_tls_resume(&tls_pair.world.client.tls), 0);
    tls_world_settle(&tls_pair.world);
    assert_int_equal(tls_pair.world.server.drained_count, 1);
    assert_int_equal(io_tls_queued(&tls_pair.world.server.tls), 0);
    assert_null(tls_pair.world.server.tls.queue.memory);
    assert_int_equal(tls_pair.world.client.in_len, count * 1000 + rest.len);
    for (uint32_t i = 0; i < count; i++) {
        assert_memory_equal(tls_pair.world.client.in + (size_t)i * 1000, big, 1000);
    }
    assert_memory_equal(tls_pair.world.client.in + (size_t)count * 1000, big, rest.len);
}

static void takes_a_whole_queue_at_once(void **state)
{
    (void)state;
    fill_big();
    tls_pair.world.is_1_2 = true;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 5000);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    assert_int_equal(io_tls_send(&tls_pair.world.client.tls, (struct bytes){big, sizeof(big)}), 0);
    tls_world_settle(&tls_pair.world);
    assert_int_equal(tls_pair.world.server.in_len, sizeof(big));
    assert_memory_equal(tls_pair.world.server.in, big, sizeof(big));
}

static void reads_nothing_while_it_is_paused(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    tls_pair.world.server.pauses = true;
    send_text(&tls_pair.world.client, "one");
    tls_world_settle(&tls_pair.world);
    send_text(&tls_pair.world.client, "two");
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.server, "one");
    assert_int_equal(io_tls_resume(&tls_pair.world.server.tls), 0);
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.server, "onetwo");
}

static void echoes_a_megabyte(void **state)
{
    size_t sent = 0;

    (void)state;
    fill_big();
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    tls_pair.world.server.echoes = true;
    while (tls_pair.world.client.in_len < 15 * sizeof(big)) {
        const struct bytes some = {big + sent % sizeof(big), sizeof(big) / 16};

        // The echo holds no more than a part of its queue at any time.
        if (sent < 15 * sizeof(big) && sent - tls_pair.world.client.in_len < sizeof(big) / 2 &&
            io_tls_send(&tls_pair.world.client.tls, some) == 0) {
            sent += some.len;
        }
        assert_int_equal(io_loop_turn(&tls_pair.world.loop, 0), 0);
    }
    assert_int_equal(sent, tls_pair.world.client.in_len);
    for (size_t i = 0; i < 15; i++) {
        assert_memory_equal(tls_pair.world.client.in + i * sizeof(big), big, sizeof(big));
    }
}

// --- ends ----------------------------------------------------------------------------------------

static void delivers_what_waits_before_it_closes(void **state)
{
    (void)state;
    fill_big();
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    io_tls_pause(&tls_pair.world.client.tls);
    const uint32_t count = fill_up(&tls_pair.world.server);
    io_tls_close(&tls_pair.world.server.tls);
    assert_int_equal(io_tls_send(&tls_pair.world.server.tls, bytes_of_text("x")), -ENOTCONN);
    assert_int_equal(io_tls_resume(&tls_pair.world.client.tls), 0);
    tls_pair.world.client.closes_when_half_closed = true;
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.client.in_len, count * 1000);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
}

// Neither side reads, and both have much to say: whoever closes reads into nothing.
static void closes_though_both_sides_are_full(void **state)
{
    (void)state;
    fill_big();
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    io_tls_pause(&tls_pair.world.client.tls);
    io_tls_pause(&tls_pair.world.server.tls);
    const uint32_t count = fill_up(&tls_pair.world.server);
    fill_up(&tls_pair.world.client);
    io_tls_close(&tls_pair.world.server.tls);
    tls_world_settle(&tls_pair.world);
    assert_int_equal(io_tls_queued(&tls_pair.world.client.tls), 0);
    assert_int_equal(tls_pair.world.server.in_len, 0);
    assert_int_equal(io_tls_resume(&tls_pair.world.client.tls), 0);
    tls_pair.world.client.closes_when_half_closed = true;
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.client.in_len, count * 1000);
}

// The last words arrive though the other side goes on sending, of which nobody hears any more.
static void lingers_while_the_other_side_sends(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    send_text(&tls_pair.world.server, "no_available_listeners\r\n");
    io_tls_close(&tls_pair.world.server.tls);
    for (int i = 0; i < 50; i++) {
        send_text(&tls_pair.world.client, "more and more and more");
    }
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.client, "no_available_listeners\r\n");
    assert_int_equal(tls_pair.world.client.half_closed_count, 1);
    assert_int_equal(tls_pair.world.client.ended_count, 0);
    assert_int_equal(tls_pair.world.server.ended_count, 0);
    assert_int_equal(tls_pair.world.server.tls.state, IO_TLS_LINGERING);
    assert_int_equal(tls_pair.world.server.in_len, 0);
    io_tls_close(&tls_pair.world.client.tls);
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
}

static void says_that_it_sends_no_more_and_still_reads(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    send_text(&tls_pair.world.client, "question");
    io_tls_shut(&tls_pair.world.client.tls);
    assert_int_equal(io_tls_send(&tls_pair.world.client.tls, bytes_of_text("x")), -ENOTCONN);
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.server, "question");
    assert_int_equal(tls_pair.world.server.half_closed_count, 1);
    send_text(&tls_pair.world.server, "answer");
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.client, "answer");
    io_tls_close(&tls_pair.world.server.tls);
    tls_pair.world.client.closes_when_half_closed = true;
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
}

static void ends_with_the_other_side_when_nobody_asks_to_hear_of_it(void **state)
{
    (void)state;
    tls_pair.world.server.tls.events = &tls_world_bare_events;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 16384);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    tls_world_settle(&tls_pair.world);
    const size_t passed = tls_pair.world.down.passed;
    send_text(&tls_pair.world.client, "last");
    io_tls_close(&tls_pair.world.client.tls);
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.down.passed, passed + 24); // its own close_notify
    assert_in(&tls_pair.world.server, "last");
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
}

static void both_close_at_once(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    io_tls_close(&tls_pair.world.client.tls);
    io_tls_close(&tls_pair.world.server.tls);
    io_tls_close(&tls_pair.world.server.tls); // once more does nothing
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
}

static void knows_a_close_without_close_notify(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    send_text(&tls_pair.world.client, "half a li");
    io_tls_abort(&tls_pair.world.client.tls);
    tls_world_until(&tls_pair.world, tls_world_server_ended);
    assert_in(&tls_pair.world.server, "half a li");
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CUT);
    assert_string_equal(tls_pair.world.server.end.text,
                        "the other side closed the connection without saying so in TLS");
    assert_int_equal(tls_pair.world.client.ended_count, 0);
}

static void closes_in_the_handshake(void **state)
{
    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    io_tls_close(&tls_pair.world.server.tls);
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CUT);
    assert_string_equal(tls_pair.world.client.end.text,
                        "the other side closed the connection before the handshake");
}

static void close_at_once(struct tls_end *end)
{
    send_text(end, "hello");
    io_tls_close(&end->tls);
}

static void abort_now(struct tls_end *end)
{
    io_tls_abort(&end->tls);
    memset(&end->tls, 0xee, sizeof(end->tls)); // it is ours again
}

static void expire_now(struct tls_end *end)
{
    io_tls_expire(&end->tls);
    memset(&end->tls, 0xee, sizeof(end->tls));
}

static void renew(struct tls_end *end)
{
    end->tls =
        (struct io_tls){.loop = &tls_pair.world.loop, .events = &tls_world_events, .context = end};
}

static void may_be_closed_and_freed_in_each_callback(void **state)
{
    void (*const acts[])(struct tls_end * end) = {close_at_once, abort_now, expire_now};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
        tls_pair.world.server.on_opened = acts[i];
        tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
        tls_pair.world.client.tls.events = &tls_world_bare_events;
        tls_world_until(&tls_pair.world, tls_world_client_ended);
        assert_int_equal(tls_pair.world.server.opened_count, 1);
        assert_int_equal(tls_pair.world.client.end.kind,
                         i == 0 ? IO_TLS_END_CLOSED : IO_TLS_END_CUT);
        tls_world_settle(&tls_pair.world);
        assert_int_equal(tls_pair.world.server.ended_count, i == 1 ? 0 : 1);
        renew(&tls_pair.world.server);
        tls_pair_renew();

        tls_pair.world.server.on_received = acts[i];
        tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
        tls_pair.world.client.tls.events = &tls_world_bare_events;
        tls_world_until(&tls_pair.world, tls_world_both_open);
        send_text(&tls_pair.world.client, "go");
        tls_world_until(&tls_pair.world, tls_world_client_ended);
        tls_world_settle(&tls_pair.world);
        assert_int_equal(tls_pair.world.server.ended_count, i == 1 ? 0 : 1);
        renew(&tls_pair.world.server);
        tls_pair_renew();
    }
}

static void is_told_that_its_time_is_over(void **state)
{
    IO_FD_AUTO int fd = -1;

    (void)state;
    fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);
    tls_world_settle(&tls_pair.world);
    io_tls_expire(&tls_pair.world.server.tls);
    assert_int_equal(tls_pair.world.server.ended_count, 1);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_EXPIRED);
    assert_string_equal(tls_pair.world.server.end.text, "nothing came in time for a handshake");
    io_tls_expire(&tls_pair.world.server.tls); // it has ended
    assert_int_equal(tls_pair.world.server.ended_count, 1);
    io_fd_close(&fd);

    fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);
    assert_int_equal(send(fd, "\x16\x03\x01\x01\x00\x01", 6, 0), 6);
    tls_world_settle(&tls_pair.world);
    io_tls_expire(&tls_pair.world.server.tls);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_EXPIRED);
    assert_string_equal(tls_pair.world.server.end.text, "the handshake was not finished in time");
}

static void keeps_the_reason_when_its_time_is_over(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    IO_FD_AUTO int fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);

    (void)state;
    assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
    tls_world_settle(&tls_pair.world);
    assert_int_equal(tls_pair.world.server.ended_count, 0); // it lingers
    io_tls_expire(&tls_pair.world.server.tls);
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_NOT_TLS);
}

static void outlives_its_context(void **state)
{
    const struct io_tls_settings settings = tls_world_server();
    struct io_tls_context *first = tls_world_context(&settings);

    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, first, NULL, 0);
    io_tls_context_close(first); // as a reload does, in the middle of the handshake
    tls_world_until(&tls_pair.world, tls_world_both_open);
    send_text(&tls_pair.world.client, "still there");
    tls_world_settle(&tls_pair.world);
    assert_in(&tls_pair.world.server, "still there");
}

// TLS 1.3 ignores a few bytes, as the version in a record's head. What arrives is what was sent.
static void changes_of_a_byte_never_pass(void **state)
{
    uint32_t refused_count = 0;
    uint32_t count = 0;

    (void)state;
    fill_big();
    for (size_t at = 1; at < 4000; at += 97) {
        for (int is_up = 0; is_up <= 1; is_up++) {
            tls_pair.world.is_1_2 = at % 2 == 0;
            tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 16384);
            *(is_up ? &tls_pair.world.up.spoil_at : &tls_pair.world.down.spoil_at) = at;
            tls_world_settle(&tls_pair.world);
            // It need not be open: then nothing is sent.
            IGNORE(io_tls_send(&tls_pair.world.client.tls, (struct bytes){big, 2000}));
            IGNORE(io_tls_send(&tls_pair.world.server.tls, (struct bytes){big, 2000}));
            tls_world_settle(&tls_pair.world);
            assert_true(tls_pair.world.server.in_len == 0 || tls_pair.world.server.in_len == 2000);
            assert_true(tls_pair.world.client.in_len == 0 || tls_pair.world.client.in_len == 2000);
            assert_memory_equal(tls_pair.world.server.in, big, tls_pair.world.server.in_len);
            assert_memory_equal(tls_pair.world.client.in, big, tls_pair.world.client.in_len);
            count += (is_up ? tls_pair.world.up.passed : tls_pair.world.down.passed) >= at;
            refused_count += tls_pair.world.server.in_len + tls_pair.world.client.in_len < 4000;
            tls_pair_renew();
        }
    }
    assert_true(count > 30);
    assert_true(refused_count > count * 3 / 4);
}

// In both directions. Bytes that nobody has read make it a reset.
static void knows_a_handshake_that_is_cut_off(void **state)
{
    uint32_t cut_count = 0;

    (void)state;
    for (size_t at = 1; at < 3000; at += 53) {
        for (int is_up = 0; is_up <= 1; is_up++) {
            tls_pair.world.is_1_2 = at % 2 == 0;
            tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 1);
            *(is_up ? &tls_pair.world.up.cut_after : &tls_pair.world.down.cut_after) = at;
            tls_pair.world.up.chunk = is_up ? 1 : 16384;
            tls_pair.world.down.chunk = is_up ? 16384 : 1;
            tls_world_settle(&tls_pair.world);
            if (tls_pair.world.fds[0] < 0) {
                cut_count++;
                assert_true(tls_world_both_ended(&tls_pair.world));
                assert_true(tls_pair.world.client.end.kind == IO_TLS_END_CUT ||
                            tls_pair.world.client.end.kind == IO_TLS_END_SYSTEM);
                assert_true(tls_pair.world.server.end.kind == IO_TLS_END_CUT ||
                            tls_pair.world.server.end.kind == IO_TLS_END_SYSTEM);
            }
            tls_pair_renew();
        }
    }
    assert_true(cut_count > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_PAIR_TEST(talks_by_tls_1_3),
        TLS_PAIR_TEST(talks_by_tls_1_2),
        TLS_PAIR_TEST(talks_when_each_byte_comes_alone),
        TLS_PAIR_TEST(talks_by_tls_1_2_when_each_byte_comes_alone),
        TLS_PAIR_TEST(talks_over_tcp),
        TLS_PAIR_TEST(talks_over_pieces_of_any_size),
        TLS_PAIR_TEST(holds_no_more_than_its_queue_and_loses_nothing),
        TLS_PAIR_TEST(takes_a_whole_queue_at_once),
        TLS_PAIR_TEST(reads_nothing_while_it_is_paused),
        TLS_PAIR_TEST(echoes_a_megabyte),
        TLS_PAIR_TEST(delivers_what_waits_before_it_closes),
        TLS_PAIR_TEST(closes_though_both_sides_are_full),
        TLS_PAIR_TEST(lingers_while_the_other_side_sends),
        TLS_PAIR_TEST(says_that_it_sends_no_more_and_still_reads),
        TLS_PAIR_TEST(ends_with_the_other_side_when_nobody_asks_to_hear_of_it),
        TLS_PAIR_TEST(both_close_at_once),
        TLS_PAIR_TEST(knows_a_close_without_close_notify),
        TLS_PAIR_TEST(closes_in_the_handshake),
        TLS_PAIR_TEST(may_be_closed_and_freed_in_each_callback),
        TLS_PAIR_TEST(is_told_that_its_time_is_over),
        TLS_PAIR_TEST(keeps_the_reason_when_its_time_is_over),
        TLS_PAIR_TEST(outlives_its_context),
        TLS_PAIR_TEST(changes_of_a_byte_never_pass),
        TLS_PAIR_TEST(knows_a_handshake_that_is_cut_off),
    };
    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}
