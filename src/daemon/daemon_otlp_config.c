// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_otlp_config.h"

#include <stdio.h>

enum {
    INTERVAL_MIN_MS = 100,
    INTERVAL_MAX_MS = 3600000,
    TIMEOUT_MAX_MS = 60000,
    FILE_NAME_MAX = 4095,    // bytes: PATH_MAX
    LIST_MAX = 8192,         // bytes of a list of pairs
    SERVICE_NAME_MAX = 1024, // bytes of the service's name
    RATIO_DIGITS = 9,        // behind the point; further ones do not count
};

#define ALL_SAMPLED (UINT64_C(1) << 32)

// Takes an endpoint from an option if it is given; says whether it is, right or wrong.
static bool read_endpoint(struct conf *conf, const char *name, bool may_be_bare,
                          struct telemetry_endpoint *out)
{
    const struct conf_value *value = conf_find(conf, name);

    if (value == NULL) {
        return false;
    }
    if (!telemetry_endpoint_read(value->text, may_be_bare, out)) {
        conf_error_value(&conf->errors, value,
                         may_be_bare ? "is neither HOST:PORT nor a URL of http or https"
                                     : "is not a URL of http or https, with a host and perhaps a "
                                       "port and a path");
    }
    return true;
}

// Takes a list of pairs that is well formed, if one is given.
static void read_list(struct conf *conf, const struct conf_value *value, struct bytes *out)
{
    uint8_t scratch[LIST_MAX];
    struct wr memory = wr_init(scratch, sizeof scratch);
    enum telemetry_baggage_outcome outcome = TELEMETRY_BAGGAGE_PAIR;

    if (value == NULL) {
        return;
    }
    if (value->text.len > LIST_MAX) {
        conf_error_value(&conf->errors, value, "is longer than 8192 bytes");
        return;
    }
    struct bytes left = value->text;
    while (outcome == TELEMETRY_BAGGAGE_PAIR) {
        struct bytes key = {0};
        struct bytes text = {0};
        outcome = telemetry_baggage_next(&left, &memory, &key, &text);
    }
    if (outcome != TELEMETRY_BAGGAGE_END) {
        conf_error_value(&conf->errors, value, telemetry_baggage_wrong(outcome));
        return;
    }
    *out = value->text;
}

// "otlp-timeout", and the same of one signal: "otlp-metrics-timeout".
static const struct conf_value *find_of(struct conf *conf, const char *prefix, const char *what)
{
    char name[64];

    snprintf(name, sizeof name, "%s-%s", prefix, what);
    return conf_find(conf, name);
}

// Takes what is given of how requests are sent, and leaves the rest. What is wrong with it is said.
static void read_sending(struct conf *conf, const char *prefix,
                         struct daemon_otlp_config_signal *signal)
{
    static const char *const protocols[] = {
        [TELEMETRY_GRPC] = "grpc",
        [TELEMETRY_HTTP] = "http/protobuf",
    };
    static const char *const compressions[] = {"none", "gzip"};
    size_t protocol = signal->protocol;
    size_t compression = signal->is_compressed;
    uint64_t timeout_ms = signal->timeout_ms;

    read_list(conf, find_of(conf, prefix, "headers"), &signal->headers);
    IGNORE(conf_value_word(&conf->errors, find_of(conf, prefix, "protocol"), protocols,
                           COUNT_OF(protocols), &protocol));
    IGNORE(conf_value_word(&conf->errors, find_of(conf, prefix, "compression"), compressions,
                           COUNT_OF(compressions), &compression));
    IGNORE(conf_value_number(&conf->errors, find_of(conf, prefix, "timeout"), 1, TIMEOUT_MAX_MS,
                             &timeout_ms));
    IGNORE(conf_value_text(&conf->errors, find_of(conf, prefix, "certificate"), 1, FILE_NAME_MAX,
                           &signal->certificate));
    signal->protocol = (enum telemetry_protocol)protocol;
    signal->is_compressed = compression == 1;
    signal->timeout_ms = (uint32_t)timeout_ms;
}

// Of each signal what is given for it alone stands above what is given for both.
static void read_signals(struct conf *conf, struct daemon_otlp_config *out)
{
    static const char *const prefixes[] = {
        [TELEMETRY_METRICS] = "otlp-metrics",
        [TELEMETRY_TRACES] = "otlp-traces",
    };
    static const char *const endpoints[] = {
        [TELEMETRY_METRICS] = "otlp-metrics-endpoint",
        [TELEMETRY_TRACES] = "otlp-traces-endpoint",
    };
    struct daemon_otlp_config_signal common = {.protocol = TELEMETRY_HTTP};

    read_sending(conf, "otlp", &common);
    const bool is_grpc = read_endpoint(conf, "otlp-grpc-endpoint", true, &common.endpoint);
    common.is_on = is_grpc || read_endpoint(conf, "otlp-endpoint", false, &common.endpoint);
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct daemon_otlp_config_signal *signal = &out->signals[i];
        *signal = common;
        read_sending(conf, prefixes[i], signal);
        if (read_endpoint(conf, endpoints[i], false, &signal->endpoint)) {
            signal->is_on = true;
            signal->is_whole = true;
        } else if (is_grpc) {
            signal->protocol = TELEMETRY_GRPC;
        }
    }
}

static void read_resource(struct conf *conf, struct daemon_otlp_config *out)
{
    static struct telemetry_resource resource; // only to see whether it has room
    const struct conf_value *name = conf_find(conf, "otel-service-name");
    const struct conf_value *attributes = conf_find(conf, "otel-resource-attributes");

    read_list(conf, attributes, &out->attributes);
    if (conf_value_text(&conf->errors, name, 1, SERVICE_NAME_MAX, &out->service_name) &&
        !telemetry_baggage_is_text(out->service_name)) {
        conf_error_value(&conf->errors, name, "is not UTF-8, or has a control character");
    }
    if (attributes != NULL && !daemon_otlp_config_resource(out, &resource)) {
        conf_error_value(&conf->errors, attributes, "has more than 50 attributes");
    }
}

static void read_interval(struct conf *conf, struct daemon_otlp_config *out)
{
    uint64_t interval_ms = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, "otlp-interval"), INTERVAL_MIN_MS,
                          INTERVAL_MAX_MS, &interval_ms)) {
        out->interval_ms = (uint32_t)interval_ms;
    }
}

// "0.25" as so many of 2^32.
static bool ratio_read(struct bytes text, uint64_t *out)
{
    const size_t point = bytes_index(text, '.');
    struct bytes digits = bytes_from(text, point + 1);
    uint64_t whole = 0;
    uint64_t scale = 1;
    uint64_t part = 0;

    if (point + 1 == text.len ||
        (point > 0 && !bytes_to_number(bytes_first(text, point), 1, &whole)) || text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return false;
        }
        if (i < RATIO_DIGITS) {
            part = part * 10 + (uint64_t)(digits.ptr[i] - '0');
            scale *= 10;
        }
    }
    if (whole == 1 && part > 0) {
        return false;
    }
    *out = whole * ALL_SAMPLED + part * ALL_SAMPLED / scale;
    return true;
}

static void read_sampler(struct conf *conf, struct daemon_otlp_config *out)
{
    enum { ON, OFF, RATIO, KINDS };
    static const char *const names[] = {
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    };
    const struct conf_value *ratio = conf_find(conf, "otlp-traces-sampler-arg");
    size_t index = RATIO;

    // What is wrong with it has been said.
    IGNORE(conf_value_word(&conf->errors, conf_find(conf, "otlp-traces-sampler"), names,
                           COUNT_OF(names), &index));
    switch (index % KINDS) {
    case ON:
        out->sampled = ALL_SAMPLED;
        break;
    case OFF:
        out->sampled = 0;
        break;
    default:
        if (!ratio_read(ratio->text, &out->sampled)) {
            conf_error_value(&conf->errors, ratio, "is not a number from 0 to 1");
        }
        break;
    }
}

static enum telemetry_otlp_temporality read_temporality(struct conf *conf)
{
    static const char *const names[] = {"lowmemory", "delta", "cumulative"};
    size_t index = 0;

    IGNORE(conf_value_word(&conf->errors, conf_find(conf, "otlp-temporality"), names,
                           COUNT_OF(names), &index)); // what is wrong with it has been said
    return index == 2 ? TELEMETRY_OTLP_CUMULATIVE : TELEMETRY_OTLP_LOW_MEMORY;
}

void daemon_otlp_config_read(struct conf *conf, const char *service, const char *space,
                             struct daemon_otlp_config *out)
{
    *out = (struct daemon_otlp_config){.service = service, .space = space};
    if (conf_flag(conf, "otel-sdk-disabled") || (conf_find(conf, "otlp-grpc-endpoint") == NULL &&
                                                 conf_find(conf, "otlp-endpoint") == NULL &&
                                                 conf_find(conf, "otlp-metrics-endpoint") == NULL &&
                                                 conf_find(conf, "otlp-traces-endpoint") == NULL)) {
        return;
    }
    read_signals(conf, out);
    read_resource(conf, out);
    read_interval(conf, out);
    out->temporality = read_temporality(conf);
    read_sampler(conf, out);
    if (!out->signals[TELEMETRY_TRACES].is_on) {
        out->sampled = 0;
    }
}

bool daemon_otlp_config_is_on(const struct daemon_otlp_config *config)
{
    return config->signals[TELEMETRY_METRICS].is_on || config->signals[TELEMETRY_TRACES].is_on;
}

bool daemon_otlp_config_resource(const struct daemon_otlp_config *config,
                                 struct telemetry_resource *out)
{
    const struct {
        const char *key, *value;
    } defaults[] = {
        {"service.name", config->service},     {"service.namespace", config->space},
        {"service.version", FAIRLEAD_VERSION}, {"telemetry.sdk.name", "fairlead"},
        {"telemetry.sdk.language", "c"},       {"telemetry.sdk.version", FAIRLEAD_VERSION},
    };

    telemetry_resource_init(out);
    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        if (!telemetry_resource_set(out, bytes_of_text(defaults[i].key),
                                    bytes_of_text(defaults[i].value))) {
            return false;
        }
    }
    if (telemetry_resource_read(out, config->attributes) != TELEMETRY_BAGGAGE_END) {
        return false;
    }
    return config->service_name.len == 0 ||
           telemetry_resource_set(out, bytes_of_text("service.name"), config->service_name);
}
