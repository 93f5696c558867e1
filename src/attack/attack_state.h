// SPDX-License-Identifier: Apache-2.0
// What a crowd of strangers, or one user, takes from others.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_state;
