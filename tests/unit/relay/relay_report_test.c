// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static const struct addr client = {.ip = {192, 0, 2, 7}, .port = 5000, .family = ADDR_IP4};
static const struct addr relayed = {.ip = {198, 51, 100, 1}, .port = 50000, .family = ADDR_IP4};
static const struct addr peer = {.ip = {127, 0, 0, 1}, .port = 80, .family = ADDR_IP4};

// A report in which everything is filled in, more than any event does.
static struct turn_command_report make(enum turn_event event)
{
    return (struct turn_command_report){
        .event = event,
        .tuple = {.client = client, .server = relayed},
        .relayed = relayed,
        .peer = peer,
        .username = BYTES_LITERAL("ali ce\n"),
        .refusal = TURN_REFUSAL_LOOPBACK,
        .lifetime_s = 600,
        .life =
            {
                .tuple = {.client = client, .server = relayed},
                .name = turn_name_of((struct bytes)BYTES_LITERAL("ali ce\n")),
                .relayed = {relayed},
                .started_ns = 3 * SECOND_NS,
                .usage = {1, 100, 2, 200},
            },
    };
}

static void report_log(const struct turn_command_report *report)
{
    relay_report_log(report, &(struct turn_usage){10, 1000, 20, 2000},
                     (struct now){.mono_ns = 65 * SECOND_NS + 1});
}

static int open_log(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    host_log_close();
    return 0;
}

#define ADVICE                                                                                     \
    "code=403 advice=\"If clients are to reach it, give --allow-peer its prefix; otherwise the "   \
    "client only tries all candidates of its peer, and nothing is wrong.\"\n"

#define LIFE                                                                                       \
    "client=192.0.2.7:5000 relayed=198.51.100.1:50000 username=\"ali ce\\n\" duration_s=62 "       \
    "to_peer_packets=11 to_peer_bytes=1100 to_client_packets=22 to_client_bytes=2200 "             \
    "kernel_packets=30\n"

static void writes_a_line_for_every_event(void **state)
{
    static const char *const lines[] = {
        [TURN_EVENT_ALLOCATED] =
            " INFO allocation created client=192.0.2.7:5000 relayed=198.51.100.1:50000 "
            "username=\"ali ce\\n\" lifetime_s=600\n",
        [TURN_EVENT_DELETED] = " INFO allocation ended reason=deleted " LIFE,
        [TURN_EVENT_EXPIRED] = " INFO allocation ended reason=expired " LIFE,
        [TURN_EVENT_REPLACED] = " INFO allocation ended reason=replaced " LIFE,
        [TURN_EVENT_PEER_DENIED] =
            " WARN peer denied; --allow-peer would allow it "
            "client=192.0.2.7:5000 peer=127.0.0.1:80 reason=\"a loopback address\" " ADVICE,
        [TURN_EVENT_PEER_BARRED] = " WARN peer denied client=192.0.2.7:5000 peer=127.0.0.1:80 "
                                   "reason=\"a loopback address\" " ADVICE,
        [TURN_EVENT_PORT_REFUSED] = " WARN the system refuses a relayed port; trying another "
                                    "relayed=198.51.100.1:50000\n",
        [TURN_EVENT_MISTAKEN] =
            " INFO request refused client=192.0.2.7:5000 username=\"ali ce\\n\" "
            "reason=\"a loopback address\" " ADVICE,
        [TURN_EVENT_EXHAUSTED] = " WARN request refused client=192.0.2.7:5000 username=\"ali "
                                 "ce\\n\" reason=\"a loopback address\" " ADVICE,
        [TURN_EVENT_UNPROVEN] =
            " WARN credential refused client=192.0.2.7:5000 address=\"maybe forged\" "
            "username=\"ali ce\\n\" reason=\"a loopback address\" " ADVICE,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const struct turn_command_report report = make((enum turn_event)i);

        report_log(&report);
        assert_string_equal(host_log(), lines[i]);
    }
}

static size_t line_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void writes_at_most_so_many_lines_of_what_a_client_can_cause(void **state)
{
    enum { CALLS = 5000 };
    static const size_t most[] = {
        // A busy relay's own events; their burst, and what comes back while the test runs.
        [TURN_EVENT_ALLOCATED] = 2000,  [TURN_EVENT_DELETED] = 2000,
        [TURN_EVENT_EXPIRED] = 2000,    [TURN_EVENT_REPLACED] = 2000,
        [TURN_EVENT_PEER_DENIED] = 20,  [TURN_EVENT_PEER_BARRED] = 20,
        [TURN_EVENT_PORT_REFUSED] = 20, [TURN_EVENT_EXHAUSTED] = 20,
        [TURN_EVENT_UNPROVEN] = 20,     [TURN_EVENT_MISTAKEN] = 20,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(most); i++) {
        struct turn_command_report report = make((enum turn_event)i);
        size_t count = 0;

        report.refusal = (enum turn_refusal)(TURN_REFUSAL_STRANGER + i); // limits are by reason
        for (size_t call = 0; call < CALLS; call++) {
            report_log(&report);
            if (call % 1000 == 999) {
                count += line_count(host_log());
            }
        }
        assert_true(count >= 9); // one was written by the test before this one
        assert_true(count <= most[i]);
    }
}

static void no_reason_uses_up_what_another_may_write(void **state)
{
    struct turn_command_report loud = make(TURN_EVENT_PEER_DENIED);
    struct turn_command_report quiet = make(TURN_EVENT_PEER_DENIED);

    (void)state;
    loud.refusal = TURN_REFUSAL_MULTICAST;
    quiet.refusal = TURN_REFUSAL_UNIQUE_LOCAL;
    for (size_t i = 0; i < 100; i++) {
        report_log(&loud);
    }
    assert_true(line_count(host_log()) < 20);
    report_log(&quiet);
    assert_non_null(strstr(host_log(), "reason=\"a unique local address\" code=403 "));
}

static void a_guess_costs_the_same_whether_there_is_such_a_user_or_not(void **state)
{
    static const enum turn_refusal guesses[] = {TURN_REFUSAL_STRANGER, TURN_REFUSAL_PASSWORD,
                                                TURN_REFUSAL_REST_PASSWORD};
    struct turn_command_report report = make(TURN_EVENT_UNPROVEN);

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        report.refusal = TURN_REFUSAL_STRANGER;
        report_log(&report);
    }
    (void)host_log();
    for (size_t i = 0; i < COUNT_OF(guesses); i++) { // none is written when one is not
        report.refusal = guesses[i];
        report_log(&report);
    }
    assert_string_equal(host_log(), "");
    report.refusal = TURN_REFUSAL_REALM; // whoever asks knows that himself
    report_log(&report);
    assert_non_null(strstr(host_log(), "not that of --realm"));
}

static void says_what_could_not_be_sent_by_kind(void **state)
{
    static const int errors[] = {-ENETUNREACH, -EHOSTUNREACH, -EPERM, -EACCES,
                                 -EMSGSIZE,    -EINVAL,       -EIO};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(errors); i++) { // each is loud, and none is hidden
        bool is_to_peer = i % 2 == 0;
        size_t count = 0;
        relay_report_unsent(&peer, is_to_peer, errors[i / 2]);
        assert_non_null(strstr(host_log(), " WARN a packet could not be sent to=127.0.0.1:80 "));
        for (size_t call = 0; call < 100; call++) {
            relay_report_unsent(&peer, is_to_peer, errors[i / 2]);
        }
        count = line_count(host_log());
        assert_in_range(count, 9, 20);
    }
    relay_report_unsent(&peer, true, -ENOMEM); // of those without a kind of their own
    assert_null(strstr(host_log(), "ENOMEM"));
}

static void tells_once_of_buffers_that_are_too_short(void **state)
{
    (void)state;
    relay_report_buffer(4096, 4096);
    relay_report_buffer(4096, 8192);
    assert_string_equal(host_log(), "");
    relay_report_buffer(4096, 4095);
    assert_string_equal(host_log(),
                        " INFO the system's limit gives sockets shorter receive buffers than are "
                        "wanted, which bursts may fill; raise net.core.rmem_max wanted=4096 "
                        "given=4095\n");
    relay_report_buffer(4096, 1000);
    assert_string_equal(host_log(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line_for_every_event),
        cmocka_unit_test(writes_at_most_so_many_lines_of_what_a_client_can_cause),
        cmocka_unit_test(no_reason_uses_up_what_another_may_write),
        cmocka_unit_test(a_guess_costs_the_same_whether_there_is_such_a_user_or_not),
        cmocka_unit_test(says_what_could_not_be_sent_by_kind),
        cmocka_unit_test(tells_once_of_buffers_that_are_too_short),
    };
    return cmocka_run_group_tests(tests, open_log, close_log);
}
