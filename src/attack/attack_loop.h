// SPDX-License-Identifier: Apache-2.0
// Relaying to the server itself: its listener, its relayed addresses.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_loop;
