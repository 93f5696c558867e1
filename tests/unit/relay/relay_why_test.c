// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static uint8_t memory[RELAY_WHY_TEXT_MAX];
static const struct addr client = {.ip = {192, 0, 2, 7}, .port = 5000, .family = ADDR_IP4};
static const struct addr any_port = {.ip = {192, 0, 2, 7}, .family = ADDR_IP4};

static struct relay_refusal make(enum turn_refusal refusal, int64_t last_s)
{
    return (struct relay_refusal){
        .client = client,
        .name = turn_name_of(bytes_of_text("ali\x1b")),
        .first_s = last_s,
        .last_s = last_s,
        .count = 1,
        .method = 3,
        .refusal = (uint8_t)refusal,
        .is_certain = true,
    };
}

static void tells_what_happened_why_and_what_to_do(void **state)
{
    struct relay_why why = {.count = 0};
    struct relay_refusal quota = make(TURN_REFUSAL_USER_QUOTA, 100);
    struct relay_refusal denied = make(TURN_REFUSAL_LISTENER, 130);
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    quota.first_s = 60;
    quota.count = 3;
    denied.method = 9;
    denied.peer = any_port;
    denied.name.len = 0;
    denied.is_certain = false;
    relay_why_add(&why, &quota);
    relay_why_add(&why, &denied);
    relay_why_write(&wr, &why, &any_port, 142);
    host_expect_text(
        wr_done(&wr),
        "192.0.2.7:5000: ChannelBind refused with 403 (Forbidden), 12 s ago\n"
        "  why: the relay's own listening port: 192.0.2.7\n"
        "  what to do: No option allows it. The client only tries all candidates of its peer, and "
        "nothing is wrong.\n"
        "  note: whoever sent it may be elsewhere; its address is not proven.\n"
        "\n"
        "192.0.2.7:5000: Allocate of ali\\x1b refused with 486 (Allocation Quota Reached), "
        "3 times in 40 s, the last one 42 s ago\n"
        "  why: the user has all allocations that --user-quota allows\n"
        "  what to do: Raise the option, give users names of their own, or find out why the user's "
        "clients do not delete their allocations.\n");
}

static void says_so_when_it_remembers_nothing(void **state)
{
    const struct relay_why why = {.count = 0};
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    relay_why_write(&wr, &why, &any_port, 142);
    assert_memory_equal(memory, "Nothing that was refused to 192.0.2.7 is remembered.", 52);
}

static void keeps_the_newest_and_has_room_for_all_that_it_says(void **state)
{
    struct relay_why why = {.count = 0};

    (void)state;
    for (int64_t i = 0; i < 3 * RELAY_WHY_MAX; i++) {
        const struct relay_refusal refusal = make(TURN_REFUSAL_NO_ALLOCATION, i * 7 % 47);
        relay_why_add(&why, &refusal);
    }
    assert_int_equal(why.count, RELAY_WHY_MAX);
    for (uint32_t i = 0; i < why.count; i++) {
        assert_int_equal(why.refusals[i].last_s, 46 - i);
    }
    for (enum turn_refusal reason = TURN_REFUSAL_NONE + 1; reason < TURN_REFUSAL_END; reason++) {
        struct wr wr = wr_init(memory, sizeof memory);
        for (uint32_t i = 0; i < why.count; i++) {
            why.refusals[i] = make(reason, 0);
            memset(why.refusals[i].name.text, 0xff, TURN_NAME_MAX);
            why.refusals[i].name.len = TURN_NAME_MAX;
            why.refusals[i].peer = client;
            why.refusals[i].count = UINT32_MAX;
            why.refusals[i].is_certain = false;
        }
        relay_why_write(&wr, &why, &client, INT64_MAX);
        assert_true(wr_ok(&wr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_happened_why_and_what_to_do),
        cmocka_unit_test(says_so_when_it_remembers_nothing),
        cmocka_unit_test(keeps_the_newest_and_has_room_for_all_that_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
