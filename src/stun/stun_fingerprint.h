// SPDX-License-Identifier: Apache-2.0
// FINGERPRINT: a CRC-32 that tells STUN from other protocols on one port (RFC 8489 section 14.7).
#pragma once

#include "base/bytes.h"

enum { STUN_FINGERPRINT_LEN = 4 }; // bytes of the value

// The value for `head`, all bytes of the message before the attribute, whose length field already
// counts the attribute.
uint32_t stun_fingerprint(struct bytes head);
