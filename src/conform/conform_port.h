// SPDX-License-Identifier: Apache-2.0
// Checks of a server: EVEN-PORT and RESERVATION-TOKEN.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject conform_port;
