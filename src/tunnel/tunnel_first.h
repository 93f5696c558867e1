// SPDX-License-Identifier: Apache-2.0
// The first start of a relay for which nobody has made anything: it makes keys, an access list and
// a token, and says what to type beside a service.
#pragma once

#include "base/macro.h"
#include "revtun/revtun_access.h"
#include "tunnel/tunnel_config.h"

// Whether a relay with this configuration keeps what it needs in a directory of its own: nobody has
// said where keys and list are, and the original's directory of keys is not there.
bool tunnel_first_is_wanted(const struct tunnel_config *config);

// Whether it would have had one, which is there with a list of agents, but for the original's
// directory of keys that has come beside it: they find version 1 alone.
bool tunnel_first_is_forgotten(const struct tunnel_config *config);

// Makes what is missing in config->state, if there is one; logs it, and prints the first agent's
// command, or in which file that is: in a log that others read it would be no secret. 0 or -errno,
// which is logged.
MUST_USE int tunnel_first_make(const struct tunnel_config *config);

// Writes the file of the first agent's command anew, and tells of it as above, if the relay is
// reached by another host or port than it says, and its token is still on the list. Called when the
// relay listens, and root is given up.
void tunnel_first_renew(const struct tunnel_config *config, const struct revtun_access *access);
