// SPDX-License-Identifier: Apache-2.0
// The policy that all workers follow (turn_policy.h), and how another one takes its place.
//
// The control thread makes it and publishes it; each worker adopts it in its own thread; when the
// last one has, the former is wiped and given back. Nobody waits: until then there is no third one.
//
//      SETTLED --relay_policy_change()--> on its way --all have adopted it,
//      relay_policy_settle()--> SETTLED
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "relay/relay_config.h"
#include "turn/turn_policy.h"

struct relay_policy {
    uint32_t worker_count;
    struct turn_policy *former; // while another one is on its way; else NULL
    struct turn_policy *own;    // what is published, for the control thread
    _Atomic(const struct turn_policy *) current;
    _Atomic(const struct turn_policy *) adopted[DAEMON_CONFIG_WORKER_MAX]; // by each worker
};

// Makes the first one, which all workers have from their start. 0 or -errno.
MUST_USE int relay_policy_open(struct relay_policy *policy, const struct turn_config *config,
                               uint32_t worker_count);
// Once the workers are gone. Closing twice, or what was never opened but is all zero, does nothing.
void relay_policy_close(struct relay_policy *policy);

// The control thread's.

// Publishes another one, made of a configuration that may follow (asserted). -EBUSY while the last
// change is on its way, -ENOMEM. The caller has each worker look (RELAY_MAILBOX_ADOPT).
MUST_USE int relay_policy_change(struct relay_policy *policy, const struct turn_config *config);
// True when no change is on its way: all workers have adopted the last one, and the former is gone.
bool relay_policy_settle(struct relay_policy *policy);

// Everybody's.

// The one to follow. A worker may look into it until it has adopted another one.
const struct turn_policy *relay_policy_current(const struct relay_policy *policy);
// A worker's: it follows this one from now on, and looks into no other.
void relay_policy_adopted(struct relay_policy *policy, uint32_t worker,
                          const struct turn_policy *adopted);
