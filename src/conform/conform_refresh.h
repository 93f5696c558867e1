// SPDX-License-Identifier: Apache-2.0
// Checks of a server: Refresh.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject conform_refresh;
