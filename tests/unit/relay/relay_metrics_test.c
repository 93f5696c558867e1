// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "relay/relay_crew.h"
#include "relay/relay_snapshot.h"

enum { WORKERS = 2 };

static struct relay_crew crew;
static struct io_loop loop;
static char text[RELAY_METRICS_TEXT_MAX + 1];

static int open_crew(void **state)
{
    struct relay_config config = fixture_config(ADDR_IP4);

    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    config.daemon.worker_count = WORKERS;
    return io_loop_open(&loop) != 0 || relay_crew_open(&crew, &config, &loop) != 0;
}

static int close_crew(void **state)
{
    (void)state;
    relay_crew_close(&crew);
    io_loop_close(&loop);
    host_log_close();
    return 0;
}

static bool has_same_labels(const struct metric_series *one, const struct metric_series *other)
{
    for (size_t i = 0; i < METRIC_LABEL_MAX; i++) {
        const struct metric_label *a = &one->labels[i];
        const struct metric_label *b = &other->labels[i];
        if ((a->key == NULL) != (b->key == NULL)) {
            return false;
        }
        if (a->key != NULL && (strcmp(a->key, b->key) != 0 || strcmp(a->value, b->value) != 0)) {
            return false;
        }
    }
    return true;
}

static void no_series_is_there_twice(void **state)
{
    const struct metric_family *families[256];
    size_t count = 0;

    (void)state;
    for (unsigned i = 0; i < RELAY_METRICS_GROUP_COUNT; i++) {
        const struct relay_metrics_group group = relay_metrics_group(i);
        for (size_t k = 0; k < group.count; k++) {
            assert_true(count < COUNT_OF(families));
            families[count++] = &group.families[k];
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct metric_family *family = families[i];
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(family->name, families[k]->name);
        }
        assert_true(family->series_count > 0);
        for (size_t k = 0; k < family->series_count; k++) {
            assert_true(family->series[k].offset < sizeof(struct relay_snapshot));
            for (size_t m = 0; m < k; m++) {
                assert_false(has_same_labels(&family->series[k], &family->series[m]));
            }
        }
    }
}

static void writes_what_the_workers_count(void **state)
{
    struct wr wr = wr_init((uint8_t *)text, RELAY_METRICS_TEXT_MAX);
    static struct relay_snapshot snapshot;

    (void)state;
    assert_int_equal(relay_crew_start(&crew), 0);
    relay_snapshot_take(&snapshot, &crew.share);
    relay_metrics_write(&wr, &snapshot);
    assert_true(wr_ok(&wr));
    assert_true(wr.len < RELAY_METRICS_TEXT_MAX / 4); // numbers may grow
    text[wr.len] = '\0';
    assert_non_null(strstr(text, "\nrelay_workers 2\n"));
    assert_non_null(strstr(text, "\nrelay_requests_total{message_type=\"binding\"} 0\n"));
    assert_non_null(strstr(text, "\nrelay_refusals_total{reason=\"stranger\"} 0\n"));
}

static void expect(const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no %s", line);
    }
}

static void write_snapshot(const struct relay_snapshot *snapshot)
{
    struct wr wr = wr_init((uint8_t *)text, RELAY_METRICS_TEXT_MAX);

    relay_metrics_write(&wr, snapshot);
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
}

static void each_number_has_its_name(void **state)
{
    static const struct relay_snapshot snapshot = {
        .counts.turn.packets_to_peer = 1,
        .counts.turn.dropped_max_bps = 2,
        .counts.turn.refused[TURN_REFUSAL_SOCKETS - 1] = 3,
        .counts.turn.responses[TURN_STATS_ALLOCATE][TURN_STATS_QUOTA_REACHED] = 4,
        .counts.sockets.hand_overs_lost = 5,
        .counts.sockets.full_turns = {[2] = 6},
        .kernel.packets = {[RELAY_ABI_VERDICT_pass_ttl] = 7},
        .kernel.durations = {[11] = 8},
        .process.cpu_ns = 1500000000,
        .gauges.ports = 9,
        .sums.to_clients = {10, 11},
    };

    (void)state;
    write_snapshot(&snapshot);
    expect("\nrelay_relayed_packets_total{relay_datapath=\"userspace\",direction=\"to_peer\"} 1\n");
    expect("\nrelay_dropped_packets_total{relay_datapath=\"userspace\",reason=\"max_bps\"} 2\n");
    expect("\nrelay_refusals_total{reason=\"sockets\"} 3\n");
    expect("\nrelay_responses_total{message_type=\"allocate\",response_class=\"error\","
           "error_code=\"486\"} 4\n");
    expect("\nrelay_unsent_packets_total{reason=\"mailbox_full\"} 5\n");
    expect("\neventloop_poll_duration_seconds_bucket{eventloop_exhausted=\"true\","
           "eventloop_name=\"relay\",le=\"0.000025\"} 6\n");
    expect("\nrelay_xdp_packets_total{verdict=\"pass_ttl\"} 7\n");
    expect("\nrelay_xdp_processing_duration_seconds_bucket{le=\"0.0001\"} 0\n");
    expect("\nrelay_xdp_processing_duration_seconds_bucket{le=\"+Inf\"} 8\n");
    expect("\nprocess_cpu_seconds_total 1.5\n");
    expect("\nrelay_capacity{resource=\"ports\"} 9\n");
    expect("\nturn_traffic_sentp 10\n");
    expect("\nturn_total_traffic_peer_rcvb 11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_series_is_there_twice),
        cmocka_unit_test(each_number_has_its_name),
        cmocka_unit_test_setup_teardown(writes_what_the_workers_count, open_crew, close_crew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
