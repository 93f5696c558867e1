// SPDX-License-Identifier: Apache-2.0
// How many bytes come for a byte of who may be forged.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_amplify;
