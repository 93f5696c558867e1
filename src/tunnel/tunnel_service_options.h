// SPDX-License-Identifier: Apache-2.0
// The options of `fairlead-tunnel expose`, `echo` and `http`: what stands between a server and a
// relay. The last two have the original's command line, and more.
#pragma once

#include "conf/conf_help.h"
#include "daemon/daemon_load.h"
#include "tunnel/tunnel_agent.h"
#include "tunnel/tunnel_spoke.h"

extern const struct conf_table tunnel_service_options_expose;
extern const struct conf_table tunnel_service_options_little; // echo, http

struct tunnel_service_config {
    bool is_second; // expose: the relay is to speak version 2, and `spoke` says how; else `agent`
    struct tunnel_agent_config agent;
    struct tunnel_spoke_config spoke;
    struct tunnel_place target; // expose
    struct bytes application;   // echo, http: directory
    char relay_name[TUNNEL_NAMES_HOST_MAX + 1];
};

// Reads the command line. False: it is not to run, and *status is what to exit with. What is in
// *out stays as long as the process.
MUST_USE bool tunnel_service_options_read(const struct daemon_load_sources *sources,
                                          const struct conf_table *table,
                                          const struct conf_program *program,
                                          struct tunnel_service_config *out, int *status);
