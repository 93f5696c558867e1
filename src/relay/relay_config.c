// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_config.h"

#include <assert.h>

#include "base/bucket.h"
#include "portal_link/portal_link.h"
#include "portal_link/portal_link_frame.h"
#include "relay/relay_options.h"
#include "turn/turn_manner.h"

enum { PATH_LEN_MAX = 4095 }; // bytes of a file's name: PATH_MAX without the terminator

static bool has_user(const struct relay_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->user_count; i++) {
        if (bytes_equal(config->users[i].name, name)) {
            return true;
        }
    }
    return false;
}

// Splits NAME:PASSWORD; a name has no colon, a password may.
static void add_user(struct conf *conf, const struct conf_value *value, struct relay_config *out)
{
    size_t colon = bytes_index(value->text, ':');
    struct turn_user user = {
        .name = bytes_first(value->text, colon),
        .password = bytes_from(value->text, colon + 1),
    };

    if (user.name.len == 0 || user.password.len == 0) {
        conf_error_value(&conf->errors, value, "is not of the form NAME:PASSWORD");
    } else if (user.name.len > TURN_CONFIG_USERNAME_MAX) {
        conf_error_value(&conf->errors, value, "has a name of more than 508 bytes");
    } else if (has_user(out, user.name)) {
        conf_error_value(&conf->errors, value, "names a user for the second time");
    } else {
        assert(out->user_count < COUNT_OF(out->users));
        out->users[out->user_count++] = user;
    }
}

static void add_rule(struct conf *conf, const struct conf_value *value, bool is_allowed,
                     struct relay_config *out)
{
    struct turn_peer_rule rule = {.is_allowed = is_allowed};

    if (conf_value_cidr(&conf->errors, value, &rule.cidr)) {
        assert(out->rule_count < CONF_VALUE_MAX);
        out->rules[out->rule_count++] = rule;
    }
}

static void read_lists(struct conf *conf, struct relay_config *out)
{
    const struct conf_value *value = NULL;

    while ((value = conf_next(conf, "user", value)) != NULL) {
        add_user(conf, value, out);
    }
    while ((value = conf_next(conf, "allow-peer", value)) != NULL) {
        add_rule(conf, value, true, out);
    }
    while ((value = conf_next(conf, "deny-peer", value)) != NULL) {
        add_rule(conf, value, false, out);
    }
}

// Unspecified, multicast, mapped and link-local addresses lead no client here.
static bool can_be_public(const struct addr *addr)
{
    static const struct cidr others[] = {
        {.base = {.ip = {224}, .family = ADDR_IP4}, .prefix_len = 3},
        {.base = {.ip = {0xff}, .family = ADDR_IP6}, .prefix_len = 8},
        {.base = {.ip = {0xfe, 0x80}, .family = ADDR_IP6}, .prefix_len = 10},
        {.base = {.ip = {[10] = 0xff, 0xff}, .family = ADDR_IP6}, .prefix_len = 96},
    };

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (cidr_contains(&others[i], addr)) {
            return false;
        }
    }
    return !addr_is_unspecified(addr);
}

static void read_addresses(struct conf *conf, struct relay_config *out)
{
    static const struct {
        const char *name;
        enum addr_family family;
        size_t offset;
        bool is_public;
    } list[] = {
        {"public-ip4-addr", ADDR_IP4, offsetof(struct relay_config, public_ip4), true},
        {"public-ip6-addr", ADDR_IP6, offsetof(struct relay_config, public_ip6), true},
        {"bind-ip4-addr", ADDR_IP4, offsetof(struct relay_config, bind_ip4), false},
        {"bind-ip6-addr", ADDR_IP6, offsetof(struct relay_config, bind_ip6), false},
        {"ebpf-int4-addr", ADDR_IP4, offsetof(struct relay_config, ebpf_int4), true},
        {"ebpf-int6-addr", ADDR_IP6, offsetof(struct relay_config, ebpf_int6), true},
    };

    for (size_t i = 0; i < COUNT_OF(list); i++) {
        const struct conf_value *value = conf_find(conf, list[i].name);
        struct addr *addr = (struct addr *)(void *)((uint8_t *)out + list[i].offset);

        if (conf_value_addr(&conf->errors, value, list[i].family, addr) && list[i].is_public &&
            !can_be_public(addr)) {
            conf_error_value(&conf->errors, value, "is no address that clients could be told");
        }
    }
}

static void read_ports(struct conf *conf, struct relay_config *out)
{
    const struct conf_value *lowest = conf_find(conf, "lowest-port");
    const struct conf_value *highest = conf_find(conf, "highest-port");

    conf_value_port(&conf->errors, conf_find(conf, "listen-port"), &out->listen_port);
    // Both are read, whatever comes of the first, so that one run shows all mistakes.
    bool has_lowest = conf_value_port(&conf->errors, lowest, &out->lowest_port);
    bool has_highest = conf_value_port(&conf->errors, highest, &out->highest_port);
    if (has_lowest && has_highest && out->lowest_port > out->highest_port) {
        conf_error_value(&conf->errors, lowest, "is above --highest-port");
    }
}

static void read_secrets(struct conf *conf, struct relay_config *out)
{
    const struct conf_value *stamp = conf_find(conf, "stamp-secret");
    const struct conf_value *value = NULL;

    while ((value = conf_next(conf, "auth-secret", value)) != NULL) {
        struct bytes secret = {0};
        if (!conf_value_text(&conf->errors, value, 1, TURN_CONFIG_SECRET_MAX, &secret)) {
            continue;
        }
        if (out->auth_secret_count == COUNT_OF(out->auth_secrets)) {
            conf_error_value(&conf->errors, value, "is one secret more than the 8 there may be");
            return;
        }
        out->auth_secrets[out->auth_secret_count++] = secret;
    }
    conf_value_text(&conf->errors, stamp, 1, TURN_CONFIG_SECRET_MAX, &out->stamp_secret);
    if (out->stamp_secret.len > 0 && !out->has_portal &&
        bytes_equal(out->realm, turn_manner_firezone_realm)) {
        conf_error_value(&conf->errors, stamp, "cannot be used beside --realm firezone");
    }
    if (out->has_portal && !portal_link_frame_is_plain(out->stamp_secret)) {
        conf_error_value(&conf->errors, stamp, "has a character that the portal is not sent");
    }
}

// What only a relay with a portal can use.
static void refuse_without_token(struct conf *conf)
{
    static const char *const names[] = {"name", "api-url", "portal-ca"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct conf_value *value = conf_find(conf, names[i]);
        if (value != NULL) {
            conf_error_value(&conf->errors, value, "has no use without a token (FIREZONE_TOKEN)");
        }
    }
}

// The first argument, mistyped, may have been meant as a command. No token is a mere word.
static bool is_word(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 'a' || text.ptr[i] > 'z') {
            return false;
        }
    }
    return true;
}

static void read_portal(struct conf *conf, struct relay_config *out)
{
    const struct conf_value *url = conf_find(conf, "api-url");

    out->has_portal = conf_is_given(conf, "token");
    if (!out->has_portal) {
        refuse_without_token(conf);
        return;
    }
    conf_value_text(&conf->errors, conf_find(conf, "token"), 1, PORTAL_LINK_TOKEN_MAX, &out->token);
    conf_value_text(&conf->errors, conf_find(conf, "name"), 0, PORTAL_LINK_URL_NAME_MAX,
                    &out->name);
    conf_value_text(&conf->errors, conf_find(conf, "portal-ca"), 1, PATH_LEN_MAX, &out->portal_ca);
    if (url == NULL) {
        const struct conf_value *token = conf_find(conf, "token");
        if (token->place.source == CONF_COMMAND_LINE && is_word(token->text)) {
            conf_error_value(
                &conf->errors, token,
                "is taken for a portal's token; commands are named at the end of --help");
        }
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text("api-url")));
    } else if (!portal_link_url_read(url->text, &out->api_url)) {
        conf_error_value(&conf->errors, url,
                         "is not a URL such as https://api.example.org:8443/path (https, wss, http "
                         "or ws; with TLS it has a name)");
    }
}

// Where Firezone's relay answers without being told to.
static void settle_sites(struct conf *conf, struct relay_config *out)
{
    static const struct {
        size_t site;
        const char *name;
        struct addr addr;
    } usual[] = {
        {DAEMON_CONFIG_HEALTH, "health-check-addr", {.family = ADDR_IP4, .port = 8080}},
        {DAEMON_CONFIG_CONTROL,
         "control-endpoint",
         {.ip = {127, 0, 0, 1}, .family = ADDR_IP4, .port = 9999}},
    };

    for (size_t i = 0; i < COUNT_OF(usual); i++) {
        if (out->has_portal && conf_find(conf, usual[i].name) == NULL) {
            out->daemon.sites[usual[i].site].addr = usual[i].addr;
        }
    }
}

// A relay with a portal has one kind of clients, unless it is given users of its own. They are told
// the realm that their credentials are for, and what serves them, as by Firezone's relay.
static void settle_manner(struct conf *conf, struct relay_config *out)
{
    const struct conf_value *realm = conf_find(conf, "realm");
    const bool has_others =
        out->user_count > 0 || out->auth_secret_count > 0 || out->demo.addr.family != ADDR_NONE;

    if (!out->has_portal) {
        return;
    }
    if (conf_find(conf, "software") == NULL) {
        out->software = bytes_of_text("fairlead-relay");
    }
    if (realm->place.source == CONF_DEFAULT) {
        out->realm = has_others ? out->realm : turn_manner_firezone_realm;
    } else if (has_others && bytes_equal(out->realm, turn_manner_firezone_realm)) {
        conf_error_value(&conf->errors, realm, "is the portal's, and leaves none for other users");
    }
}

static void read_limits(struct conf *conf, struct relay_config *out)
{
    static const struct {
        const char *name;
        size_t offset;
        uint32_t max;
    } list[] = {
        {"min-lifetime", offsetof(struct relay_config, min_lifetime_s), 3600},
        {"max-allocations", offsetof(struct relay_config, max_allocations), 65536},
        {"max-permissions", offsetof(struct relay_config, max_permissions), 1 << 24},
        {"max-channels", offsetof(struct relay_config, max_channels), 1 << 24},
        {"user-quota", offsetof(struct relay_config, user_quota), 65536},
        {"permissions-per-allocation", offsetof(struct relay_config, permissions_per_allocation),
         UINT16_MAX},
        {"channels-per-allocation", offsetof(struct relay_config, channels_per_allocation),
         UINT16_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(list); i++) {
        uint64_t number = 0;
        if (conf_value_number(&conf->errors, conf_find(conf, list[i].name), 1, list[i].max,
                              &number)) {
            *(uint32_t *)(void *)((uint8_t *)out + list[i].offset) = (uint32_t)number;
        }
    }
}

// What there may be in a second; 0 is no limit.
static void read_rates(struct conf *conf, struct relay_config *out)
{
    static const struct {
        const char *name;
        size_t offset;
        uint64_t max;
    } list[] = {
        {"max-pps", offsetof(struct relay_config, max_pps), 100000000},
        {"max-bps", offsetof(struct relay_config, max_bps), BUCKET_RATE_MAX},
        {"unauthenticated-rate", offsetof(struct relay_config, unauthenticated_rate), 100000000},
    };

    for (size_t i = 0; i < COUNT_OF(list); i++) {
        uint64_t *rate = (uint64_t *)(void *)((uint8_t *)out + list[i].offset);
        // What is wrong with it has been said.
        IGNORE(
            conf_value_number(&conf->errors, conf_find(conf, list[i].name), 0, list[i].max, rate));
    }
}

static bool has_link(const struct relay_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->ebpf_link_count; i++) {
        if (bytes_equal(config->ebpf_links[i], name)) {
            return true;
        }
    }
    return false;
}

static void read_offloading(struct conf *conf, struct relay_config *out)
{
    static const char *const modes[] = {
        [XDP_LINK_AUTO] = "auto",
        [XDP_LINK_DRIVER] = "driver",
        [XDP_LINK_GENERIC] = "generic",
    };
    const struct conf_value *value = NULL;
    size_t mode = 0;

    while ((value = conf_next(conf, "ebpf-offloading", value)) != NULL) {
        struct bytes name = {0};
        if (!conf_value_text(&conf->errors, value, 1, RELAY_CONFIG_LINK_NAME_MAX, &name)) {
            continue;
        }
        if (bytes_equal(name, bytes_of_text("auto"))) {
            out->is_ebpf_auto = true;
        } else if (has_link(out, name)) {
            conf_error_value(&conf->errors, value, "names an interface for the second time");
        } else if (out->ebpf_link_count == COUNT_OF(out->ebpf_links)) {
            conf_error_value(&conf->errors, value,
                             "is one interface more than the 16 there may be");
            return;
        } else {
            out->ebpf_links[out->ebpf_link_count++] = name;
        }
    }
    if (conf_value_word(&conf->errors, conf_find(conf, "ebpf-attach-mode"), modes, COUNT_OF(modes),
                        &mode)) {
        out->ebpf_attach = (enum xdp_link_mode)mode;
    }
}

static void read_demo(struct conf *conf, struct relay_config *out)
{
    const struct addr *demo = &out->demo.addr;

    daemon_config_place_read(conf, "demo-addr", &out->demo);
    if (demo->family != ADDR_NONE && !addr_is_loopback(demo)) {
        conf_error_value(&conf->errors, conf_find(conf, "demo-addr"),
                         "is no address of loopback, such as 127.0.0.1:8088");
    } else if (demo->family != ADDR_NONE && out->auth_secret_count == COUNT_OF(out->auth_secrets)) {
        conf_error_value(&conf->errors, conf_find(conf, "demo-addr"),
                         "needs one --auth-secret for itself, and all 8 are given");
    }
}

// What Firezone's relay has a use for.
static void read_idle(struct conf *conf, struct relay_config *out)
{
    uint64_t seed = 0;

    out->has_rng_seed =
        conf_value_number(&conf->errors, conf_find(conf, "rng-seed"), 0, UINT64_MAX, &seed);
    out->has_telemetry = conf_flag(conf, "telemetry");
}

bool relay_config_read(struct conf *conf, struct relay_config *out)
{
    *out = (struct relay_config){0};
    read_addresses(conf, out);
    read_ports(conf, out);
    conf_value_text(&conf->errors, conf_find(conf, "realm"), 1, TURN_CONFIG_REALM_MAX, &out->realm);
    daemon_config_read(conf, &out->daemon);
    conf_value_text(&conf->errors, conf_find(conf, "software"), 0, TURN_CONFIG_SOFTWARE_MAX,
                    &out->software);
    out->is_amplification_strict = conf_flag(conf, "strict-amplification");
    read_lists(conf, out);
    read_portal(conf, out);
    read_secrets(conf, out);
    read_limits(conf, out);
    read_rates(conf, out);
    read_offloading(conf, out);
    read_demo(conf, out);
    settle_manner(conf, out);
    settle_sites(conf, out);
    read_idle(conf, out);
    daemon_otlp_config_read(conf, RELAY_OPTIONS_SERVICE, RELAY_OPTIONS_NAMESPACE, &out->otlp);
    return conf->errors.count == 0;
}

bool relay_config_has_credential(const struct relay_config *config)
{
    return config->user_count > 0 || config->auth_secret_count > 0 ||
           config->stamp_secret.len > 0 || config->has_portal;
}

struct turn_config relay_config_turn(const struct relay_config *config)
{
    struct turn_config turn = turn_config_default();

    turn.public_ip4 = config->public_ip4;
    turn.public_ip6 = config->public_ip6;
    turn.bind_ip4 = config->bind_ip4;
    turn.bind_ip6 = config->bind_ip6;
    turn.own_addrs = config->own_addrs;
    turn.own_addr_count = config->own_addr_count;
    turn.listen_port = config->listen_port;
    turn.lowest_port = config->lowest_port;
    turn.highest_port = config->highest_port;
    turn.realm = config->realm;
    turn.users = config->users;
    turn.user_count = config->user_count;
    turn.auth_secrets = config->auth_secrets;
    turn.auth_secret_count = config->auth_secret_count;
    turn.stamp_secret = config->stamp_secret;
    turn.rules = config->rules;
    turn.rule_count = config->rule_count;
    turn.software = config->software;
    turn.max_amplification = config->is_amplification_strict ? 1 : turn.max_amplification;
    turn.min_lifetime_s = config->min_lifetime_s;
    turn.default_lifetime_s = config->min_lifetime_s > turn.default_lifetime_s
                                  ? config->min_lifetime_s
                                  : turn.default_lifetime_s;
    turn.max_allocations = config->max_allocations;
    turn.max_permissions = config->max_permissions;
    turn.max_channels = config->max_channels;
    turn.allocations_per_user = config->user_quota;
    turn.permissions_per_allocation = config->permissions_per_allocation;
    turn.channels_per_allocation = config->channels_per_allocation;
    turn.max_pps = config->max_pps;
    turn.max_bps = config->max_bps;
    turn.unauthenticated_rate = config->unauthenticated_rate;
    return turn;
}
