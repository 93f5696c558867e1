// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is_key(const void *context, uint32_t index, const void *key)
{
    const uint32_t *keys = context;
    return keys[index] == *(const uint32_t *)key;
}

static void finds_what_was_added_and_forgets_what_was_removed(void **state)
{
    uint32_t keys[] = {7, 9};
    struct table table;
    void *memory = calloc(1, table_size(2));

    (void)state;
    table_init(&table, memory, 2);
    table_add(&table, 7, 0);
    table_add(&table, 7, 1); // the same hash
    assert_int_equal(table_find(&table, 7, is_key, keys, &(uint32_t){9}), 1);
    table_remove(&table, 7, 0);
    assert_int_equal(table_find(&table, 7, is_key, keys, &(uint32_t){7}), TABLE_NONE);
    assert_int_equal(table_find(&table, 7, is_key, keys, &(uint32_t){9}), 1);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_forgets_what_was_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
