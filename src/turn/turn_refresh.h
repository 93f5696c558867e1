// SPDX-License-Identifier: Apache-2.0
// Answers the Refresh request (RFC 8656 section 8.2).
#pragma once

#include "turn/turn_request.h"

// STUN_ERROR_NONE when it has answered; otherwise the caller does, and nothing has changed.
MUST_USE enum stun_error_code turn_refresh(struct turn_server *server,
                                           const struct turn_request *request);
