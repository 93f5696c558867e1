// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_config.h"

#include <assert.h>
#include <inttypes.h>

#include "daemon/daemon_web.h"
#include "io/io_cpu.h"
#include "io/io_limit.h"
#include "io/io_linger.h"
#include "io/io_pipes.h"
#include "log/log.h"
#include "revtun/revtun_line.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_controls.h"

enum {
    TIMEOUT_MAX_S = 604800, // a week
    SESSIONS_MAX = 1000000,
    WORKER_DESCRIPTORS = 2 + IO_PIPES_DESCRIPTORS, // its loop and its bell besides
    OTHER_DESCRIPTORS = 32,                        // standard ones, signals, logs, control socket
};

// The original takes a count below zero for none, as long as it is even; and so is what follows the
// sign then.
static struct bytes without_sign(struct bytes text, bool *is_negative)
{
    uint64_t number = 0;

    *is_negative = text.len > 1 && text.ptr[0] == '-' &&
                   bytes_to_number(bytes_from(text, 1), UINT16_MAX, &number);
    return *is_negative ? bytes_from(text, 1) : text;
}

static void read_ports(struct conf *conf, struct revtun_config *out)
{
    const struct conf_value *value = conf_find(conf, "port-count");
    struct conf_value unsigned_value = *value;
    bool is_negative = false;
    uint64_t count = 0;

    conf_value_port(&conf->errors, conf_find(conf, "port"), &out->control_port);
    unsigned_value.text = without_sign(value->text, &is_negative);
    if (!conf_value_number(&conf->errors, &unsigned_value, 0, UINT16_MAX, &count)) {
        return;
    }
    if (count % 2 != 0) {
        conf_error_value(&conf->errors, value, "is not even");
    } else if (is_negative) {
        out->pair_count = 0;
    } else if (out->control_port != 0 &&
               !revtun_pairs_fit(out->control_port, (uint32_t)count / 2)) {
        conf_error_value(&conf->errors, value,
                         "is more than there are ports above the control port");
    } else {
        out->pair_count = (uint32_t)count / 2;
    }
}

static void read_host(struct conf *conf, struct bytes *out)
{
    const struct conf_value *value = conf_find(conf, "myhost");

    if (revtun_line_is_host(value->text)) {
        *out = value->text;
    } else {
        conf_error_value(&conf->errors, value, "is no address or name that servers could be told");
    }
}

static void read_policy(struct conf *conf, struct revtun_config *out)
{
    static const char *const words[] = {
        [REVTUN_CONFIG_SAME_IP] = "same-ip",
        [REVTUN_CONFIG_ANY] = "any",
    };
    size_t policy = 0;
    uint64_t timeout_s = 0;

    if (conf_value_word(&conf->errors, conf_find(conf, "reverse-policy"), words, COUNT_OF(words),
                        &policy)) {
        out->reverse_policy = (enum revtun_config_policy)policy;
    }
    if (conf_value_number(&conf->errors, conf_find(conf, "pending-timeout"), 0, TIMEOUT_MAX_S,
                          &timeout_s)) {
        out->pending_timeout_ns = timeout_s * SECOND_NS;
    }
}

static void read_handshakes(struct conf *conf, uint32_t *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, "max-handshakes-per-second"), 0,
                          TUNNEL_HANDSHAKES_MAX, &number)) {
        *out = (uint32_t)number;
    }
}

static void read_limit(struct conf *conf, const char *name, uint32_t *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, name), 1, SESSIONS_MAX, &number)) {
        *out = (uint32_t)number;
    }
}

bool tunnel_config_read(void *context, struct conf *conf)
{
    struct tunnel_config *out = context;

    *out = (struct tunnel_config){.core = revtun_config_default()};
    daemon_config_read(conf, &out->daemon);
    read_ports(conf, &out->core);
    read_host(conf, &out->core.host);
    read_policy(conf, &out->core);
    read_limit(conf, "max-sessions", &out->core.max_sessions);
    read_limit(conf, "max-sessions-per-pair", &out->core.max_sessions_per_pair);
    read_limit(conf, "max-waiting", &out->core.max_waiting);
    read_limit(conf, "max-waiting-per-pair", &out->core.max_waiting_per_pair);
    read_limit(conf, "max-waiting-per-address", &out->core.max_waiting_per_address);
    read_handshakes(conf, &out->handshakes_per_second);
    conf_value_addr(&conf->errors, conf_find(conf, "bind-addr"), ADDR_NONE, &out->bind_addr);
    out->public_bind_addr = out->bind_addr;
    conf_value_addr(&conf->errors, conf_find(conf, "public-bind-addr"), ADDR_NONE,
                    &out->public_bind_addr);
    out->keys = conf_find(conf, "keys")->text;
    return conf->errors.count == 0;
}

// Descriptors that are not those of sessions.
static uint64_t fixed_descriptors(const struct tunnel_config *config)
{
    const uint64_t listeners = 1 + 2 * (uint64_t)config->core.pair_count;
    const uint64_t controls = config->core.pair_count + TUNNEL_CONTROLS_STRANGER_MAX;

    return OTHER_DESCRIPTORS + listeners + controls + IO_LINGER_MAX + DAEMON_WEB_DESCRIPTORS +
           (uint64_t)config->daemon.worker_count * WORKER_DESCRIPTORS;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void tunnel_config_settle(struct tunnel_config *config)
{
    struct revtun_config *core = &config->core;
    uint64_t limit = 0;

    if (config->daemon.worker_count == 0) {
        config->daemon.worker_count = io_cpu_count();
    }
    const int error = io_limit_raise(&limit);
    if (error != 0) {
        LOG_WARN("the limit of descriptors is not known", LOG_ERROR_NUMBER("error", error));
        return;
    }
    const uint64_t fixed = fixed_descriptors(config);
    // Where there are few, the rest takes from one another what is not in use.
    const uint64_t left = limit > 2 * fixed ? limit - fixed : limit / 2;
    const uint32_t sessions = (uint32_t)(left / 2 < 1              ? 1
                                         : left / 2 > SESSIONS_MAX ? SESSIONS_MAX
                                                                   : left / 2);

    if (core->max_sessions > sessions) {
        LOG_INFO("fewer sessions than --max-sessions, since each takes two descriptors",
                 LOG_NUMBER("sessions", sessions), LOG_NUMBER("descriptors", limit));
        core->max_sessions = sessions;
    }
    core->max_waiting = least(core->max_waiting, core->max_sessions);
}
