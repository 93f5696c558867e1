// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "daemon/host.h"

static uint8_t memory[1 << 16];

struct example {
    const char *text;
    const char *json;
};

static void check(const struct example *example, daemon_facts_fn form)
{
    struct wr wr = wr_init(memory, daemon_facts_text_max(strlen(example->text)));

    form(&wr, bytes_of_text(example->text));
    assert_true(wr_ok(&wr));
    host_expect_text(wr_done(&wr), example->json);
}

static void makes_an_object_of_facts(void **state)
{
    static const struct example examples[] = {
        {"", "{}\n"},
        {"version: 1.2.3\nfree pairs: 2\n", "{\"version\":\"1.2.3\",\"free_pairs\":2}\n"},
        {"no colon\n\nlast: a: \"b\"", "{\"no_colon\":\"\",\"last\":\"a: \\\"b\\\"\"}\n"},
        {"big: 18446744073709551615\nbigger: 18446744073709551616\n",
         "{\"big\":18446744073709551615,\"bigger\":\"18446744073709551616\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        check(&examples[i], daemon_facts_status_write);
    }
}

static void makes_a_list_of_findings(void **state)
{
    static const struct example examples[] = {
        {"", "{\"findings\":[]}\n"},
        {"All is well.\n", "{\"findings\":[{\"what\":\"All is well.\"}]}\n"},
        {"12101 is a port.\n- It fails: 3 times\n  why: a limit: 7\n  what to do: 5\n- More\n",
         "{\"findings\":[{\"what\":\"12101 is a port.\"},{\"what\":\"It fails: 3 times\","
         "\"why\":\"a limit: 7\",\"what_to_do\":\"5\"},{\"what\":\"More\"}]}\n"},
        {"  why: of nothing\n", "{\"findings\":[{\"what\":\"why: of nothing\"}]}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        check(&examples[i], daemon_facts_why_write);
    }
}

static void has_room_for_whatever_there_is(void **state)
{
    static const char *const texts[] = {"\n\n\n", "a\nb\n", "\"\n\"", "  \n  \n", "\x01:\x01"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct wr wr = wr_init(memory, daemon_facts_text_max(strlen(texts[i])));
        daemon_facts_status_write(&wr, bytes_of_text(texts[i]));
        assert_true(wr_ok(&wr));
        wr = wr_init(memory, daemon_facts_text_max(strlen(texts[i])));
        daemon_facts_why_write(&wr, bytes_of_text(texts[i]));
        assert_true(wr_ok(&wr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_object_of_facts),
        cmocka_unit_test(makes_a_list_of_findings),
        cmocka_unit_test(has_room_for_whatever_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
