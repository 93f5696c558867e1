// SPDX-License-Identifier: Apache-2.0
// What the operator wants, as values: the configuration read, typed and judged as a whole.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "daemon/daemon_config.h"
#include "daemon/daemon_otlp_config.h"
#include "portal_link/portal_link_url.h"
#include "turn/turn_config.h"
#include "xdp/xdp_link.h"

enum {
    RELAY_CONFIG_OWN_MAX = 256,
    RELAY_CONFIG_LINK_MAX = 16,      // interfaces that relay in the kernel
    RELAY_CONFIG_LINK_NAME_MAX = 15, // bytes of an interface's name
};

struct relay_config {
    struct daemon_config daemon;     // worker_count 0: relay_capacity.h chooses
    struct daemon_config_place demo; // the page's
    struct addr public_ip4;          // ADDR_NONE: not given
    struct addr public_ip6;
    struct addr bind_ip4; // perhaps unspecified
    struct addr bind_ip6;
    uint16_t listen_port;
    uint16_t lowest_port;
    uint16_t highest_port;
    struct bytes realm;
    struct turn_user users[CONF_VALUE_MAX];
    size_t user_count;
    struct turn_peer_rule rules[CONF_VALUE_MAX];
    size_t rule_count;
    struct bytes auth_secrets[TURN_CONFIG_SECRET_COUNT];
    size_t auth_secret_count;
    struct bytes demo_secret;  // one of them, of the demo page's own; empty: there is no such page
    struct bytes stamp_secret; // empty: not given
    bool has_portal;           // a token is given
    struct bytes token;        // or its file's name; empty also when it cannot be read once more
    struct bytes name;         // for the portal; empty: none
    struct portal_link_url api_url; // with a token
    struct bytes portal_ca;         // a file's name; empty: the system's certificates
    struct bytes software;          // empty: none is sent
    bool is_amplification_strict;
    uint32_t min_lifetime_s;
    uint32_t max_allocations;
    uint32_t fitting_allocations; // as far as the system lets them be (relay_capacity.h)
    uint32_t max_permissions;
    uint32_t max_channels;
    uint32_t user_quota;
    uint32_t permissions_per_allocation;
    uint32_t channels_per_allocation;
    uint64_t max_pps;                            // a second, of an allocation each way; 0: no limit
    uint64_t max_bps;                            // bytes, likewise
    uint64_t unauthenticated_rate;               // a second; 0: no limit
    struct addr own_addrs[RELAY_CONFIG_OWN_MAX]; // of this host, found at start
    size_t own_addr_count;
    struct bytes ebpf_links[RELAY_CONFIG_LINK_MAX]; // interfaces by name
    size_t ebpf_link_count;
    bool is_ebpf_auto; // also those that bear the relay's addresses
    enum xdp_link_mode ebpf_attach;
    struct addr ebpf_int4; // ADDR_NONE: not given
    struct addr ebpf_int6;
    bool has_rng_seed; // given, and without effect
    bool has_telemetry;
    struct daemon_otlp_config otlp;
};

// There is any credential at all.
bool relay_config_has_credential(const struct relay_config *config);

// The same for the TURN server; borrows from `config`.
struct turn_config relay_config_turn(const struct relay_config *config);

// Reads every option out of `conf`; what is wrong is added to conf->errors. True when nothing is.
// Spans in *out are borrowed from what `conf` borrows.
MUST_USE bool relay_config_read(struct conf *conf, struct relay_config *out);
