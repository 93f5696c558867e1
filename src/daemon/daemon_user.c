// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_user.h"

#include <errno.h>
#include <stddef.h>

#include "log/log.h"

// The name is a constant.
static int find(struct io_privilege_user *out, const char **name)
{
    static const char *const names[] = {"fairlead", "nobody"};
    int error = -ENOENT;

    for (size_t i = 0; error == -ENOENT && i < COUNT_OF(names); i++) {
        error = io_privilege_find(names[i], out);
        *name = names[i];
    }
    return error;
}

int daemon_user_find(struct io_privilege_user *out)
{
    const char *name = NULL;

    return find(out, &name);
}

int daemon_user_drop(void)
{
    struct io_privilege_user user;
    const char *name = NULL;

    if (!io_privilege_is_root()) {
        return io_privilege_shed();
    }
    int error = find(&user, &name);
    if (error == 0) {
        error = io_privilege_drop(user);
    }
    if (error == 0) {
        LOG_INFO("root given up", LOG_TEXT("user", name));
    }
    return error;
}
