// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void keeps_the_order_and_loses_nothing(void **state)
{
    static uint8_t bytes[100000];
    struct io_tls_queue queue = {.memory = NULL};
    size_t in = 0;
    size_t out = 0;
    uint32_t step = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    }
    while (out < sizeof(bytes)) {
        step = step * 1103515245 + 12345;
        const struct bytes some =
            bytes_first((struct bytes){bytes + in, sizeof(bytes) - in}, step / 65536 % 5000);
        assert_int_equal(io_tls_queue_add(&queue, some), 0);
        in += some.len;
        const struct bytes all = io_tls_queue_bytes(&queue);
        assert_int_equal(all.len, in - out);
        assert_memory_equal(all.ptr, bytes + out, all.len);
        const size_t gone = in == sizeof(bytes) ? all.len : step / 131072 % 5000 % (all.len + 1);
        io_tls_queue_drop(&queue, gone);
        out += gone;
        assert_true((queue.memory == NULL) == (queue.len == 0));
    }
    assert_int_equal(queue.room, 0);
}

static void holds_memory_only_while_something_waits(void **state)
{
    struct io_tls_queue queue = {.memory = NULL};

    (void)state;
    assert_int_equal(io_tls_queue_add(&queue, bytes_of_text("")), 0);
    assert_null(queue.memory);
    assert_int_equal(io_tls_queue_bytes(&queue).len, 0);
    assert_int_equal(io_tls_queue_add(&queue, bytes_of_text("abc")), 0);
    assert_non_null(queue.memory);
    io_tls_queue_drop(&queue, 0);
    io_tls_queue_drop(&queue, 2);
    assert_true(bytes_equal_text(io_tls_queue_bytes(&queue), "c"));
    io_tls_queue_drop(&queue, 1);
    assert_null(queue.memory);
    io_tls_queue_drop(&queue, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_and_loses_nothing),
        cmocka_unit_test(holds_memory_only_while_something_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
