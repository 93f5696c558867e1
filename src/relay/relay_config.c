// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_config.h"

#include <assert.h>

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
    };

    for (size_t i = 0; i < COUNT_OF(list); i++) {
        const struct conf_value *value = conf_find(conf, list[i].name);
        struct addr *addr = (struct addr *)(void *)((uint8_t *)out + list[i].offset);

        if (conf_value_addr(&conf->errors, value, list[i].family, addr) && list[i].is_public &&
            addr_is_unspecified(addr)) {
            conf_error_value(&conf->errors, value,
                             "is no address that clients could be told; --bind-ip4-addr and "
                             "--bind-ip6-addr take it");
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

bool relay_config_read(struct conf *conf, struct relay_config *out)
{
    static const char *const formats[] = {"human", "json"};
    size_t format = 0;

    *out = (struct relay_config){0};
    read_addresses(conf, out);
    read_ports(conf, out);
    conf_value_text(&conf->errors, conf_find(conf, "realm"), 1, TURN_CONFIG_REALM_MAX, &out->realm);
    if (conf_value_word(&conf->errors, conf_find(conf, "log-format"), formats, COUNT_OF(formats),
                        &format)) {
        out->log_format = format == 0 ? LOG_LINE_HUMAN : LOG_LINE_JSON;
    }
    read_lists(conf, out);
    return conf->errors.count == 0;
}
