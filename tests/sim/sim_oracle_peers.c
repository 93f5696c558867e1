// SPDX-License-Identifier: Apache-2.0
// The naive server's peers and permissions (RFC 8656 sections 9 and 21.2).
#include <assert.h>
#include <string.h>

#include "sim/sim_oracle.h"

enum { PERMISSION_S = 300 };

static const struct prefix {
    const char *cidr;
    enum turn_refusal refusal;
} builtin[] = {
    {"0.0.0.0/8", TURN_REFUSAL_UNSPECIFIED},
    {"10.0.0.0/8", TURN_REFUSAL_PRIVATE},
    {"100.64.0.0/10", TURN_REFUSAL_SHARED},
    {"127.0.0.0/8", TURN_REFUSAL_LOOPBACK},
    {"169.254.0.0/16", TURN_REFUSAL_LINK_LOCAL},
    {"172.16.0.0/12", TURN_REFUSAL_PRIVATE},
    {"192.0.0.0/24", TURN_REFUSAL_RESERVED},
    {"192.0.2.0/24", TURN_REFUSAL_DOCUMENTATION},
    {"192.88.99.0/24", TURN_REFUSAL_RESERVED},
    {"192.168.0.0/16", TURN_REFUSAL_PRIVATE},
    {"198.18.0.0/15", TURN_REFUSAL_RESERVED},
    {"198.51.100.0/24", TURN_REFUSAL_DOCUMENTATION},
    {"203.0.113.0/24", TURN_REFUSAL_DOCUMENTATION},
    {"224.0.0.0/4", TURN_REFUSAL_MULTICAST},
    {"240.0.0.0/4", TURN_REFUSAL_RESERVED},
    {"64:ff9b:1::/48", TURN_REFUSAL_RESERVED},
    {"100::/8", TURN_REFUSAL_RESERVED},
    {"200::/7", TURN_REFUSAL_RESERVED},
    {"400::/6", TURN_REFUSAL_RESERVED},
    {"800::/5", TURN_REFUSAL_RESERVED},
    {"1000::/4", TURN_REFUSAL_RESERVED},
    {"2001:2::/48", TURN_REFUSAL_RESERVED},
    {"2001:10::/28", TURN_REFUSAL_RESERVED},
    {"2001:20::/28", TURN_REFUSAL_RESERVED},
    {"2001:db8::/32", TURN_REFUSAL_DOCUMENTATION},
    {"3fff::/20", TURN_REFUSAL_DOCUMENTATION},
    {"4000::/2", TURN_REFUSAL_RESERVED},
    {"8000::/1", TURN_REFUSAL_RESERVED},
    {"fc00::/7", TURN_REFUSAL_UNIQUE_LOCAL},
    {"fe80::/10", TURN_REFUSAL_LINK_LOCAL},
    {"ff00::/8", TURN_REFUSAL_MULTICAST},
};

// What Firezone's clients may have.
static bool is_private(enum turn_refusal refusal)
{
    return refusal == TURN_REFUSAL_PRIVATE || refusal == TURN_REFUSAL_SHARED ||
           refusal == TURN_REFUSAL_UNIQUE_LOCAL;
}

// Where RFC 4291, 6052, 3056 and 4380 put an IPv4 address inside of an IPv6 address.
static const struct wrap {
    const char *cidr;
    unsigned at; // the first byte of the IPv4 address
    uint8_t flip;
    bool is_tunnel;
} wraps[] = {
    {"::ffff:0:0/96", 12, 0, false}, {"::/96", 12, 0, false},       {"64:ff9b::/96", 12, 0, false},
    {"2002::/16", 2, 0, true},       {"2001::/32", 12, 0xff, true},
};

// Both tables' prefixes, read once: each datagram is held against them.
static struct cidr builtin_cidrs[COUNT_OF(builtin)];
static struct cidr wrap_cidrs[COUNT_OF(wraps)];

static struct cidr cidr_of(const char *text)
{
    struct cidr cidr = {0};
    enum cidr_outcome outcome = cidr_read(bytes_of_text(text), &cidr);

    assert(outcome == CIDR_OK);
    return cidr;
}

static void read_tables(void)
{
    if (builtin_cidrs[0].prefix_len > 0) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(builtin); i++) {
        builtin_cidrs[i] = cidr_of(builtin[i].cidr);
    }
    for (size_t i = 0; i < COUNT_OF(wraps); i++) {
        wrap_cidrs[i] = cidr_of(wraps[i].cidr);
    }
}

static struct addr unwrapped(const struct addr *addr)
{
    for (size_t i = 0; i < COUNT_OF(wraps); i++) {
        uint8_t ip[ADDR_IP4_LEN];
        if (!cidr_contains(&wrap_cidrs[i], addr)) {
            continue;
        }
        for (size_t k = 0; k < sizeof ip; k++) {
            ip[k] = addr->ip[wraps[i].at + k] ^ wraps[i].flip;
        }
        return addr_ip4(ip, addr->port);
    }
    return *addr;
}

// 6to4 or Teredo (RFC 8656 section 21.4).
static bool is_tunnel(const struct addr *addr)
{
    for (size_t i = 0; i < COUNT_OF(wraps); i++) {
        if (wraps[i].is_tunnel && cidr_contains(&wrap_cidrs[i], addr)) {
            return true;
        }
    }
    return false;
}

// Any of the rules that are allowing, or denying, as long as `longest` at least.
static void apply_rules(const struct turn_config *config, const struct addr *peer, bool is_allowing,
                        int *longest, enum turn_refusal *denial)
{
    for (size_t i = 0; i < config->rule_count; i++) {
        const struct turn_peer_rule *rule = &config->rules[i];
        if (rule->is_allowed == is_allowing && cidr_contains(&rule->cidr, peer) &&
            rule->cidr.prefix_len >= *longest) {
            *longest = rule->cidr.prefix_len;
            *denial = is_allowing ? TURN_REFUSAL_NONE : TURN_REFUSAL_RULE;
        }
    }
}

enum turn_refusal sim_oracle_denial(const struct sim_oracle *oracle, const struct addr *wrapped,
                                    bool is_firezone)
{
    const struct turn_config *config = &oracle->setup->config;
    read_tables();
    const struct addr peer = unwrapped(wrapped);
    enum turn_refusal denial = TURN_REFUSAL_NONE;
    int longest = -1;

    for (size_t i = 0; i < COUNT_OF(builtin); i++) {
        const struct cidr *cidr = &builtin_cidrs[i];
        if (cidr_contains(cidr, &peer) && cidr->prefix_len > longest) {
            longest = cidr->prefix_len;
            bool is_allowed = is_firezone && is_private(builtin[i].refusal);
            denial = is_allowed ? TURN_REFUSAL_NONE : builtin[i].refusal;
        }
    }
    for (size_t i = 0; i < config->own_addr_count; i++) {
        if (addr_same_ip(&config->own_addrs[i], &peer)) {
            longest = peer.family == ADDR_IP4 ? 32 : 128;
            denial = TURN_REFUSAL_OWN;
        }
    }
    apply_rules(config, &peer, true, &longest, &denial); // denying rules stand above
    apply_rules(config, &peer, false, &longest, &denial);
    return denial == TURN_REFUSAL_NONE && is_tunnel(wrapped) ? TURN_REFUSAL_TUNNEL : denial;
}

bool sim_oracle_is_own(const struct sim_oracle *oracle, struct addr *peer)
{
    const struct turn_config *config = &oracle->setup->config;
    bool is_ip4 = peer->family == ADDR_IP4;
    const struct addr *public = is_ip4 ? &config->public_ip4 : &config->public_ip6;
    const struct addr *bind = is_ip4 ? &config->bind_ip4 : &config->bind_ip6;

    if (public->family == ADDR_NONE ||
        (!addr_same_ip(peer, public) && (!addr_same_ip(peer, bind) || addr_is_unspecified(bind)))) {
        return false;
    }
    *peer = addr_with_port(*public, peer->port);
    return true;
}

bool sim_oracle_is_listener(const struct sim_oracle *oracle, const struct addr *wrapped)
{
    const struct turn_config *config = &oracle->setup->config;
    struct addr own = *wrapped;

    if (config->listen_port == 0 || wrapped->port != config->listen_port) {
        return false;
    }
    if (sim_oracle_is_own(oracle, &own)) {
        return true;
    }
    read_tables();
    const struct addr peer = unwrapped(wrapped);
    for (size_t i = 0; i < config->own_addr_count; i++) {
        if (addr_same_ip(&config->own_addrs[i], &peer)) {
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(builtin); i++) {
        bool is_host = builtin[i].refusal == TURN_REFUSAL_LOOPBACK ||
                       builtin[i].refusal == TURN_REFUSAL_UNSPECIFIED;
        if (is_host && cidr_contains(&builtin_cidrs[i], &peer)) {
            return true;
        }
    }
    return false;
}

unsigned sim_oracle_at_port(const struct sim_oracle *oracle, const struct addr *peer)
{
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live && oracle->allocations[i].port == peer->port &&
            (oracle->allocations[i].bound & sim_oracle_bit(peer->family)) != 0) {
            return i;
        }
    }
    return SIM_ORACLE_NONE;
}

unsigned sim_oracle_check_peer(const struct sim_oracle *oracle, const struct sim_naive *message,
                               const struct sim_naive_attr *attr, struct sim_expect *expect,
                               struct addr *peer)
{
    if (!sim_naive_addr(message, attr, peer)) {
        return 400;
    }
    if ((oracle->allocations[expect->allocation].bound & sim_oracle_bit(peer->family)) == 0) {
        return 443;
    }
    // A permission is for all ports of an address; a channel for one, which must be relayed.
    bool is_any = message->method == 0x008;
    if (!is_any && sim_oracle_is_listener(oracle, peer)) {
        expect->refusal = TURN_REFUSAL_LISTENER;
        sim_cover_point(oracle->cover, SIM_COVER_LISTENER_BOUND);
        return 403;
    }
    if (sim_oracle_is_own(oracle, peer)) {
        if (is_any || sim_oracle_at_port(oracle, peer) != SIM_ORACLE_NONE) {
            sim_cover_point(oracle->cover, is_any ? SIM_COVER_OWN_PERMITTED : SIM_COVER_OWN_BOUND);
            return 0;
        }
        sim_cover_point(oracle->cover, SIM_COVER_OWN_DEAD);
    }
    expect->refusal = sim_oracle_denial(oracle, peer, expect->is_firezone);
    if (expect->refusal != TURN_REFUSAL_NONE) {
        return 403;
    }
    if (sim_oracle_denial(oracle, peer, false) != TURN_REFUSAL_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_PRIVATE);
    }
    return 0;
}

enum turn_refusal sim_oracle_limit(const struct sim_oracle *oracle, unsigned allocation,
                                   size_t count)
{
    const struct turn_config *config = &oracle->setup->config;
    int64_t own_room = config->permissions_per_allocation; // less than none: there were to be more
    int64_t room = config->max_permissions;

    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        bool is_own = oracle->permissions[i].allocation == allocation;
        room -= oracle->permissions[i].until_ns != 0;
        own_room -= oracle->permissions[i].until_ns != 0 && is_own;
    }
    if (count == 0 || ((int64_t)count <= own_room && (int64_t)count <= room)) {
        return TURN_REFUSAL_NONE;
    }
    return own_room <= room ? TURN_REFUSAL_ALLOCATIONS_PERMISSIONS : TURN_REFUSAL_PERMISSIONS;
}

void sim_oracle_permit(struct sim_oracle *oracle, struct now now, unsigned allocation,
                       const struct addr *peer)
{
    struct sim_oracle_permission *permission = sim_oracle_permission(oracle, allocation, peer);

    for (size_t i = 0; permission == NULL; i++) {
        assert(i < SIM_SETUP_PERMISSIONS);
        permission = oracle->permissions[i].until_ns == 0 ? &oracle->permissions[i] : NULL;
    }
    *permission = (struct sim_oracle_permission){now.mono_ns + PERMISSION_S * SECOND_NS, allocation,
                                                 addr_with_port(*peer, 0)};
}

// Whether a peer may be had no more. Nobody denies an own address, which may be a client's; at one
// port there is one, or not.
static bool is_lost(const struct sim_oracle *oracle, unsigned allocation, const struct addr *peer,
                    bool has_port)
{
    struct addr own = *peer;
    bool is_own = sim_oracle_is_own(oracle, &own);

    if (is_own && (!has_port || sim_oracle_at_port(oracle, &own) != SIM_ORACLE_NONE)) {
        return false;
    }
    return sim_oracle_denial(oracle, peer, oracle->allocations[allocation].is_firezone) !=
           TURN_REFUSAL_NONE;
}

void sim_oracle_sweep(struct sim_oracle *oracle)
{
    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        struct sim_oracle_permission *permission = &oracle->permissions[i];
        if (permission->until_ns != 0 &&
            is_lost(oracle, permission->allocation, &permission->ip, false)) {
            permission->until_ns = 0;
            sim_cover_point(oracle->cover, SIM_COVER_REVOKED_PERMISSION);
        }
    }
    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        struct sim_oracle_channel *channel = &oracle->channels[i];
        if (channel->until_ns != 0 && is_lost(oracle, channel->allocation, &channel->peer, true)) {
            channel->until_ns = 0;
            sim_cover_point(oracle->cover, SIM_COVER_REVOKED_CHANNEL);
        }
    }
}
