// SPDX-License-Identifier: Apache-2.0
// Requests: what an agent says on its control connection, and what comes of it.
#pragma once

#include "base/bytes.h"
#include "base/now.h"

struct revtun_hub;

// Takes at most a line off what was received, and obeys it.
void revtun_request_read(struct revtun_hub *hub, struct now now, uint32_t index,
                         struct bytes *received);
