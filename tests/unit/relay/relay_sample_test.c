// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

enum { COUNT = 5 };

static const struct daemon_sample_kinds kinds = {&relay_sample_kind, 1};

static uint8_t memory[RELAY_SAMPLE_HEAD_TEXT_MAX + COUNT * RELAY_SAMPLE_ROW_TEXT_MAX];
static struct relay_snapshot snapshot;
static struct relay_survey_entry entries[COUNT];
static const struct now now = {.mono_ns = 100 * SECOND_NS};

static void fill(void)
{
    memset(&snapshot, 0, sizeof snapshot);
    snapshot.gauges.allocations = COUNT;
    snapshot.counts.turn.dropped_no_permission = 7;
    snapshot.counts.turn.packets_to_peer = 3;
    snapshot.counts.turn.packets_to_client = 4;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_drop_max_pps] = 8;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_to_peer] = 20;
    snapshot.kernel.data[RELAY_ABI_VERDICT_to_peer] = 2000;
    snapshot.kernel.data[RELAY_ABI_VERDICT_to_client] = 500;
    relay_snapshot_sum(&snapshot);
    for (uint32_t i = 0; i < COUNT; i++) {
        entries[i] = (struct relay_survey_entry){
            .worker = i,
            .life =
                {
                    .allocation = {10 + i, 1},
                    .tuple.client = {.ip = {192, 0, 2, 7}, .port = 5000, .family = ADDR_IP4},
                    .name = turn_name_of(bytes_of_text("ali ce\n")),
                    .relayed = {{.family = ADDR_NONE},
                                {.ip = {0x20, 1}, .port = 50000, .family = ADDR_IP6}},
                    .started_ns = 90 * SECOND_NS,
                    .expires_ns = i == 0 ? NEVER : 130 * SECOND_NS,
                    .permission_count = 2,
                    .channel_count = 1,
                    .usage = {1, 100 * i, 3, 4},
                },
            .kernel = {5, 6, 7, 8},
        };
    }
}

static const struct daemon_sample_named *find(const struct daemon_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->named_count; i++) {
        if (bytes_equal_text(sample->named[i].name, name)) {
            return &sample->named[i];
        }
    }
    fail_msg("no %s", name);
    return NULL;
}

static void is_read_as_it_was_written(void **state)
{
    struct wr wr = wr_init(memory, sizeof memory);
    struct daemon_sample sample;

    (void)state;
    fill();
    relay_sample_write(&wr, &snapshot, entries, COUNT, 3, now);
    assert_true(wr_ok(&wr));
    assert_true(daemon_sample_read(wr_done(&wr), &kinds, &sample));
    assert_true(bytes_equal_text(sample.version, FAIRLEAD_VERSION));
    assert_int_equal(sample.time_ms, 100000);
    assert_int_equal(find(&sample, "allocations")->value, COUNT);
    assert_int_equal(find(&sample, "sockets_packets")->value, 7);
    assert_int_equal(find(&sample, "kernel_packets")->value, 20);
    assert_int_equal(find(&sample, "kernel_bytes")->value, 2500);
    assert_int_equal(find(&sample, "dropped_no_permission")->sort, DAEMON_SAMPLE_DROP);
    assert_int_equal(find(&sample, "dropped_no_permission")->value, 7);
    assert_true(
        bytes_equal_text(find(&sample, "drop_max_pps")->words, "Data over --max-pps, dropped."));
    assert_int_equal(sample.left_out, 2);
    assert_int_equal(sample.row_count, 3);
    for (size_t i = 0; i < sample.row_count; i++) { // those that relayed the most
        const struct daemon_sample_row *row = &sample.rows[i];
        assert_int_equal(row->numbers[RELAY_SAMPLE_WORKER], COUNT - 1 - i);
        assert_int_equal(row->numbers[RELAY_SAMPLE_INDEX], 10 + COUNT - 1 - i);
        assert_int_equal(row->numbers[RELAY_SAMPLE_AGE_MS], 10000);
        assert_int_equal(row->numbers[RELAY_SAMPLE_LEFT_MS], 30000);
        assert_int_equal(row->numbers[RELAY_SAMPLE_PERMISSIONS], 2);
        assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_PEER_BYTES], 100 * (COUNT - 1 - i));
        assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_CLIENT_BYTES], 4);
        assert_int_equal(row->numbers[RELAY_SAMPLE_KERNEL_TO_CLIENT_BYTES], 8);
        host_expect_text(row->texts[RELAY_SAMPLE_CLIENT], "192.0.2.7:5000");
        host_expect_text(row->texts[RELAY_SAMPLE_RELAYED], "[2001::]:50000");
        host_expect_text(row->texts[RELAY_SAMPLE_RELAYED_TOO], "none");
        host_expect_text(row->texts[RELAY_SAMPLE_NAME], "ali ce\\x0a");
    }
    daemon_sample_free(&sample);
    daemon_sample_free(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
