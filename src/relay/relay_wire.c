// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_wire.h"

#include "base/macro.h"
#include "io/io_route.h"
#include "log/log.h"
#include "relay/relay_address.h"

struct addr relay_wire_relayed(const struct relay_config *config, enum addr_family family)
{
    const struct addr *public = family == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;
    const struct addr *given = family == ADDR_IP4 ? &config->ebpf_int4 : &config->ebpf_int6;
    struct addr relayed = {0};

    if (public->family == ADDR_NONE) {
        return relayed;
    }
    if (given->family != ADDR_NONE) {
        if (!relay_address_is_local(given)) {
            LOG_WARN("the inner address is not this host's: its channels go by the sockets",
                     LOG_ADDR("address", given));
        }
        return *given;
    }
    relayed = relay_address_relayed(config, family);
    if (addr_is_unspecified(&relayed) && io_route_source(family, &relayed) != 0) {
        return (struct addr){0};
    }
    return relayed;
}

// The program cannot tell whose packets these are: of loopback addresses there are none on the wire
// but forged ones, and link-local ones of IPv6 mean something else on each interface.
static bool is_ambiguous(const struct addr *addr)
{
    return addr_is_loopback(addr) || (addr->family == ADDR_IP6 && addr_is_link_local(addr));
}

bool relay_wire_is_routed(const struct relay_config *config, enum addr_family family)
{
    const struct addr *public = family == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;

    if (public->family == ADDR_NONE) {
        return false;
    }
    const struct addr bound = relay_address_relayed(config, family);
    return addr_is_unspecified(&bound);
}

static size_t add_own(struct addr *own, size_t count, const struct addr *addr)
{
    if (addr->family == ADDR_NONE || addr_is_unspecified(addr) || is_ambiguous(addr) ||
        count == XDP_PROGRAM_OWN_MAX) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        if (addr_same_ip(&own[i], addr)) {
            return count;
        }
    }
    own[count] = *addr;
    return count + 1;
}

size_t relay_wire_list(const struct addr relayed[2], const struct relay_config *config,
                       struct addr own[XDP_PROGRAM_OWN_MAX])
{
    const struct addr *binds[] = {&config->bind_ip4, &config->bind_ip6};
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(binds); i++) {
        count = add_own(own, count, &relayed[i]);
    }
    for (size_t i = 0; i < COUNT_OF(binds); i++) {
        if (relayed[i].family == ADDR_NONE) {
            continue;
        }
        count = add_own(own, count, binds[i]);
        for (size_t j = 0; addr_is_unspecified(binds[i]) && j < config->own_addr_count; j++) {
            if (config->own_addrs[j].family == binds[i]->family) {
                count = add_own(own, count, &config->own_addrs[j]);
            }
        }
    }
    return count;
}
