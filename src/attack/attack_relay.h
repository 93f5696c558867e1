// SPDX-License-Identifier: Apache-2.0
// Relaying to where no stranger may come: this host, its network, metadata services.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_relay;
