// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_address.h"

#include <assert.h>

#include "io/io_route.h"
#include "io/io_udp.h"
#include "log/log.h"

static void take_bound(const struct addr *bind, struct addr *public)
{
    if (public->family == ADDR_NONE && !addr_is_unspecified(bind)) {
        *public = *bind;
    }
}

static bool has_address(const struct relay_config *config)
{
    return config->public_ip4.family != ADDR_NONE || config->public_ip6.family != ADDR_NONE;
}

static void take_route(enum addr_family family, struct addr *public)
{
    struct addr source = {0};

    if (io_route_source(family, &source) == 0) {
        *public = source;
    }
}

// A host without a network: the relay serves the host itself, which can then try it out.
static void take_loopback(struct relay_config *config)
{
    config->public_ip4 = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);
    config->bind_ip4 = config->public_ip4;
    config->rules[config->rule_count++] = (struct turn_peer_rule){
        .cidr = {.base = config->public_ip4, .prefix_len = 32},
        .is_allowed = true,
    };
    LOG_WARN("there is no default route: serving this host alone");
}

static void say(const struct addr *public, uint16_t listen_port)
{
    if (public->family != ADDR_NONE) {
        const struct addr address = addr_with_port(*public, listen_port);
        LOG_INFO("serving clients at", LOG_ADDR("public", &address));
    }
}

void relay_address_choose(struct relay_config *config)
{
    take_bound(&config->bind_ip4, &config->public_ip4);
    take_bound(&config->bind_ip6, &config->public_ip6);
    if (!has_address(config)) {
        take_route(ADDR_IP4, &config->public_ip4);
        take_route(ADDR_IP6, &config->public_ip6);
    }
    if (!has_address(config)) {
        take_loopback(config);
    }
    say(&config->public_ip4, config->listen_port);
    say(&config->public_ip6, config->listen_port);
}

static bool is_local(const struct addr *addr)
{
    struct io_udp probe = {.fd = -1};
    struct io_udp_options options = {.local = addr_with_port(*addr, 0)};

    if (io_udp_open(&options, &probe) != 0) {
        return false;
    }
    io_udp_close(&probe);
    return true;
}

struct addr relay_address_relayed(const struct relay_config *config, enum addr_family family)
{
    const struct addr *bind = family == ADDR_IP4 ? &config->bind_ip4 : &config->bind_ip6;
    const struct addr *public = family == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;

    assert(public->family == family);
    return addr_is_unspecified(bind) && is_local(public) ? *public : *bind;
}
