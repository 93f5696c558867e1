// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_loop.h"
#include "io/io_privilege.h"
#include "io/io_sockaddr.h"

enum { CAPACITY = 8, DATAGRAM_LEN = 100, SKIPPED = 77 };

static bool is_skipped; // some test could not run here, so the program does not claim to pass

static const struct addr any4 = {.family = ADDR_IP4};
static const struct addr loopback4 = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};
static const struct addr loopback6 = {.ip = {[15] = 1}, .family = ADDR_IP6};

static struct io_udp_batch batch;

static int open_batch(void **state)
{
    (void)state;
    return io_udp_batch_open(CAPACITY, DATAGRAM_LEN, &batch);
}

static int close_batch(void **state)
{
    (void)state;
    io_udp_batch_close(&batch);
    io_udp_batch_close(&batch); // nothing to close any more
    return 0;
}

static struct io_udp open_at(struct addr local, bool has_destination)
{
    struct io_udp udp;
    const struct io_udp_options options = {.local = local, .has_destination = has_destination};

    assert_int_equal(io_udp_open(&options, &udp), 0);
    return udp;
}

static void send_text(struct io_udp *from, const struct addr *to, const char *text)
{
    const struct io_udp_message message = {.to = to, .payload = bytes_of_text(text)};

    assert_int_equal(io_udp_send(from, &message), 0);
}

static void receives_what_waits_in_its_order(void **state)
{
    struct io_udp from = open_at(loopback4, false);
    struct io_udp to = open_at(loopback4, false);
    char text[16];

    (void)state;
    assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
    assert_int_equal(batch.count, 0);
    for (int i = 0; i < CAPACITY + 3; i++) {
        snprintf(text, sizeof(text), "number %d", i);
        send_text(&from, &to.local, text);
    }
    for (uint32_t i = 0; i < CAPACITY + 3; i++) {
        if (i % CAPACITY == 0) { // a full batch, then what was left
            assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
            assert_int_equal(batch.count, i == 0 ? CAPACITY : 3);
        }
        const struct io_udp_arrival *const datagram = &batch.arrivals[i % CAPACITY];
        snprintf(text, sizeof(text), "number %u", i);
        assert_true(bytes_equal_text((struct bytes){datagram->ptr, datagram->len}, text));
        assert_true(addr_equal(&datagram->from, &from.local));
        assert_true(addr_equal(&datagram->local, &to.local));
        assert_int_equal(datagram->scope, 0);
    }
    assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.stats.received, CAPACITY + 3);
    io_udp_close(&from);
    io_udp_close(&to);
}

static void hands_out_empty_datagrams(void **state)
{
    struct io_udp udp = open_at(loopback4, false);

    (void)state;
    send_text(&udp, &udp.local, "");
    send_text(&udp, &udp.local, "x");
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.arrivals[0].len, 0);
    assert_int_equal(batch.arrivals[1].len, 1);
    io_udp_close(&udp);
}

static void drops_and_counts_what_is_too_long(void **state)
{
    struct io_udp udp = open_at(loopback4, false);
    char text[DATAGRAM_LEN + 2] = {0};

    (void)state;
    memset(text, 'a', DATAGRAM_LEN);
    send_text(&udp, &udp.local, text); // fits to the byte
    text[DATAGRAM_LEN] = 'a';
    send_text(&udp, &udp.local, text); // one too many
    send_text(&udp, &udp.local, "short");
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.arrivals[0].len, DATAGRAM_LEN);
    assert_int_equal(batch.arrivals[1].len, strlen("short"));
    assert_int_equal(batch.stats.truncated, 1);
    assert_int_equal(batch.stats.received, 2);
    io_udp_close(&udp);
}

static void receives_the_longest_datagram_there_is(void **state)
{
    static uint8_t payload[65507]; // 65535 less the headers of IPv4 and UDP
    struct io_udp udp = open_at(loopback4, false);
    struct io_udp_batch large;

    (void)state;
    assert_int_equal(io_udp_batch_open(2, IO_UDP_BATCH_DATAGRAM_MAX, &large), 0);
    memset(payload, 'a', sizeof(payload));
    const struct io_udp_message message = {.to = &udp.local, .payload = {payload, sizeof(payload)}};
    assert_int_equal(io_udp_send(&udp, &message), 0);
    assert_int_equal(io_udp_batch_receive(&large, &udp), 0);
    assert_int_equal(large.count, 1);
    assert_int_equal(large.arrivals[0].len, sizeof(payload));
    assert_memory_equal(large.arrivals[0].ptr, payload, sizeof(payload));
    io_udp_batch_close(&large);
    io_udp_close(&udp);
}

static void knows_to_which_address_a_wildcard_socket_was_spoken(void **state)
{
    struct io_udp from = open_at(loopback4, false);
    struct io_udp to = open_at(any4, true);

    (void)state;
    for (uint8_t last = 1; last < 4; last++) {
        const struct addr destination = addr_ip4((const uint8_t[]){127, 0, 0, last}, to.local.port);

        send_text(&from, &destination, "hello");
        assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
        assert_int_equal(batch.count, 1);
        assert_true(addr_equal(&batch.arrivals[0].local, &destination));
        // And the answer comes from there.
        const struct io_udp_message answer = {.to = &batch.arrivals[0].from,
                                              .from = &batch.arrivals[0].local,
                                              .scope = batch.arrivals[0].scope};
        assert_int_equal(io_udp_send(&to, &answer), 0);
        assert_int_equal(io_udp_batch_receive(&batch, &from), 0);
        assert_int_equal(batch.count, 1);
        assert_true(addr_equal(&batch.arrivals[0].from, &destination));
    }
    io_udp_close(&from);
    io_udp_close(&to);
}

static void knows_it_for_ip6_too(void **state)
{
    struct io_udp from;

    (void)state;
    if (io_udp_open(&(struct io_udp_options){.local = loopback6}, &from) != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return;
    }
    struct io_udp to = open_at((struct addr){.family = ADDR_IP6}, true);
    const struct addr destination = addr_with_port(loopback6, to.local.port);

    send_text(&from, &destination, "hello");
    assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
    assert_int_equal(batch.count, 1);
    assert_true(addr_equal(&batch.arrivals[0].local, &destination));
    assert_true(addr_equal(&batch.arrivals[0].from, &from.local));
    io_udp_close(&from);
    io_udp_close(&to);
}

static void says_the_bound_address_when_destinations_were_not_asked_for(void **state)
{
    struct io_udp from = open_at(loopback4, false);
    struct io_udp to = open_at(any4, false);
    const struct addr destination = addr_with_port(loopback4, to.local.port);

    (void)state;
    send_text(&from, &destination, "hello");
    assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
    assert_int_equal(batch.count, 1);
    assert_true(addr_equal(&batch.arrivals[0].local, &to.local));
    io_udp_close(&from);
    io_udp_close(&to);
}

// Opens a sender and a receiver of IP fields on loopback. False when this host has no such family.
static bool open_pair(struct addr local, struct io_udp *from, struct io_udp *to)
{
    struct io_udp_options options = {.local = local, .has_destination = true};

    if (io_udp_open(&options, from) != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return false;
    }
    options.has_ip_fields = true;
    assert_int_equal(io_udp_open(&options, to), 0);
    return true;
}

static void learns_every_ttl_and_tos_that_is_sent(void **state)
{
    const struct addr locals[] = {loopback4, loopback6};
    struct io_udp from;
    struct io_udp to;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_pair(locals[i], &from, &to); i++) {
        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            const struct io_udp_message messages[] = {
                {.to = &to.local, .ttl = (uint8_t)value},
                {.to = &to.local, .tos = (uint8_t)value},
                {.to = &to.local, .ttl = (uint8_t)value, .tos = (uint8_t)~value},
            };
            for (size_t j = 0; j < COUNT_OF(messages); j++) {
                assert_int_equal(io_udp_send(&from, &messages[j]), 0);
            }
            assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
            assert_int_equal(batch.count, COUNT_OF(messages));
            for (size_t j = 0; j < COUNT_OF(messages); j++) {
                const uint8_t ttl = messages[j].ttl;
                assert_int_equal(batch.arrivals[j].ttl, ttl != 0 ? ttl : 64); // Linux's default
                assert_int_equal(batch.arrivals[j].tos, messages[j].tos);
                assert_true(addr_equal(&batch.arrivals[j].local, &to.local));
            }
        }
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void sends_ttl_and_tos_beside_a_source(void **state)
{
    const struct addr locals[] = {loopback4, loopback6};
    static const struct addr wildcards[] = {{.family = ADDR_IP4}, {.family = ADDR_IP6}};
    struct io_udp from;
    struct io_udp to;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_pair(locals[i], &from, &to); i++) {
        struct io_udp wildcard = open_at(wildcards[i], false);
        const struct io_udp_message message = {
            .to = &to.local, .from = &locals[i], .ttl = 1, .tos = 0xb9};

        assert_int_equal(io_udp_send(&wildcard, &message), 0);
        assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
        assert_int_equal(batch.count, 1);
        assert_int_equal(batch.arrivals[0].ttl, 1);
        assert_int_equal(batch.arrivals[0].tos, 0xb9);
        assert_true(addr_same_ip(&batch.arrivals[0].from, &locals[i]));
        io_udp_close(&wildcard);
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void learns_no_ttl_and_tos_unasked(void **state)
{
    struct io_udp udp = open_at(loopback4, true);
    const struct io_udp_message message = {.to = &udp.local, .ttl = 7, .tos = 7};

    (void)state;
    assert_int_equal(io_udp_send(&udp, &message), 0);
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.arrivals[0].ttl, 0);
    assert_int_equal(batch.arrivals[0].tos, 0);
    io_udp_close(&udp);
}

// How many values a process without rights could not send.
static int fault_count_without_rights(void)
{
    const struct addr locals[] = {loopback4, loopback6};
    const struct io_privilege_user nobody = {.uid = 65534, .gid = 65534};
    struct io_udp udp;
    int count = 0;

    if (io_privilege_is_root() && io_privilege_drop(nobody) != 0) {
        return 1;
    }
    for (size_t i = 0; i < COUNT_OF(locals); i++) {
        if (io_udp_open(&(struct io_udp_options){.local = locals[i]}, &udp) != 0) {
            continue; // no IPv6, which another test says
        }
        const struct addr to = addr_with_port(locals[i], 9);
        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            const struct io_udp_message message = {
                .to = &to, .ttl = (uint8_t)value, .tos = (uint8_t)value};
            count += io_udp_send(&udp, &message) != 0;
        }
        io_udp_close(&udp);
    }
    return count < UINT8_MAX ? count : UINT8_MAX;
}

static void needs_no_rights_for_ttl_and_tos(void **state)
{
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(fault_count_without_rights());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void count_turn(struct io_watch *watch, uint32_t events)
{
    (void)events;
    assert_int_equal(io_udp_batch_receive(&batch, watch->context), 0);
}

// Only a connected socket is told of ICMP errors, so the test connects one behind io's back.
static void clears_a_pending_error_and_loses_no_datagram(void **state)
{
    struct io_udp udp = open_at(loopback4, false);
    struct io_udp peer = open_at(loopback4, false);
    struct sockaddr_storage name;
    struct io_loop loop;
    struct io_watch watch = {.fd = udp.fd, .fn = count_turn, .context = &udp};

    (void)state;
    const struct addr peer_addr = peer.local;
    const socklen_t len = io_sockaddr_write(&peer_addr, 0, &name);
    assert_int_equal(connect(udp.fd, (struct sockaddr *)&name, len), 0);
    send_text(&peer, &udp.local, "before the error");
    io_udp_close(&peer);
    send_text(&udp, &peer_addr, "to nobody"); // on loopback the ICMP error is back at once

    assert_int_equal(io_loop_open(&loop), 0);
    assert_int_equal(io_loop_add(&loop, &watch, IO_READABLE), 0);
    assert_int_equal(io_loop_turn(&loop, 0), 0);
    assert_int_equal(batch.stats.errors, 1);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.arrivals[0].len, strlen("before the error"));
    assert_int_equal(io_loop_turn(&loop, 0), 0);
    assert_int_equal(loop.event_count, 0); // nothing left about which to spin
    io_loop_remove(&loop, &watch);
    io_loop_close(&loop);
    io_udp_close(&udp);
}

static void clears_an_error_with_nothing_behind_it(void **state)
{
    struct io_udp udp = open_at(loopback4, false);
    struct io_udp peer = open_at(loopback4, false);
    struct sockaddr_storage name;

    (void)state;
    const struct addr peer_addr = peer.local;
    const socklen_t len = io_sockaddr_write(&peer_addr, 0, &name);
    assert_int_equal(connect(udp.fd, (struct sockaddr *)&name, len), 0);
    io_udp_close(&peer);
    send_text(&udp, &peer_addr, "to nobody");
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.stats.errors, 1);
    io_udp_close(&udp);
}

static void says_when_the_descriptor_is_none(void **state)
{
    struct io_udp udp = {.fd = -1, .local = loopback4};

    (void)state;
    batch.count = 77;
    assert_int_equal(io_udp_batch_receive(&batch, &udp), -EBADF);
    assert_int_equal(batch.count, 0);
}

// A datagram from port 0 can only be forged by a raw socket.
static void drops_and_counts_what_has_no_source_port(void **state)
{
    // Source port 0, destination port, length 8 + 2, no checksum.
    uint8_t datagram[] = {0, 0, 0, 0, 0, 10, 0, 0, 'h', 'i'};
    struct io_udp udp = open_at(loopback4, false);
    struct sockaddr_storage name;
    const int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

    (void)state;
    if (raw < 0) {
        io_udp_close(&udp);
        puts("skipped: needs root, to forge a datagram from port 0");
        is_skipped = true;
        return;
    }
    datagram[2] = (uint8_t)(udp.local.port >> 8);
    datagram[3] = (uint8_t)udp.local.port;
    const socklen_t len = io_sockaddr_write(&loopback4, 0, &name);
    assert_int_equal(sendto(raw, datagram, sizeof(datagram), 0, (struct sockaddr *)&name, len),
                     sizeof(datagram));
    send_text(&udp, &udp.local, "after it");
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.arrivals[0].len, strlen("after it"));
    assert_int_equal(batch.stats.portless, 1);
    assert_int_equal(close(raw), 0);
    io_udp_close(&udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(receives_what_waits_in_its_order, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(hands_out_empty_datagrams, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(drops_and_counts_what_is_too_long, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(receives_the_longest_datagram_there_is, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(knows_to_which_address_a_wildcard_socket_was_spoken,
                                        open_batch, close_batch),
        cmocka_unit_test_setup_teardown(knows_it_for_ip6_too, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(says_the_bound_address_when_destinations_were_not_asked_for,
                                        open_batch, close_batch),
        cmocka_unit_test_setup_teardown(learns_every_ttl_and_tos_that_is_sent, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(sends_ttl_and_tos_beside_a_source, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(learns_no_ttl_and_tos_unasked, open_batch, close_batch),
        cmocka_unit_test(needs_no_rights_for_ttl_and_tos),
        cmocka_unit_test_setup_teardown(clears_a_pending_error_and_loses_no_datagram, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(clears_an_error_with_nothing_behind_it, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(says_when_the_descriptor_is_none, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(drops_and_counts_what_has_no_source_port, open_batch,
                                        close_batch),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? SKIPPED : failed_count;
}
