// SPDX-License-Identifier: Apache-2.0
// What the control socket answers:
//
//      status              how the relay is, a line for each fact
//      why PORT|ADDRESS    tunnel_why.h
//      why NAME|HOST       tunnel_why_agents.h
//      reload              what came of reading the configuration again
//      top                 tunnel_sample.h, when the workers have told what their sessions carry
//
// A first line that begins with "error: " says what is wrong with a request, and "failed: " that
// what was asked for could not be done.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_drain.h"
#include "daemon/daemon_reload.h"
#include "tunnel/tunnel_access.h"
#include "tunnel/tunnel_broker.h"
#include "tunnel/tunnel_certificates.h"

enum {
    // Bytes of what is wrong with the access list, or with the certificates.
    TUNNEL_ANSWER_TOLD_MAX = TUNNEL_ACCESS_TOLD_MAX + TUNNEL_CERTIFICATES_TOLD_MAX,
    // Bytes of what a reload says.
    TUNNEL_ANSWER_RELOAD_MAX = 128 + TUNNEL_ANSWER_TOLD_MAX + DAEMON_RELOAD_TEXT_MAX,
};

struct tunnel_answer {
    struct tunnel_broker *broker;
    struct daemon_ctl *ctl;
    const struct daemon_drain *drain;
    // Reloads, and writes what came of it.
    void (*reload)(void *context, struct wr *wr);
    void *context; // for it
    // --- from here on its own
    uint64_t survey_count; // the ticket of the last one
    uint64_t
        survey_end_ns; // who waits for it is answered then, whoever has not told; 0: none waits
};

// A daemon_ctl_fn; the context is a struct tunnel_answer.
void tunnel_answer_request(void *context, struct bytes request, struct daemon_ctl_reply *reply);
// Answers those who wait. When it is to be called again (monotonic ns), or NEVER.
uint64_t tunnel_answer_tick(struct tunnel_answer *of, struct now now);
