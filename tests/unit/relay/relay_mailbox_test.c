// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_mailbox.h"

#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

enum {
    HALF_LEN = 8192,
    SENDERS = 4,
    PARCELS = 20000, // of each sender
};

static struct relay_mailbox box;

static int open_box(void **state)
{
    (void)state;
    return relay_mailbox_open(&box, HALF_LEN);
}

static int close_box(void **state)
{
    (void)state;
    relay_mailbox_close(&box);
    relay_mailbox_close(&box);
    return box.fd == -1 ? 0 : -1;
}

static bool is_readable(int timeout_ms)
{
    struct pollfd poller = {.fd = box.fd, .events = POLLIN};

    return poll(&poller, 1, timeout_ms) == 1;
}

static struct relay_parcel parcel_of(const char *text)
{
    return (struct relay_parcel){
        .from = host_loopback(ADDR_IP4, 50000),
        .to = host_loopback(ADDR_IP6, 50001),
        .ttl = 63,
        .tos = 0x2e,
        .payload = bytes_of_text(text),
    };
}

static void brings_all_in_their_order(void **state)
{
    static const char *const texts[] = {"one", "", "three"};
    struct relay_parcel parcel;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            const struct relay_parcel sent = parcel_of(texts[i]);
            assert_true(relay_mailbox_put(&box, &sent));
        }
        assert_int_equal(relay_mailbox_take(&box), 0);
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            const struct relay_parcel sent = parcel_of(texts[i]);
            assert_true(relay_mailbox_fetch(&box, &parcel));
            host_expect_text(parcel.payload, texts[i]);
            assert_true(addr_equal(&parcel.from, &sent.from));
            assert_true(addr_equal(&parcel.to, &sent.to));
            assert_int_equal(parcel.ttl, 63);
            assert_int_equal(parcel.tos, 0x2e);
        }
        assert_false(relay_mailbox_fetch(&box, &parcel));
    }
}

static void an_order_given_twice_comes_once(void **state)
{
    (void)state;
    relay_mailbox_order(&box, RELAY_MAILBOX_WAKE);
    relay_mailbox_order(&box, RELAY_MAILBOX_COUNT);
    relay_mailbox_order(&box, RELAY_MAILBOX_WAKE);
    assert_int_equal(relay_mailbox_take(&box), RELAY_MAILBOX_WAKE | RELAY_MAILBOX_COUNT);
    assert_int_equal(relay_mailbox_take(&box), 0);
}

static void rings_once_for_all(void **state)
{
    const struct relay_parcel sent = parcel_of("x");
    struct relay_parcel parcel;

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_false(is_readable(0));
        assert_true(relay_mailbox_put(&box, &sent));
        relay_mailbox_order(&box, RELAY_MAILBOX_WAKE);
        assert_true(relay_mailbox_put(&box, &sent));
        assert_true(is_readable(0));
        assert_int_equal(relay_mailbox_take(&box), RELAY_MAILBOX_WAKE);
        assert_false(is_readable(0));
        while (relay_mailbox_fetch(&box, &parcel)) {
        }
    }
}

static void what_has_no_room_is_lost_and_orders_are_not(void **state)
{
    static char text[HALF_LEN];
    struct relay_parcel parcel;
    int sent_count = 0;
    int taken_count = 0;

    (void)state;
    memset(text, 'x', 999);
    const struct relay_parcel sent = parcel_of(text);
    while (relay_mailbox_put(&box, &sent)) {
        sent_count++;
    }
    assert_int_equal(sent_count, (HALF_LEN / (999 + sizeof sent) + 1) / 2);
    struct relay_parcel small = parcel_of("still fits");
    assert_false(relay_mailbox_put(&box, &sent));
    small.from.port++; // another one's
    assert_true(relay_mailbox_put(&box, &small));
    relay_mailbox_order(&box, RELAY_MAILBOX_STOP);
    assert_int_equal(relay_mailbox_take(&box), RELAY_MAILBOX_STOP);
    assert_true(relay_mailbox_put(&box, &sent)); // into the other half
    while (relay_mailbox_fetch(&box, &parcel)) {
        taken_count++;
    }
    assert_int_equal(taken_count, sent_count + 1);
    IGNORE(relay_mailbox_take(&box));
    assert_true(relay_mailbox_fetch(&box, &parcel));
    assert_int_equal(parcel.payload.len, 999);
}

// So many allocations send more than there is room for; then somebody sends little.
static void who_sends_too_much_leaves_room_for_others(void **state)
{
    static const uint8_t raw[16];

    (void)state;
    for (uint16_t count = 1; count <= 8; count++) {
        size_t taken[8] = {0};
        size_t all = 0;
        struct relay_parcel parcel = {.payload = {raw, sizeof raw}};
        const size_t len = sizeof parcel + sizeof raw;
        bool is_full = false;

        while (!is_full) { // in turn
            is_full = true;
            for (uint16_t i = 0; i < count; i++) {
                parcel.from.port = (uint16_t)(50000 + i);
                if (relay_mailbox_put(&box, &parcel)) {
                    taken[i] += len;
                    all += len;
                    is_full = false;
                }
            }
        }
        for (uint16_t i = 0; i < count; i++) { // none has more than the others
            assert_in_range(taken[i], HALF_LEN / (count + 1U) - len, HALF_LEN / (count + 1U) + len);
        }
        assert_in_range(HALF_LEN - all, HALF_LEN / (count + 1U) - count * len, HALF_LEN);
        parcel.from.port = 60000;
        assert_true(relay_mailbox_put(&box, &parcel));
        IGNORE(relay_mailbox_take(&box)); // of no interest
        while (relay_mailbox_fetch(&box, &parcel)) {
        }
    }
}

static void the_largest_datagram_fits_to_the_last_byte(void **state)
{
    static uint8_t raw[HALF_LEN];
    struct relay_parcel parcel = {.payload = {raw, HALF_LEN - sizeof(struct relay_parcel) + 1}};

    (void)state;
    assert_false(relay_mailbox_put(&box, &parcel));
    parcel.payload.len--;
    assert_true(relay_mailbox_put(&box, &parcel));
    IGNORE(relay_mailbox_take(&box));
    assert_true(relay_mailbox_fetch(&box, &parcel));
    assert_int_equal(parcel.payload.len, HALF_LEN - sizeof parcel);
}

struct sender {
    pthread_t thread;
    uint16_t number;
    uint32_t lost_count; // to be read when the thread is joined
};

static void *send_all(void *context)
{
    struct sender *sender = context;

    for (uint32_t i = 0; i < PARCELS; i++) {
        const struct relay_parcel parcel = {
            .from = {.port = sender->number},
            .payload = {(const uint8_t *)&i, sizeof i},
        };
        if (!relay_mailbox_put(&box, &parcel)) {
            sender->lost_count++;
            sched_yield();
        }
    }
    // The last one is never lost: it waits until there is room.
    const struct relay_parcel last = {.from = {.port = sender->number}};
    while (!relay_mailbox_put(&box, &last)) {
        sched_yield();
    }
    return NULL;
}

// The owner sleeps whenever the descriptor lets it: a wake-up that is missed fails the test.
static void many_threads_send_and_none_is_forgotten(void **state)
{
    struct sender senders[SENDERS] = {{0}};
    uint32_t next[SENDERS] = {0};
    uint32_t taken[SENDERS] = {0};
    int running = SENDERS;

    (void)state;
    for (uint16_t i = 0; i < SENDERS; i++) {
        senders[i].number = i;
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    while (running > 0) {
        struct relay_parcel parcel;
        uint32_t number = 0;

        assert_true(is_readable(10000));
        assert_int_equal(relay_mailbox_take(&box), 0);
        while (relay_mailbox_fetch(&box, &parcel)) {
            if (parcel.payload.len == 0) {
                running--;
                continue;
            }
            memcpy(&number, parcel.payload.ptr, sizeof number);
            assert_true(number >= next[parcel.from.port]); // in order, though some were lost
            next[parcel.from.port] = number + 1;
            taken[parcel.from.port]++;
        }
    }
    assert_false(is_readable(0));
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        assert_int_equal(taken[i], PARCELS - senders[i].lost_count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(brings_all_in_their_order, open_box, close_box),
        cmocka_unit_test_setup_teardown(an_order_given_twice_comes_once, open_box, close_box),
        cmocka_unit_test_setup_teardown(rings_once_for_all, open_box, close_box),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_lost_and_orders_are_not, open_box,
                                        close_box),
        cmocka_unit_test_setup_teardown(who_sends_too_much_leaves_room_for_others, open_box,
                                        close_box),
        cmocka_unit_test_setup_teardown(the_largest_datagram_fits_to_the_last_byte, open_box,
                                        close_box),
        cmocka_unit_test_setup_teardown(many_threads_send_and_none_is_forgotten, open_box,
                                        close_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
