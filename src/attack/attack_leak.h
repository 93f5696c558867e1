// SPDX-License-Identifier: Apache-2.0
// What of a server's memory comes back.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_leak;
