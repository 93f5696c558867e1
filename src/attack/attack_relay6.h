// SPDX-License-Identifier: Apache-2.0
// The same by IPv6, and by the ways in which an IPv6 address holds one of IPv4.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_relay6;
