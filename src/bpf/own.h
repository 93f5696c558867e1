// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The relay's own addresses. The settings never change once the program is loaded, so the verifier
// knows them, and leaves of these loops only as many comparisons as there are addresses.
#pragma once

#include "bpf/flow.h"

static __always_inline const volatile __u32 *own_ip(__u32 own)
{
    return (const volatile __u32 *)settings.own[own % RELAY_ABI_OWN_MAX].ip;
}

// The index of an own address, or RELAY_ABI_OWN_MAX if it is none.
static __always_inline __u32 own_find_ip4(__u32 ip)
{
#pragma unroll
    for (__u32 i = 0; i < RELAY_ABI_OWN_MAX; i++) {
        if (i >= settings.own_count) {
            break;
        }
        if (settings.own[i].family == RELAY_ABI_IP4 && own_ip(i)[0] == ip) {
            return i;
        }
    }
    return RELAY_ABI_OWN_MAX;
}

// The same for IPv6.
static __always_inline __u32 own_find_ip6(const __u32 ip[4])
{
#pragma unroll
    for (__u32 i = 0; i < RELAY_ABI_OWN_MAX; i++) {
        if (i >= settings.own_count) {
            break;
        }
        if (settings.own[i].family == RELAY_ABI_IP6 && own_ip(i)[0] == ip[0] &&
            own_ip(i)[1] == ip[1] && own_ip(i)[2] == ip[2] && own_ip(i)[3] == ip[3]) {
            return i;
        }
    }
    return RELAY_ABI_OWN_MAX;
}
