// SPDX-License-Identifier: Apache-2.0
// The operator's access list (revtun_access.h has its form): its file, with what is wrong in the
// log.
#pragma once

#include <limits.h>

#include "revtun/revtun_access.h"

enum {
    TUNNEL_ACCESS_MISTAKE_MAX = 512, // bytes of what is said of one
    // Bytes of all of them, each with the path.
    TUNNEL_ACCESS_TOLD_MAX =
        (REVTUN_ACCESS_MISTAKE_MAX + 1) * (TUNNEL_ACCESS_MISTAKE_MAX + PATH_MAX + 32),
};

// Does not move once it is open, and outlives whoever looks at the list.
struct tunnel_access {
    struct bytes text; // ours
    struct revtun_access list;
};

// Reads the file, for the first time or again. It is all zero before. 0, or -errno, which is
// logged: -EBADMSG when there is a mistake in it, others as daemon_file.h has them. Then it is all
// zero as before, and `told`, if it is there, has a line for each mistake, of up to
// TUNNEL_ACCESS_TOLD_MAX bytes in all.
MUST_USE int tunnel_access_open(struct tunnel_access *access, struct bytes path, bool is_again,
                                struct wr *told);
// Closing twice, or what is all zero, does nothing.
void tunnel_access_close(struct tunnel_access *access);

// Says in the log if the file cannot be read any more, now that root is given up: a reload would
// find that out too late.
void tunnel_access_check(struct bytes path);
