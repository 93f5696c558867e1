// SPDX-License-Identifier: Apache-2.0
// What `fairlead-tunnel relay` is to do: the values of its options (tunnel_options.h).
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "daemon/daemon_config.h"
#include "revtun/revtun_config.h"

struct tunnel_config {
    struct daemon_config daemon;
    struct revtun_config core;
    struct addr bind_addr;          // of the control port and the reverse ports; its port is 0
    struct addr public_bind_addr;   // of the public ports
    struct bytes keys;              // directory
    uint32_t handshakes_per_second; // that may begin; 0: all
};

// Reads the options, and has what is wrong with them added to conf->errors. True: *out is complete;
// spans in it are borrowed from what `conf` borrows. A function for daemon_load_open().
bool tunnel_config_read(void *out, struct conf *conf);

// Fits workers and limits to the CPUs and descriptors that this process may have, raises the limit
// of these, and logs what came of it.
void tunnel_config_settle(struct tunnel_config *config);
