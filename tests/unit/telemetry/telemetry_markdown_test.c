// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_markdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char head[] = "| name | type | what it is | labels |\n|---|---|---|---|\n";
static const struct metric_series plain[] = {{0, {{0}}}};
static const struct metric_series labelled[] = {
    {0, {{"relay.path", "userspace"}, {"code", "401", METRIC_LABEL_NUMBER}}},
    {0, {{"relay.path", "xdp"}, {"code", "401", METRIC_LABEL_NUMBER}}},
    {0, {{"relay.path", "1.2.3"}, {"code", "403", METRIC_LABEL_NUMBER}}},
};
static const struct metric_family families[] = {
    METRIC_FAMILY(GAUGE, "relay.users", "{user}", "Users.", plain),
    METRIC_FAMILY(COUNTER, "relay.relayed", "By", "Bytes.", labelled),
};

static void a_line_has_name_type_words_and_each_value_once(void **state)
{
    uint8_t text[1024];
    struct wr wr = wr_init(text, sizeof text - 1);

    (void)state;
    telemetry_markdown_write(&wr, families, COUNT_OF(families), "1.2.3");
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    assert_memory_equal(text, head, sizeof head - 1);
    assert_string_equal((const char *)text + sizeof head - 1,
                        "| `relay_users` | gauge | Users. |  |\n"
                        "| `relay_relayed_bytes_total` | counter | Bytes. | "
                        "`relay_path`: userspace, xdp, the version<br>`code`: 401, 403 |\n");
}

static void without_room_the_cursor_fails(void **state)
{
    uint8_t text[sizeof head + 40];

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        struct wr wr = wr_init(text, len);
        telemetry_markdown_write(&wr, families, COUNT_OF(families), "1.2.3");
        assert_false(wr_ok(&wr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_name_type_words_and_each_value_once),
        cmocka_unit_test(without_room_the_cursor_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
