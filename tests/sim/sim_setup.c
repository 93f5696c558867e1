// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_setup.h"

#include <assert.h>
#include <string.h>

#include "base/now.h"

static const struct turn_user users[SIM_SETUP_USERS] = {
    {BYTES_LITERAL("alice"), BYTES_LITERAL("a secret")},
    {BYTES_LITERAL("bob"), BYTES_LITERAL("b")},
    {BYTES_LITERAL("carol@an.example.of.a.rather.long.domain.name.example"),
     BYTES_LITERAL("correct horse battery staple")},
};

static struct cidr cidr_of(const char *text)
{
    struct cidr cidr = {0};
    enum cidr_outcome outcome = cidr_read(bytes_of_text(text), &cidr);

    assert(outcome == CIDR_OK);
    return cidr;
}

static struct addr addr_of(const char *text, uint16_t port)
{
    struct addr addr = {0};
    bool is_read = addr_read(bytes_of_text(text), &addr);

    assert(is_read);
    return addr_with_port(addr, port);
}

static void choose_rules(struct sim_setup *setup, struct rng *rng)
{
    static const struct {
        const char *cidr;
        bool is_allowed;
    } all[SIM_SETUP_RULES] = {
        {"20.0.1.0/24", false}, {"20.0.1.128/25", true},
        {"2600:1::/32", false}, {"2600:1::80/121", true},
        {"127.0.0.0/8", true},  {"20.0.0.2", false},
        {"::1", true},          {"20.0.0.2", true},
        {"203.0.113.1", true},  {"2001:db8::1", true},
        {"10.0.0.0/24", false}, {"fd00::/16", true},
    };

    setup->config.rules = setup->rules;
    setup->config.rule_count = 0;
    for (size_t i = 0; i < SIM_SETUP_RULES; i++) {
        if (rng_chance(rng, i < 4 ? 80 : 15)) {
            setup->rules[setup->config.rule_count++] =
                (struct turn_peer_rule){cidr_of(all[i].cidr), all[i].is_allowed};
        }
    }
}

static uint32_t up_to(struct rng *rng, uint32_t most)
{
    return 1 + (uint32_t)rng_below(rng, most);
}

static void choose_quotas(struct turn_config *config, struct rng *rng)
{
    config->allocations_per_user = up_to(rng, rng_chance(rng, 35) ? 3 : 64);
    config->permissions_per_allocation = up_to(rng, rng_chance(rng, 30) ? 3 : 64);
    config->channels_per_allocation = up_to(rng, rng_chance(rng, 30) ? 2 : 64);
}

static void choose_pools(struct turn_config *config, struct rng *rng)
{
    bool is_tiny = rng_chance(rng, 50);

    config->max_allocations = up_to(rng, is_tiny ? 3 : SIM_SETUP_ALLOCATIONS);
    config->max_permissions = up_to(rng, is_tiny ? 5 : SIM_SETUP_PERMISSIONS);
    config->max_channels = up_to(rng, is_tiny ? 4 : SIM_SETUP_CHANNELS);
    config->max_reservations = up_to(rng, is_tiny ? 1 : SIM_SETUP_RESERVATIONS);
    choose_quotas(config, rng);
    config->has_fast_path = rng_chance(rng, 70);
}

static void choose_ports(struct turn_config *config, struct rng *rng)
{
    uint32_t width = up_to(rng, rng_chance(rng, 40) ? 8 : 100);
    uint32_t top = rng_chance(rng, 10) ? 65535 : 50000 + (uint32_t)rng_below(rng, 1000);

    config->highest_port = (uint16_t)top;
    config->lowest_port = (uint16_t)(top - width + 1);
    if (rng_chance(rng, 3)) {
        config->lowest_port = 49152;
        config->highest_port = 65535;
    }
    config->shard_count = rng_chance(rng, 40) ? 1 : up_to(rng, SIM_SETUP_SHARDS);
}

// Rates of which a token's time is whole, so that the oracle may count in another way.
static void choose_limits(struct turn_config *config, struct rng *rng)
{
    static const uint64_t packets[] = {1, 2, 5, 10, 64};
    static const uint64_t bytes[] = {16, 100, 1000, 5000, 1000000};

    if (rng_chance(rng, 20)) {
        config->max_pps = packets[rng_below(rng, COUNT_OF(packets))];
    }
    if (rng_chance(rng, 20)) {
        config->max_bps = bytes[rng_below(rng, COUNT_OF(bytes))];
    }
}

static void choose_lifetimes(struct turn_config *config, struct rng *rng)
{
    static const uint32_t floors[] = {1, 5, 30, 600};

    config->min_lifetime_s = floors[rng_below(rng, COUNT_OF(floors))];
    config->max_lifetime_s = config->min_lifetime_s + (uint32_t)rng_below(rng, 3000);
    config->default_lifetime_s = rng_chance(rng, 60) ? 600 : up_to(rng, 700);
}

static void choose_realm(struct sim_setup *setup, struct rng *rng)
{
    static const char *const realms[] = {"fairlead", "r", "a b"};
    struct bytes realm = bytes_of_text(realms[rng_below(rng, COUNT_OF(realms))]);

    memset(setup->realm, 'x', sizeof setup->realm);
    memcpy(setup->realm, realm.ptr, realm.len);
    setup->config.realm = (struct bytes){setup->realm, realm.len};
    if (rng_chance(rng, 4)) {
        setup->config.realm.len = TURN_CONFIG_REALM_MAX;
    }
}

// At least one kind of credentials.
static void choose_credentials(struct sim_setup *setup, struct rng *rng)
{
    struct turn_config *config = &setup->config;

    memcpy(setup->users, users, sizeof users);
    config->users = setup->users;
    setup->secrets[0] = bytes_of_text("north");
    setup->secrets[1] = bytes_of_text("a secret that is longer than a block of SHA-1, which is 64");
    config->auth_secrets = setup->secrets;
    if (rng_chance(rng, 35)) {
        config->auth_secret_count = 1 + rng_below(rng, SIM_SETUP_SECRETS);
    }
    if (rng_chance(rng, 40)) {
        config->stamp_secret = bytes_of_text("4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5");
    }
    bool is_needed = config->auth_secret_count == 0 && config->stamp_secret.len == 0;
    config->user_count = is_needed || rng_chance(rng, 50) ? SIM_SETUP_USERS : 0;
}

// Where the sockets are bound, and what of it the operator's own rules name.
static void choose_own(struct sim_setup *setup, struct rng *rng)
{
    static const char *const binds4[] = {"0.0.0.0", "10.9.9.9", "20.0.0.77"};
    static const char *const binds6[] = {"::", "fd00::99", "2600::77"};
    struct turn_config *config = &setup->config;

    if (rng_chance(rng, 60)) {
        config->bind_ip4 = addr_of(binds4[rng_below(rng, COUNT_OF(binds4))], 0);
        config->bind_ip6 = addr_of(binds6[rng_below(rng, COUNT_OF(binds6))], 0);
    }
    config->own_addrs = setup->own;
    if (rng_chance(rng, 50)) {
        setup->own[config->own_addr_count++] = addr_with_port(setup->listen_ip4, 0);
        setup->own[config->own_addr_count++] = addr_with_port(setup->listen_ip6, 0);
        setup->own[config->own_addr_count++] = addr_of("10.9.9.9", 0);
    }
}

// A full server on a machine that sleeps, so that much expires at once.
static void make_sleepy(struct sim_setup *setup, struct rng *rng)
{
    struct turn_config *config = &setup->config;

    setup->lateness_ns = (2000 + rng_below(rng, 5000)) * SECOND_NS;
    setup->client_count = SIM_SETUP_CLIENTS;
    setup->all_refused_percent = 0;
    setup->port_refused_percent = 0;
    config->shard_count = 1;
    config->lowest_port = 50000;
    config->highest_port = 50063;
    config->max_allocations = SIM_SETUP_ALLOCATIONS;
    config->allocations_per_user = SIM_SETUP_ALLOCATIONS;
    config->max_amplification = 4;
    config->min_lifetime_s = 3600;
    config->max_lifetime_s = 7200;
}

void sim_setup_init(struct sim_setup *setup, struct rng *rng)
{
    unsigned families =
        rng_chance(rng, 50) ? 3 : 1 + (unsigned)rng_below(rng, 2); // bit 0: IPv4, bit 1: IPv6

    *setup = (struct sim_setup){.config = turn_config_default()};
    setup->listen_ip4 = addr_of("203.0.113.1", 3478);
    setup->listen_ip6 = addr_of("2001:db8::1", 3478);
    if ((families & 1) != 0) {
        setup->config.public_ip4 = addr_with_port(setup->listen_ip4, 0);
    }
    if ((families & 2) != 0) {
        setup->config.public_ip6 = addr_with_port(setup->listen_ip6, 0);
    }
    choose_credentials(setup, rng);
    choose_own(setup, rng);
    setup->config.listen_port = rng_chance(rng, 80) ? setup->listen_ip4.port : 0;
    choose_rules(setup, rng);
    choose_pools(&setup->config, rng);
    choose_ports(&setup->config, rng);
    choose_lifetimes(&setup->config, rng);
    choose_limits(&setup->config, rng);
    choose_realm(setup, rng);
    setup->config.max_amplification = rng_chance(rng, 25) ? 1 : 4;
    if (rng_chance(rng, 20)) {
        setup->config.software = bytes_of_text("a relay");
    }
    setup->icmp_percent = rng_chance(rng, 50) ? 10 : 0;
    setup->lateness_ns = rng_chance(rng, 40) ? rng_below(rng, 3 * SECOND_NS) : 0;
    setup->port_refused_percent = rng_chance(rng, 40) ? (unsigned)rng_below(rng, 100) : 0;
    setup->all_refused_percent = rng_chance(rng, 30) ? (unsigned)rng_below(rng, 30) : 0;
    setup->client_count = 1 + (unsigned)rng_below(rng, SIM_SETUP_CLIENTS);
    setup->rounds = 40 + (unsigned)rng_below(rng, 160);
    if (rng_chance(rng, 8)) {
        make_sleepy(setup, rng);
    }
}

void sim_setup_change(struct sim_setup *setup, struct rng *rng)
{
    if (rng_chance(rng, 70)) {
        choose_rules(setup, rng);
    }
    if (rng_chance(rng, 50)) {
        choose_quotas(&setup->config, rng);
        choose_lifetimes(&setup->config, rng);
        setup->config.max_amplification = rng_chance(rng, 25) ? 1 : 4;
    }
    if (rng_chance(rng, 30)) {
        setup->users[1].password = bytes_of_text("changed");
    }
}
