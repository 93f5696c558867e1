// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_state.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"

bool tunnel_state_find(char out[PATH_MAX])
{
    static const char *const places[] = {"./" TUNNEL_STATE_HERE, TUNNEL_STATE_SYSTEM};

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (access(places[i], F_OK) == 0) {
            snprintf(out, PATH_MAX, "%s", places[i]);
            return true;
        }
    }
    return false;
}

void tunnel_state_path(const char *folder, const char *name, char out[PATH_MAX])
{
    const int len = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    if (len < 0 || len >= PATH_MAX) {
        out[PATH_MAX - 1] = '\0';
    }
}
