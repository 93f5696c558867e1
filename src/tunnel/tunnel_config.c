// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/daemon_web.h"
#include "io/io_cpu.h"
#include "io/io_limit.h"
#include "io/io_linger.h"
#include "io/io_pipes.h"
#include "log/log.h"
#include "revtun/revtun_line.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_data.h"
#include "tunnel/tunnel_options.h"
#include "tunnel/tunnel_previews.h"
#include "tunnel/tunnel_sealed.h"
#include "tunnel/tunnel_state.h"

enum {
    TIMEOUT_MAX_S = 604800, // a week
    SESSIONS_MAX = 1000000,
    DURATION_MAX_S = 366 * 86400,
    AGENTS_DEFAULT = 1024,
    PING_MIN_S = 5,
    PING_MAX_S = 300,
    PINGS_OF_DEATH = 3,                            // that are missed in a row by who is lost
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

// --- version 2 -----------------------------------------------------------------------------------

static bool is_among(uint32_t port, uint32_t first, uint32_t count)
{
    return port >= first && port - first < count;
}

// The ports of tunnels are behind those of the pairs if nobody says where else. Both versions' lie
// apart.
static void read_tunnel_ports(struct conf *conf, struct tunnel_config *out)
{
    const struct conf_value *first = conf_find(conf, "tunnel-port");
    const struct conf_value *shared = conf_find(conf, "tls-port");
    const uint32_t own_first = out->core.control_port;
    const uint32_t own_count = 1 + 2 * out->core.pair_count;
    struct revtun_hub_config *hub = &out->hub;
    uint64_t count = 0;

    hub->first_port =
        own_first + own_count <= UINT16_MAX ? (uint16_t)(own_first + own_count) : UINT16_MAX;
    conf_value_port(&conf->errors, first, &hub->first_port);
    conf_value_port(&conf->errors, shared, &hub->tls_port);
    if (!conf_value_number(&conf->errors, conf_find(conf, "tunnel-port-count"), 1, UINT16_MAX,
                           &count)) {
        return;
    }
    hub->port_count = (uint16_t)count;
    const bool is_wanted = out->access.len > 0 || out->state.len > 0;
    const bool is_apart = hub->first_port + count <= UINT16_MAX + 1 &&
                          !is_among(own_first, hub->first_port, (uint32_t)count) &&
                          !is_among(hub->first_port, own_first, own_count);
    const bool is_shared_apart =
        hub->tls_port == 0 || (!is_among(hub->tls_port, own_first, own_count) &&
                               !is_among(hub->tls_port, hub->first_port, (uint32_t)count));
    out->has_room_for_tunnels = is_apart && is_shared_apart;
    if (is_wanted && !is_apart) {
        conf_error_value(&conf->errors,
                         first != NULL ? first : conf_find(conf, "tunnel-port-count"),
                         "leaves no room for the ports of tunnels beside the other ports");
    } else if (is_wanted && !is_shared_apart) {
        conf_error_value(&conf->errors, shared, "is one of the other ports");
    }
}

static void read_seconds(struct conf *conf, const char *name, uint64_t min, uint32_t *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, name), min, DURATION_MAX_S, &number)) {
        *out = (uint32_t)number;
    }
}

static void read_ping(struct conf *conf, struct revtun_hub_config *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, "ping"), PING_MIN_S, PING_MAX_S,
                          &number)) {
        out->ping_s = (uint32_t)number;
        out->dead_s = PINGS_OF_DEATH * out->ping_s;
    }
}

static void read_data(struct conf *conf, enum revtun_message_data *out)
{
    size_t data = 0;

    if (conf_value_word(&conf->errors, conf_find(conf, "data"), tunnel_data_words,
                        TUNNEL_DATA_WORD_COUNT, &data)) {
        *out = (enum revtun_message_data)data;
    }
}

static void read_second(struct conf *conf, struct tunnel_config *out)
{
    const struct conf_value *access = conf_find(conf, "access");
    const struct conf_value *leases = conf_find(conf, "leases");
    const struct conf_value *state = conf_find(conf, "state");
    uint32_t agents = AGENTS_DEFAULT;

    out->hub = revtun_hub_config_default();
    read_data(conf, &out->hub.data);
    out->access = access != NULL ? access->text : (struct bytes){0};
    out->state = state != NULL ? state->text : (struct bytes){0};
    out->leases = leases != NULL ? leases->text : (struct bytes){0};
    read_tunnel_ports(conf, out);
    read_seconds(conf, "lease", 1, &out->hub.lease_s);
    read_seconds(conf, "grace", 1, &out->hub.grace_s);
    read_ping(conf, &out->hub);
    read_limit(conf, "max-agents", &agents);
    // Those who have not proven themselves are limited elsewhere, and take no place of these.
    out->hub.max_links = agents + TUNNEL_CONTROLS_STRANGER_MAX;
    read_limit(conf, "max-tunnels", &out->hub.max_services);
    out->hub.max_hosts = out->hub.max_services;
    read_limit(conf, "max-standing", &out->hub.max_standing);
}

// Clients are limited in all, whatever the version.
static void share_limits(struct tunnel_config *config)
{
    config->hub.max_sessions = config->core.max_sessions;
    config->hub.max_waiting = config->core.max_waiting;
    config->hub.max_waiting_per_name = config->core.max_waiting_per_pair;
    config->hub.max_waiting_per_address = config->core.max_waiting_per_address;
}

void tunnel_config_keep_in(struct tunnel_config *config, struct bytes state)
{
    static const char *const names[TUNNEL_CONFIG_KEPT_COUNT] = {
        TUNNEL_STATE_KEYS, TUNNEL_STATE_ACCESS, TUNNEL_STATE_LEASES};
    struct bytes *const places[TUNNEL_CONFIG_KEPT_COUNT] = {&config->keys, &config->access,
                                                            &config->leases};
    const bool are_given[TUNNEL_CONFIG_KEPT_COUNT] = {config->is_keys_given, config->access.len > 0,
                                                      config->leases.len > 0};
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%.*s", (int)state.len, (const char *)state.ptr);
    config->state = state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!are_given[i]) {
            tunnel_state_path(folder, names[i], config->kept[i]);
            *places[i] = bytes_of_text(config->kept[i]);
        }
    }
}

bool tunnel_config_has_second(const struct tunnel_config *config)
{
    return config->access.len > 0;
}

enum tunnel_folder_relay tunnel_config_speaks(const struct tunnel_config *config)
{
    if (!tunnel_config_has_second(config)) {
        return TUNNEL_FOLDER_FIRST;
    }
    return config->hub.data == REVTUN_MESSAGE_DATA_PLAIN ? TUNNEL_FOLDER_BOTH
                                                         : TUNNEL_FOLDER_SEALED;
}

// --- all of it -----------------------------------------------------------------------------------

bool tunnel_config_read(void *context, struct conf *conf)
{
    struct tunnel_config *out = context;

    *out = (struct tunnel_config){.core = revtun_config_default()};
    daemon_config_read(conf, &out->daemon);
    daemon_otlp_config_read(conf, TUNNEL_OPTIONS_SERVICE, TUNNEL_OPTIONS_NAMESPACE, &out->otlp);
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
    out->is_keys_given = conf_is_given(conf, "keys");
    out->is_host_given = conf_is_given(conf, "myhost");
    read_second(conf, out);
    share_limits(out);
    if (out->state.len > 0) {
        tunnel_config_keep_in(out, out->state);
    }
    return conf->errors.count == 0;
}

// Descriptors that are not those of sessions.
static uint64_t fixed_descriptors(const struct tunnel_config *config)
{
    const uint64_t listeners = 1 + 2 * (uint64_t)config->core.pair_count;
    const uint64_t controls = config->core.pair_count + TUNNEL_CONTROLS_STRANGER_MAX;
    const uint64_t second = tunnel_config_has_second(config)
                                ? (uint64_t)config->hub.port_count + 1 + TUNNEL_PREVIEWS_MAX +
                                      TUNNEL_SEALED_MAX + config->hub.max_links +
                                      config->hub.max_standing
                                : 0;

    return OTHER_DESCRIPTORS + listeners + controls + second + IO_LINGER_MAX +
           DAEMON_WEB_DESCRIPTORS + (uint64_t)config->daemon.worker_count * WORKER_DESCRIPTORS;
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
    share_limits(config);
}
