// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_sealed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/tls_pair.h"

enum { PATIENCE = 30 }; // s

static struct tunnel_sealed sealed;
static struct {
    int data_count;
    int refused_count;
    bool is_known;
    struct io_stream stream;
    uint8_t raw[REVTUN_PREFACE_LEN];
    char why[256];
} told;

static void on_data(void *context, struct io_stream stream, const struct addr *from,
                    const uint8_t raw[REVTUN_PREFACE_LEN])
{
    (void)context;
    (void)from;
    io_stream_close(&told.stream);
    told.data_count++;
    told.stream = stream;
    memcpy(told.raw, raw, sizeof told.raw);
}

static void on_refused(void *context, const struct addr *from, const char *why)
{
    (void)context;
    (void)from;
    told.refused_count++;
    snprintf(told.why, sizeof told.why, "%s", why);
}

static bool is_known(void *context, const struct addr *from)
{
    (void)context;
    (void)from;
    return told.is_known;
}

static const struct tunnel_sealed_events events = {
    .data = on_data,
    .refused = on_refused,
    .is_known = is_known,
};

static int open_contexts(void **state)
{
    static const struct io_tls_protocol protocols[] = {
        {"tlsrelay/2", IO_TLS_1_3, IO_TLS_ASK_CERTIFICATE},
        {TUNNEL_SEALED_PROTOCOL, IO_TLS_1_3, IO_TLS_ASK_NONE},
    };
    struct io_tls_settings settings = tls_world_server();

    (void)state;
    settings.protocols = protocols;
    settings.protocol_count = 2;
    tls_pair.server = tls_world_context(&settings);
    settings = tls_world_client();
    settings.protocols = protocols + 1;
    settings.protocol_count = 1;
    tls_pair.client = tls_world_context(&settings);
    return 0;
}

static int setup(void **state)
{
    tls_pair_setup(state);
    memset(&told, 0, sizeof told);
    told.stream = IO_STREAM_NONE;
    return tunnel_sealed_open(&sealed, &tls_pair.world.loop, &events, NULL);
}

static int teardown(void **state)
{
    tunnel_sealed_close(&sealed);
    tunnel_sealed_close(&sealed);
    sealed = (struct tunnel_sealed){0};
    io_stream_close(&told.stream);
    return tls_pair_teardown(state);
}

static struct addr host(uint8_t last)
{
    return addr_ip4((const uint8_t[]){192, 0, 2, last}, 1000);
}

// A connection that comes: its other end.
static int add(uint8_t last)
{
    const struct addr from = host(last);
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    tunnel_sealed_add(&sealed, io_clock_now(), tls_pair.server, fds[0], &from);
    return fds[1];
}

// One whose other end shakes hands, as the world's client.
static void add_client(void)
{
    static const struct io_tls_wanted wanted = {.host = "localhost"};
    const struct addr from = host(1);
    const int fd = tls_world_alone(&tls_pair.world, tls_pair.client, &wanted);

    tunnel_sealed_add(&sealed, io_clock_now(), tls_pair.server, fd, &from);
}

static bool is_open(const struct tls_world *world)
{
    return world->client.opened_count == 1;
}

static bool is_told(const struct tls_world *world)
{
    (void)world;
    return told.data_count + told.refused_count > 0;
}

static bool awaits_preface(const struct tls_world *world)
{
    (void)world;
    return sealed.places[0].state == TUNNEL_SEALED_PREFACING;
}

static void say(const void *bytes, size_t len)
{
    assert_int_equal(io_tls_send(&tls_pair.world.client.tls, (struct bytes){bytes, len}), 0);
}

static void hands_over_behind_the_preface(void **state)
{
    uint8_t text[REVTUN_PREFACE_LEN + 6];
    uint8_t left[100];
    size_t got = 0;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)i;
    }
    add_client();
    tls_world_until(&tls_pair.world, is_open);
    say(text, sizeof text); // in one record
    tls_world_until(&tls_pair.world, is_told);
    assert_int_equal(told.data_count, 1);
    assert_memory_equal(told.raw, text, sizeof told.raw);
    assert_int_equal(io_tls_channel_read(told.stream.tls, left, sizeof left, &got),
                     IO_TLS_CHANNEL_DONE);
    assert_int_equal(got, 6);
    assert_memory_equal(left, text + REVTUN_PREFACE_LEN, 6);
    assert_int_equal(sealed.crowd.count, 0);
    assert_true(tunnel_sealed_tick(&sealed, io_clock_now()) == NEVER);
}

static void takes_a_preface_in_pieces(void **state)
{
    (void)state;
    add_client();
    tls_world_until(&tls_pair.world, is_open);
    for (uint8_t i = 0; i < REVTUN_PREFACE_LEN; i++) {
        assert_int_equal(told.data_count, 0);
        say(&i, 1);
        tls_world_settle(&tls_pair.world);
    }
    tls_world_until(&tls_pair.world, is_told);
    assert_int_equal(told.data_count, 1);
    assert_int_equal(told.raw[REVTUN_PREFACE_LEN - 1], REVTUN_PREFACE_LEN - 1);
}

static void refuses_who_ends_before(void **state)
{
    (void)state;
    add_client();
    tls_world_until(&tls_pair.world, is_open);
    say("TRD2", 4);
    io_tls_close(&tls_pair.world.client.tls);
    tls_world_until(&tls_pair.world, is_told);
    assert_int_equal(told.refused_count, 1);
    assert_non_null(strstr(told.why, "before its preface"));
    assert_int_equal(sealed.failed_count, 1);
    assert_int_equal(sealed.crowd.count, 0);
}

static void refuses_what_is_no_tls(void **state)
{
    (void)state;
    int fd = add(1);
    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    tls_world_until(&tls_pair.world, is_told);
    assert_int_equal(told.refused_count, 1);
    assert_int_equal(sealed.failed_count, 1);
    io_fd_close(&fd);
}

static void refuses_who_takes_too_long(void **state)
{
    struct now later = io_clock_now();

    (void)state;
    int fd = add(2);
    later.mono_ns += (TUNNEL_SEALED_SHAKE_S + 1) * SECOND_NS;
    assert_true(tunnel_sealed_tick(&sealed, later) == NEVER);
    assert_int_equal(told.refused_count, 1);
    assert_int_equal(sealed.late_count, 1);
    io_fd_close(&fd);
    add_client();
    tls_world_until(&tls_pair.world, awaits_preface);
    later.mono_ns = io_clock_mono_ns() + (TUNNEL_SEALED_PREFACE_S + 1) * SECOND_NS;
    assert_true(tunnel_sealed_tick(&sealed, later) == NEVER);
    assert_int_equal(told.refused_count, 2);
    assert_int_equal(sealed.late_count, 2);
    assert_non_null(strstr(told.why, "preface did not come"));
}

static void one_address_has_its_share(void **state)
{
    int fds[TUNNEL_SEALED_ADDRESS_MAX + 1];
    char byte = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = add(3);
    }
    assert_int_equal(sealed.displaced_count, 1);
    assert_int_equal(sealed.crowd.count, TUNNEL_SEALED_ADDRESS_MAX);
    assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0); // the oldest
    assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), -1);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        io_fd_close(&fds[i]);
    }
}

static void begins_no_more_than_may_but_for_agents_that_are_here(void **state)
{
    static const struct siphash_key key = {1, 2};
    int fds[40];

    (void)state;
    tunnel_handshakes_init(&sealed.handshakes, &key, 16);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = add(4);
    }
    const uint64_t crowded = sealed.crowded_count;
    assert_true(crowded > 0);
    assert_int_equal(told.refused_count, crowded);
    told.is_known = true;
    int fd = add(4);
    assert_int_equal(sealed.crowded_count, crowded);
    io_fd_close(&fd);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        io_fd_close(&fds[i]);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_over_behind_the_preface),
        TEST(takes_a_preface_in_pieces),
        TEST(refuses_who_ends_before),
        TEST(refuses_what_is_no_tls),
        TEST(refuses_who_takes_too_long),
        TEST(one_address_has_its_share),
        TEST(begins_no_more_than_may_but_for_agents_that_are_here),
    };

    return cmocka_run_group_tests(tests, open_contexts, tls_pair_group_teardown);
}
