// SPDX-License-Identifier: Apache-2.0
// What has been relayed for one allocation: application data alone, without any head.
#pragma once

#include <stdint.h>

// Each way by itself, as the allocation's own permissions and limits let it pass: what turns round
// to another client counts for the one that sends it as well as for the one that gets it.
struct turn_usage {
    uint64_t packets_to_peer;
    uint64_t bytes_to_peer;
    uint64_t packets_to_client;
    uint64_t bytes_to_client;
};
