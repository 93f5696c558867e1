// SPDX-License-Identifier: Apache-2.0
// Whether a server tells who its users are.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_enumerate;
