// SPDX-License-Identifier: Apache-2.0
// Checks of a server: the challenge to who has not proven himself.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject conform_challenge;
