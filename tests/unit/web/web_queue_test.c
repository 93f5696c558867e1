// SPDX-License-Identifier: Apache-2.0
#include "web/web_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct web_queue queue;
static uint8_t longest[WEB_QUEUE_TEXT_MAX];

static int setup(void **state)
{
    (void)state;
    memset(longest, 's', sizeof longest);
    web_queue_wipe(&queue);
    return 0;
}

static bool is_clean(void)
{
    for (size_t i = 0; i < WEB_QUEUE_MAX; i++) {
        if (memchr(queue.messages[i].text, 's', WEB_QUEUE_TEXT_MAX) != NULL) {
            return false;
        }
    }
    return true;
}

static void first_in_first_out_however_often_it_comes_round(void **state)
{
    uint8_t taken[WEB_QUEUE_TEXT_MAX];
    size_t put = 0;
    size_t got = 0;

    (void)state;
    for (int round = 0; round < 5; round++) {
        while (web_queue_put(&queue, bytes_first((struct bytes){longest, sizeof longest}, put))) {
            put++;
        }
        assert_int_equal(put - got, WEB_QUEUE_MAX);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(web_queue_take(&queue, taken), got);
            assert_memory_equal(taken, longest, got);
            got++;
        }
    }
}

static void nothing_is_left_of_what_is_gone(void **state)
{
    const struct bytes text = {longest, sizeof longest};
    uint8_t taken[WEB_QUEUE_TEXT_MAX];

    (void)state;
    assert_true(web_queue_put(&queue, text));
    assert_false(is_clean());
    assert_int_equal(web_queue_take(&queue, taken), sizeof longest);
    assert_true(is_clean());
    while (web_queue_put(&queue, text)) {
    }
    web_queue_wipe(&queue);
    assert_true(is_clean());
    assert_int_equal(queue.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_in_first_out_however_often_it_comes_round, setup),
        cmocka_unit_test_setup(nothing_is_left_of_what_is_gone, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
