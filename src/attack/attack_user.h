// SPDX-License-Identifier: Apache-2.0
// What one who is no user, or another one, can do.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_user;
