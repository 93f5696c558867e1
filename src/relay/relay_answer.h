// SPDX-License-Identifier: Apache-2.0
// What the control socket answers:
//
//      status          how the relay is, a line for each fact
//      why CLIENT      relay_why.h, of an address with or without a port
//      reload          when it is done: what came of reading the configuration again
//      top LIMIT       relay_sample.h, of so many allocations at most
//
// A first line that begins with "error: " says what is wrong with a request, and "failed: " that
// what was asked for could not be done.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "daemon/daemon_ctl.h"
#include "relay/relay_crew.h"
#include "relay/relay_status.h"

struct relay_answer {
    struct relay_crew *crew;
    struct relay_status *status;
    // Begins to reload: with which ticket there will be an answer. 0: the relay does not any more.
    uint64_t (*reload)(void *context);
    void *context;
};

// A daemon_ctl_fn; the context is a struct relay_answer.
void relay_answer_request(void *context, struct bytes request, struct daemon_ctl_reply *reply);
