// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_hairpin.h"

#include "turn/turn_server_priv.h"

bool turn_hairpin_is_own(const struct turn_server *server, struct addr *peer)
{
    const struct turn_config *config = &server->config;
    bool is_ip4 = peer->family == ADDR_IP4;
    const struct addr *public = is_ip4 ? &config->public_ip4 : &config->public_ip6;
    const struct addr *bind = is_ip4 ? &config->bind_ip4 : &config->bind_ip6;

    if (addr_same_ip(peer, public)) {
        return true;
    }
    // An unspecified address is not one of the relay's, but of whoever uses it.
    if (public->family == ADDR_NONE || addr_is_unspecified(bind) || !addr_same_ip(peer, bind)) {
        return false;
    }
    *peer = addr_with_port(*public, peer->port);
    return true;
}

uint32_t turn_hairpin_find(const struct turn_server *server, const struct addr *peer)
{
    uint32_t index = turn_allocation_find_port(server, peer->port);

    if (index == POOL_NONE ||
        !turn_allocation_has_family(turn_allocation_at(server, index), peer->family)) {
        return POOL_NONE;
    }
    return index;
}

uint32_t turn_hairpin_shard(const struct turn_server *server, const struct addr *peer)
{
    return turn_commons_relayed_by(server->commons, peer->port,
                                   turn_allocation_family_bit(peer->family));
}

bool turn_hairpin_is_listener(const struct turn_server *server, const struct addr *peer)
{
    struct addr copy = *peer;

    if (peer->port != server->config.listen_port || peer->port == 0) {
        return false;
    }
    return turn_hairpin_is_own(server, &copy) || turn_peers_is_own(&server->policy->peers, peer);
}

bool turn_hairpin_is_allowed(const struct turn_server *server, const struct addr *peer)
{
    return turn_peers_denial(&server->policy->peers, peer, false) == TURN_REFUSAL_NONE;
}
