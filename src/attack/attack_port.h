// SPDX-License-Identifier: Apache-2.0
// Relayed ports and reservation tokens that can be foretold.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_port;
