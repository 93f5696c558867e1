// SPDX-License-Identifier: Apache-2.0
// Datagrams that have brought servers down.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_crash;
