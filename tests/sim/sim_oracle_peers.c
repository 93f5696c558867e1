// SPDX-License-Identifier: Apache-2.0
// The naive server's peers and permissions (RFC 8656 section 9).
#include <assert.h>
#include <string.h>

#include "sim/sim_oracle.h"

enum { PERMISSION_S = 300 };

static bool is_denied(const struct sim_oracle *oracle, struct addr peer)
{
    static const char *const builtin[] = {"0.0.0.0/8",   "127.0.0.0/8",        "169.254.0.0/16",
                                          "224.0.0.0/4", "255.255.255.255/32", "::/128",
                                          "::1/128",     "fe80::/10",          "ff00::/8"};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_denied = false;
    int longest = -1;

    if (peer.family == ADDR_IP6 && memcmp(peer.ip, mapped, sizeof mapped) == 0) {
        peer = addr_ip4(peer.ip + sizeof mapped, 0);
    }
    for (size_t i = 0; i < COUNT_OF(builtin); i++) {
        struct cidr cidr = {0};
        enum cidr_outcome outcome = cidr_read(bytes_of_text(builtin[i]), &cidr);
        assert(outcome == CIDR_OK);
        if (cidr_contains(&cidr, &peer) && cidr.prefix_len > longest) {
            longest = cidr.prefix_len;
            is_denied = true;
        }
    }
    for (int allowed = 1; allowed >= 0; allowed--) { // denying rules last: they stand above
        for (size_t i = 0; i < oracle->setup->config.rule_count; i++) {
            const struct turn_peer_rule *rule = &oracle->setup->config.rules[i];
            if (rule->is_allowed == (allowed == 1) && cidr_contains(&rule->cidr, &peer) &&
                rule->cidr.prefix_len >= longest) {
                longest = rule->cidr.prefix_len;
                is_denied = !rule->is_allowed;
            }
        }
    }
    return is_denied;
}

unsigned sim_oracle_check_peer(const struct sim_oracle *oracle, const struct sim_naive *message,
                               const struct sim_naive_attr *attr, unsigned allocation,
                               struct addr *peer)
{
    if (!sim_naive_addr(message, attr, peer)) {
        return 400;
    }
    if (peer->family != oracle->allocations[allocation].family) {
        return 443;
    }
    return is_denied(oracle, *peer) ? 403 : 0;
}

bool sim_oracle_has_room(const struct sim_oracle *oracle, unsigned allocation, size_t count)
{
    size_t own = 0;
    size_t all = 0;

    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        all += oracle->permissions[i].until_ns != 0;
        own +=
            oracle->permissions[i].until_ns != 0 && oracle->permissions[i].allocation == allocation;
    }
    bool has = own + count <= oracle->setup->config.permissions_per_allocation &&
               all + count <= oracle->setup->config.max_permissions;
    if (!has) {
        sim_cover_point(oracle->cover, SIM_COVER_FULL_PERMISSIONS);
    }
    return has;
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
