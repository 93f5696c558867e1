// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_previews.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_tcp.h"

static struct io_loop loop;
static struct tunnel_previews *previews;

// What was told last, and how often anything was.
static struct {
    int count;
    char what; // 't', 'c', 'd'
    int fd;
    char host[64];
    uint8_t raw[REVTUN_PREFACE_LEN];
} told;

static void note(char what, int fd)
{
    told.count++;
    told.what = what;
    told.fd = fd;
}

static void on_tls(void *context, int fd, const struct addr *from)
{
    (void)context;
    (void)from;
    note('t', fd);
}

static void on_sealed(void *context, int fd, const struct addr *from)
{
    (void)context;
    (void)from;
    note('s', fd);
}

static void on_client(void *context, int fd, const struct addr *from, struct bytes host)
{
    (void)context;
    (void)from;
    note('c', fd);
    assert_in_range(host.len, 0, sizeof told.host - 1);
    snprintf(told.host, sizeof told.host, "%.*s", (int)host.len, (const char *)host.ptr);
}

static void on_data(void *context, int fd, const struct addr *from,
                    const uint8_t raw[REVTUN_PREFACE_LEN])
{
    (void)context;
    (void)from;
    note('d', fd);
    memcpy(told.raw, raw, sizeof told.raw);
}

static const struct tunnel_previews_events events = {
    .tls = on_tls,
    .client = on_client,
    .data = on_data,
};

// With data connections in TLS.
static const struct tunnel_previews_events sealing_events = {
    .tls = on_tls,
    .sealed = on_sealed,
    .client = on_client,
    .data = on_data,
};

static int open_previews(void **state)
{
    (void)state;
    memset(&told, 0, sizeof told);
    told.fd = -1;
    previews = calloc(1, sizeof *previews);
    return previews == NULL || io_loop_open(&loop) != 0 ||
           tunnel_previews_open(previews, &loop, &events, NULL) != 0;
}

static int close_previews(void **state)
{
    (void)state;
    tunnel_previews_close(previews);
    tunnel_previews_close(previews);
    free(previews);
    const uint32_t watch_count = loop.watch_count;
    io_loop_close(&loop);
    return watch_count == 0 ? 0 : -1;
}

static void connect_both(int *ours, int *theirs)
{
    struct addr at = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);
    struct addr from;
    int listener = -1;

    assert_int_equal(io_tcp_listen(&at, &(struct io_tcp_options){0}, &listener, &at), 0);
    assert_int_equal(io_tcp_connect(&at, NULL, &(struct io_tcp_options){0}, theirs), 0);
    assert_int_equal(io_tcp_accept(listener, ours, &from), 0);
    close(listener);
}

static struct addr address(uint8_t last)
{
    return addr_ip4((const uint8_t[]){192, 0, 2, last}, 1000);
}

// Adds a connection from an address; the other end.
static int add(uint8_t last, bool is_shared)
{
    const struct addr from = address(last);
    int ours = -1;
    int theirs = -1;

    connect_both(&ours, &theirs);
    tunnel_previews_add(previews, io_clock_now(), ours, &from, is_shared);
    return theirs;
}

static void say(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (int)len);
    assert_int_equal(io_loop_turn(&loop, 0), 0);
}

static bool was_reset(int fd)
{
    char byte = 0;

    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

// Whatever the system is busy with, it comes.

static void wait_until_told(int count)
{
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;

    while (told.count < count && io_clock_mono_ns() < end_ns) {
        assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + SECOND_NS / 100), 0);
    }
    assert_int_equal(told.count, count);
}

static void wait_until_reset(int fd)
{
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;

    while (!was_reset(fd)) {
        assert_true(io_clock_mono_ns() < end_ns);
        assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + SECOND_NS / 100), 0);
    }
}

static void wait_for_bytes(int fd, char *to, size_t len)
{
    struct pollfd place = {.fd = fd, .events = POLLIN};
    size_t got = 0;

    while (got < len) {
        assert_int_equal(poll(&place, 1, 20000), 1);
        const ssize_t more = recv(fd, to + got, len - got, 0);
        assert_true(more > 0);
        got += (size_t)more;
    }
}

static void a_preface_is_told_when_it_is_whole_wherever_it_is_cut(void **state)
{
    uint8_t raw[REVTUN_PREFACE_LEN + 3] = "TRD2";

    (void)state;
    memcpy(raw + REVTUN_PREFACE_LEN, "xyz", 3);
    for (size_t cut = 1; cut < sizeof raw; cut++) {
        char rest[8];
        const int fd = add(1, cut % 2 == 0);

        told.count = 0;
        say(fd, raw, cut);
        assert_in_range(told.count, 0, cut >= REVTUN_PREFACE_LEN);
        say(fd, raw + cut, sizeof raw - cut);
        wait_until_told(1);
        assert_int_equal(told.what, 'd');
        assert_memory_equal(told.raw, raw, REVTUN_PREFACE_LEN);
        wait_for_bytes(told.fd, rest, 3); // what is behind is left there
        close(told.fd);
        close(fd);
    }
}

static void anything_else_is_reset(void **state)
{
    static const char *const texts[] = {"GET", "TRD3", "T ", "\x15\x03", "\x16\x02", "TRX"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const int fd = add(1, i % 2 == 0);

        say(fd, texts[i], strlen(texts[i]));
        wait_until_reset(fd);
        close(fd);
    }
    const int fd = add(1, false);
    assert_int_equal(shutdown(fd, SHUT_WR), 0); // says nothing
    wait_until_reset(fd);
    close(fd);
    assert_int_equal(previews->unknown_count, COUNT_OF(texts) + 1);
    assert_int_equal(told.count, 0);
}

// A ClientHello with a host, and a protocol by ALPN if there is one.
static size_t hello_write(uint8_t *to, size_t room, const char *host, const char *protocol)
{
    const size_t host_len = strlen(host);
    const size_t protocol_len = protocol == NULL ? 0 : strlen(protocol);
    const size_t sni_len = 4 + 5 + host_len;
    const size_t alpn_len = protocol == NULL ? 0 : 4 + 3 + protocol_len;
    const size_t body_len = 2 + 32 + 1 + 2 + 2 + 2 + 2 + sni_len + alpn_len;
    static const uint8_t random[32];
    struct wr wr = wr_init(to, room);

    wr_u8(&wr, 0x16);
    wr_u16(&wr, 0x0301);
    wr_u16(&wr, (uint16_t)(4 + body_len));
    wr_u8(&wr, 1);
    wr_u8(&wr, 0);
    wr_u16(&wr, (uint16_t)body_len);
    wr_u16(&wr, 0x0303);
    wr_bytes(&wr, (struct bytes){random, sizeof random});
    wr_u8(&wr, 0); // session
    wr_u16(&wr, 2);
    wr_u16(&wr, 0x1301);
    wr_u8(&wr, 1); // compressions
    wr_u8(&wr, 0);
    wr_u16(&wr, (uint16_t)(sni_len + alpn_len));
    wr_u16(&wr, 0); // server_name
    wr_u16(&wr, (uint16_t)(5 + host_len));
    wr_u16(&wr, (uint16_t)(3 + host_len));
    wr_u8(&wr, 0);
    wr_u16(&wr, (uint16_t)host_len);
    wr_text(&wr, host);
    if (protocol != NULL) {
        wr_u16(&wr, 16);
        wr_u16(&wr, (uint16_t)(3 + protocol_len));
        wr_u16(&wr, (uint16_t)(1 + protocol_len));
        wr_u8(&wr, (uint8_t)protocol_len);
        wr_text(&wr, protocol);
    }
    assert_true(wr_ok(&wr));
    return wr_done(&wr).len;
}

static void the_shared_port_looks_at_the_protocol_and_then_at_the_host(void **state)
{
    static const struct {
        const char *protocol;
        char what;
    } cases[] = {{NULL, 'c'},
                 {"h2", 'c'},
                 {"tlsrelay/1", 'c'},
                 {"tlsrelay/2", 't'},
                 {"tlsrelay-data/2", 't'}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t hello[512];
        uint8_t left[512];
        const size_t len = hello_write(hello, sizeof hello, "Shop.test", cases[i].protocol);
        const int fd = add(1, true);

        told.count = 0;
        for (size_t at = 0; at < len; at++) {
            assert_int_equal(told.count, 0);
            say(fd, hello + at, 1);
        }
        wait_until_told(1);
        assert_int_equal(told.what, cases[i].what);
        if (cases[i].what == 'c') {
            assert_string_equal(told.host, "shop.test");
        }
        assert_int_equal(recv(told.fd, left, sizeof left, MSG_DONTWAIT), (int)len);
        close(told.fd);
        close(fd);
    }
}

// Two bytes are no handshake, nor is any part of a ClientHello.
static void tls_at_the_control_port_is_told_when_its_hello_is_whole(void **state)
{
    static const char *const protocols[] = {NULL, "tlsrelay/1", "tlsrelay/2", "h2"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        uint8_t hello[512];
        uint8_t left[512];
        const size_t len = hello_write(hello, sizeof hello, "a.test", protocols[i]);
        const int fd = add(1, false);

        told.count = 0;
        for (size_t at = 0; at < len; at++) {
            assert_int_equal(told.count, 0);
            say(fd, hello + at, 1);
        }
        wait_until_told(1);
        assert_int_equal(told.what, 't');
        assert_int_equal(recv(told.fd, left, sizeof left, MSG_DONTWAIT), (int)len);
        assert_memory_equal(left, hello, len); // it is whole
        assert_int_equal(previews->crowd.count, 0);
        close(told.fd);
        close(fd);
    }
    // What begins as TLS and is none.
    const int fd = add(1, false);
    say(fd, "\x16\x03\x01\x00\x05xxxxx", 10);
    wait_until_reset(fd);
    close(fd);
}

static void data_connections_in_tls_are_told_at_both_ports(void **state)
{
    static const struct {
        const char *protocol;
        char plainly[2]; // at the control port, at the shared one
        char sealing[2];
    } cases[] = {
        {"tlsrelay-data/2", {'t', 't'}, {'s', 's'}},
        {"tlsrelay/2", {'t', 't'}, {'t', 't'}},
        {"h2", {'t', 'c'}, {'t', 'c'}},
        {NULL, {'t', 'c'}, {'t', 'c'}},
    };

    (void)state;
    for (size_t i = 0; i < 4 * COUNT_OF(cases); i++) {
        const bool is_shared = i % 2 != 0;
        const bool is_sealing = i / 2 % 2 != 0;
        const char *wanted = is_sealing ? cases[i / 4].sealing : cases[i / 4].plainly;
        uint8_t hello[512];

        previews->events = is_sealing ? &sealing_events : &events;
        told.count = 0;
        const int fd = add(1, is_shared);
        say(fd, hello, hello_write(hello, sizeof hello, "a.test", cases[i / 4].protocol));
        wait_until_told(1);
        assert_int_equal(told.what, wanted[is_shared]);
        close(told.fd);
        close(fd);
    }
}

static bool has_begun(void)
{
    for (uint32_t i = 0; i < previews->crowd.count; i++) {
        if (previews->places[previews->crowd.members[i]].has_begun) {
            return true;
        }
    }
    return false;
}

static void who_takes_too_long_is_reset(void **state)
{
    struct now now = io_clock_now();
    const int control = add(1, false);
    const int shared = add(1, true);
    const int preface = add(1, false);

    (void)state;
    say(preface, "TR", 2);
    while (!has_begun()) {
        assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + SECOND_NS / 100), 0);
    }
    now.mono_ns += (TUNNEL_PREVIEWS_HELLO_S + 1) * SECOND_NS;
    assert_in_range(tunnel_previews_tick(previews, now), now.mono_ns + 1, NEVER - 1);
    assert_false(was_reset(control));
    wait_until_reset(shared);
    wait_until_reset(preface);
    now.mono_ns += TUNNEL_PREVIEWS_FIRST_S * SECOND_NS;
    assert_true(tunnel_previews_tick(previews, now) == NEVER);
    wait_until_reset(control);
    assert_int_equal(previews->late_count, 3);
    close(control);
    close(shared);
    close(preface);
}

static void one_address_has_its_share_and_loses_its_oldest(void **state)
{
    static int fds[TUNNEL_PREVIEWS_ADDRESS_MAX + 1];
    const int other = add(2, false);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = add(1, false);
    }
    assert_int_equal(previews->displaced_count, 1);
    wait_until_reset(fds[0]);
    assert_false(was_reset(fds[1]));
    assert_false(was_reset(other));
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        close(fds[i]);
    }
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tls_at_the_control_port_is_told_when_its_hello_is_whole,
                                        open_previews, close_previews),
        cmocka_unit_test_setup_teardown(a_preface_is_told_when_it_is_whole_wherever_it_is_cut,
                                        open_previews, close_previews),
        cmocka_unit_test_setup_teardown(anything_else_is_reset, open_previews, close_previews),
        cmocka_unit_test_setup_teardown(the_shared_port_looks_at_the_protocol_and_then_at_the_host,
                                        open_previews, close_previews),
        cmocka_unit_test_setup_teardown(data_connections_in_tls_are_told_at_both_ports,
                                        open_previews, close_previews),
        cmocka_unit_test_setup_teardown(who_takes_too_long_is_reset, open_previews, close_previews),
        cmocka_unit_test_setup_teardown(one_address_has_its_share_and_loses_its_oldest,
                                        open_previews, close_previews),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
