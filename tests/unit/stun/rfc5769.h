// SPDX-License-Identifier: Apache-2.0
// The sample messages of RFC 5769.
#pragma once

#include "base/bytes.h"

enum { RFC5769_COUNT = 4 };

enum rfc5769_sample {
    RFC5769_REQUEST,           // section 2.1
    RFC5769_IP4_RESPONSE,      // section 2.2
    RFC5769_IP6_RESPONSE,      // section 2.3
    RFC5769_LONG_TERM_REQUEST, // section 2.4, without FINGERPRINT
};

// Borrowed from static memory.
struct bytes rfc5769_message(enum rfc5769_sample sample);
// The key of its MESSAGE-INTEGRITY.
struct bytes rfc5769_key(enum rfc5769_sample sample);
