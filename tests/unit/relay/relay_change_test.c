// SPDX-License-Identifier: Apache-2.0
// A change of the configuration beside a worker that takes it when the test says so.
#include "relay/relay_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "io/io_clock.h"
#include "relay/relay_load.h"

static struct relay_change change;
static struct relay_load load;
static struct relay_reload reload;
static struct daemon_notify notify;
static struct daemon_ctl ctl;
static struct daemon_drain drain;
static char path[] = "/tmp/relay_change_test.XXXXXX";
static char option[64];
static char program[] = "fairlead-relay";
static char *arguments[] = {program, option, NULL};
static char *no_variables[] = {NULL};

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// A worker that has what the fixture's has, but for what a reload reads.
static void open_all(void)
{
    const struct daemon_load_sources sources = {2, arguments, no_variables};
    const struct relay_config small = fixture_config(ADDR_IP4);
    struct relay_config *config = &fixture.config;

    assert_int_equal(relay_load_open(&load, &sources, config), DAEMON_LOAD_RUN);
    config->listen_port = small.listen_port;
    config->public_ip4 = small.public_ip4;
    config->daemon.worker_count = 1;
    config->max_allocations = small.max_allocations;
    config->fitting_allocations = small.fitting_allocations;
    config->max_permissions = small.max_permissions;
    config->max_channels = small.max_channels;
    relay_reload_init(&reload, &load, config);
    fixture_open_with_config(ADDR_IP4);
    relay_load_close(&load);
}

static int setup(void **state)
{
    static const struct daemon_drain_words words = {"allocations", "begun", "ended"};

    (void)state;
    memcpy(strrchr(path, '.'), ".XXXXXX", sizeof ".XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(option, sizeof option, "--config=%s", path);
    host_log_open(LOG_LINE_HUMAN);
    write_file("user = alice:secret\n");
    open_all();
    const struct daemon_ctl_config none = {.path = BYTES_LITERAL("none")};
    assert_int_equal(daemon_ctl_open(&ctl, &fixture.loop, &none), 0);
    daemon_notify_open(&notify, no_variables);
    daemon_drain_init(&drain, &words, &notify, 5);
    relay_change_init(&change, &fixture.crew, &notify, &ctl, &drain);
    change.reload = &reload;
    (void)host_log();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    daemon_ctl_close(&ctl);
    daemon_notify_close(&notify);
    fixture_close();
    host_log_close();
    return unlink(path);
}

static bool is_on_its_way(uint64_t later_ns)
{
    struct now now = io_clock_now();

    now.mono_ns += later_ns;
    return relay_change_tick(&change, now) != NEVER;
}

static void is_over_when_the_worker_has_taken_it(void **state)
{
    (void)state;
    assert_false(is_on_its_way(0));
    write_file("user = alice:secret\ndrain-timeout = 7\n");
    assert_int_equal(relay_change_begin(&change), 1);
    assert_string_equal(host_log(), " INFO reloading\n");
    assert_int_equal(drain.timeout_s, 7);
    assert_true(is_on_its_way(0));
    assert_string_equal(host_log(), "");
    fixture_serve();
    assert_false(is_on_its_way(0));
    assert_string_equal(host_log(), " INFO the configuration is reloaded\n");
    assert_false(is_on_its_way(0));
    assert_string_equal(host_log(), "");
}

static void begins_once_more_for_all_who_asked_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(relay_change_begin(&change), 1);
    write_file("user = alice:secret\ndrain-timeout = 9\n");
    (void)host_log();
    assert_int_equal(relay_change_begin(&change), 2);
    assert_int_equal(relay_change_begin(&change), 2);
    assert_string_equal(host_log(),
                        " INFO reloading again when all workers have taken the last reload\n");
    assert_int_not_equal(drain.timeout_s, 9); // what was written since is not read yet
    fixture_serve();
    assert_true(is_on_its_way(0));
    assert_string_equal(host_log(), " INFO the configuration is reloaded\n INFO reloading\n");
    assert_int_equal(drain.timeout_s, 9);
    fixture_serve();
    assert_false(is_on_its_way(0));
    assert_int_equal(relay_change_begin(&change), 3);
}

static void a_worker_that_hangs_is_told_once_and_waited_for(void **state)
{
    static const char late[] =
        "ERROR some workers do not answer, and serve by the old configuration\n";

    (void)state;
    assert_int_equal(relay_change_begin(&change), 1);
    (void)host_log();
    assert_true(is_on_its_way(SECOND_NS / 2));
    assert_string_equal(host_log(), "");
    assert_true(is_on_its_way(2 * SECOND_NS));
    assert_string_equal(host_log(), late);
    assert_true(is_on_its_way(3 * SECOND_NS));
    assert_string_equal(host_log(), "");
    fixture_serve();
    assert_false(is_on_its_way(4 * SECOND_NS));
    assert_string_equal(host_log(), " INFO the configuration is reloaded\n");
}

static void what_is_wrong_leaves_all_as_it_was(void **state)
{
    const struct turn_policy *before = relay_policy_current(&fixture.crew.policy);

    (void)state;
    write_file("user = alice:secret\ndrain-timeout = soon\n");
    const uint32_t timeout_s = drain.timeout_s;
    assert_int_equal(relay_change_begin(&change), 1);
    const char *log = host_log();
    assert_non_null(strstr(log, "drain-timeout"));
    assert_non_null(strstr(log, "ERROR nothing was reloaded; all is as it was\n"));
    assert_false(is_on_its_way(0));
    assert_int_equal(drain.timeout_s, timeout_s);
    assert_ptr_equal(relay_policy_current(&fixture.crew.policy), before);
    write_file("user = alice:secret\n"); // and the next one counts
    assert_int_equal(relay_change_begin(&change), 2);
    assert_true(is_on_its_way(0));
}

static void nothing_is_reloaded_any_more_when_the_relay_ends(void **state)
{
    (void)state;
    assert_int_equal(relay_change_begin(&change), 1);
    assert_int_equal(relay_change_begin(&change), 2);
    daemon_drain_begin(&drain, 1, io_clock_now());
    (void)host_log();
    assert_int_equal(relay_change_begin(&change), 0);
    assert_string_equal(host_log(), " WARN not reloading, since the relay ends\n");
    fixture_serve(); // what is on its way arrives, and what was to follow does not begin
    assert_false(is_on_its_way(0));
    assert_string_equal(host_log(), " INFO the configuration is reloaded\n"
                                    " WARN not reloading, since the relay ends\n");
}

// --- who waits at the control socket -----------------------------------------------------------

static void reload_for_asker(void *context, struct bytes request, struct daemon_ctl_reply *reply)
{
    (void)context;
    assert_true(bytes_equal_text(request, "reload"));
    reply->ticket = relay_change_begin(&change);
}

static int ask(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s.sock", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(fd, "reload\n", 7, MSG_NOSIGNAL), 7);
    for (uint64_t before = change.count + change.is_due; before == change.count + change.is_due;) {
        assert_int_equal(io_loop_turn(&fixture.loop, NEVER), 0);
    }
    return fd;
}

static void expect_answer(int fd, const char *wanted)
{
    char text[256] = "";

    for (int i = 0; recv(fd, text, sizeof text - 1, MSG_DONTWAIT) <= 0 && i < 10; i++) {
        assert_int_equal(io_loop_turn(&fixture.loop, io_clock_now().mono_ns + SECOND_NS / 100), 0);
    }
    assert_string_equal(text, wanted);
    close(fd);
}

static void whoever_waits_is_told_what_has_come_of_it(void **state)
{
    char place[64];

    (void)state;
    const int place_len = snprintf(place, sizeof place, "%s.sock", path);
    const struct daemon_ctl_config config = {.path = {(uint8_t *)place, (size_t)place_len},
                                             .answer = reload_for_asker};
    assert_int_equal(daemon_ctl_open(&ctl, &fixture.loop, &config), 0);
    const int first = ask();
    const int second = ask();
    fixture_serve();
    assert_true(is_on_its_way(0)); // the second one's
    expect_answer(first, "The configuration is reloaded.\n");
    const int third = ask();
    fixture_serve();
    assert_true(is_on_its_way(0));
    expect_answer(second, "The configuration is reloaded.\n");
    const int fourth = ask();
    daemon_drain_begin(&drain, 1, io_clock_now());
    fixture_serve();
    assert_false(is_on_its_way(0));
    expect_answer(third, "The configuration is reloaded.\n");
    expect_answer(fourth, "failed: nothing was reloaded, since the relay ends\n");
}

#define CHANGE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANGE_TEST(is_over_when_the_worker_has_taken_it),
        CHANGE_TEST(begins_once_more_for_all_who_asked_meanwhile),
        CHANGE_TEST(a_worker_that_hangs_is_told_once_and_waited_for),
        CHANGE_TEST(what_is_wrong_leaves_all_as_it_was),
        CHANGE_TEST(nothing_is_reloaded_any_more_when_the_relay_ends),
        CHANGE_TEST(whoever_waits_is_told_what_has_come_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
