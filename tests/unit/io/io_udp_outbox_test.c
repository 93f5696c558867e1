// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_outbox.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_udp_batch.h"
#include "support/rng.h"

enum { CAPACITY = 512, SKIPPED = 77, BUFFER_LEN = 4 << 20 };

static bool is_skipped; // some test could not run here, so the program does not claim to pass

static const struct addr locals[] = {
    {.ip = {127, 0, 0, 1}, .family = ADDR_IP4},
    {.ip = {[15] = 1}, .family = ADDR_IP6},
};

static struct {
    uint32_t count;
    uint32_t calls;
    int error;
    struct addr to;
    const struct io_udp *udp;
} unsent;

static struct io_udp_outbox outbox;
static struct io_udp_batch batch;
static uint8_t data[65536];

static void count_unsent(void *context, const struct io_udp *udp, const struct addr *to,
                         uint32_t count, int error)
{
    assert_ptr_equal(context, &unsent);
    unsent.count += count;
    unsent.calls++;
    unsent.error = error;
    unsent.to = *to;
    unsent.udp = udp;
}

static int open_all(void **state)
{
    (void)state;
    memset(&unsent, 0, sizeof unsent);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 37 + i / 256);
    }
    assert_int_equal(io_udp_outbox_open(&outbox), 0);
    outbox.unsent = count_unsent;
    outbox.context = &unsent;
    return io_udp_batch_open(CAPACITY, IO_UDP_BATCH_DATAGRAM_MAX, &batch);
}

static int close_all(void **state)
{
    (void)state;
    io_udp_batch_close(&batch);
    io_udp_outbox_close(&outbox);
    io_udp_outbox_close(&outbox); // nothing to close any more
    return 0;
}

static bool open_one(struct addr local, bool has_trains, struct io_udp *out)
{
    const struct io_udp_options options = {
        .local = local,
        .has_ip_fields = true,
        .has_trains = has_trains,
        .receive_buffer_len = BUFFER_LEN,
        .send_buffer_len = BUFFER_LEN,
    };

    if (io_udp_open(&options, out) != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return false;
    }
    return true;
}

static void put(struct io_udp *udp, const struct addr *to, struct bytes payload)
{
    const struct io_udp_message message = {.to = to, .payload = payload};

    io_udp_outbox_put(&outbox, udp, &message);
}

static void receive(struct io_udp *udp, uint32_t count)
{
    assert_int_equal(io_udp_batch_receive(&batch, udp), 0);
    assert_int_equal(batch.count, count);
}

static void keeps_all_until_the_flush(void **state)
{
    struct io_udp udp;

    (void)state;
    assert_true(open_one(locals[0], true, &udp));
    for (int i = 0; i < 5; i++) {
        put(&udp, &udp.local, (struct bytes){data + 10 * i, 10});
    }
    receive(&udp, 0);
    io_udp_outbox_flush(&outbox);
    receive(&udp, 1); // as one train
    assert_int_equal(io_udp_arrival_count(&batch.arrivals[0]), 5);
    assert_memory_equal(batch.arrivals[0].ptr, data, 50);
    io_udp_outbox_flush(&outbox); // of nothing
    receive(&udp, 0);
    assert_int_equal(unsent.calls, 0);
    io_udp_close(&udp);
}

// Lengths put, and the trains in which they must leave: their counts of datagrams.
static void cuts_trains_where_they_must_end(void **state)
{
    static const struct {
        uint16_t lens[8]; // up to the first 0
        uint8_t trains[8];
    } cases[] = {
        {{10}, {1}},
        {{10, 10}, {2}},
        {{10, 10, 9}, {3}},              // the last may be shorter
        {{10, 9, 10}, {2, 1}},           // and then it is the last
        {{10, 9, 9}, {2, 1}},            //
        {{9, 10, 10}, {1, 2}},           // a longer one begins the next
        {{10, 1, 10, 1, 10}, {2, 2, 1}}, //
        {{30000, 30000, 30000}, {2, 1}}, // no longer than a packet can be
        {{32700, 32700}, {2}},
        {{32701, 32700}, {1, 1}}, // 65,401 bytes
        {{65507, 1}, {1, 1}},     //
    };
    struct io_udp udp;

    (void)state;
    assert_true(open_one(locals[0], true, &udp));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t train_count = 0;

        for (size_t k = 0; k < COUNT_OF(cases[i].lens) && cases[i].lens[k] != 0; k++) {
            put(&udp, &udp.local, (struct bytes){data, cases[i].lens[k]});
        }
        io_udp_outbox_flush(&outbox);
        while (cases[i].trains[train_count] != 0) {
            train_count++;
        }
        receive(&udp, train_count);
        for (uint32_t k = 0, put_at = 0; k < train_count; k++) {
            const struct io_udp_arrival *arrival = &batch.arrivals[k];
            assert_int_equal(io_udp_arrival_count(arrival), cases[i].trains[k]);
            for (uint32_t j = 0; j < cases[i].trains[k]; j++, put_at++) {
                const struct bytes datagram = io_udp_arrival_at(arrival, j);
                assert_int_equal(datagram.len, cases[i].lens[put_at]);
                assert_memory_equal(datagram.ptr, data, datagram.len);
            }
        }
    }
    assert_int_equal(unsent.calls, 0);
    io_udp_close(&udp);
}

static void sends_the_longest_trains_there_are(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_one(locals[i], true, &udp); i++) {
        const size_t max = IO_UDP_OUTBOX_TRAIN_LEN_MAX;

        put(&udp, &udp.local, (struct bytes){data, max / 2 + 1});
        put(&udp, &udp.local, (struct bytes){data + max / 2 + 1, max - (max / 2 + 1)});
        io_udp_outbox_flush(&outbox);
        receive(&udp, 1);
        assert_int_equal(io_udp_arrival_count(&batch.arrivals[0]), 2);
        assert_int_equal(batch.arrivals[0].len, max);
        assert_memory_equal(batch.arrivals[0].ptr, data, max);
        for (uint32_t k = 0; k < IO_UDP_TRAIN_MAX + 1; k++) {
            put(&udp, &udp.local, (struct bytes){data + k, 1});
        }
        io_udp_outbox_flush(&outbox);
        receive(&udp, 2);
        assert_int_equal(io_udp_arrival_count(&batch.arrivals[0]), IO_UDP_TRAIN_MAX);
        assert_int_equal(batch.arrivals[1].len, 1);
        assert_int_equal(batch.arrivals[1].ptr[0], data[IO_UDP_TRAIN_MAX]);
        io_udp_close(&udp);
    }
    assert_int_equal(unsent.calls, 0);
}

static void sends_heads_and_padding_with_each(void **state)
{
    struct io_udp udp;
    uint8_t head[IO_UDP_OUTBOX_HEAD_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_one(locals[i], true, &udp); i++) {
        for (uint8_t k = 0; k < 10; k++) {
            const struct io_udp_message message = {.to = &udp.local,
                                                   .head = {head, sizeof head},
                                                   .payload = {data + k * 101, 101},
                                                   .padding_len = 3};
            memset(head, 'A' + k, sizeof head); // it is copied, so the next may overwrite it
            io_udp_outbox_put(&outbox, &udp, &message);
        }
        io_udp_outbox_flush(&outbox);
        receive(&udp, 1);
        assert_int_equal(io_udp_arrival_count(&batch.arrivals[0]), 10);
        for (uint8_t k = 0; k < 10; k++) {
            const struct bytes datagram = io_udp_arrival_at(&batch.arrivals[0], k);
            memset(head, 'A' + k, sizeof head);
            assert_int_equal(datagram.len, sizeof head + 101 + 3);
            assert_memory_equal(datagram.ptr, head, sizeof head);
            assert_memory_equal(datagram.ptr + sizeof head, data + k * 101, 101);
            assert_memory_equal(datagram.ptr + sizeof head + 101, "\0\0\0", 3);
        }
        io_udp_close(&udp);
    }
}

static void sends_an_empty_datagram_by_itself(void **state)
{
    static const size_t lens[] = {0, 0, 5, 5, 0, 5};
    struct io_udp udp;

    (void)state;
    assert_true(open_one(locals[0], false, &udp));
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        put(&udp, &udp.local, (struct bytes){data, lens[i]});
    }
    io_udp_outbox_flush(&outbox);
    receive(&udp, COUNT_OF(lens));
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        assert_int_equal(batch.arrivals[i].len, lens[i]);
    }
    io_udp_close(&udp);
}

static void begins_a_train_where_a_field_changes(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_one(locals[i], true, &udp); i++) {
        const struct io_udp_message messages[] = {
            {.to = &udp.local, .payload = {data, 8}, .ttl = 60, .tos = 0x10},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 60, .tos = 0x10},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x10},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x10},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x11},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x11},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x11, .is_df = true},
            {.to = &udp.local, .payload = {data, 8}, .ttl = 61, .tos = 0x11, .is_df = true},
        };
        static const struct {
            uint8_t ttl;
            uint8_t tos;
        } wanted[] = {{60, 0x10}, {61, 0x10}, {61, 0x11}, {61, 0x11}};

        for (size_t k = 0; k < COUNT_OF(messages); k++) {
            io_udp_outbox_put(&outbox, &udp, &messages[k]);
        }
        io_udp_outbox_flush(&outbox);
        receive(&udp, COUNT_OF(wanted));
        for (size_t k = 0; k < COUNT_OF(wanted); k++) {
            assert_int_equal(io_udp_arrival_count(&batch.arrivals[k]), 2);
            assert_int_equal(batch.arrivals[k].ttl, wanted[k].ttl);
            assert_int_equal(batch.arrivals[k].tos, wanted[k].tos);
        }
        assert_true(udp.is_df);
        io_udp_close(&udp);
    }
}

// Datagrams of many flows, in any order and of any length, come whole and each flow in its order.
static void keeps_the_order_of_each_flow(void **state)
{
    enum { FLOW_COUNT = IO_UDP_OUTBOX_FLOW_MAX + 100, PUT_COUNT = 6000 };
    static struct io_udp flows[FLOW_COUNT];
    static uint16_t put_numbers[FLOW_COUNT];
    static uint16_t got_numbers[FLOW_COUNT];
    struct rng rng = rng_init(rng_seed(__func__));
    struct io_udp from;

    (void)state;
    assert_true(open_one(locals[0], false, &from));
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        assert_true(open_one(locals[0], i % 2 == 0, &flows[i]));
    }
    for (uint32_t i = 0; i < PUT_COUNT; i++) {
        const size_t flow = rng_below(&rng, rng_chance(&rng, 50) ? 5 : FLOW_COUNT);
        const uint16_t number = put_numbers[flow]++;
        const uint8_t head[] = {(uint8_t)(number >> 8), (uint8_t)number};
        const struct io_udp_message message = {
            .to = &flows[flow].local,
            .head = {head, sizeof head},
            .payload = {data + number, rng_below(&rng, 3) == 0 ? rng_below(&rng, 100) : 50},
        };
        io_udp_outbox_put(&outbox, &from, &message);
    }
    io_udp_outbox_flush(&outbox);
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        do {
            assert_int_equal(io_udp_batch_receive(&batch, &flows[i]), 0);
            for (uint32_t k = 0; k < batch.count; k++) {
                for (uint32_t j = 0; j < io_udp_arrival_count(&batch.arrivals[k]); j++) {
                    const struct bytes datagram = io_udp_arrival_at(&batch.arrivals[k], j);
                    assert_true(datagram.len >= 2);
                    const uint16_t number = (uint16_t)(datagram.ptr[0] << 8 | datagram.ptr[1]);
                    assert_int_equal(number, got_numbers[i]++);
                    assert_memory_equal(datagram.ptr + 2, data + number, datagram.len - 2);
                }
            }
        } while (batch.count > 0);
        assert_int_equal(got_numbers[i], put_numbers[i]);
        io_udp_close(&flows[i]);
    }
    assert_int_equal(unsent.calls, 0);
    io_udp_close(&from);
}

// What comes interleaved leaves together: clients of a busy relay take turns packet by packet.
static void gathers_what_comes_interleaved(void **state)
{
    enum { FLOW_COUNT = 100, ROUND_COUNT = 5 };
    static struct io_udp flows[FLOW_COUNT];
    struct io_udp from;
    uint32_t arrival_count = 0;

    (void)state;
    assert_true(open_one(locals[0], false, &from));
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        assert_true(open_one(locals[0], true, &flows[i]));
    }
    for (uint32_t round = 0; round < ROUND_COUNT; round++) {
        for (size_t i = 0; i < FLOW_COUNT; i++) {
            put(&from, &flows[i].local, (struct bytes){data, 100});
        }
    }
    io_udp_outbox_flush(&outbox);
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        uint32_t count = 0;
        assert_int_equal(io_udp_batch_receive(&batch, &flows[i]), 0);
        for (uint32_t k = 0; k < batch.count; k++) {
            count += io_udp_arrival_count(&batch.arrivals[k]);
        }
        assert_int_equal(count, ROUND_COUNT);
        arrival_count += batch.count;
        io_udp_close(&flows[i]);
    }
    assert_in_range(arrival_count, FLOW_COUNT, FLOW_COUNT + 20); // some may be in the way of others
    io_udp_close(&from);
}

static void says_what_was_not_sent(void **state)
{
    struct io_udp udp;
    const struct addr nowhere = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4}; // port 0

    (void)state;
    assert_true(open_one(locals[0], false, &udp));
    for (int i = 0; i < 3; i++) {
        put(&udp, &nowhere, (struct bytes){data, 10});
    }
    put(&udp, &udp.local, (struct bytes){data, 10});
    io_udp_outbox_flush(&outbox);
    assert_int_equal(unsent.count, 3);
    assert_int_equal(unsent.error, -EINVAL);
    assert_true(addr_equal(&unsent.to, &nowhere));
    assert_ptr_equal(unsent.udp, &udp);
    receive(&udp, 1); // the others are none the worse
    io_udp_close(&udp);
}

// In a network of its own, whose loopback passes 1,500 bytes; 0, or the line that failed.
static int fault_with_a_narrow_link(enum addr_family family)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 1500};
    struct io_udp udp;
    struct io_udp to;
    const size_t fits = family == ADDR_IP4 ? 1472 : 1452;
    const size_t lens[] = {fits, fits + 1, fits + 1, fits};

    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    if (control < 0 || ioctl(control, SIOCSIFFLAGS, &request) != 0) {
        return __LINE__;
    }
    request.ifr_mtu = 1500;
    if (ioctl(control, SIOCSIFMTU, &request) != 0) {
        return __LINE__;
    }
    if (!open_one(locals[family == ADDR_IP6], false, &udp) ||
        !open_one(locals[family == ADDR_IP6], false, &to)) {
        return SKIPPED;
    }
    // Each length twice in a train. What is too long for one is fragmented, and nothing is lost.
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        put(&udp, &to.local, (struct bytes){data, lens[i]});
        put(&udp, &to.local, (struct bytes){data + 1, lens[i]});
        io_udp_outbox_flush(&outbox);
        const uint32_t rest = i == 0 ? 0 : IO_UDP_OUTBOX_REST - (i == 1 ? 0 : 1);
        if (udp.refusal.rest != rest || (rest > 0 && udp.refusal.segment_len != fits + 1)) {
            return __LINE__;
        }
        if (io_udp_batch_receive(&batch, &to) != 0 || batch.count != 2) {
            return __LINE__;
        }
        for (uint32_t k = 0; k < 2; k++) {
            if (batch.arrivals[k].len != lens[i] ||
                memcmp(batch.arrivals[k].ptr, data + k, lens[i]) != 0) {
                return __LINE__;
            }
        }
    }
    if (unsent.calls != 0) {
        return __LINE__;
    }
    // What may not be fragmented is not sent.
    const struct io_udp_message message = {
        .to = &to.local, .payload = {data, fits + 1}, .is_df = true};
    udp.refusal.rest = 0;
    io_udp_outbox_put(&outbox, &udp, &message);
    io_udp_outbox_put(&outbox, &udp, &message);
    io_udp_outbox_flush(&outbox);
    return unsent.count == 2 && unsent.error == -EMSGSIZE ? 0 : __LINE__;
}

static void sends_singly_what_a_link_is_too_narrow_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals); i++) {
        int status = -1;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(unshare(CLONE_NEWNET) != 0
                      ? SKIPPED
                      : fault_with_a_narrow_link((enum addr_family)locals[i].family) % 256);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == SKIPPED) {
            puts("skipped: needs root for a network of its own, and IPv6");
            is_skipped = true;
            continue;
        }
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void tries_trains_again_after_a_while(void **state)
{
    struct io_udp udp;

    (void)state;
    assert_true(open_one(locals[0], true, &udp));
    udp.refusal = (struct io_udp_refusal){.to = udp.local, .segment_len = 100, .rest = 2};
    static const struct {
        size_t len;
        uint32_t arrivals;
    } flushes[] = {{99, 1}, {100, 2}, {101, 2}, {100, 1}};
    for (size_t i = 0; i < COUNT_OF(flushes); i++) {
        put(&udp, &udp.local, (struct bytes){data, flushes[i].len});
        put(&udp, &udp.local, (struct bytes){data, flushes[i].len});
        io_udp_outbox_flush(&outbox);
        receive(&udp, flushes[i].arrivals);
    }
    io_udp_close(&udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_all_until_the_flush, open_all, close_all),
        cmocka_unit_test_setup_teardown(cuts_trains_where_they_must_end, open_all, close_all),
        cmocka_unit_test_setup_teardown(sends_the_longest_trains_there_are, open_all, close_all),
        cmocka_unit_test_setup_teardown(sends_heads_and_padding_with_each, open_all, close_all),
        cmocka_unit_test_setup_teardown(sends_an_empty_datagram_by_itself, open_all, close_all),
        cmocka_unit_test_setup_teardown(begins_a_train_where_a_field_changes, open_all, close_all),
        cmocka_unit_test_setup_teardown(keeps_the_order_of_each_flow, open_all, close_all),
        cmocka_unit_test_setup_teardown(gathers_what_comes_interleaved, open_all, close_all),
        cmocka_unit_test_setup_teardown(says_what_was_not_sent, open_all, close_all),
        cmocka_unit_test_setup_teardown(sends_singly_what_a_link_is_too_narrow_for, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(tries_trains_again_after_a_while, open_all, close_all),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? SKIPPED : failed_count;
}
