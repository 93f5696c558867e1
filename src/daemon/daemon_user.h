// SPDX-License-Identifier: Apache-2.0
// As whom a daemon serves.
#pragma once

#include "base/macro.h"
#include "io/io_privilege.h"

// Gives up root, which is logged, for a user of our own: fairlead if the system has that one, and
// nobody otherwise. A process that is not root gives up the capabilities that it was given for its
// start (io_privilege_shed()). For good, and before there are threads. 0 or -errno.
MUST_USE int daemon_user_drop(void);
// That user, who may be given what the daemon is to read later. -ENOENT: there is none; others as
// io_privilege_find().
MUST_USE int daemon_user_find(struct io_privilege_user *out);
