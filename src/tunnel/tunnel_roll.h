// SPDX-License-Identifier: Apache-2.0
// The file of an access list as its operator looks after it: who is on it, and who is taken off.
#pragma once

#include "io/io_tls_error.h"
#include "tunnel/tunnel_access.h"

enum { TUNNEL_ROLL_LINE_MAX = 256 + REVTUN_ACCESS_LINE_MAX }; // bytes of what is said of an agent

// Reads a list; tunnel_access_close() closes it. False, with words in *wrong, and it is all zero:
// it cannot be read, or there is a mistake in it.
MUST_USE bool tunnel_roll_open(struct tunnel_access *roll, const char *path,
                               struct io_tls_error *wrong);

// Writes a line of who it is and all that he may have, but not by what a token is recognized:
// "token laptop ports=* sni=none names=* tunnels=16 hosts=256".
void tunnel_roll_entry_write(struct wr *wr, const struct revtun_access_entry *entry);

// Takes the line of the token with this name off a list, and nothing else; the file's owner and
// rights stay. False, with words in *wrong, and the file is as it was: there is none, the list is
// wrong, somebody else is just changing it, or it cannot be written.
MUST_USE bool tunnel_roll_revoke(const char *path, struct bytes id, struct io_tls_error *wrong);
