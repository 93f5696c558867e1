// SPDX-License-Identifier: Apache-2.0
#include "io/io_udp_outbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_udp_batch.h"
#include "support/rng.h"
#include "trains.h"

static void keeps_all_until_the_flush(void **state)
{
    struct io_udp udp;

    (void)state;
    assert_true(trains_socket(trains_locals[0], true, &udp));
    for (int i = 0; i < 5; i++) {
        trains_put(&udp, &udp.local, (struct bytes){trains.data + 10 * i, 10});
    }
    trains_receive(&udp, 0);
    io_udp_outbox_flush(&trains.outbox);
    trains_receive(&udp, 1); // as one train
    assert_int_equal(io_udp_arrival_count(&trains.batch.arrivals[0]), 5);
    assert_memory_equal(trains.batch.arrivals[0].ptr, trains.data, 50);
    io_udp_outbox_flush(&trains.outbox); // of nothing
    trains_receive(&udp, 0);
    assert_int_equal(trains.unsent.calls, 0);
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
    assert_true(trains_socket(trains_locals[0], true, &udp));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t train_count = 0;

        for (size_t k = 0; k < COUNT_OF(cases[i].lens) && cases[i].lens[k] != 0; k++) {
            trains_put(&udp, &udp.local, (struct bytes){trains.data, cases[i].lens[k]});
        }
        io_udp_outbox_flush(&trains.outbox);
        while (cases[i].trains[train_count] != 0) {
            train_count++;
        }
        trains_receive(&udp, train_count);
        for (uint32_t k = 0, put_at = 0; k < train_count; k++) {
            const struct io_udp_arrival *arrival = &trains.batch.arrivals[k];
            assert_int_equal(io_udp_arrival_count(arrival), cases[i].trains[k]);
            for (uint32_t j = 0; j < cases[i].trains[k]; j++, put_at++) {
                const struct bytes datagram = io_udp_arrival_at(arrival, j);
                assert_int_equal(datagram.len, cases[i].lens[put_at]);
                assert_memory_equal(datagram.ptr, trains.data, datagram.len);
            }
        }
    }
    assert_int_equal(trains.unsent.calls, 0);
    io_udp_close(&udp);
}

static void sends_the_longest_trains_there_are(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(trains_locals) && trains_socket(trains_locals[i], true, &udp);
         i++) {
        const size_t max = IO_UDP_OUTBOX_TRAIN_LEN_MAX;

        trains_put(&udp, &udp.local, (struct bytes){trains.data, max / 2 + 1});
        trains_put(&udp, &udp.local,
                   (struct bytes){trains.data + max / 2 + 1, max - (max / 2 + 1)});
        io_udp_outbox_flush(&trains.outbox);
        trains_receive(&udp, 1);
        assert_int_equal(io_udp_arrival_count(&trains.batch.arrivals[0]), 2);
        assert_int_equal(trains.batch.arrivals[0].len, max);
        assert_memory_equal(trains.batch.arrivals[0].ptr, trains.data, max);
        for (uint32_t k = 0; k < IO_UDP_TRAIN_MAX + 1; k++) {
            trains_put(&udp, &udp.local, (struct bytes){trains.data + k, 1});
        }
        io_udp_outbox_flush(&trains.outbox);
        trains_receive(&udp, 2);
        assert_int_equal(io_udp_arrival_count(&trains.batch.arrivals[0]), IO_UDP_TRAIN_MAX);
        assert_int_equal(trains.batch.arrivals[1].len, 1);
        assert_int_equal(trains.batch.arrivals[1].ptr[0], trains.data[IO_UDP_TRAIN_MAX]);
        io_udp_close(&udp);
    }
    assert_int_equal(trains.unsent.calls, 0);
}

static void sends_heads_and_padding_with_each(void **state)
{
    struct io_udp udp;
    uint8_t head[IO_UDP_OUTBOX_HEAD_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(trains_locals) && trains_socket(trains_locals[i], true, &udp);
         i++) {
        for (uint8_t k = 0; k < 10; k++) {
            const struct io_udp_message message = {.to = &udp.local,
                                                   .head = {head, sizeof head},
                                                   .payload = {trains.data + k * 101, 101},
                                                   .padding_len = 3};
            memset(head, 'A' + k, sizeof head); // it is copied, so the next may overwrite it
            io_udp_outbox_put(&trains.outbox, &udp, &message);
        }
        io_udp_outbox_flush(&trains.outbox);
        trains_receive(&udp, 1);
        assert_int_equal(io_udp_arrival_count(&trains.batch.arrivals[0]), 10);
        for (uint8_t k = 0; k < 10; k++) {
            const struct bytes datagram = io_udp_arrival_at(&trains.batch.arrivals[0], k);
            memset(head, 'A' + k, sizeof head);
            assert_int_equal(datagram.len, sizeof head + 101 + 3);
            assert_memory_equal(datagram.ptr, head, sizeof head);
            assert_memory_equal(datagram.ptr + sizeof head, trains.data + k * 101, 101);
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
    assert_true(trains_socket(trains_locals[0], false, &udp));
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        trains_put(&udp, &udp.local, (struct bytes){trains.data, lens[i]});
    }
    io_udp_outbox_flush(&trains.outbox);
    trains_receive(&udp, COUNT_OF(lens));
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        assert_int_equal(trains.batch.arrivals[i].len, lens[i]);
    }
    io_udp_close(&udp);
}

static void begins_a_train_where_a_field_changes(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(trains_locals) && trains_socket(trains_locals[i], true, &udp);
         i++) {
        const struct io_udp_message messages[] = {
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 60, .tos = 0x10},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 60, .tos = 0x10},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x10},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x10},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x11},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x11},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x11, .is_df = true},
            {.to = &udp.local, .payload = {trains.data, 8}, .ttl = 61, .tos = 0x11, .is_df = true},
        };
        static const struct {
            uint8_t ttl;
            uint8_t tos;
        } wanted[] = {{60, 0x10}, {61, 0x10}, {61, 0x11}, {61, 0x11}};

        for (size_t k = 0; k < COUNT_OF(messages); k++) {
            io_udp_outbox_put(&trains.outbox, &udp, &messages[k]);
        }
        io_udp_outbox_flush(&trains.outbox);
        trains_receive(&udp, COUNT_OF(wanted));
        for (size_t k = 0; k < COUNT_OF(wanted); k++) {
            assert_int_equal(io_udp_arrival_count(&trains.batch.arrivals[k]), 2);
            assert_int_equal(trains.batch.arrivals[k].ttl, wanted[k].ttl);
            assert_int_equal(trains.batch.arrivals[k].tos, wanted[k].tos);
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
    assert_true(trains_socket(trains_locals[0], false, &from));
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        assert_true(trains_socket(trains_locals[0], i % 2 == 0, &flows[i]));
    }
    for (uint32_t i = 0; i < PUT_COUNT; i++) {
        const size_t flow = rng_below(&rng, rng_chance(&rng, 50) ? 5 : FLOW_COUNT);
        const uint16_t number = put_numbers[flow]++;
        const uint8_t head[] = {(uint8_t)(number >> 8), (uint8_t)number};
        const struct io_udp_message message = {
            .to = &flows[flow].local,
            .head = {head, sizeof head},
            .payload = {trains.data + number, rng_below(&rng, 3) == 0 ? rng_below(&rng, 100) : 50},
        };
        io_udp_outbox_put(&trains.outbox, &from, &message);
    }
    io_udp_outbox_flush(&trains.outbox);
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        do {
            assert_int_equal(io_udp_batch_receive(&trains.batch, &flows[i]), 0);
            for (uint32_t k = 0; k < trains.batch.count; k++) {
                for (uint32_t j = 0; j < io_udp_arrival_count(&trains.batch.arrivals[k]); j++) {
                    const struct bytes datagram = io_udp_arrival_at(&trains.batch.arrivals[k], j);
                    assert_true(datagram.len >= 2);
                    const uint16_t number = (uint16_t)(datagram.ptr[0] << 8 | datagram.ptr[1]);
                    assert_int_equal(number, got_numbers[i]++);
                    assert_memory_equal(datagram.ptr + 2, trains.data + number, datagram.len - 2);
                }
            }
        } while (trains.batch.count > 0);
        assert_int_equal(got_numbers[i], put_numbers[i]);
        io_udp_close(&flows[i]);
    }
    assert_int_equal(trains.unsent.calls, 0);
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
    assert_true(trains_socket(trains_locals[0], false, &from));
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        assert_true(trains_socket(trains_locals[0], true, &flows[i]));
    }
    for (uint32_t round = 0; round < ROUND_COUNT; round++) {
        for (size_t i = 0; i < FLOW_COUNT; i++) {
            trains_put(&from, &flows[i].local, (struct bytes){trains.data, 100});
        }
    }
    io_udp_outbox_flush(&trains.outbox);
    for (size_t i = 0; i < FLOW_COUNT; i++) {
        uint32_t count = 0;
        assert_int_equal(io_udp_batch_receive(&trains.batch, &flows[i]), 0);
        for (uint32_t k = 0; k < trains.batch.count; k++) {
            count += io_udp_arrival_count(&trains.batch.arrivals[k]);
        }
        assert_int_equal(count, ROUND_COUNT);
        arrival_count += trains.batch.count;
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
    assert_true(trains_socket(trains_locals[0], false, &udp));
    for (int i = 0; i < 3; i++) {
        trains_put(&udp, &nowhere, (struct bytes){trains.data, 10});
    }
    trains_put(&udp, &udp.local, (struct bytes){trains.data, 10});
    io_udp_outbox_flush(&trains.outbox);
    assert_int_equal(trains.unsent.count, 3);
    assert_int_equal(trains.unsent.error, -EINVAL);
    assert_true(addr_equal(&trains.unsent.to, &nowhere));
    assert_ptr_equal(trains.unsent.udp, &udp);
    trains_receive(&udp, 1); // the others are none the worse
    io_udp_close(&udp);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAINS_TEST(keeps_all_until_the_flush),
        TRAINS_TEST(cuts_trains_where_they_must_end),
        TRAINS_TEST(sends_the_longest_trains_there_are),
        TRAINS_TEST(sends_heads_and_padding_with_each),
        TRAINS_TEST(sends_an_empty_datagram_by_itself),
        TRAINS_TEST(begins_a_train_where_a_field_changes),
        TRAINS_TEST(keeps_the_order_of_each_flow),
        TRAINS_TEST(gathers_what_comes_interleaved),
        TRAINS_TEST(says_what_was_not_sent),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && trains.is_skipped ? TRAINS_SKIPPED : failed_count;
}
