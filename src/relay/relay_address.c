// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_address.h"

#include <assert.h>

#include "io/io_host.h"
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

static bool is_reachable(const struct addr *addr)
{
    return !addr_is_loopback(addr) && !addr_is_link_local(addr);
}

// A host without a default route may still have neighbours: the first address of each family.
static void take_interface(struct relay_config *config)
{
    struct addr addrs[RELAY_CONFIG_OWN_MAX];
    size_t count = 0;

    IGNORE(io_host_list(addrs, COUNT_OF(addrs), &count)); // those that fit will do
    for (size_t i = 0; i < count; i++) {
        struct addr *public =
            addrs[i].family == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;
        if (public->family == ADDR_NONE && is_reachable(&addrs[i])) {
            *public = addrs[i];
        }
    }
    if (has_address(config)) {
        LOG_WARN("there is no default route: serving this host's networks alone");
    }
}

// A host without a network: the relay serves the host itself, which can then try it out.
static void take_loopback(struct relay_config *config)
{
    config->public_ip4 = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);
    config->bind_ip4 = config->public_ip4;
    LOG_WARN("there is no default route: serving this host alone");
}

// Loopback addresses are left to their own rule, so that a wide one can lift it as a whole.
static void add_own(struct relay_config *config, const struct addr *addr)
{
    if (addr->family != ADDR_NONE && !addr_is_loopback(addr)) {
        assert(config->own_addr_count < COUNT_OF(config->own_addrs));
        config->own_addrs[config->own_addr_count++] = *addr;
    }
}

// The public addresses are listed too: behind a NAT they are no interface's.
void relay_address_list_own(struct relay_config *config)
{
    struct addr found[RELAY_CONFIG_OWN_MAX - 2];
    size_t count = 0;
    int error = io_host_list(found, COUNT_OF(found), &count);

    if (error != 0) {
        LOG_WARN("not all addresses of this host are denied as peers",
                 LOG_ERROR_NUMBER("error", error));
    }
    config->own_addr_count = 0;
    for (size_t i = 0; i < count; i++) {
        add_own(config, &found[i]);
    }
    add_own(config, &config->public_ip4);
    add_own(config, &config->public_ip6);
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
        take_interface(config);
    }
    if (!has_address(config)) {
        take_loopback(config);
    }
    relay_address_list_own(config);
    say(&config->public_ip4, config->listen_port);
    say(&config->public_ip6, config->listen_port);
}

bool relay_address_is_local(const struct addr *addr)
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
    return addr_is_unspecified(bind) && relay_address_is_local(public) ? *public : *bind;
}
