// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf_scdoc.h"
#include "daemon/host.h"

enum { TEXT_MAX = 1 << 16, COLUMNS = 80 };

static bool is_skipped;

// What the relay's operators may rely on: names, environment names and defaults stay as they are.
static const struct {
    const char *name, *environment, *default_text;
    bool is_flag, is_repeated, is_outside_file;
} promised[] = {
    {"public-ip4-addr", "PUBLIC_IP4_ADDR", NULL, false, false, false},
    {"public-ip6-addr", "PUBLIC_IP6_ADDR", NULL, false, false, false},
    {"bind-ip4-addr", "BIND_IP4_ADDR", "0.0.0.0", false, false, false},
    {"bind-ip6-addr", "BIND_IP6_ADDR", "::", false, false, false},
    {"listen-port", "LISTEN_PORT", "3478", false, false, false},
    {"lowest-port", "LOWEST_PORT", "49152", false, false, false},
    {"highest-port", "HIGHEST_PORT", "65535", false, false, false},
    {"realm", "FAIRLEAD_REALM", "fairlead", false, false, false},
    {"user", "FAIRLEAD_USER", NULL, false, true, false},
    {"auth-secret", "FAIRLEAD_AUTH_SECRET", NULL, false, true, false},
    {"stamp-secret", "FAIRLEAD_STAMP_SECRET", NULL, false, false, false},
    {"token", "FIREZONE_TOKEN", NULL, false, false, false},
    {"name", "FIREZONE_NAME", NULL, false, false, false},
    {"api-url", "FIREZONE_API_URL", NULL, false, false, false},
    {"portal-ca", "FAIRLEAD_PORTAL_CA", NULL, false, false, false},
    {"allow-peer", "FAIRLEAD_ALLOW_PEER", NULL, false, true, false},
    {"deny-peer", "FAIRLEAD_DENY_PEER", NULL, false, true, false},
    {"max-allocations", "FAIRLEAD_MAX_ALLOCATIONS", "16384", false, false, false},
    {"max-permissions", "FAIRLEAD_MAX_PERMISSIONS", "65536", false, false, false},
    {"max-channels", "FAIRLEAD_MAX_CHANNELS", "65536", false, false, false},
    {"user-quota", "FAIRLEAD_USER_QUOTA", "64", false, false, false},
    {"permissions-per-allocation", "FAIRLEAD_PERMISSIONS_PER_ALLOCATION", "64", false, false,
     false},
    {"channels-per-allocation", "FAIRLEAD_CHANNELS_PER_ALLOCATION", "64", false, false, false},
    {"min-lifetime", "FAIRLEAD_MIN_LIFETIME", "600", false, false, false},
    {"max-pps", "FAIRLEAD_MAX_PPS", "0", false, false, false},
    {"max-bps", "FAIRLEAD_MAX_BPS", "0", false, false, false},
    {"unauthenticated-rate", "FAIRLEAD_UNAUTHENTICATED_RATE", "20000", false, false, false},
    {"strict-amplification", "FAIRLEAD_STRICT_AMPLIFICATION", NULL, true, false, false},
    {"ebpf-offloading", "EBPF_OFFLOADING", NULL, false, true, false},
    {"ebpf-attach-mode", "EBPF_ATTACH_MODE", "auto", false, false, false},
    {"ebpf-int4-addr", "EBPF_INT4_ADDR", NULL, false, false, false},
    {"ebpf-int6-addr", "EBPF_INT6_ADDR", NULL, false, false, false},
    {"otlp-grpc-endpoint", "OTLP_GRPC_ENDPOINT", NULL, false, false, false},
    {"otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", NULL, false, false, false},
    {"otlp-metrics-endpoint", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", NULL, false, false, false},
    {"otlp-traces-endpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", NULL, false, false, false},
    {"otlp-protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", false, false, false},
    {"otlp-headers", "OTEL_EXPORTER_OTLP_HEADERS", NULL, false, false, false},
    {"otlp-timeout", "OTEL_EXPORTER_OTLP_TIMEOUT", "10000", false, false, false},
    {"otlp-compression", "OTEL_EXPORTER_OTLP_COMPRESSION", "none", false, false, false},
    {"otlp-certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE", NULL, false, false, false},
    {"otlp-metrics-protocol", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", NULL, false, false, false},
    {"otlp-metrics-headers", "OTEL_EXPORTER_OTLP_METRICS_HEADERS", NULL, false, false, false},
    {"otlp-metrics-timeout", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", NULL, false, false, false},
    {"otlp-metrics-compression", "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", NULL, false, false,
     false},
    {"otlp-metrics-certificate", "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", NULL, false, false,
     false},
    {"otlp-traces-protocol", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", NULL, false, false, false},
    {"otlp-traces-headers", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", NULL, false, false, false},
    {"otlp-traces-timeout", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", NULL, false, false, false},
    {"otlp-traces-compression", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", NULL, false, false, false},
    {"otlp-traces-certificate", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", NULL, false, false, false},
    {"otlp-temporality", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory", false,
     false, false},
    {"otlp-interval", "OTEL_METRIC_EXPORT_INTERVAL", "60000", false, false, false},
    {"otlp-traces-sampler", "OTEL_TRACES_SAMPLER", "parentbased_traceidratio", false, false, false},
    {"otlp-traces-sampler-arg", "OTEL_TRACES_SAMPLER_ARG", "0.01", false, false, false},
    {"otel-service-name", "OTEL_SERVICE_NAME", NULL, false, false, false},
    {"otel-resource-attributes", "OTEL_RESOURCE_ATTRIBUTES", NULL, false, false, false},
    {"otel-sdk-disabled", "OTEL_SDK_DISABLED", NULL, true, false, false},
    {"num-worker-threads", "NUM_WORKER_THREADS", NULL, false, false, false},
    {"drain-timeout", "FAIRLEAD_DRAIN_TIMEOUT", "60", false, false, false},
    {"config", "FAIRLEAD_CONFIG", NULL, false, false, true},
    {"check-config", NULL, NULL, true, false, true},
    {"log-format", "LOG_FORMAT", "human", false, false, false},
    {"log-filter", "RUST_LOG", "info", false, false, false},
    {"control-socket", "FAIRLEAD_CONTROL_SOCKET", NULL, false, false, false},
    {"metrics-addr", "METRICS_ADDR", "127.0.0.1:9641", false, false, false},
    {"health-check-addr", "HEALTH_CHECK_ADDR", NULL, false, false, false},
    {"control-endpoint", "CONTROL_ENDPOINT", NULL, false, false, false},
    {"demo-addr", "FAIRLEAD_DEMO_ADDR", NULL, false, false, false},
    {"software", "FAIRLEAD_SOFTWARE", NULL, false, false, false},
    {"rng-seed", "RNG_SEED", NULL, false, false, false},
    {"telemetry", "TELEMETRY", NULL, true, false, false},
    {"version", NULL, NULL, true, false, true},
    {"help", NULL, NULL, true, false, true},
};

static void expect_text_or_none(const char *text, const char *expected)
{
    assert_int_equal(text == NULL, expected == NULL);
    if (text != NULL) {
        assert_string_equal(text, expected);
    }
}

static bool is_named_secret(const char *name)
{
    return strcmp(name, "user") == 0 || strcmp(name, "auth-secret") == 0 ||
           strcmp(name, "stamp-secret") == 0 || strcmp(name, "token") == 0 ||
           strcmp(name, "otlp-headers") == 0 || strcmp(name, "otlp-metrics-headers") == 0 ||
           strcmp(name, "otlp-traces-headers") == 0;
}

static void has_every_option_that_was_promised_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(relay_options_table.count, COUNT_OF(promised));
    for (size_t i = 0; i < COUNT_OF(promised); i++) {
        const struct conf_option *option =
            conf_option_find(&relay_options_table, bytes_of_text(promised[i].name));

        assert_non_null(option);
        expect_text_or_none(option->environment, promised[i].environment);
        expect_text_or_none(option->default_text, promised[i].default_text);
        assert_int_equal(option->placeholder == NULL, promised[i].is_flag);
        assert_int_equal(option->is_repeated, promised[i].is_repeated);
        assert_int_equal(option->is_outside_file, promised[i].is_outside_file);
        assert_int_equal(option->is_secret, is_named_secret(promised[i].name));
    }
}

static void is_a_sound_table(void **state)
{
    (void)state;
    conf_option_check(&relay_options_table);
}

static void fits_80_columns_in_help_with_every_option(void **state)
{
    static uint8_t memory[TEXT_MAX];
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    conf_help_write(&wr, &relay_options_table, &relay_options_program);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    for (size_t i = 0; i < COUNT_OF(promised); i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--%s", promised[i].name);
        assert_non_null(strstr((char *)memory, flag));
    }
    for (const char *line = (char *)memory; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        assert_true(len <= COLUMNS);
        assert_int_equal(line[len], '\n'); // the last line is ended, too
        line += len + 1;
    }
}

// A page with the options as its one section, and what must follow it.
static void page_write(struct wr *wr)
{
    wr_text(wr, "fairlead-relay(8)\n\n");
    conf_scdoc_write(wr, &relay_options_table);
    wr_text(wr, "\n# SEE ALSO\n\n*turnutils_uclient*(1)\n");
}

static void renders_as_a_man_page(void **state)
{
    static uint8_t memory[TEXT_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    page_write(&wr);
    assert_true(wr_ok(&wr));
    FILE *scdoc = popen("command -v scdoc >/dev/null || exit 77; exec scdoc >/dev/null", "w");
    assert_non_null(scdoc);
    const size_t written = fwrite(memory, 1, wr.len, scdoc);
    const int status = pclose(scdoc);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == HOST_SKIPPED) {
        puts("skipped: needs scdoc");
        is_skipped = true;
        return;
    }
    assert_int_equal(written, wr.len);
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_every_option_that_was_promised_and_no_other),
        cmocka_unit_test(is_a_sound_table),
        cmocka_unit_test(fits_80_columns_in_help_with_every_option),
        cmocka_unit_test(renders_as_a_man_page),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? HOST_SKIPPED : failed_count;
}
