// SPDX-License-Identifier: Apache-2.0
// What `fairlead-tunnel relay` is to do: the values of its options (tunnel_options.h).
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "daemon/daemon_config.h"
#include "daemon/daemon_otlp_config.h"
#include "revtun/revtun_config.h"
#include "revtun/revtun_hub.h"
#include "tunnel/tunnel_folder.h"

enum { TUNNEL_CONFIG_KEPT_COUNT = 3 };

struct tunnel_config {
    struct daemon_config daemon;
    struct daemon_otlp_config otlp;
    struct revtun_config core;
    struct addr bind_addr;          // of the control port and the reverse ports; its port is 0
    struct addr public_bind_addr;   // of the public ports
    struct bytes keys;              // directory
    uint32_t handshakes_per_second; // that may begin; 0: all
    // Of version 2.
    struct bytes state; // directory for what is not said elsewhere; empty: none
    bool is_keys_given;
    bool is_host_given;
    bool has_room_for_tunnels;    // their ports are there, and nobody else's
    struct bytes access;          // file; empty: there is version 1 alone
    struct bytes leases;          // file; empty: none
    struct revtun_hub_config hub; // all but host and program, which follow from the above
    char kept[TUNNEL_CONFIG_KEPT_COUNT][PATH_MAX]; // paths in `state`
};

// Reads the options, and has what is wrong with them added to conf->errors. True: *out is complete;
// spans in it are borrowed from what `conf` borrows. A function for daemon_load_open().
bool tunnel_config_read(void *out, struct conf *conf);

// What nobody has said where it is lies in this directory, by the names of tunnel_state.h: keys,
// access list and leases. It outlives nothing: paths are kept in `config`, which does not move.
void tunnel_config_keep_in(struct tunnel_config *config, struct bytes state);

// Version 2 is served beside version 1.
bool tunnel_config_has_second(const struct tunnel_config *config);
// What is spoken in TLS.
enum tunnel_folder_relay tunnel_config_speaks(const struct tunnel_config *config);

// Fits workers and limits to the CPUs and descriptors that this process may have, raises the limit
// of these, and logs what came of it.
void tunnel_config_settle(struct tunnel_config *config);
