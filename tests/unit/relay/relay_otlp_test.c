// SPDX-License-Identifier: Apache-2.0
// What is told; daemon_otlp_test.c has how, and tests/conform/otlp_test.py some collectors.
#include "relay/relay_otlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/relay_metrics.h"
#include "telemetry/telemetry_otlp_spans.h"

static const struct metric_family *family_of(const char *name)
{
    for (size_t i = 0; i < relay_metrics_family_count; i++) {
        if (strcmp(relay_metrics_families[i].name, name) == 0) {
            return &relay_metrics_families[i];
        }
    }
    fail_msg("no metric %s", name);
    return NULL;
}

static void expect_bounds(const struct metric_family *family, const uint64_t *upper, size_t count)
{
    assert_int_equal(family->bounds->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(family->bounds->upper[i], upper[i]);
    }
}

// Dashboards exist for them.
static void firezones_instruments_are_there(void **state)
{
    static const struct {
        const char *name, *unit;
        enum metric_kind kind;
    } wanted[] = {
        {"relay.active_allocations", "{allocation}", METRIC_GAUGE},
        {"relay.responses", "{response}", METRIC_COUNTER},
        {"relay.packet.size", "By", METRIC_HISTOGRAM},
        {"relay.xdp.processing.duration", "ns", METRIC_HISTOGRAM},
        {"eventloop.poll.duration", "s", METRIC_HISTOGRAM},
    };
    static const uint64_t sizes[] = {100, 200,  300,  400,  500,  600,  700, 800,
                                     900, 1000, 1100, 1200, 1300, 1400, 1500};
    static const uint64_t nanoseconds[] = {50,   100,   200,   500,   1000,  2000,
                                           5000, 10000, 20000, 50000, 100000};
    static const uint64_t turns[] = {5000,   10000,   25000,   50000,   100000,  250000,
                                     500000, 1000000, 2500000, 5000000, 10000000}; // ns

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_string_equal(family_of(wanted[i].name)->unit, wanted[i].unit);
        assert_int_equal(family_of(wanted[i].name)->kind, wanted[i].kind);
    }
    expect_bounds(family_of("relay.packet.size"), sizes, COUNT_OF(sizes));
    expect_bounds(family_of("relay.xdp.processing.duration"), nanoseconds, COUNT_OF(nanoseconds));
    expect_bounds(family_of("eventloop.poll.duration"), turns, COUNT_OF(turns));
    assert_int_equal(family_of("eventloop.poll.duration")->steps, SECOND_NS);
}

// The fullest requests there can be.
static void there_is_room_for_all_metrics_and_spans(void **state)
{
    static struct telemetry_otlp_span spans[RELAY_OTLP_SPAN_MAX];
    static struct relay_snapshot snapshot;
    uint8_t *request = malloc(DAEMON_OTLP_REQUEST_MAX);
    struct wr wr = wr_init(request, DAEMON_OTLP_REQUEST_MAX);
    struct telemetry_arena arena;
    struct telemetry_resource resource;
    const struct telemetry_otlp_scope scope = {"relay", ""};
    const struct telemetry_otlp_metrics metrics = {
        .resource = &resource,
        .scopes = &scope,
        .scope_count = 1,
        .families = relay_metrics_families,
        .family_count = relay_metrics_family_count,
        .now = &snapshot,
        .before = &snapshot,
        .window.temporality = TELEMETRY_OTLP_CUMULATIVE,
    };

    (void)state;
    assert_int_equal(telemetry_arena_open(&arena, DAEMON_OTLP_ARENA_SIZE), 0);
    telemetry_resource_init(&resource);
    resource.attributes[0].value = (struct bytes){resource.text, sizeof resource.text};
    resource.count = 1;
    memset(resource.text, 'x', sizeof resource.text);
    assert_true(telemetry_otlp_metrics_write(&metrics, &arena, &wr));
    assert_true(arena.used < DAEMON_OTLP_ARENA_SIZE / 2);
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        spans[i] = (struct telemetry_otlp_span){
            .name = "CreatePermission",
            .failure = "Insufficient Capacity",
            .labels = {{"message_type", "createpermission", METRIC_LABEL_TEXT},
                       {"response_class", "success", METRIC_LABEL_TEXT},
                       {"network.transport", "udp", METRIC_LABEL_TEXT},
                       {"network.type", "ipv6", METRIC_LABEL_TEXT},
                       {"error_code", "508", METRIC_LABEL_NUMBER}},
        };
    }
    wr = wr_init(request, DAEMON_OTLP_REQUEST_MAX);
    assert_true(
        telemetry_otlp_spans_write(&arena, &resource, "relay", spans, COUNT_OF(spans), &wr));
    telemetry_arena_close(&arena);
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firezones_instruments_are_there),
        cmocka_unit_test(there_is_room_for_all_metrics_and_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
