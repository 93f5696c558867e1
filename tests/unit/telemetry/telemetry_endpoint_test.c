// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GRPC_METRICS "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
#define GRPC_TRACES "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

static void reads_what_people_write(void **state)
{
    static const struct {
        const char *text;
        bool is_tls;
        const char *authority;
        const char *path;
    } cases[] = {
        {"127.0.0.1:4317", false, "127.0.0.1:4317", ""},
        {"otel-collector.monitoring:4317", false, "otel-collector.monitoring:4317", ""},
        {"[::1]:4317", false, "[::1]:4317", ""},
        {"http://collector", false, "collector", ""},
        {"http://collector:4317/", false, "collector:4317", "/"},
        {"https://[2001:db8::7]:443/otlp/v2", true, "[2001:db8::7]:443", "/otlp/v2"},
        {"https://ingest.example/a-b_c~d.e/%20;x=1,2", true, "ingest.example",
         "/a-b_c~d.e/%20;x=1,2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct telemetry_endpoint endpoint;
        assert_true(telemetry_endpoint_read(bytes_of_text(cases[i].text), true, &endpoint));
        assert_int_equal(endpoint.is_tls, cases[i].is_tls);
        assert_true(bytes_equal_text(endpoint.authority, cases[i].authority));
        assert_true(bytes_equal_text(endpoint.path, cases[i].path));
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const texts[] = {
        "",
        "collector",
        ":4317",
        "collector:",
        "collector:0",
        "collector:65536",
        "collector:43x",
        "collector:4317/path",
        "http://",
        "http:///v1/metrics",
        "http://collector:/",
        "http://user@collector:4317",
        "http://user:password@collector:4317",
        "http://collector/?key=secret",
        "http://collector/#part",
        "http://collector/a b",
        "http://coll\nector",
        "http://collector/\x80",
        "http://[::1",
        "http://[]",
        "http://[::1]x",
        "http://[fe80::1%eth0/]:1",
        "grpc://collector:4317",
        "ftp://collector",
        "HTTP//collector",
        "//collector:4317",
        "http://http://collector",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct telemetry_endpoint endpoint = {.is_tls = true};
        assert_false(telemetry_endpoint_read(bytes_of_text(texts[i]), true, &endpoint));
        assert_true(endpoint.is_tls && endpoint.authority.ptr == NULL);
    }
}

static void needs_a_scheme_unless_told_otherwise(void **state)
{
    struct telemetry_endpoint endpoint;

    (void)state;
    assert_false(telemetry_endpoint_read(bytes_of_text("a:1"), false, &endpoint));
    assert_true(telemetry_endpoint_read(bytes_of_text("http://a:1"), false, &endpoint));
}

static void expect_url(const char *text, enum telemetry_protocol protocol,
                       enum telemetry_signal signal, bool is_whole, const char *expected)
{
    struct telemetry_endpoint endpoint;
    char url[TELEMETRY_ENDPOINT_URL_MAX];

    assert_true(telemetry_endpoint_read(bytes_of_text(text), true, &endpoint));
    telemetry_endpoint_url(&endpoint, protocol, signal, is_whole, url);
    assert_string_equal(url, expected);
}

static void makes_the_url_of_each_signal(void **state)
{
    (void)state;
    expect_url("c:4317", TELEMETRY_GRPC, TELEMETRY_METRICS, false, "http://c:4317" GRPC_METRICS);
    expect_url("https://c/x", TELEMETRY_GRPC, TELEMETRY_TRACES, true, "https://c" GRPC_TRACES);
    expect_url("http://c", TELEMETRY_HTTP, TELEMETRY_METRICS, false, "http://c/v1/metrics");
    expect_url("http://c/", TELEMETRY_HTTP, TELEMETRY_METRICS, false, "http://c/v1/metrics");
    expect_url("http://c/o/t/", TELEMETRY_HTTP, TELEMETRY_TRACES, false, "http://c/o/t/v1/traces");
    expect_url("http://c/o", TELEMETRY_HTTP, TELEMETRY_TRACES, false, "http://c/o/v1/traces");
    expect_url("http://c/o", TELEMETRY_HTTP, TELEMETRY_METRICS, true, "http://c/o");
    expect_url("http://c", TELEMETRY_HTTP, TELEMETRY_METRICS, true, "http://c/");
}

static void the_longest_endpoint_has_a_url(void **state)
{
    char text[TELEMETRY_ENDPOINT_MAX + 2];
    struct telemetry_endpoint endpoint;
    char url[TELEMETRY_ENDPOINT_URL_MAX];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "https://c/", 10);
    text[sizeof text - 1] = '\0';
    assert_false(telemetry_endpoint_read(bytes_of_text(text), true, &endpoint));
    text[sizeof text - 2] = '\0';
    assert_true(telemetry_endpoint_read(bytes_of_text(text), true, &endpoint));
    telemetry_endpoint_url(&endpoint, TELEMETRY_HTTP, TELEMETRY_METRICS, false, url);
    assert_int_equal(strlen(url), TELEMETRY_ENDPOINT_MAX + strlen("/v1/metrics"));
    // The longest host, with the longest path that we add.
    memset(text, 'x', TELEMETRY_ENDPOINT_MAX);
    memcpy(text, "https://", 8);
    assert_true(telemetry_endpoint_read(bytes_of_text(text), true, &endpoint));
    telemetry_endpoint_url(&endpoint, TELEMETRY_GRPC, TELEMETRY_METRICS, false, url);
    assert_int_equal(strlen(url), TELEMETRY_ENDPOINT_MAX + strlen(GRPC_METRICS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(needs_a_scheme_unless_told_otherwise),
        cmocka_unit_test(makes_the_url_of_each_signal),
        cmocka_unit_test(the_longest_endpoint_has_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
