// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_otlp_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "daemon/daemon_options_otlp.h"

#define ALL (UINT64_C(1) << 32)

static const struct conf_option options[] = {
    DAEMON_OPTIONS_OTLP("All", "tunnel", "fairlead", "sessions", "The protocol"),
};
static const struct conf_table table = {options, COUNT_OF(options)};

static struct conf conf;
static struct daemon_otlp_config config;
static uint8_t unescaped[4096];

// Reads variables of an environment, of which the last is NULL.
static size_t read_environment(const char *const *variables)
{
    struct wr scratch = wr_init(unescaped, sizeof unescaped);
    char *environment[16] = {NULL};

    for (size_t i = 0; variables[i] != NULL; i++) {
        assert_true(i + 1 < COUNT_OF(environment));
        environment[i] = (char *)(uintptr_t)variables[i];
    }
    conf_init(&conf, &table);
    conf_env_read(&conf, environment, &scratch);
    daemon_otlp_config_read(&conf, "tunnel", "fairlead", &config);
    return conf.errors.count;
}

#define READ(...) read_environment((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect_url(enum telemetry_signal signal, const char *expected)
{
    const struct daemon_otlp_config_signal *given = &config.signals[signal];
    char url[TELEMETRY_ENDPOINT_URL_MAX];

    assert_true(given->is_on);
    telemetry_endpoint_url(&given->endpoint, given->protocol, signal, given->is_whole, url);
    assert_string_equal(url, expected);
}

#define GRPC_METRICS "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
#define GRPC_TRACES "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

static void is_off_without_an_endpoint_whatever_else_is_there(void **state)
{
    (void)state;
    assert_int_equal(READ("OTEL_EXPORTER_OTLP_HEADERS=nonsense", "OTEL_TRACES_SAMPLER=nonsense"),
                     0);
    assert_false(daemon_otlp_config_is_on(&config));
    assert_int_equal(config.sampled, 0);
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1", "OTEL_SDK_DISABLED=true"), 0);
    assert_false(daemon_otlp_config_is_on(&config));
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1", "OTEL_SDK_DISABLED=false"), 0);
    assert_true(daemon_otlp_config_is_on(&config));
}

static void has_the_defaults_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=127.0.0.1:4317"), 0);
    expect_url(TELEMETRY_METRICS, "http://127.0.0.1:4317" GRPC_METRICS);
    expect_url(TELEMETRY_TRACES, "http://127.0.0.1:4317" GRPC_TRACES);
    assert_false(config.signals[TELEMETRY_METRICS].is_compressed);
    assert_int_equal(config.signals[TELEMETRY_METRICS].timeout_ms, 10000);
    assert_int_equal(config.interval_ms, 60000);
    assert_int_equal(config.temporality, TELEMETRY_OTLP_LOW_MEMORY);
    assert_int_equal(config.sampled, ALL / 100);
}

static void the_endpoint_that_says_most_wins(void **state)
{
    (void)state;
    assert_int_equal(READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a:1/x"), 0);
    expect_url(TELEMETRY_METRICS, "http://a:1/x/v1/metrics");
    expect_url(TELEMETRY_TRACES, "http://a:1/x/v1/traces");
    assert_int_equal(READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a:1/x", "OTLP_GRPC_ENDPOINT=b:2"), 0);
    expect_url(TELEMETRY_METRICS, "http://b:2" GRPC_METRICS);
    assert_int_equal(
        READ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=https://c/y", "OTLP_GRPC_ENDPOINT=b:2"), 0);
    expect_url(TELEMETRY_METRICS, "https://c/y");
    expect_url(TELEMETRY_TRACES, "http://b:2" GRPC_TRACES);
    assert_int_equal(
        READ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://d:4", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        0);
    expect_url(TELEMETRY_TRACES, "http://d:4" GRPC_TRACES);
    assert_false(config.signals[TELEMETRY_METRICS].is_on);
}

static void reads_every_option(void **state)
{
    (void)state;
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=https://c:1", "OTEL_EXPORTER_OTLP_TIMEOUT=250",
                          "OTEL_METRIC_EXPORT_INTERVAL=5000", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
                          "OTEL_EXPORTER_OTLP_HEADERS=a=b", "OTEL_EXPORTER_OTLP_CERTIFICATE=/x.pem",
                          "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative",
                          "OTEL_SERVICE_NAME=me", "OTEL_RESOURCE_ATTRIBUTES=k=v"),
                     0);
    for (size_t i = 0; i < COUNT_OF(config.signals); i++) {
        const struct daemon_otlp_config_signal *signal = &config.signals[i];
        assert_true(signal->is_compressed);
        assert_int_equal(signal->timeout_ms, 250);
        assert_true(bytes_equal_text(signal->headers, "a=b"));
        assert_true(bytes_equal_text(signal->certificate, "/x.pem"));
    }
    assert_int_equal(config.interval_ms, 5000);
    assert_int_equal(config.temporality, TELEMETRY_OTLP_CUMULATIVE);
    assert_true(bytes_equal_text(config.service_name, "me"));
    assert_true(bytes_equal_text(config.attributes, "k=v"));
}

static void one_signal_may_be_sent_otherwise(void **state)
{
    const struct daemon_otlp_config_signal *metrics = &config.signals[TELEMETRY_METRICS];
    const struct daemon_otlp_config_signal *traces = &config.signals[TELEMETRY_TRACES];

    (void)state;
    assert_int_equal(
        READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a:1", "OTEL_EXPORTER_OTLP_TIMEOUT=250",
             "OTEL_EXPORTER_OTLP_HEADERS=a=b", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=30",
             "OTEL_EXPORTER_OTLP_TRACES_HEADERS=c=d", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc",
             "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION=gzip",
             "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE=/x.pem"),
        0);
    expect_url(TELEMETRY_METRICS, "http://a:1/v1/metrics");
    expect_url(TELEMETRY_TRACES, "http://a:1" GRPC_TRACES);
    assert_int_equal(metrics->timeout_ms, 250);
    assert_int_equal(traces->timeout_ms, 30);
    assert_true(bytes_equal_text(metrics->headers, "a=b"));
    assert_true(bytes_equal_text(traces->headers, "c=d"));
    assert_true(metrics->is_compressed);
    assert_false(traces->is_compressed);
    assert_true(bytes_equal_text(metrics->certificate, "/x.pem"));
    assert_int_equal(traces->certificate.len, 0);
    // What is gRPC by its name stays so, unless the signal goes elsewhere.
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=a:1",
                          "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf",
                          "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
                          "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b:2/x"),
                     0);
    expect_url(TELEMETRY_METRICS, "http://a:1" GRPC_METRICS);
    expect_url(TELEMETRY_TRACES, "http://b:2/x");
}

static void samplers_are_a_part_of_all(void **state)
{
    static const struct {
        const char *sampler, *argument;
        uint64_t sampled;
    } cases[] = {
        {"always_on", "", ALL},
        {"always_off", "", 0},
        {"parentbased_always_on", "0.5", ALL},
        {"parentbased_always_off", "0.5", 0},
        {"traceidratio", "", ALL / 100},
        {"traceidratio", "0.5", ALL / 2},
        {"parentbased_traceidratio", ".25", ALL / 4},
        {"traceidratio", "1", ALL},
        {"traceidratio", "1.000000000000", ALL},
        {"traceidratio", "0", 0},
        {"traceidratio", "0.0", 0},
        {"traceidratio", "0.0000000019999", 4}, // nine digits count
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char sampler[64];
        char argument[64];
        snprintf(sampler, sizeof sampler, "OTEL_TRACES_SAMPLER=%s", cases[i].sampler);
        snprintf(argument, sizeof argument, "OTEL_TRACES_SAMPLER_ARG=%s", cases[i].argument);
        assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1", sampler, argument), 0);
        assert_int_equal(config.sampled, cases[i].sampled);
    }
    assert_int_equal(
        READ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://c", "OTEL_TRACES_SAMPLER=always_on"), 0);
    assert_int_equal(config.sampled, 0); // there is nobody to tell
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *variable, *message;
    } cases[] = {
        {"OTLP_GRPC_ENDPOINT=collector", "is neither HOST:PORT nor a URL of http or https"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=c:4317", "is not a URL of http or https"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://u:p@c", "is not a URL of http or https"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "is none of: grpc, http/protobuf"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION=zstd", "is none of: none, gzip"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT=0", "from 1 to 60000"},
        {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=0", "--otlp-traces-timeout"},
        {"OTEL_EXPORTER_OTLP_METRICS_HEADERS=hush", "--otlp-metrics-headers"},
        {"OTEL_METRIC_EXPORT_INTERVAL=99", "from 100 to 3600000"},
        {"OTEL_EXPORTER_OTLP_HEADERS=hush", "the value has a pair that is not of the form"},
        {"OTEL_RESOURCE_ATTRIBUTES=a=%4", "has a % that two hexadecimal digits do not follow"},
        {"OTEL_SERVICE_NAME=\xff", "is not UTF-8"},
        {"OTEL_TRACES_SAMPLER=jaeger_remote", "is none of: always_on, always_off"},
        {"OTEL_TRACES_SAMPLER_ARG=1.5", "is not a number from 0 to 1"},
        {"OTEL_TRACES_SAMPLER_ARG=-1", "is not a number from 0 to 1"},
        {"OTEL_TRACES_SAMPLER_ARG=.", "is not a number from 0 to 1"},
        {"OTEL_TRACES_SAMPLER_ARG=0.1x", "is not a number from 0 to 1"},
        {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=x", "is none of: lowmemory, delta"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t text[CONF_ERROR_TEXT_MAX];
        struct wr wr = wr_init(text, sizeof text - 1);
        assert_int_equal(READ(cases[i].variable, "OTLP_GRPC_ENDPOINT=c:1"), 1);
        conf_error_write(&conf.errors, 0, &wr);
        text[wr.len] = '\0';
        assert_non_null(strstr((const char *)text, cases[i].message));
        assert_null(strstr((const char *)text, "hush"));
    }
}

static void too_many_attributes_are_too_many(void **state)
{
    static char text[8192] = "OTEL_RESOURCE_ATTRIBUTES=";

    (void)state;
    for (int i = 0; i < 64; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "key%d=value,", i);
    }
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1", text), 1);
}

static void the_resource_is_defaults_attributes_and_the_name(void **state)
{
    struct telemetry_resource resource;

    (void)state;
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1"), 0);
    assert_true(daemon_otlp_config_resource(&config, &resource));
    assert_int_equal(resource.count, 6);
    assert_true(bytes_equal_text(resource.attributes[0].value, "tunnel"));
    assert_true(bytes_equal_text(resource.attributes[1].value, "fairlead"));
    assert_int_equal(READ("OTLP_GRPC_ENDPOINT=c:1",
                          "OTEL_RESOURCE_ATTRIBUTES=service.name=no,service.namespace=mine",
                          "OTEL_SERVICE_NAME=me"),
                     0);
    assert_true(daemon_otlp_config_resource(&config, &resource));
    assert_int_equal(resource.count, 6);
    assert_true(bytes_equal_text(resource.attributes[0].key, "service.name"));
    assert_true(bytes_equal_text(resource.attributes[0].value, "me"));
    assert_true(bytes_equal_text(resource.attributes[1].value, "mine"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_off_without_an_endpoint_whatever_else_is_there),
        cmocka_unit_test(has_the_defaults_of_the_table),
        cmocka_unit_test(the_endpoint_that_says_most_wins),
        cmocka_unit_test(reads_every_option),
        cmocka_unit_test(one_signal_may_be_sent_otherwise),
        cmocka_unit_test(samplers_are_a_part_of_all),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(too_many_attributes_are_too_many),
        cmocka_unit_test(the_resource_is_defaults_attributes_and_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
