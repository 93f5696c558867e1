// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    SENDERS = 4,
    LETTERS = 20000, // of each sender
};

static struct tunnel_mailbox box;

static int open_box(void **state)
{
    (void)state;
    return tunnel_mailbox_open(&box, SENDERS * LETTERS);
}

static int close_box(void **state)
{
    (void)state;
    tunnel_mailbox_close(&box);
    tunnel_mailbox_close(&box);
    return box.bell.fd == -1 ? 0 : -1;
}

static bool rings(int timeout_ms)
{
    struct pollfd poller = {.fd = box.bell.fd, .events = POLLIN};

    return poll(&poller, 1, timeout_ms) == 1;
}

static struct tunnel_letter letter(uint32_t index, uint32_t generation)
{
    return (struct tunnel_letter){TUNNEL_LETTER_END, {index, generation}};
}

static void brings_all_in_their_order_and_then_is_still(void **state)
{
    struct tunnel_letter taken;

    (void)state;
    assert_false(rings(0));
    assert_false(tunnel_mailbox_take(&box, &taken));
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < SENDERS * LETTERS / 2 + 1; i++) {
            tunnel_mailbox_put(&box, letter(i, round));
        }
        for (uint32_t i = 0; i < SENDERS * LETTERS / 2 + 1; i++) {
            assert_true(rings(0));
            assert_true(tunnel_mailbox_take(&box, &taken));
            assert_int_equal(taken.session.index, i);
            assert_int_equal(taken.session.generation, round);
        }
        assert_false(tunnel_mailbox_take(&box, &taken));
        assert_false(rings(0));
    }
}

static void rings_without_a_letter(void **state)
{
    struct tunnel_letter taken;

    (void)state;
    tunnel_mailbox_ring(&box);
    assert_true(rings(0));
    assert_false(tunnel_mailbox_take(&box, &taken));
    assert_false(rings(0));
}

static void *send_all(void *context)
{
    const uint32_t *sender = context;

    for (uint32_t i = 0; i < LETTERS; i++) {
        tunnel_mailbox_put(&box, letter(*sender, i));
    }
    return NULL;
}

static void loses_none_of_many_threads(void **state)
{
    pthread_t threads[SENDERS];
    uint32_t numbers[SENDERS];
    uint32_t next[SENDERS] = {0};
    uint32_t count = 0;

    (void)state;
    for (uint32_t i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &numbers[i]), 0);
    }
    while (count < SENDERS * LETTERS) {
        struct tunnel_letter taken;

        assert_true(rings(10000));
        while (tunnel_mailbox_take(&box, &taken)) {
            assert_int_equal(taken.session.generation, next[taken.session.index]++);
            count++;
        }
    }
    for (uint32_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_false(rings(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(brings_all_in_their_order_and_then_is_still, open_box,
                                        close_box),
        cmocka_unit_test_setup_teardown(rings_without_a_letter, open_box, close_box),
        cmocka_unit_test_setup_teardown(loses_none_of_many_threads, open_box, close_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
