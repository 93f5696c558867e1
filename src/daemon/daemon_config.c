// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_config.h"

#include "daemon/daemon_load.h"
#include "io/io_local.h"
#include "log/log_directives.h"

static void read_log_filter(struct conf *conf, struct daemon_config *out)
{
    const struct conf_value *value = daemon_load_find(conf, "log-filter");
    struct log_directives directives;

    if (value == NULL) {
        out->log_filter = bytes_of_text("info");
        return;
    }
    const struct log_directives_error wrong = log_directives_read(value->text, &directives);
    if (wrong.predicate == NULL) {
        out->log_filter = value->text;
    } else {
        conf_error_value(&conf->errors, value, wrong.predicate);
    }
}

static void read_log(struct conf *conf, struct daemon_config *out)
{
    size_t format = 0;

    if (conf_value_word(&conf->errors, daemon_load_find(conf, "log-format"), log_line_formats,
                        LOG_LINE_FORMAT_COUNT, &format)) {
        out->log_format = (enum log_line_format)format;
    }
    read_log_filter(conf, out);
}

static void read_numbers(struct conf *conf, struct daemon_config *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, daemon_load_find(conf, "drain-timeout"), 0,
                          DAEMON_CONFIG_DRAIN_MAX_S, &number)) {
        out->drain_timeout_s = (uint32_t)number;
    }
    if (conf_value_number(&conf->errors, daemon_load_find(conf, "num-worker-threads"), 1,
                          DAEMON_CONFIG_WORKER_MAX, &number)) {
        out->worker_count = (uint32_t)number;
    }
}

void daemon_config_place_read(struct conf *conf, const char *name, struct daemon_config_place *out)
{
    const struct conf_value *value = daemon_load_find(conf, name);

    out->is_given = value != NULL && value->place.source != CONF_DEFAULT;
    if (value != NULL && !bytes_equal_text(value->text, "off")) {
        conf_value_socket(&conf->errors, value, &out->addr);
    }
}

void daemon_config_read(struct conf *conf, struct daemon_config *out)
{
    static const char *const sites[] = {
        [DAEMON_CONFIG_HEALTH] = "health-check-addr",
        [DAEMON_CONFIG_CONTROL] = "control-endpoint",
        [DAEMON_CONFIG_METRICS] = "metrics-addr",
    };

    _Static_assert(COUNT_OF(sites) == DAEMON_CONFIG_SITE_COUNT, "each has an option");
    *out = (struct daemon_config){.log_format = LOG_LINE_HUMAN};
    read_log(conf, out);
    conf_value_text(&conf->errors, daemon_load_find(conf, "control-socket"), 1, IO_LOCAL_PATH_MAX,
                    &out->control_socket);
    read_numbers(conf, out);
    for (size_t i = 0; i < COUNT_OF(sites); i++) {
        daemon_config_place_read(conf, sites[i], &out->sites[i]);
    }
}
