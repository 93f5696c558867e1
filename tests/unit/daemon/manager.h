// SPDX-License-Identifier: Apache-2.0
// A service manager that listens to the code under test; one at a time.
#pragma once

#include "daemon/daemon_notify.h"

// Opens it, and *notify to tell it, as with this further variable of the environment (or NULL).
void manager_open(struct daemon_notify *notify, const char *variable);
void manager_close(struct daemon_notify *notify);
// What it was told next; empty when it was told nothing. Valid until the next call.
const char *manager_told(void);
