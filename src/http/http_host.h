// SPDX-License-Identifier: Apache-2.0
// Whom a request was meant for, by its Host and Origin.
//
// A page of a stranger can have the browser of a user ask our addresses. Two things give it away:
// the Host is the stranger's name if that was made to point here (DNS rebinding), and whatever a
// browser sends across origins, but for plain GETs, says where from in Origin.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

// Host is "localhost" or an address of loopback, whatever the port. False for an empty one.
bool http_host_is_local(struct bytes host);

// Origin is "http://" and Host, and Host is "localhost" or an address: another name may have been
// made to point here. Both are compared as they stand, which is how browsers send them.
bool http_host_is_origin(struct bytes host, struct bytes origin);
