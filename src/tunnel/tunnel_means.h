// SPDX-License-Identifier: Apache-2.0
// What both versions of the protocol are served with: the broker's, which outlives them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/io_accept.h"
#include "io/io_linger.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_crew.h"
#include "tunnel/tunnel_past.h"

struct tunnel_means {
    struct io_loop *loop;
    struct io_accept *accept;
    struct io_linger *linger;
    struct tunnel_controls *controls;
    struct tunnel_crew *crew;
    struct tunnel_past *past;
    uint32_t session_base; // the first of the crew's sessions that are this version's
    // There are as many clients as there may be, of both versions.
    bool (*is_full)(void *context);
    void *context;
};
