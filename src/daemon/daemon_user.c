// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_user.h"

#include <errno.h>
#include <stddef.h>

#include "io/io_privilege.h"
#include "log/log.h"

int daemon_user_drop(void)
{
    static const char *const names[] = {"fairlead", "nobody"};
    struct io_privilege_user user;

    if (!io_privilege_is_root()) {
        return io_privilege_shed();
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int error = io_privilege_find(names[i], &user);
        if (error == -ENOENT) {
            continue;
        }
        if (error == 0) {
            error = io_privilege_drop(user);
        }
        if (error == 0) {
            LOG_INFO("root given up", LOG_TEXT("user", names[i]));
        }
        return error;
    }
    return -ENOENT;
}
