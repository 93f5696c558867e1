// SPDX-License-Identifier: Apache-2.0
// Checks of a server: message format.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject conform_framing;
