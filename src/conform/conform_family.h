// SPDX-License-Identifier: Apache-2.0
// Checks of a server: address families.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject conform_family;

struct talk;

// The server knows ADDITIONAL-ADDRESS-FAMILY, or there is nothing to be asked of it. Another client
// finds out.
void conform_family_need_additional(struct talk *talk);
