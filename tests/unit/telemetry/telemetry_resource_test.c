// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct telemetry_resource resource;

static int empty_resource(void **state)
{
    (void)state;
    telemetry_resource_init(&resource);
    return 0;
}

static bool set(const char *key, const char *value)
{
    return telemetry_resource_set(&resource, bytes_of_text(key), bytes_of_text(value));
}

static void expect(size_t index, const char *key, const char *value)
{
    assert_true(index < resource.count);
    assert_true(bytes_equal_text(resource.attributes[index].key, key));
    assert_true(bytes_equal_text(resource.attributes[index].value, value));
}

static void keeps_each_key_once_and_its_last_value(void **state)
{
    (void)state;
    assert_true(set("service.name", "relay"));
    assert_true(set("service.namespace", "firezone"));
    assert_true(set("service.name", "other"));
    assert_int_equal(resource.count, 2);
    expect(0, "service.name", "other");
    expect(1, "service.namespace", "firezone");
}

static void reads_a_list_over_what_is_there(void **state)
{
    (void)state;
    assert_true(set("service.name", "relay"));
    assert_int_equal(
        telemetry_resource_read(
            &resource, bytes_of_text("service.instance.id=7%2F8,service.name=a,cloud.region=b")),
        TELEMETRY_BAGGAGE_END);
    assert_int_equal(resource.count, 3);
    expect(0, "service.name", "a");
    expect(1, "service.instance.id", "7/8");
    expect(2, "cloud.region", "b");
    assert_int_equal(telemetry_resource_read(&resource, bytes_of_text("x=1,y")),
                     TELEMETRY_BAGGAGE_WRONG_PAIR);
    expect(3, "x", "1");
}

static void refuses_one_too_many(void **state)
{
    char key[16];

    (void)state;
    for (int i = 0; i < TELEMETRY_RESOURCE_MAX; i++) {
        snprintf(key, sizeof key, "key%d", i);
        assert_true(set(key, "value"));
    }
    assert_false(set("another", "value"));
    assert_true(set("key5", "changed"));
    expect(5, "key5", "changed");
    assert_int_equal(telemetry_resource_read(&resource, bytes_of_text("another=1")),
                     TELEMETRY_BAGGAGE_WRONG_ROOM);
}

static void refuses_too_much_text(void **state)
{
    static uint8_t text[TELEMETRY_RESOURCE_TEXT_MAX];
    const struct bytes key = bytes_of_text("key");

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = 'x';
    }
    assert_false(telemetry_resource_set(&resource, key, (struct bytes){text, sizeof text - 2}));
    assert_int_equal(resource.count, 0);
    assert_true(telemetry_resource_set(&resource, key, (struct bytes){text, sizeof text - 3}));
    assert_false(set("key", "y"));
    assert_int_equal(resource.attributes[0].value.len, sizeof text - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_each_key_once_and_its_last_value, empty_resource),
        cmocka_unit_test_setup(reads_a_list_over_what_is_there, empty_resource),
        cmocka_unit_test_setup(refuses_one_too_many, empty_resource),
        cmocka_unit_test_setup(refuses_too_much_text, empty_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
