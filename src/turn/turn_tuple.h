// SPDX-License-Identifier: Apache-2.0
// The 5-tuple of a client, UDP being the fifth: who sent, and to which of our addresses.
#pragma once

#include "base/addr.h"

struct turn_tuple {
    struct addr client;
    struct addr server;
};
