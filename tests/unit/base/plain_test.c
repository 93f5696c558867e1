// SPDX-License-Identifier: Apache-2.0
#include "base/plain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void writes_what_no_terminal_obeys(void **state)
{
    uint8_t memory[64];
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    plain_write(&wr, bytes_of_text("a b\\\x1b[31m\n\xc2\x9b~\x7f"));
    assert_true(bytes_equal_text(wr_done(&wr), "a b\\x5c\\x1b[31m\\x0a\\xc2\\x9b~\\x7f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_what_no_terminal_obeys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
