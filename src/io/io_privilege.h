// SPDX-License-Identifier: Apache-2.0
// Giving up root, or capabilities, for good.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

struct io_privilege_user {
    uid_t uid;
    gid_t gid;
};

// The process is root, or could become it.
bool io_privilege_is_root(void);

// Looks up a user by name. -ENOENT when there is none of this name.
MUST_USE int io_privilege_find(const char *name, struct io_privilege_user *out);

// Becomes that user: no supplementary groups, all three ids of both kinds, no capabilities, no new
// privileges through exec. Verifies that the way back is closed. Call it before there are threads.
// -EINVAL: the user is root. -EPERM: this process may not change its user. After any error but
// these two the process is in between: end it.
MUST_USE int io_privilege_drop(struct io_privilege_user user);

// For a process that is not root: gives up CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, which are for
// starting only, and has no new privileges through exec. It keeps all others, such as the one to
// bind ports below 1024. Call it before there are threads.
MUST_USE int io_privilege_shed(void);
