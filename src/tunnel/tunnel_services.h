// SPDX-License-Identifier: Apache-2.0
// The services of `fairlead-tunnel expose`, by version 2: one or more arguments, or sections of its
// file.
//
//     fairlead-tunnel expose web=8080 ssh=22 ...          [web]
//                                                         target = 8080
//                                                         port = 12210
#pragma once

#include "conf/conf.h"
#include "tunnel/tunnel_spoke.h"

// There are several, or names in front of them: version 1 has neither.
bool tunnel_services_are_second(const struct conf *conf);

// Reads services and targets, of which the sessions are the caller's to read before. What is wrong
// is added to the errors. Texts stay as long as the process.
void tunnel_services_read(struct conf *conf, struct tunnel_spoke_config *out);
