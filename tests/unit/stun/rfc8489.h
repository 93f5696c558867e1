// SPDX-License-Identifier: Apache-2.0
// The sample message of RFC 8489 appendix B.1, as its verified erratum 6268 has it.
//
// The appendix as printed is no message: its length field is 20 bytes too long, and the HMAC was
// made with that. The erratum adds PASSWORD-ALGORITHM, without which the key would be one of MD5,
// and has the length and the HMAC that follow.
#pragma once

#include "base/bytes.h"

// All borrowed from static memory.
struct bytes rfc8489_message(void);
struct bytes rfc8489_username(void);
struct bytes rfc8489_realm(void);
struct bytes rfc8489_password(void);
struct bytes rfc8489_nonce(void);
// SHA-256 of username, realm and password: the key of MESSAGE-INTEGRITY-SHA256.
struct bytes rfc8489_key(void);
// SHA-256 of username and realm: the value of USERHASH.
struct bytes rfc8489_userhash(void);
